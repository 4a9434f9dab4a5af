/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_demo.c: the table of contexts and commands, to the letter.
 */
#include "demo.h"

#include <string.h>

static struct suite_result *add_suite(struct run_result *run,
                                      const char *kernel)
{
    struct suite_result *suite = suite_result_new(kernel, "vwc");

    g_ptr_array_add(run->suites, suite);
    return suite;
}

static void add_case(struct suite_result *suite, const char *name,
                     enum verdict verdict, const char *context,
                     const char *commands)
{
    struct case_result *result = case_result_new(name);

    case_result_set(result, verdict, NULL);
    result->context = g_strdup(context);
    result->commands = g_strdup(commands);
    g_ptr_array_add(suite->cases, result);
}

static struct run_result *make_run(void)
{
    struct run_result *run = run_result_new();
    struct suite_result *suite = add_suite(run, "6.12");

    add_case(suite, "context.raw.overwrite.iopoll", VERDICT_PASS,
             "submitter polled -", "W");
    add_case(suite, "context.raw.read.io_uring", VERDICT_PASS,
             "submitter hardirq -", "-");
    add_case(suite, "context.raw.read.libaio", VERDICT_PASS,
             "submitter hardirq -", "-");
    add_case(suite, "context.xfs.overwrite.io_uring", VERDICT_PASS,
             "io-wq workqueue:dio -", "W");
    add_case(suite, "context.xfs.overwrite.libaio", VERDICT_PASS,
             "submitter workqueue:dio -", "W");
    add_case(suite, "flush.xfs.fsync-dirty.sync", VERDICT_PASS, NULL, "F WF");
    suite = add_suite(run, "newest");
    add_case(suite, "context.raw.overwrite.iopoll", VERDICT_FAIL,
             "submitter hardirq -", "W");
    add_case(suite, "context.raw.read.io_uring", VERDICT_PASS,
             "submitter hardirq -", "-");
    add_case(suite, "context.raw.read.libaio", VERDICT_PASS,
             "submitter hardirq -", "-");
    add_case(suite, "context.xfs.overwrite.io_uring", VERDICT_SKIP, NULL,
             NULL);
    add_case(suite, "flush.xfs.fsync-dirty.sync", VERDICT_PASS, NULL, "F WF");
    return run;
}

/* Behind the heading, which people may word better. */
static const char rows[] =
    "raw block device  6.12.vwc          "
    "newest.vwc                  issued by\n"
    "read              hardirq           "
    "hardirq                     io_uring,libaio\n"
    "overwrite         polled W          "
    "fail submitter hardirq - W  iopoll\n"
    "\n"
    "XFS               6.12.vwc          "
    "newest.vwc                  issued by\n"
    "overwrite         workqueue:dio* W  "
    "skipped                     io_uring\n"
    "overwrite         workqueue:dio W   "
    "not run                     libaio\n"
    "fsync-dirty       F WF              "
    "F WF                        sync\n"
    "\n"
    "ext4              6.12.vwc          "
    "newest.vwc                  issued by\n";

static void test_rows(void)
{
    struct run_result *run = make_run();
    g_autoptr(GString) text = g_string_new(NULL);

    demo_cells(run, text, false);
    g_assert_true(g_str_has_suffix(text->str, rows) ||
                  (g_print("%s", text->str), false));
    run_result_free(run);
}

/* Colours add no column, and what is wrong is red. */
static void test_colours(void)
{
    struct run_result *run = make_run();
    g_autoptr(GString) plain = g_string_new(NULL);
    g_autoptr(GString) coloured = g_string_new(NULL);
    g_autoptr(GRegex) code =
        g_regex_new("\033\\[[0-9]+m", 0, 0, NULL);
    g_autofree char *bare = NULL;

    demo_cells(run, plain, false);
    demo_cells(run, coloured, true);
    bare = g_regex_replace_literal(code, coloured->str, -1, 0, "", 0, NULL);
    g_assert_cmpstr(bare, ==, plain->str);
    g_assert_nonnull(strstr(coloured->str,
                            "\033[31mfail submitter hardirq - W\033[0m"));
    run_result_free(run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demo/rows", test_rows);
    g_test_add_func("/demo/colours", test_colours);
    return g_test_run();
}
