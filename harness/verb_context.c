/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_context.c: nvmelab context show CASE: the story of one I/O, on every
 * kernel and drive of a run, as its run.json has it.
 */
#include "verb.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "failure.h"
#include "paths.h"

static char *results;

static const GOptionEntry options[] = {
    { "results", 0, 0, G_OPTION_ARG_FILENAME, &results,
      "results directory of the run (build/results/latest)", "DIR" },
    G_OPTION_ENTRY_NULL
};

static const char *text_of(JsonObject *object, const char *member)
{
    JsonNode *node = json_object_get_member(object, member);

    return node && JSON_NODE_HOLDS_VALUE(node)
           ? json_object_get_string_member(object, member) : NULL;
}

static void show(JsonObject *suite, JsonObject *result)
{
    JsonArray *notes = json_object_get_array_member(result, "notes");
    const char *reason = text_of(result, "reason");
    const char *words = text_of(result, "context");
    const char *release = text_of(suite, "kernel_release");

    printf("%s %s, kernel %s: %s%s%s\n", text_of(suite, "name"),
           text_of(result, "name"), release ? release : "did not boot",
           text_of(result, "verdict"), reason ? ": " : "",
           reason ? reason : "");
    if (words) {
        const char *source = text_of(result, "context_source");

        printf("issued, completed, synced: %s%s%s\n", words,
               source ? "; row: " : "", source ? source : "");
    }
    if (text_of(result, "commands")) {
        printf("drive saw: %s\n", text_of(result, "commands"));
    }
    for (guint i = 0; notes && i < json_array_get_length(notes); i++) {
        printf("  %s\n", json_array_get_string_element(notes, i));
    }
}

/* How many results the run has of that case. */
static unsigned show_all(JsonObject *run, const char *name)
{
    JsonArray *suites = json_object_get_array_member(run, "suites");
    unsigned found = 0;

    for (guint i = 0; i < json_array_get_length(suites); i++) {
        JsonObject *suite = json_array_get_object_element(suites, i);
        JsonArray *cases = json_object_get_array_member(suite, "cases");

        for (guint j = 0; j < json_array_get_length(cases); j++) {
            JsonObject *result = json_array_get_object_element(cases, j);

            if (g_strcmp0(text_of(result, "name"), name) == 0) {
                show(suite, result);
                found++;
            }
        }
    }
    return found;
}

static int show_case(const char *name)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;
    g_autofree char *directory = results ? g_strdup(results)
        : paths_in_root("build/results/latest");
    g_autofree char *path = g_build_filename(directory, "run.json", NULL);
    JsonNode *root;

    if (!g_str_has_prefix(name, "context.")) {
        g_printerr("nvmelab: context: '%s' is no context case\n", name);
        return EXIT_USAGE;
    }
    if (!json_parser_load_from_file(parser, path, &cause)) {
        g_printerr("nvmelab: %s: %s\n", path, cause->message);
        return EXIT_USAGE;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root) ||
        !json_object_has_member(json_node_get_object(root), "suites")) {
        g_printerr("nvmelab: %s: not the result of a run\n", path);
        return EXIT_USAGE;
    }
    if (!show_all(json_node_get_object(root), name)) {
        g_printerr("nvmelab: %s: no case '%s' in this run\n", path, name);
        return EXIT_USAGE;
    }
    return EXIT_PASS;
}

static int run(int argc, char **argv)
{
    if (argc == 3 && g_str_equal(argv[1], "show")) {
        return show_case(argv[2]);
    }
    if (argc < 2 || (argc < 3 && g_str_equal(argv[1], "show"))) {
        g_printerr("nvmelab: context: what? show CASE\n");
        return EXIT_USAGE;
    }
    return verb_refuse(&verb_context,
                       argv[g_str_equal(argv[1], "show") ? 3 : 1]);
}

const struct verb verb_context = {
    "context", "show CASE", "where an I/O was issued and completed", options,
    run
};
