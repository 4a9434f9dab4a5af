/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_story.h: one repeat of a context case, told: from the call to the
 * drive's commands and back to the completion, a line each.
 */
#ifndef HARNESS_CONTEXT_STORY_H
#define HARNESS_CONTEXT_STORY_H

#include "context_event.h"
#include "context_join.h"

struct context_tale {
    const struct context_repeat *repeat;
    const struct context_join *join;        /* as far as it came */
    const char *op, *issuer;
};

/* char * */
GPtrArray *context_story(const struct context_tale *tale);

#endif
