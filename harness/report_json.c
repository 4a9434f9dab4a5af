/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_json.c: results as JSON: the whole run, and case.json, which has all
 * that is needed to have one case again.
 */
#include <json-glib/json-glib.h>

#include "report.h"

/* NULL stays null, so that every member is always there. */
static void add_string(JsonBuilder *builder, const char *name,
                       const char *value)
{
    json_builder_set_member_name(builder, name);
    if (value) {
        g_autofree char *valid = g_utf8_make_valid(value, -1);

        json_builder_add_string_value(builder, valid);
    } else {
        json_builder_add_null_value(builder);
    }
}

static void add_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

static void add_double(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_double_value(builder, value);
}

static char *finish(JsonBuilder *builder)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);

    return g_strconcat(text, "\n", NULL);
}

static void add_case_members(JsonBuilder *builder,
                             const struct case_result *result)
{
    add_string(builder, "name", result->name);
    add_string(builder, "verdict", verdict_name(result->verdict));
    add_string(builder, "reason", result->reason);
    add_double(builder, "seconds", result->seconds);
    add_string(builder, "rerun", result->rerun);
    if (result->context) {
        add_string(builder, "context", result->context);
        add_string(builder, "context_source", result->context_source);
    }
    if (result->commands) {
        add_string(builder, "commands", result->commands);
        add_int(builder, "missing", result->missing);
        add_int(builder, "redundant_listed", result->redundant_listed);
        add_int(builder, "redundant_unlisted", result->redundant_unlisted);
        add_string(builder, "commands_source", result->commands_source);
    }
    if (result->rounds) {
        add_int(builder, "rounds", result->rounds);
        add_string(builder, "failed_policy", result->failed_policy);
    }
    json_builder_set_member_name(builder, "notes");
    json_builder_begin_array(builder);
    for (guint i = 0; i < result->notes->len; i++) {
        g_autofree char *note = g_utf8_make_valid(result->notes->pdata[i], -1);

        json_builder_add_string_value(builder, note);
    }
    json_builder_end_array(builder);
}

static void add_suite_members(JsonBuilder *builder,
                              const struct suite_result *suite)
{
    add_string(builder, "kernel", suite->kernel);
    add_string(builder, "kernel_release", suite->kernel_release);
    add_string(builder, "drive", suite->drive);
    add_string(builder, "drive_properties", suite->drive_properties);
    add_string(builder, "lie", suite->lie);
    add_string(builder, "qemu_version", suite->qemu_version);
    add_string(builder, "accel", suite->accel);
    add_string(builder, "unwatched", suite->unwatched);
}

static void add_run_members(JsonBuilder *builder, const struct run_result *run)
{
    add_string(builder, "commit", run->commit);
    add_int(builder, "seed", (gint64)run->seed);
    add_int(builder, "seeds", run->seeds);
}

static void add_cuts(JsonBuilder *builder, const struct suite_result *suite)
{
    json_builder_set_member_name(builder, "cuts");
    json_builder_begin_array(builder);
    for (guint i = 0; i < suite->cuts->len; i++) {
        const struct cut_result *cut = suite->cuts->pdata[i];

        json_builder_begin_object(builder);
        add_string(builder, "policy", cut->policy);
        add_int(builder, "kept", cut->kept);
        add_int(builder, "dropped", cut->dropped);
        add_int(builder, "torn", cut->torn);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_suite(JsonBuilder *builder, const struct suite_result *suite)
{
    json_builder_begin_object(builder);
    add_string(builder, "name", suite->name);
    add_suite_members(builder, suite);
    add_string(builder, "problem", suite->problem);
    add_double(builder, "seconds", suite->seconds);
    add_string(builder, "directory", suite->directory);
    add_cuts(builder, suite);
    json_builder_set_member_name(builder, "cases");
    json_builder_begin_array(builder);
    for (guint i = 0; i < suite->cases->len; i++) {
        json_builder_begin_object(builder);
        add_case_members(builder, suite->cases->pdata[i]);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

char *report_json(const struct run_result *run)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add_int(builder, "version", 1);
    add_run_members(builder, run);
    json_builder_set_member_name(builder, "suites");
    json_builder_begin_array(builder);
    for (guint i = 0; i < run->suites->len; i++) {
        add_suite(builder, run->suites->pdata[i]);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return finish(builder);
}

char *report_json_case(const struct run_result *run,
                       const struct suite_result *suite,
                       const struct case_result *result)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add_int(builder, "version", 1);
    add_run_members(builder, run);
    add_suite_members(builder, suite);
    add_case_members(builder, result);
    json_builder_end_object(builder);
    return finish(builder);
}
