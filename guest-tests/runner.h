/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runner.h: serving one request for a case in a child process.
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdint.h>

#include "guest.h"
#include "proto.h"

enum runner_step {
    RUNNER_RUN,
    RUNNER_BASE,
    RUNNER_PREPARE,
    RUNNER_VERIFY,
};

/* Sends everything that the request is answered with. */
void runner_serve(struct proto *proto, enum runner_step step,
                  const struct guest_case *guest_case,
                  const char *parameters, uint64_t mark_id);

#endif
