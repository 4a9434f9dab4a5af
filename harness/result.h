/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result.h: what a run leaves behind: cases in suites in one run.
 *
 * A suite is one kernel on one drive. Reports read these structures and
 * nothing else. Notes are single lines without the leading "# ".
 */
#ifndef HARNESS_RESULT_H
#define HARNESS_RESULT_H

#include <glib.h>
#include <stdbool.h>

#include "verdict.h"

struct case_result {
    char *name;
    enum verdict verdict;
    char *reason;               /* one line, or NULL */
    bool is_infra;              /* the machinery failed, not the guest */
    GPtrArray *notes;
    char *rerun;                /* command line, or NULL */
    double seconds;

    char *unread;               /* what nobody can judge yet, or NULL */

    /* Context cases: where it ran, "io-wq workqueue:dio -", or NULL. */
    char *context;
    char *context_source;       /* expectation row, or NULL */

    /* Flush and context cases: what the drive saw. */
    char *commands;             /* "W F WF", or NULL */
    unsigned missing;
    unsigned redundant_listed;
    unsigned redundant_unlisted;
    char *commands_source;      /* expectation row, or NULL */

    /* Durability cases. */
    unsigned rounds;
    char *failed_policy;        /* "random:7", or NULL */
};

/* One power cut, from the SURVIVOR records of the trace. */
struct cut_result {
    char *policy;
    unsigned kept, dropped, torn;
};

struct suite_result {
    char *name;                 /* KERNEL.DRIVE */
    char *kernel;               /* as given: "6.12" */
    char *kernel_release;       /* uname -r, or NULL before the first boot */
    char *drive;
    char *drive_properties;
    char *lie;                  /* or NULL */
    char *qemu_version;
    char *accel;
    char *unwatched;            /* which never-events are not, or NULL */
    char *directory;
    char *problem;              /* voids the suite; NULL when sound */
    bool is_problem_infra;
    GPtrArray *cases;           /* struct case_result */
    GPtrArray *cuts;            /* struct cut_result */
    double seconds;
};

struct run_result {
    char *directory;
    char *commit;               /* of this repository, or "unknown" */
    guint64 seed;
    unsigned seeds;
    GPtrArray *suites;          /* struct suite_result */
};

struct case_result *case_result_new(const char *name);
void case_result_free(struct case_result *result);
/* Set the verdict if it is worse than what stands; reason is printf-style. */
void case_result_set(struct case_result *result, enum verdict verdict,
                     const char *format, ...) G_GNUC_PRINTF(3, 4);
/* A case that passed but for what is unread is skipped. */
void case_result_settle_unread(struct case_result *result);
void case_result_note(struct case_result *result, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

struct suite_result *suite_result_new(const char *kernel, const char *drive);
void suite_result_free(struct suite_result *suite);
enum verdict suite_result_verdict(const struct suite_result *suite);
/* NULL: the suite has no case of that name. */
const struct case_result *suite_result_case(const struct suite_result *suite,
                                            const char *name);

struct run_result *run_result_new(void);
void run_result_free(struct run_result *run);
/* 0 pass, 1 fail, 3 infrastructure, 4 all skipped. */
int run_result_exit(const struct run_result *run, bool strict_skip);

#endif
