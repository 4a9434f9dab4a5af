/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * results.h: the directory that a run leaves behind.
 *
 *   DIR/run.json                          the run: commit, seeds, suites
 *   DIR/report.ktap                       what was printed as KTAP
 *   DIR/KERNEL.DRIVE/console.log          the kernel log, seconds since start
 *                   /protocol.log         the guest line, both ways, QMP events
 *                   /qemu.cmd, qemu.log   command line; what QEMU complained of
 *                   /trace-N.labtrace     one per QEMU process
 *                   /CASE/case.json       everything about one result
 *                   /nsN.img              images, with --keep only
 */
#ifndef HARNESS_RESULTS_H
#define HARNESS_RESULTS_H

#include "plan.h"
#include "result.h"

/* Of the repository, with "-dirty" behind; "unknown" outside of git. */
char *results_commit(void);
/* case.json of every case of the suite. */
gboolean results_write_suite(const struct run_result *run,
                             const struct suite_result *suite, GError **error);
/* run.json and report.ktap. */
gboolean results_write_run(const struct run_result *run, GError **error);
/* Remove a directory with all that is in it. */
void results_remove(const char *directory);

#endif
