/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_stat.c: counts and latencies of a command trace.
 *
 * Latency is from doorbell to CQE, of answered I/O commands; percentiles are
 * nearest-rank (the smallest value that is not below the asked share).
 */
#include <json-glib/json-glib.h>
#include <math.h>

#include "trace_show.h"

struct operation {
    char *name;
    GArray *latencies_ns;       /* guint64, sorted after the last one */
    guint64 unanswered;
    guint64 failed;
    guint64 blocks;
};

static const struct {
    const char *name;
    double share;
} percentiles[] = {
    { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 },
    { "max", 1.0 },
};

static void operation_free(gpointer data)
{
    struct operation *operation = data;

    g_free(operation->name);
    g_array_unref(operation->latencies_ns);
    g_free(operation);
}

static int compare_u64(const void *a, const void *b)
{
    guint64 one = *(const guint64 *)a;
    guint64 two = *(const guint64 *)b;

    return one < two ? -1 : one > two;
}

static struct operation *operation_get(GPtrArray *operations, const char *name)
{
    struct operation *operation;

    for (guint i = 0; i < operations->len; i++) {
        operation = operations->pdata[i];
        if (g_str_equal(operation->name, name)) {
            return operation;
        }
    }
    operation = g_new0(struct operation, 1);
    operation->name = g_strdup(name);
    operation->latencies_ns = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_ptr_array_add(operations, operation);
    return operation;
}

static void operation_add(GPtrArray *operations,
                          const struct lab_trace_command *command)
{
    const char *name = trace_opcode_name(command->opcode, false);
    g_autofree char *full =
        g_strdup_printf("%s%s", name ? name : "other",
                        command->flags & LAB_TRACE_FUA ? "+fua" : "");
    struct operation *operation = operation_get(operations, full);
    guint64 latency = command->completed_ns - command->submitted_ns;

    operation->blocks += command->block_count;
    if (command->flags & LAB_TRACE_NO_CQE) {
        operation->unanswered++;
        return;
    }
    operation->failed += command->status != 0;
    g_array_append_val(operation->latencies_ns, latency);
}

static GPtrArray *operations_of(const struct trace *trace)
{
    GPtrArray *operations = g_ptr_array_new_with_free_func(operation_free);

    for (guint i = 0; i < trace->commands->len; i++) {
        const struct lab_trace_command *command = TRACE_COMMAND(trace, i);

        if (!(command->flags & LAB_TRACE_ADMIN)) {
            operation_add(operations, command);
        }
    }
    for (guint i = 0; i < operations->len; i++) {
        struct operation *operation = operations->pdata[i];

        g_array_sort(operation->latencies_ns, compare_u64);
    }
    return operations;
}

static double percentile_us(const struct operation *operation, double share)
{
    guint count = operation->latencies_ns->len;
    guint rank = (guint)ceil(share * count);

    if (!count) {
        return 0;
    }
    return (double)g_array_index(operation->latencies_ns, guint64,
                                 MAX(rank, 1) - 1) / 1e3;
}

static guint64 admin_count(const struct trace *trace)
{
    guint64 count = 0;

    for (guint i = 0; i < trace->commands->len; i++) {
        count += (TRACE_COMMAND(trace, i)->flags & LAB_TRACE_ADMIN) != 0;
    }
    return count;
}

static void stat_text(const struct trace *trace, const GPtrArray *operations,
                      FILE *out)
{
    fprintf(out, "drive %s, serial %s\n", trace->header.drive,
            trace->header.serial);
    fprintf(out, "records %" G_GUINT64_FORMAT ", lost %" G_GUINT64_FORMAT
            ", %s\n", trace->record_count, trace->lost,
            trace->has_end ? "ended" : "no END record: the process was killed");
    fprintf(out, "admin commands %" G_GUINT64_FORMAT ", marks %u, events %u, "
            "survivors %u\n", admin_count(trace), trace->marks->len,
            trace->events->len, trace->survivors->len);
    fprintf(out, "%-14s %8s %9s %6s %6s", "command", "answered", "blocks",
            "failed", "unansw");
    for (gsize i = 0; i < G_N_ELEMENTS(percentiles); i++) {
        fprintf(out, " %7s/us", percentiles[i].name);
    }
    fputc('\n', out);
    for (guint i = 0; i < operations->len; i++) {
        const struct operation *operation = operations->pdata[i];

        fprintf(out, "%-14s %8u %9" G_GUINT64_FORMAT " %6" G_GUINT64_FORMAT
                " %6" G_GUINT64_FORMAT, operation->name,
                operation->latencies_ns->len, operation->blocks,
                operation->failed, operation->unanswered);
        for (gsize j = 0; j < G_N_ELEMENTS(percentiles); j++) {
            fprintf(out, " %10.1f",
                    percentile_us(operation, percentiles[j].share));
        }
        fputc('\n', out);
    }
}

static void stat_json(const struct trace *trace, const GPtrArray *operations,
                      FILE *out)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "records");
    json_builder_add_int_value(builder, (gint64)trace->record_count);
    json_builder_set_member_name(builder, "lost");
    json_builder_add_int_value(builder, (gint64)trace->lost);
    json_builder_set_member_name(builder, "has_end");
    json_builder_add_boolean_value(builder, trace->has_end);
    json_builder_set_member_name(builder, "commands");
    json_builder_begin_array(builder);
    for (guint i = 0; i < operations->len; i++) {
        const struct operation *operation = operations->pdata[i];

        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "op");
        json_builder_add_string_value(builder, operation->name);
        json_builder_set_member_name(builder, "answered");
        json_builder_add_int_value(builder, operation->latencies_ns->len);
        json_builder_set_member_name(builder, "unanswered");
        json_builder_add_int_value(builder, (gint64)operation->unanswered);
        json_builder_set_member_name(builder, "failed");
        json_builder_add_int_value(builder, (gint64)operation->failed);
        for (gsize j = 0; j < G_N_ELEMENTS(percentiles); j++) {
            g_autofree char *name = g_strdup_printf("latency_us.%s",
                                                    percentiles[j].name);

            json_builder_set_member_name(builder, name);
            json_builder_add_double_value(
                builder, percentile_us(operation, percentiles[j].share));
        }
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    text = json_to_string(root, TRUE);
    fprintf(out, "%s\n", text);
}

void trace_stat(const struct trace *trace, enum trace_format format, FILE *out)
{
    g_autoptr(GPtrArray) operations = operations_of(trace);

    if (format == TRACE_TEXT) {
        stat_text(trace, operations, out);
    } else {
        stat_json(trace, operations, out);
    }
}
