/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.c: selection of cases.
 *
 * A case named on the command line runs whatever its group; without names the
 * groups decide. Cases that must go wrong (meta) never run unasked. The group
 * quick has no cases of its own: it is a selection from the others.
 */
#include "plan.h"

#include <string.h>

#include "drive_sets.h"
#include "failure.h"
#include "quick.h"

static const struct {
    const char *name;
    bool is_default;
} groups[] = {
    { "flush", true },
    { "context", false },
    { "durability", true },
    { "atomic", false },
    { "queue", true },
    { "holds", false },
    { "exclusion", false },
    { QUICK_GROUP, false },
    { "meta", false },
};

/* Claims about what a power cut leaves. */
static const char *const with_rounds[] = {
    "durability.*", "atomic.*.kept", "holds.*.cut-*",
};

char *plan_group(const char *name)
{
    return g_strndup(name, strcspn(name, "."));
}

bool plan_has_rounds(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(with_rounds); i++) {
        if (g_pattern_match_simple(with_rounds[i], name)) {
            return true;
        }
    }
    return false;
}

char **plan_split(char **lists)
{
    char *none[] = { NULL };
    g_autofree char *joined = g_strjoinv(",", lists ? lists : none);
    g_auto(GStrv) words = g_strsplit(joined, ",", -1);
    GPtrArray *kept = g_ptr_array_new();

    for (char **word = words; *word; word++) {
        if (**word) {
            g_ptr_array_add(kept, g_strdup(*word));
        }
    }
    g_ptr_array_add(kept, NULL);
    return (char **)g_ptr_array_free(kept, FALSE);
}

static bool is_default_group(const char *group)
{
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (g_str_equal(groups[i].name, group)) {
            return groups[i].is_default;
        }
    }
    return false;
}

static gboolean check_group(const char *group, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (g_str_equal(groups[i].name, group)) {
            return TRUE;
        }
        g_string_append_printf(known, " %s", groups[i].name);
    }
    g_set_error(error, FAILURE, FAILURE_USAGE,
                "no group is called '%s'; there are:%s", group, known->str);
    return FALSE;
}

gboolean plan_check(const struct plan *plan, GError **error)
{
    for (char **group = plan->groups; group && *group; group++) {
        if (!check_group(*group, error)) {
            return FALSE;
        }
    }
    return !plan->lie || drive_sets_check_lie(plan->lie, error);
}

static bool matches_any(char **patterns, const char *name)
{
    for (char **pattern = patterns; pattern && *pattern; pattern++) {
        if (g_pattern_match_simple(*pattern, name)) {
            return true;
        }
    }
    return false;
}

static bool has_group(const struct plan *plan, const char *group)
{
    return plan->groups &&
           g_strv_contains((const char *const *)plan->groups, group);
}

bool plan_is_quick(const struct plan *plan)
{
    return has_group(plan, QUICK_GROUP) && !plan->groups[1];
}

const char *plan_why(const struct plan *plan, const char *name)
{
    return has_group(plan, QUICK_GROUP) ? quick_why(name) : NULL;
}

static bool starts_alike(const char *pattern, const char *prefix)
{
    gsize literal = strcspn(pattern, "*?");

    return strncmp(pattern, prefix, MIN(literal, strlen(prefix))) == 0;
}

bool plan_may_watch(const struct plan *plan)
{
    bool has_groups = plan->groups && *plan->groups;

    if (has_groups && !has_group(plan, "context") &&
        !has_group(plan, QUICK_GROUP)) {
        return false;
    }
    if (!plan->cases || !*plan->cases) {
        return has_groups;
    }
    for (char **pattern = plan->cases; *pattern; pattern++) {
        if (starts_alike(*pattern, "context.")) {
            return true;
        }
    }
    return false;
}

bool plan_selects(const struct plan *plan, const char *name)
{
    g_autofree char *group = plan_group(name);
    bool has_groups = plan->groups && *plan->groups;

    if (matches_any(plan->excludes, name)) {
        return false;
    }
    if (has_groups && !has_group(plan, group) &&
        !(has_group(plan, QUICK_GROUP) && quick_why(name))) {
        return false;
    }
    if (plan->cases && *plan->cases) {
        return matches_any(plan->cases, name);
    }
    return has_groups || is_default_group(group);
}

/* A pattern that finds nothing is a typing error. */
static gboolean check_patterns(const struct plan *plan, const GPtrArray *names,
                               GError **error)
{
    for (char **pattern = plan->cases; pattern && *pattern; pattern++) {
        bool is_used = false;

        for (guint i = 0; i < names->len && !is_used; i++) {
            is_used = g_pattern_match_simple(*pattern, names->pdata[i]);
        }
        if (!is_used) {
            g_set_error(error, FAILURE, FAILURE_USAGE,
                        "no case matches '%s'; list them with: nvmelab run -l",
                        *pattern);
            return FALSE;
        }
    }
    return TRUE;
}

/* An entry of the group quick that no guest has is an error of ours. */
static gboolean check_quick(const struct plan *plan, const GPtrArray *names,
                            GError **error)
{
    for (gsize i = 0; has_group(plan, QUICK_GROUP) && i < quick_count; i++) {
        if (!g_ptr_array_find_with_equal_func((GPtrArray *)names,
                                              quick_entries[i].name,
                                              g_str_equal, NULL)) {
            g_set_error(error, FAILURE, FAILURE_INFRA,
                        "the group " QUICK_GROUP " names %s, a case that this "
                        "guest does not have", quick_entries[i].name);
            return FALSE;
        }
    }
    return TRUE;
}

static int by_quick_place(gconstpointer a, gconstpointer b)
{
    gsize one = quick_place(*(const char *const *)a);
    gsize two = quick_place(*(const char *const *)b);

    return (one > two) - (one < two);
}

GPtrArray *plan_select(const struct plan *plan, const GPtrArray *names,
                       GError **error)
{
    g_autoptr(GPtrArray) selected = g_ptr_array_new_with_free_func(g_free);

    if (!check_patterns(plan, names, error) ||
        !check_quick(plan, names, error)) {
        return NULL;
    }
    for (guint i = 0; i < names->len; i++) {
        if (plan_selects(plan, names->pdata[i])) {
            g_ptr_array_add(selected, g_strdup(names->pdata[i]));
        }
    }
    if (!selected->len) {
        g_set_error_literal(error, FAILURE, FAILURE_USAGE,
                            "no case is left after -g and -x");
        return NULL;
    }
    if (plan_is_quick(plan)) {
        g_ptr_array_sort(selected, by_quick_place);
    }
    return g_steal_pointer(&selected);
}
