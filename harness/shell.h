/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shell.h: a lab machine for use by hand.
 */
#ifndef HARNESS_SHELL_H
#define HARNESS_SHELL_H

#include "run.h"

/* Print the command line of every suite, console on the terminal. */
int shell_print(const struct run_request *request, GError **error);
/*
 * Run the first machine of the request with its console on the terminal;
 * with has_shell the guest is asked for a shell. Returns an exit code.
 */
int shell_run(const struct run_request *request, bool has_shell,
              GError **error);

#endif
