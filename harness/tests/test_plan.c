/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plan.c: which cases are selected, and which words are refused.
 */
#include "plan.h"

#include <string.h>


static bool selects(const char *cases, const char *groups,
                    const char *excludes, const char *name)
{
    g_auto(GStrv) c = g_strsplit(cases, " ", -1);
    g_auto(GStrv) g = g_strsplit(groups, " ", -1);
    g_auto(GStrv) x = g_strsplit(excludes, " ", -1);
    struct plan plan = { .cases = c, .groups = g, .excludes = x };

    return plan_selects(&plan, name);
}

static void test_select(void)
{
    g_assert_true(selects("", "", "", "flush.raw.overwrite.sync"));
    g_assert_true(selects("", "", "", "durability.raw.fua-kept"));
    g_assert_false(selects("", "", "", "meta.panic"));
    g_assert_true(selects("", "meta", "", "meta.panic"));
    g_assert_false(selects("", "meta", "", "flush.raw.overwrite.sync"));
    g_assert_true(selects("meta.panic", "", "", "meta.panic"));
    g_assert_true(selects("flush.xfs.*", "", "", "flush.xfs.extend.sync"));
    g_assert_false(selects("flush.xfs.*", "", "", "flush.raw.extend.sync"));
    g_assert_false(selects("", "", "*.sync", "flush.raw.overwrite.sync"));
    g_assert_false(selects("flush.*", "durability", "", "flush.raw.o.sync"));
}

static void test_refuse(void)
{
    char *groups[] = { (char *)"flash", NULL };
    char *cases[] = { (char *)"flush.xfs.*", (char *)"nothing.*", NULL };
    struct plan plan = { .groups = groups };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    g_assert_false(plan_check(&plan, &error));
    g_assert_nonnull(strstr(error->message, "'flash'"));
    g_clear_error(&error);
    plan = (struct plan){ .lie = (char *)"often" };
    g_assert_false(plan_check(&plan, &error));
    g_assert_nonnull(strstr(error->message, "'often'"));
    g_clear_error(&error);
    g_ptr_array_add(names, g_strdup("flush.xfs.extend.sync"));
    plan = (struct plan){ .cases = cases };
    g_assert_null(plan_select(&plan, names, &error));
    g_assert_nonnull(strstr(error->message, "'nothing.*'"));
}

static void test_split(void)
{
    char *lists[] = { (char *)"a,b", (char *)",c", NULL };
    g_auto(GStrv) words = plan_split(lists);
    g_auto(GStrv) none = plan_split(NULL);

    g_assert_cmpuint(g_strv_length(words), ==, 3);
    g_assert_cmpstr(words[2], ==, "c");
    g_assert_cmpuint(g_strv_length(none), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/select", test_select);
    g_test_add_func("/plan/refuse", test_refuse);
    g_test_add_func("/plan/split", test_split);
    return g_test_run();
}
