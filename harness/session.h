/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h: the QEMU processes of one suite, one after the other.
 *
 * A suite needs one QEMU process as long as nothing goes wrong. When a guest
 * is lost the next case gets a new process with new images; each has its own
 * trace file, trace-N.labtrace.
 */
#ifndef HARNESS_SESSION_H
#define HARNESS_SESSION_H

#include "guest.h"
#include "kernel.h"
#include "plan.h"
#include "result.h"

struct machine {
    const char *qemu;
    const char *accel;
    const struct kernel *kernel;
    const char *initramfs;
    const struct drive_set *drive;
};

struct session {
    const struct machine *machine;
    const struct plan *plan;
    const char *directory;
    struct guest guest;         /* guest.vm NULL: no process now */
    unsigned number;            /* of the process, from 1 */
    GArray *clean;              /* bool per process: it ended by itself */
};

void session_init(struct session *session, const struct machine *machine,
                  const struct plan *plan, const char *directory);
/* Make sure that a guest listens. */
gboolean session_need(struct session *session, GError **error);
/* The guest is lost, or no longer needed. */
void session_end(struct session *session, bool is_lost);
void session_clear(struct session *session);
char *session_trace(const char *directory, unsigned number);
void session_remove_images(const char *directory);
/* The QEMU configuration for a process of this machine. */
struct vm_config session_config(const struct machine *machine,
                                const struct plan *plan,
                                const char *directory, const char *trace);

#endif
