/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_qemu.c: nvmelab qemu: the QEMU command line of a lab machine, for use
 * by hand.
 */
#include "verb.h"

#include "failure.h"
#include "hold_file.h"
#include "shell.h"

static struct {
    char *kernel;
    char *drive;
    char *lie;
    char *hold;
    char *append;
    char *results;
    gboolean is_run;
    gboolean is_shell;
} given;

static const GOptionEntry options[] = {
    { "kernel", 'k', 0, G_OPTION_ARG_STRING, &given.kernel,
      "series, exact version, newest, bzImage or kernel tree (the kernel "
      "tree around you, or 6.12)",
      "KERNEL" },
    { "drive", 'd', 0, G_OPTION_ARG_STRING, &given.drive,
      "named set of drive properties (vwc)", "DRIVE" },
    { "lie", 0, 0, G_OPTION_ARG_STRING, &given.lie,
      "make the drive lie: flush, flush-early, fua, fua-barrier, atomic",
      "LIE" },
    { "hold", 0, 0, G_OPTION_ARG_FILENAME, &given.hold,
      "rules that park I/O of the guest", "FILE" },
    { "append", 0, 0, G_OPTION_ARG_STRING, &given.append,
      "more parameters for the kernel's command line", "WORDS" },
    { "results", 0, 0, G_OPTION_ARG_FILENAME, &given.results,
      "directory of images and trace (build/hand)", "DIR" },
    { "run", 0, 0, G_OPTION_ARG_NONE, &given.is_run,
      "run it, with the console on this terminal", NULL },
    { "shell", 0, 0, G_OPTION_ARG_NONE, &given.is_shell,
      "run it, with a shell in the guest", NULL },
    G_OPTION_ENTRY_NULL
};

static int run(int argc, char **argv)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *fallback = kernel_default();
    char *kernels[] = { given.kernel ? given.kernel : fallback, NULL };
    char *drives[] = { given.drive ? given.drive : (char *)"vwc", NULL };
    struct run_request request = {
        .kernels = kernels, .drives = drives, .results = given.results,
        .plan = { .lie = given.lie, .append = given.append,
                  .timeout_s = PLAN_TIMEOUT_DEFAULT_S,
                  .keeps_images = true },
    };
    int code;

    if (argc > 1) {
        return verb_refuse(&verb_qemu, argv[1]);
    }
    if (given.hold) {
        request.plan.hold_file = given.hold;
        request.plan.holds = hold_file_read(given.hold, &cause);
        if (cause) {
            return failure_report(cause);
        }
    }
    if (given.is_run || given.is_shell) {
        code = shell_run(&request, given.is_shell, &cause);
    } else {
        code = shell_print(&request, &cause);
    }
    g_free(request.plan.holds);
    return cause ? failure_report(cause) : code;
}

const struct verb verb_qemu = {
    "qemu", "", "print (or run) the QEMU command line for use by hand",
    options, run
};
