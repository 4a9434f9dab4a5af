/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb.h: the verbs of the command line. One file per verb, verb_NAME.c; the
 * tables of options are compared with docs/harness.md by a test.
 */
#ifndef HARNESS_VERB_H
#define HARNESS_VERB_H

#include <glib.h>

struct verb {
    const char *name;
    const char *arguments;      /* for --help, "" for none */
    const char *summary;        /* one line */
    const GOptionEntry *options;
    /* argv[0] is the verb; options are gone. Returns an exit code. */
    int (*run)(int argc, char **argv);
};

extern const struct verb verb_doctor;
extern const struct verb verb_kernel;
extern const struct verb verb_run;
extern const struct verb verb_qemu;
extern const struct verb verb_trace;
extern const struct verb verb_context;
extern const struct verb verb_demo;

/* Exit code for an argument too many or unknown: says so on stderr. */
int verb_refuse(const struct verb *verb, const char *argument);

#endif
