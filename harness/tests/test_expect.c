/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_expect.c: rows are read, found and matched; bad rows are refused; the
 * shipped file covers every operation that the guest knows.
 */
#include "expect.h"

#include <string.h>

#include "paths.h"

static void expect_refused(const char *text, const char *why)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(expect_parse("x.expect", text, NULL, &error));
    g_assert_true(g_str_has_prefix(error->message, "x.expect:"));
    if (!strstr(error->message, why)) {
        g_error("'%s' does not say '%s'", error->message, why);
    }
}

static void test_bad_rows(void)
{
    expect_refused("6.12 | raw | overwrite | * | on | W | f | a.c\n",
                   ":1: 8 columns");
    expect_refused("# x\n6.12 | raw | o | * | on | W | f |  | 6.12\n",
                   ":2: column 'file' cannot be ''");
    expect_refused("6.12 | raw | o | * | on | W | | a.c | r\n", "'function'");
    expect_refused("6.12 | raw | o | * | on | W | f | a.c | \n", "'release'");
    expect_refused("6.12 | raw | o | * | on | W FF | f | a.c | r\n",
                   "column 'pattern' cannot be 'W FF'");
    expect_refused("6.12 | raw | o | * | on | W!+ | f | a.c | r\n",
                   "'pattern'");
    expect_refused("6.12 | raw | o | * | maybe | W | f | a.c | r\n",
                   "column 'vwc' cannot be 'maybe'");
    expect_refused("six | raw | o | * | on | W | f | a.c | r\n",
                   "column 'kernels' cannot be 'six'");
    expect_refused("6.12-6.1 | raw | o | * | on | W | f | a.c | r\n",
                   "'kernels'");
    expect_refused("6.12 | raw,xfs | o | * | * | W | f | a.c | r\n"
                   "6.1-6.18 | * | p,o | sync | off | W | f | a.c | r\n",
                   ":2: speaks about the same case as line 1");
}

static const struct expect_row *find(const struct expect *expect,
                                     const char *release, const char *op,
                                     bool has_vwc)
{
    struct expect_key key = { release, "raw", op, "sync", has_vwc };

    return expect_find(expect, &key);
}

static void test_find(void)
{
    struct expect *expect = expect_parse(
        "x", "6.12 | raw | o | * | on | W | f | a.c | r\n"
        "6.16-6.18 | raw | o | * | on | WF | f | a.c | r\n"
        "7.0.5- | raw | o | * | on | F | f | a.c | r\n", NULL, NULL);

    g_assert_nonnull(expect);
    g_assert_cmpstr(find(expect, "6.12.107+deb13-cloud-amd64", "o",
                         true)->pattern, ==, "W");
    g_assert_cmpstr(find(expect, "6.12.0", "o", true)->pattern, ==, "W");
    g_assert_cmpstr(find(expect, "6.18.99", "o", true)->pattern, ==, "WF");
    g_assert_cmpstr(find(expect, "7.2.13+deb14", "o", true)->pattern, ==, "F");
    g_assert_cmpstr(find(expect, "7.0.5-rc1", "o", true)->pattern, ==, "F");
    g_assert_null(find(expect, "6.1.12", "o", true));
    g_assert_null(find(expect, "6.13.0", "o", true));
    g_assert_null(find(expect, "6.19.0", "o", true));
    g_assert_null(find(expect, "7.0.4", "o", true));
    g_assert_null(find(expect, "6.12.107", "o", false));
    g_assert_null(find(expect, "6.12.107", "p", true));
    g_assert_null(find(expect, "garbage", "o", true));
    expect_free(expect);
}

/* commands: W = write, U = FUA write, F = Flush */
static bool match(const char *pattern, const char *commands, bool skip)
{
    g_autofree char *row = g_strdup_printf(
        "6.12 | raw | o | * | on | %s | f | a.c | r\n", pattern);
    struct expect *expect = expect_parse("x", row, NULL, NULL);
    enum expect_command kinds[16];
    unsigned token_of[16];
    unsigned count = (unsigned)strlen(commands);
    bool is_match;

    g_assert_nonnull(expect);
    for (unsigned i = 0; i < count; i++) {
        kinds[i] = commands[i] == 'W' ? EXPECT_WRITE
                 : commands[i] == 'U' ? EXPECT_WRITE_FUA : EXPECT_FLUSH;
    }
    is_match = expect_match(expect->rows->pdata[0], kinds, count, skip,
                            token_of);
    expect_free(expect);
    return is_match;
}

static void test_match(void)
{
    g_assert_true(match("-", "", false));
    g_assert_false(match("-", "F", false));
    g_assert_true(match("W F WF", "WFU", false));
    g_assert_false(match("W F WF", "WUF", false));
    g_assert_false(match("W F WF", "WF", false));
    g_assert_true(match("W W+ W", "WWW", false));
    g_assert_true(match("W W+ W", "WWWWWW", false));
    g_assert_false(match("W W+ W", "WW", false));
    g_assert_true(match("W* F", "F", false));
    g_assert_true(match("W? F", "WF", false));
    g_assert_false(match("W? F", "WWF", false));
    g_assert_true(match("WF F!", "UF", false));
    g_assert_false(match("WF F!", "U", false));
    g_assert_true(match("WF F!", "U", true));
}

/* Every operation, target and issuer of the guest, with and without cache. */
static void check_rows(const struct expect *expect, const char *release)
{
    static const char *const ops[] = {
        "overwrite", "overwrite-dsync", "overwrite-sync", "fsync-clean",
        "fdatasync-clean", "fsync-dirty", "fdatasync-dirty", "extend",
        "unwritten", "extend-dsync", "unwritten-dsync",
    };
    static const char *const targets[] = { "raw", "xfs", "ext4" };
    static const char *const issuers[] = { "io_uring", "libaio", "sync" };

    for (unsigned i = 0; i < 2 * 3 * 3 * G_N_ELEMENTS(ops); i++) {
        struct expect_key key = {
            .kernel_release = release,
            .has_vwc = i % 2, .target = targets[i / 2 % 3],
            .issuer = issuers[i / 6 % 3], .op = ops[i / 18],
        };
        bool is_raw_fs = i / 2 % 3 == 0 && i / 18 >= 7;

        if (!is_raw_fs && !expect_find(expect, &key)) {
            g_error("%s: no row for %s.%s.%s vwc %d", release, key.target,
                    key.op, key.issuer, key.has_vwc);
        }
    }
}

/* The kernels of scripts/setup; and none that nobody has read. */
static void test_shipped(void)
{
    g_autofree char *path = paths_in_root("harness/expect/flush.expect");
    g_autoptr(GError) error = NULL;
    struct expect *expect = expect_load(path, NULL, &error);
    struct expect_key unread = {
        .kernel_release = "6.16.3-cloud-amd64", .has_vwc = true,
        .target = "raw", .op = "fsync-dirty", .issuer = "sync",
    };

    g_assert_no_error(error);
    check_rows(expect, "6.1.0-50-cloud-amd64");
    check_rows(expect, "6.12.107+deb13-cloud-amd64");
    check_rows(expect, "7.2.12+deb13-cloud-amd64");
    g_assert_null(expect_find(expect, &unread));
    expect_free(expect);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/expect/bad-rows", test_bad_rows);
    g_test_add_func("/expect/find", test_find);
    g_test_add_func("/expect/match", test_match);
    g_test_add_func("/expect/shipped", test_shipped);
    return g_test_run();
}
