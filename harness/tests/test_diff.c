/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_diff.c: what counts as a difference between kernels, to the letter.
 */
#include "diff.h"

static struct suite_result *add_suite(struct run_result *run,
                                      const char *kernel, const char *drive)
{
    struct suite_result *suite = suite_result_new(kernel, drive);

    g_ptr_array_add(run->suites, suite);
    return suite;
}

static void add_case(struct suite_result *suite, const char *name,
                     enum verdict verdict, const char *commands)
{
    struct case_result *result = case_result_new(name);

    case_result_set(result, verdict, NULL);
    result->commands = g_strdup(commands);
    g_ptr_array_add(suite->cases, result);
}

static void expect_text(const struct run_result *run, const char *wanted)
{
    g_autofree char *text = diff_kernels(run, "# ");

    g_assert_cmpstr(text, ==, wanted);
}

/* Suites come kernel by kernel, as a run has them. */
static void test_differences(void)
{
    struct run_result *run = run_result_new();
    struct suite_result *suite = add_suite(run, "6.1", "vwc");

    add_case(suite, "flush.raw.same", VERDICT_PASS, "W");
    add_case(suite, "flush.raw.sequence", VERDICT_PASS, "W W F WF");
    add_case(suite, "flush.raw.verdict", VERDICT_PASS, "WF");
    add_case(suite, "durability.raw.same", VERDICT_PASS, NULL);
    add_case(suite, "durability.raw.lost", VERDICT_PASS, NULL);
    suite = add_suite(run, "6.1", "no-vwc");
    add_case(suite, "flush.raw.same", VERDICT_PASS, "-");
    suite = add_suite(run, "newest", "vwc");
    add_case(suite, "durability.raw.same", VERDICT_PASS, NULL);
    add_case(suite, "flush.raw.new", VERDICT_SKIP, NULL);
    add_case(suite, "flush.raw.verdict", VERDICT_FAIL, "WF");
    add_case(suite, "flush.raw.sequence", VERDICT_PASS, "W F WF");
    add_case(suite, "flush.raw.same", VERDICT_PASS, "W");
    suite = add_suite(run, "newest", "no-vwc");
    add_case(suite, "flush.raw.same", VERDICT_PASS, "-");
    expect_text(run,
        "# kernels on vwc: 4 of 6 cases differ\n"
        "# case                 6.1             newest\n"
        "# flush.raw.sequence   pass: W W F WF  pass: W F WF\n"
        "# flush.raw.verdict    pass: WF        fail: WF\n"
        "# durability.raw.lost  pass            not run\n"
        "# flush.raw.new        not run         skip\n"
        "# kernels on no-vwc: 0 of 1 cases differ\n");
    run_result_free(run);
}

/* The third one is compared, too, and stands in its own column. */
static void test_three(void)
{
    struct run_result *run = run_result_new();

    add_case(add_suite(run, "a", "vwc"), "x", VERDICT_PASS, "F");
    add_case(add_suite(run, "b", "vwc"), "x", VERDICT_PASS, "F");
    add_case(add_suite(run, "c", "vwc"), "x", VERDICT_PASS, "-");
    expect_text(run,
        "# kernels on vwc: 1 of 1 cases differ\n"
        "# case  a        b        c\n"
        "# x     pass: F  pass: F  pass: -\n");
    run_result_free(run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diff/differences", test_differences);
    g_test_add_func("/diff/three", test_three);
    return g_test_run();
}
