/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plan.c: which cases are selected, and which words are refused.
 */
#include "plan.h"

#include <string.h>

#include "quick.h"


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

static void test_rounds(void)
{
    g_assert_true(plan_has_rounds("durability.xfs.fsync-kept"));
    g_assert_true(plan_has_rounds("atomic.raw.kept"));
    g_assert_false(plan_has_rounds("atomic.raw.limit"));
    g_assert_true(plan_has_rounds("holds.xfs.cut-cqe-fua"));
    g_assert_false(plan_has_rounds("holds.xfs.reset-cqe"));
    g_assert_false(plan_has_rounds("flush.raw.overwrite.sync"));
    g_assert_false(selects("", "", "", "atomic.raw.kept"));
    g_assert_true(selects("", "atomic", "", "atomic.raw.limit"));
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

static bool may_watch(const char *cases, const char *groups)
{
    g_auto(GStrv) c = g_strsplit(cases, " ", -1);
    g_auto(GStrv) g = g_strsplit(groups, " ", -1);
    struct plan plan = { .cases = c, .groups = g };

    return plan_may_watch(&plan);
}

static void test_watch(void)
{
    g_assert_false(may_watch("", ""));
    g_assert_false(may_watch("", "flush durability"));
    g_assert_true(may_watch("", "flush context"));
    g_assert_true(may_watch("", "quick"));
    g_assert_true(may_watch("context.xfs.read.sync", ""));
    g_assert_true(may_watch("flush.* c*", ""));
    g_assert_true(may_watch("*", ""));
    g_assert_false(may_watch("*", "flush"));
    g_assert_false(may_watch("flush.*", ""));
    g_assert_false(may_watch("flush.*", "quick"));
    g_assert_false(may_watch("contexts.*", ""));
}

/* Beside other groups it adds; its defaults are only its own. */
static void test_quick(void)
{
    char *groups[] = { (char *)"quick", (char *)"durability", NULL };
    struct plan plan = { .groups = groups };
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) selected = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(selects("", "quick", "", "flush.raw.fsync-dirty.sync"));
    g_assert_false(selects("", "quick", "", "flush.raw.fsync-clean.sync"));
    g_assert_false(selects("", "quick", "*.sync",
                           "flush.raw.fsync-dirty.sync"));
    g_assert_true(selects("flush.*", "quick", "",
                          "flush.raw.fsync-dirty.sync"));
    g_assert_false(selects("context.*", "quick", "",
                           "flush.raw.fsync-dirty.sync"));
    g_assert_true(plan_selects(&plan, "durability.raw.unflushed-lost"));
    g_assert_true(plan_check(&plan, &error));
    g_assert_false(plan_is_quick(&plan));
    groups[1] = NULL;
    g_assert_true(plan_is_quick(&plan));
    g_assert_nonnull(plan_why(&plan, "flush.raw.fsync-dirty.sync"));
    groups[0] = (char *)"flush";
    g_assert_null(plan_why(&plan, "flush.raw.fsync-dirty.sync"));
    groups[0] = (char *)"quick";
    for (gsize i = 0; i < quick_count; i++) {
        g_ptr_array_add(names, g_strdup(quick_entries[i].name));
    }
    g_ptr_array_add(names, g_strdup("flush.raw.fsync-clean.sync"));
    selected = plan_select(&plan, names, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(selected->len, ==, quick_count);
    g_ptr_array_remove_index(names, 0);
    g_assert_null(plan_select(&plan, names, &error));
    g_assert_nonnull(strstr(error->message, quick_entries[0].name));
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
    g_test_add_func("/plan/rounds", test_rounds);
    g_test_add_func("/plan/refuse", test_refuse);
    g_test_add_func("/plan/watch", test_watch);
    g_test_add_func("/plan/quick", test_quick);
    g_test_add_func("/plan/split", test_split);
    return g_test_run();
}
