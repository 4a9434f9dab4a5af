/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.h: all suites of a run: kernels times drives.
 */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include "kernel.h"
#include "plan.h"
#include "result.h"
#include "session.h"

struct run_request {
    char **kernels;             /* words for kernel_find() */
    char **drives;              /* names of drive sets */
    const char *results;        /* directory, or NULL: a new one */
    unsigned jobs;              /* suites at a time; 0: one per processor */
    struct plan plan;
};

/* Called after each suite, in their order; may be NULL. */
typedef void run_suite_fn(const struct suite_result *suite, guint number);

/* The resolved parts of one suite; clear with run_machine_clear(). */
struct run_machine {
    struct machine machine;
    struct kernel *kernel;
    char *qemu, *initramfs;
    char *accel_why;
};

gboolean run_machine_init(struct run_machine *machine, const char *kernel,
                          const char *drive, GError **error);
void run_machine_clear(struct run_machine *machine);

/* Refuse what can be refused before anything boots. */
gboolean run_check(const struct run_request *request, GError **error);
/*
 * NULL and an error only for errors of the user and of the set-up; what goes
 * wrong later stands in the result. Reports are in the result's directory.
 */
struct run_result *run_all(const struct run_request *request,
                           run_suite_fn *on_suite, GError **error);
/* Print one of the guest's lists of cases. */
gboolean run_list(const struct run_request *request, GError **error);

#endif
