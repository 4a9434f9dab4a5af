/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold_file.c: rules for held commands, from a file; see hold_file.h.
 */
#include "hold_file.h"

#include "failure.h"

static void add_rule(GString *rules, char *line)
{
    g_strdelimit(line, "#", '\0');
    g_strstrip(line);
    if (*line) {
        g_string_append_printf(rules, "%s%s", rules->len ? ";" : "", line);
    }
}

gboolean hold_file_read(struct plan *plan, GError **error)
{
    g_autoptr(GString) rules = g_string_new(NULL);
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!plan->hold_file) {
        return TRUE;
    }
    if (!g_file_get_contents(plan->hold_file, &text, NULL, &cause)) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "--hold %s: %s",
                    plan->hold_file, cause->message);
        return FALSE;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        add_rule(rules, *line);
    }
    if (!rules->len) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "--hold %s: no rule in it",
                    plan->hold_file);
        return FALSE;
    }
    plan->holds = g_strdup(rules->str);
    return TRUE;
}
