/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See hold_file.h. */
#include "hold_file.h"

#include "failure.h"

#include <string.h>

char *hold_file_read(const char *path, GError **error)
{
    g_autoptr(GString) rules = g_string_new(NULL);
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "--hold: %s",
                    cause->message);
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        (*line)[strcspn(*line, "#")] = 0;
        g_strstrip(*line);
        if (**line) {
            g_string_append_printf(rules, "%s%s", rules->len ? ";" : "",
                                   *line);
        }
    }
    if (!rules->len) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "--hold %s: no rule in it",
                    path);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&rules), FALSE);
}
