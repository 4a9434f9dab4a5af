/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h: the conversation with PID 1 of the guest.
 *
 * Every function waits for at most timeout_s. An error means that the guest
 * is lost (FAILURE_PANIC, FAILURE_TIMEOUT or FAILURE_INFRA) and that the
 * virtual machine is to be stopped.
 */
#ifndef HARNESS_GUEST_H
#define HARNESS_GUEST_H

#include <stdbool.h>

#include "result.h"
#include "vm.h"

struct guest {
    struct vm *vm;
    double timeout_s;
    unsigned resets_expected;
    guint64 cuts;               /* as of the last hello */
    char *release;              /* uname -r */
    char *unwatched;            /* never-events: what of them, or NULL */
    bool is_untraceable;        /* tracefs is closed or not there */
};

/* Wait for the first hello. */
gboolean guest_wait_hello(struct guest *guest, GError **error);
void guest_clear(struct guest *guest);

/* The names of all cases, in the order in which they are to be run. */
GPtrArray *guest_list(struct guest *guest, GError **error);
/*
 * Send "VERB NAME PARAMETERS" for VERB run, base, prepare, verify; the verdict
 * and notes go into result. *is_over (may be NULL): there was a verdict, and
 * not "ready".
 */
gboolean guest_step(struct guest *guest, const char *verb, const char *name,
                    const char *parameters, struct case_result *result,
                    bool *is_over, GError **error);
/* Cut the power and wait until the guest is back. */
gboolean guest_cut(struct guest *guest, const char *policy, GError **error);
/*
 * An interactive shell on the console; returns when it has ended. What the
 * guest saw meanwhile are notes of result.
 */
gboolean guest_shell(struct guest *guest, struct case_result *result,
                     GError **error);

#endif
