/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failure.h: errors that end a verb, and the exit codes they end it with.
 *
 * Every GError of the harness carries one line that names the offending
 * value. Its code says whose fault it was; failure_exit() maps it to the exit
 * status of the process. Errors of other domains count as infrastructure.
 */
#ifndef HARNESS_FAILURE_H
#define HARNESS_FAILURE_H

#include <glib.h>

enum exit_code {
    EXIT_PASS = 0,
    EXIT_FAIL = 1,              /* a test failed */
    EXIT_USAGE = 2,             /* command line or configuration */
    EXIT_INFRA = 3,             /* QEMU, boot, timeout, lost records */
    EXIT_SKIP = 4,              /* every case was skipped */
};

enum failure {
    FAILURE_USAGE,
    FAILURE_INFRA,
    FAILURE_PANIC,              /* the guest kernel died */
    FAILURE_TIMEOUT,            /* the guest did not answer in time */
};

#define FAILURE failure_quark()

GQuark failure_quark(void);
int failure_exit(const GError *error);
/* Print "nvmelab: MESSAGE" on stderr and return the exit code. */
int failure_report(const GError *error);

#endif
