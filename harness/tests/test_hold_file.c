/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hold_file.c: lines of a file become the drive's property.
 */
#include "hold_file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *read_text(const char *text)
{
    g_autofree char *path = NULL;
    struct plan plan = { 0 };
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("rules-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    plan.hold_file = path;
    if (!hold_file_read(&plan, &error)) {
        g_assert_nonnull(strstr(error->message, path));
        g_assert_null(plan.holds);
    }
    g_unlink(path);
    return plan.holds;
}

static void test_rules(void)
{
    g_autofree char *rules = read_text("# a Flush, and the write behind it\n"
                                       "\n"
                                       "stage=cqe opcode=flush count=1\n"
                                       "  stage=fetch lba=8-15 # the log\n");

    g_assert_cmpstr(rules, ==,
                    "stage=cqe opcode=flush count=1;stage=fetch lba=8-15");
}

static void test_empty(void)
{
    g_assert_null(read_text(""));
    g_assert_null(read_text("# stage=cqe\n\n"));
}

static void test_none(void)
{
    struct plan plan = { 0 };

    g_assert_true(hold_file_read(&plan, NULL));
    g_assert_null(plan.holds);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hold-file/rules", test_rules);
    g_test_add_func("/hold-file/empty", test_empty);
    g_test_add_func("/hold-file/none", test_none);
    return g_test_run();
}
