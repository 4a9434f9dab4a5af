/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_story.h: one repeat of a context case, told: from the call to the
 * drive's command and back to the completion, a line each.
 */
#ifndef HARNESS_CONTEXT_STORY_H
#define HARNESS_CONTEXT_STORY_H

#include "context_event.h"
#include "trace.h"

/* char *; setup and command are the join, NULL when there is none. */
GPtrArray *context_story(const struct context_repeat *repeat,
                         const struct context_event *setup,
                         const struct lab_trace_command *command);

#endif
