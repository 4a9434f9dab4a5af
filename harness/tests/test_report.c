/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_report.c: KTAP to the letter, JUnit and JSON in shape, exit codes.
 */
#include "report.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "failure.h"

static struct case_result *add(struct suite_result *suite, const char *name,
                               enum verdict verdict, const char *reason)
{
    struct case_result *result = case_result_new(name);

    case_result_set(result, verdict, "%s", reason);
    g_ptr_array_add(suite->cases, result);
    return result;
}

static struct suite_result *add_suite(struct run_result *run,
                                      const char *drive)
{
    struct suite_result *suite = suite_result_new("6.12", drive);

    suite->kernel_release = g_strdup("6.12.107");
    suite->qemu_version = g_strdup("10.0.13");
    suite->accel = g_strdup("tcg");
    suite->drive_properties = g_strdup("vwc=on");
    suite->directory = g_strdup("/r/6.12.vwc");
    g_ptr_array_add(run->suites, suite);
    return suite;
}

static struct run_result *example(void)
{
    struct run_result *run = run_result_new();
    struct suite_result *suite = add_suite(run, "vwc");
    struct case_result *result;

    add(suite, "flush.raw.overwrite.sync", VERDICT_PASS, "");
    result = add(suite, "flush.xfs.overwrite-sync.sync", VERDICT_FAIL,
                 "missing Flush or FUA: 1 <acknowledged>\nok 3 forged");
    case_result_note(result, "missing: write of 8 blocks");
    result->rerun = g_strdup("nvmelab run -k 6.12 -d vwc x");
    add(suite, "meta.skip", VERDICT_SKIP, "no such device # really");
    add(suite, "meta.hang", VERDICT_TIMEOUT, "no answer");
    add(suite, "meta.known", VERDICT_XFAIL, "fixed by 838b35bb6a89");
    suite = add_suite(run, "no-vwc");
    suite->problem = g_strdup("boot: QEMU exited with 1");
    suite->is_problem_infra = true;
    return run;
}

static const char golden_ktap[] =
    "KTAP version 1\n"
    "1..2\n"
    "  KTAP version 1\n"
    "  1..5\n"
    "  ok 1 flush.raw.overwrite.sync\n"
    "  # missing Flush or FUA: 1 <acknowledged> ok 3 forged\n"
    "  # missing: write of 8 blocks\n"
    "  # rerun: nvmelab run -k 6.12 -d vwc x\n"
    "  not ok 2 flush.xfs.overwrite-sync.sync\n"
    "  ok 3 meta.skip # SKIP no such device   really\n"
    "  # no answer\n"
    "  not ok 4 meta.hang # TIMEOUT no answer\n"
    "  ok 5 meta.known # XFAIL fixed by 838b35bb6a89\n"
    "# kernel 6.12.107, QEMU 10.0.13, tcg\n"
    "# drive vwc=on\n"
    "# results /r/6.12.vwc\n"
    "not ok 1 6.12.vwc\n"
    "# kernel 6.12.107, QEMU 10.0.13, tcg\n"
    "# drive vwc=on\n"
    "# results /r/6.12.vwc\n"
    "# boot: QEMU exited with 1\n"
    "not ok 2 6.12.no-vwc # ERROR boot: QEMU exited with 1\n";

static void test_ktap(void)
{
    struct run_result *run = example();
    g_autofree char *text = report_ktap(run);

    g_assert_cmpstr(text, ==, golden_ktap);
    run_result_free(run);
}

static void test_flat(void)
{
    struct run_result *run = example();
    g_autofree char *text = report_ktap_flat(run);

    g_assert_true(g_str_has_prefix(text, "KTAP version 1\n1..6\n"));
    g_assert_nonnull(strstr(text, "\nnot ok 2 6.12.vwc.flush.xfs."
                            "overwrite-sync.sync\n"));
    g_assert_nonnull(strstr(text, "\nnot ok 6 6.12.no-vwc # ERROR"));
    run_result_free(run);
}

static void check_xml_error(GMarkupParseContext *context, GError *error,
                            gpointer data)
{
    (void)context;
    (void)data;
    g_error("JUnit: %s", error->message);
}

static void test_junit(void)
{
    GMarkupParser parser = { .error = check_xml_error };
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, 0, NULL, NULL);
    struct run_result *run = example();
    g_autofree char *text = report_junit(run);

    g_assert_true(g_markup_parse_context_parse(context, text, -1, NULL));
    g_assert_true(g_markup_parse_context_end_parse(context, NULL));
    g_assert_nonnull(strstr(text, "<testsuite name=\"6.12.vwc\" tests=\"5\" "
                            "failures=\"1\" errors=\"1\" skipped=\"1\""));
    g_assert_nonnull(strstr(text, "&lt;acknowledged&gt;"));
    run_result_free(run);
}

static void test_json(void)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    struct run_result *run = example();
    g_autofree char *text = report_json(run);
    JsonObject *suite, *one;

    g_assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    suite = json_array_get_object_element(json_object_get_array_member(
        json_node_get_object(json_parser_get_root(parser)), "suites"), 0);
    one = json_array_get_object_element(
        json_object_get_array_member(suite, "cases"), 1);
    g_assert_cmpstr(json_object_get_string_member(one, "verdict"), ==,
                    "fail");
    g_assert_cmpstr(json_object_get_string_member(one, "rerun"), ==,
                    "nvmelab run -k 6.12 -d vwc x");
    run_result_free(run);
}

static int exit_of(enum verdict verdict, bool is_infra, const char *problem,
                   bool strict)
{
    struct run_result *run = run_result_new();
    struct suite_result *suite = add_suite(run, "vwc");
    int code;

    add(suite, "a", VERDICT_SKIP, "why");
    add(suite, "b", verdict, "")->is_infra = is_infra;
    suite->problem = g_strdup(problem);
    suite->is_problem_infra = problem != NULL;
    code = run_result_exit(run, strict);
    run_result_free(run);
    return code;
}

static void test_exit(void)
{
    g_assert_cmpint(exit_of(VERDICT_PASS, false, NULL, false), ==, EXIT_PASS);
    g_assert_cmpint(exit_of(VERDICT_XFAIL, false, NULL, false), ==, EXIT_PASS);
    g_assert_cmpint(exit_of(VERDICT_FAIL, false, NULL, false), ==, EXIT_FAIL);
    g_assert_cmpint(exit_of(VERDICT_ERROR, false, NULL, false), ==, EXIT_FAIL);
    g_assert_cmpint(exit_of(VERDICT_ERROR, true, NULL, false), ==, EXIT_INFRA);
    g_assert_cmpint(exit_of(VERDICT_PASS, false, "x", false), ==, EXIT_INFRA);
    g_assert_cmpint(exit_of(VERDICT_SKIP, false, NULL, false), ==, EXIT_SKIP);
    g_assert_cmpint(exit_of(VERDICT_SKIP, false, NULL, true), ==, EXIT_FAIL);
    g_assert_cmpint(exit_of(VERDICT_PASS, false, NULL, true), ==, EXIT_FAIL);
}

/* Of two verdicts the worse counts, and keeps its reason. */
static void test_precedence(void)
{
    struct case_result *result = case_result_new("x");

    case_result_set(result, VERDICT_FAIL, "first");
    case_result_set(result, VERDICT_PASS, "better");
    case_result_set(result, VERDICT_FAIL, "second");
    g_assert_cmpstr(result->reason, ==, "first");
    case_result_set(result, VERDICT_ERROR, "worse");
    g_assert_cmpstr(result->reason, ==, "worse");
    g_assert_cmpint(result->verdict, ==, VERDICT_ERROR);
    case_result_free(result);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/ktap", test_ktap);
    g_test_add_func("/report/flat", test_flat);
    g_test_add_func("/report/junit", test_junit);
    g_test_add_func("/report/json", test_json);
    g_test_add_func("/report/exit", test_exit);
    g_test_add_func("/report/precedence", test_precedence);
    return g_test_run();
}
