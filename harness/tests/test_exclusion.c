/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_exclusion.c: what the guest saw against a row; the shipped rows know
 * only what guests can say.
 */
#include "exclusion.h"

#include <string.h>

#include "paths.h"

#define NAME "exclusion.xfs.overwrite.punch"
#define KERNEL "6.12.107+deb13-cloud-amd64"

static struct case_result *judge(const char *pattern, const char *note,
                                 bool skips_unread)
{
    g_autofree char *text = g_strdup_printf(
        "6.12 | xfs | overwrite | punch | * | %s | f | a.c | 6.12.107\n",
        pattern);
    struct expect *expect =
        expect_parse("x", text, exclusion_pattern_check, NULL);
    struct case_result *result = case_result_new(NAME);

    g_assert_nonnull(expect);
    case_result_set(result, VERDICT_PASS, NULL);
    case_result_note(result, "something else");
    if (note) {
        case_result_note(result, "exclusion %s", note);
    }
    exclusion_judge(&(struct exclusion_judge){
        .expect = expect, .kernel_release = skips_unread ? "6.16.3" : KERNEL,
        .skips_unread = skips_unread,
    }, result);
    case_result_settle_unread(result);
    expect_free(expect);
    return result;
}

static void must_be(const char *pattern, const char *note,
                    enum verdict verdict)
{
    struct case_result *result = judge(pattern, note, false);

    if (result->verdict != verdict) {
        g_error("'%s' against '%s': %s %s", note, pattern,
                verdict_name(result->verdict),
                result->reason ? result->reason : "");
    }
    case_result_free(result);
}

static void test_answers(void)
{
    must_be("proceeds", "proceeds ", VERDICT_PASS);
    must_be("proceeds", "waits xfs_ilock<vfs_fallocate", VERDICT_FAIL);
    must_be("waits xfs_ilock", "proceeds ", VERDICT_FAIL);
    must_be("waits xfs_ilock", "waits xfs_ilock<vfs_fallocate", VERDICT_PASS);
    must_be("waits vfs_fallocate", "waits xfs_ilock<vfs_fallocate",
            VERDICT_PASS);
    must_be("waits xfs_ilock", "waits xfs_ilock.part.0<a", VERDICT_PASS);
    must_be("waits xfs_ilock", "waits xfs_ilock2_io_mmap<a", VERDICT_FAIL);
}

static void test_promises(void)
{
    must_be("proceeds collides", "proceeds collides ", VERDICT_PASS);
    must_be("proceeds", "proceeds collides ", VERDICT_FAIL);
    must_be("proceeds collides", "proceeds ", VERDICT_FAIL);
    must_be("proceeds collides", "proceeds stale ", VERDICT_FAIL);
    must_be("waits corrupt f", "waits corrupt f<g", VERDICT_PASS);
    must_be("waits f", "waits corrupt f<g", VERDICT_FAIL);
    must_be("waits corrupt f", "waits f<g", VERDICT_FAIL);
}

static void test_no_answer(void)
{
    must_be("proceeds", NULL, VERDICT_ERROR);
    must_be("proceeds", "runs", VERDICT_ERROR);
}

static void test_unexplained(void)
{
    struct expect *expect = expect_parse(
        "x", "6.1 | xfs | overwrite | punch | * | proceeds | f | a.c | 6.1\n",
        exclusion_pattern_check, NULL);
    struct case_result *result = case_result_new(NAME);

    case_result_set(result, VERDICT_PASS, NULL);
    case_result_note(result, "exclusion proceeds ");
    exclusion_judge(&(struct exclusion_judge){
        .expect = expect, .kernel_release = KERNEL }, result);
    g_assert_cmpint(result->verdict, ==, VERDICT_ERROR);
    g_assert_true(g_str_has_prefix(result->reason, "unexplained"));
    case_result_free(result);
    expect_free(expect);
}

static void must_answer(const char *pattern, const char *source,
                        const char *wanted)
{
    struct case_result *result = case_result_new(NAME);
    g_autofree char *answer = NULL;

    result->context = g_strdup(pattern);
    result->context_source = g_strdup(source);
    answer = exclusion_answer(result);
    g_assert_cmpstr(answer, ==, wanted);
    case_result_free(result);
}

/* What stands in the table. */
static void test_table_words(void)
{
    must_answer("proceeds", "f (i_rwsem shared), a.c, 6.12", "+");
    must_answer("proceeds stale", "f, a.c, 6.12", "+ stale");
    must_answer("waits f", "f (i_rwsem exclusive), a.c, 6.12", "i_rwsem");
    must_answer("waits corrupt f", "f (inode_dio_wait under i_rwsem), a.c, r",
                "i_dio_count corrupt");
    must_answer("waits f", "f, g (writeback bit), a.c, 6.12", "writeback");
}

static void test_unread(void)
{
    struct case_result *result = judge("proceeds", "proceeds ", true);

    g_assert_cmpint(result->verdict, ==, VERDICT_SKIP);
    case_result_free(result);
}

static void test_patterns(void)
{
    static const char *const bad[] = {
        "", "waits", "waits ", "waits corrupt", "proceeds f", "proceeds torn",
        "proceeds stale f", "sleeps f", "waits f g",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (exclusion_pattern_check(bad[i])) {
            g_error("'%s' is taken for a pattern", bad[i]);
        }
    }
}

static void test_shipped(void)
{
    g_autofree char *path = paths_in_root("harness/expect/exclusion.expect");
    g_autoptr(GError) error = NULL;
    struct expect *expect = expect_load(path, exclusion_pattern_check, &error);

    g_assert_no_error(error);
    g_assert_true(expect_has_kernel(expect, "6.1.0-50-cloud-amd64"));
    g_assert_true(expect_has_kernel(expect, KERNEL));
    g_assert_true(expect_has_kernel(expect, "7.2.12+deb13-cloud-amd64"));
    g_assert_true(expect_has_kernel(expect, "7.3.4+deb13-cloud-amd64"));
    expect_free(expect);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exclusion/answers", test_answers);
    g_test_add_func("/exclusion/promises", test_promises);
    g_test_add_func("/exclusion/no-answer", test_no_answer);
    g_test_add_func("/exclusion/unexplained", test_unexplained);
    g_test_add_func("/exclusion/table-words", test_table_words);
    g_test_add_func("/exclusion/unread", test_unread);
    g_test_add_func("/exclusion/patterns", test_patterns);
    g_test_add_func("/exclusion/shipped", test_shipped);
    return g_test_run();
}
