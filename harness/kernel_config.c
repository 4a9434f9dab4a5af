/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_config.c: a kernel's configuration against the fragment.
 *
 * Every setting of the fragment is needed always and built in, unless a line
 * "# WORD: OPTION…" has it (options without CONFIG_):
 *
 *   module    may be a module
 *   context   is needed by the group context only
 *   instead   the first option, or any other of the line
 *   optional  is never missed
 */
#include "kernel_config.h"

#include <string.h>

#include "paths.h"

#define PREFIX "CONFIG_"

struct config {
    char **lines;
    char **fragment;
    bool has_modules;
};

char *kernel_config_fragment(GError **error)
{
    g_autofree char *path = paths_in_root(KERNEL_CONFIG_FRAGMENT);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, error) ? text : NULL;
}

/* The value of an option, which comes without its prefix; NULL: not set. */
static char *value_of(char **lines, const char *option)
{
    gsize length = strlen(option);

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, PREFIX) &&
            g_str_has_prefix(*line + strlen(PREFIX), option) &&
            (*line)[strlen(PREFIX) + length] == '=') {
            return g_strstrip(g_strdup(*line + strlen(PREFIX) + length + 1));
        }
    }
    return NULL;
}

/* The next line "# WORD: OPTION…" from *line on, as words; NULL: no more. */
static char **next_marked(char ***line, const char *word)
{
    g_autofree char *mark = g_strdup_printf("# %s: ", word);

    for (; **line; (*line)++) {
        if (g_str_has_prefix(**line, mark)) {
            g_autofree char *options =
                g_strstrip(g_strdup(**line + strlen(mark)));

            (*line)++;
            return g_strsplit(options, " ", -1);
        }
    }
    return NULL;
}

static bool is_marked(char **fragment, const char *word, const char *option)
{
    char **line = fragment;
    bool is_found = false;

    while (!is_found) {
        g_auto(GStrv) options = next_marked(&line, word);

        if (!options) {
            break;
        }
        is_found = g_strv_contains((const char *const *)options, option);
    }
    return is_found;
}

static bool is_set(const struct config *config, const char *option)
{
    g_autofree char *value = value_of(config->lines, option);

    return g_strcmp0(value, "y") == 0 ||
           (g_strcmp0(value, "m") == 0 && config->has_modules &&
            is_marked(config->fragment, "module", option));
}

static bool has_instead(const struct config *config, const char *option)
{
    char **line = config->fragment;
    bool is_found = false;

    while (!is_found) {
        g_auto(GStrv) options = next_marked(&line, "instead");

        if (!options) {
            break;
        }
        if (!g_str_equal(options[0], option)) {
            continue;
        }
        for (char **other = options + 1; *other; other++) {
            is_found = is_found || is_set(config, *other);
        }
    }
    return is_found;
}

static bool is_missing(const struct config *config, const char *option,
                       enum kernel_config_need need)
{
    bool is_context = is_marked(config->fragment, "context", option);

    return is_context == (need == KERNEL_CONFIG_CONTEXT) &&
           !is_marked(config->fragment, "optional", option) &&
           !is_set(config, option) && !has_instead(config, option);
}

char *kernel_config_lacks(const char *fragment, const char *config,
                          enum kernel_config_need need, bool has_modules)
{
    g_auto(GStrv) wanted = g_strsplit(fragment, "\n", -1);
    g_auto(GStrv) given = g_strsplit(config, "\n", -1);
    const struct config both = { given, wanted, has_modules };
    g_autoptr(GPtrArray) missing = g_ptr_array_new();

    for (char **line = wanted; *line; line++) {
        g_autofree char *option = NULL;

        if (!g_str_has_prefix(*line, PREFIX)) {
            continue;
        }
        option = g_strndup(*line + strlen(PREFIX),
                           strcspn(*line + strlen(PREFIX), "="));
        if (is_missing(&both, option, need)) {
            g_ptr_array_add(missing, g_strstrip(*line));
        }
    }
    g_ptr_array_add(missing, NULL);
    return missing->len > 1 ? g_strjoinv(" ", (char **)missing->pdata) : NULL;
}

bool kernel_config_is_yes(const char *config, const char *option)
{
    g_auto(GStrv) lines = g_strsplit(config, "\n", -1);
    g_autofree char *value = value_of(lines, option);

    return g_strcmp0(value, "y") == 0;
}
