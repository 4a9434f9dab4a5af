/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c: nvmelab VERB: finds the verb, parses its options, runs it.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "verb.h"

#ifndef NVMELAB_VERSION
#define NVMELAB_VERSION "0"
#endif

static const struct verb *const verbs[] = {
    &verb_doctor, &verb_kernel, &verb_run, &verb_qemu, &verb_trace,
    &verb_context, &verb_demo,
};

static void print_help(void)
{
    puts("usage: nvmelab VERB [OPTION…] [ARGUMENT…]\n"
         "\n"
         "A virtual NVMe drive that forgets exactly what a real drive may "
         "forget,\nand a harness that boots Linux kernels on it.\n");
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        printf("  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
    }
    puts("\n"
         "  nvmelab VERB --help   options of a verb\n"
         "  nvmelab --version\n"
         "\n"
         "Exit codes: 0 pass, 1 a test failed, 2 usage or configuration,\n"
         "3 infrastructure (QEMU, boot, timeout), 4 all skipped.\n"
         "More: docs/harness.md");
}

/* For the test that compares docs/harness.md with the tables, both ways. */
static void dump_options(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        for (const GOptionEntry *option = verbs[i]->options;
             option && option->long_name; option++) {
            printf("%s --%s\n", verbs[i]->name, option->long_name);
        }
    }
}

static const struct verb *find_verb(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (g_str_equal(verbs[i]->name, name)) {
            return verbs[i];
        }
    }
    return NULL;
}

int verb_refuse(const struct verb *verb, const char *argument)
{
    g_printerr("nvmelab: %s: unexpected argument '%s'; see: nvmelab %s "
               "--help\n", verb->name, argument, verb->name);
    return EXIT_USAGE;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    g_autofree char *program = g_strdup_printf("nvmelab %s", verb->name);
    g_autoptr(GOptionContext) context =
        g_option_context_new(verb->arguments);
    g_autoptr(GError) cause = NULL;

    g_set_prgname(program);
    g_option_context_set_summary(context, verb->summary);
    g_option_context_add_main_entries(context, verb->options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &cause)) {
        return failure_report(cause);
    }
    if (argc > 1 && g_str_equal(argv[1], "--")) {
        memmove(argv + 1, argv + 2, (size_t)(argc - 1) * sizeof(*argv));
        argc--;
    }
    return verb->run(argc, argv);
}

int main(int argc, char **argv)
{
    const struct verb *verb;

    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        g_printerr("nvmelab: no verb; see: nvmelab --help\n");
        return EXIT_USAGE;
    }
    if (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h")) {
        print_help();
        return EXIT_PASS;
    }
    if (g_str_equal(argv[1], "--version")) {
        puts("nvmelab " NVMELAB_VERSION);
        return EXIT_PASS;
    }
    if (g_str_equal(argv[1], "--dump-options")) {
        dump_options();
        return EXIT_PASS;
    }
    verb = find_verb(argv[1]);
    if (!verb) {
        g_printerr("nvmelab: no verb is called '%s'; see: nvmelab --help\n",
                   argv[1]);
        return EXIT_USAGE;
    }
    return run_verb(verb, argc - 1, argv + 1);
}
