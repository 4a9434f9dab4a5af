/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trace.c: the reader takes whole traces, refuses damaged ones with file
 * and offset, and notices what is missing.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "trace_build.h"
#include "trace_show.h"

static void expect_refused(const struct trace_build *build, const char *why)
{
    g_autofree char *path = trace_build_file(build);
    g_autoptr(GError) error = NULL;

    g_assert_null(trace_read(path, &error));
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, "offset "));
    if (!strstr(error->message, why)) {
        g_error("'%s' does not say '%s'", error->message, why);
    }
    g_unlink(path);
}

static void test_whole(void)
{
    struct trace_build build;
    struct trace *trace;

    trace_build_init(&build, "vwc=off,lie=none");
    trace_build_mark(&build, LAB_MARK_BEGIN, 7, "flush.raw.overwrite.sync");
    trace_build_write(&build, 1, 64);
    trace_build_flush(&build, 1);
    trace_build_event(&build, LAB_TRACE_CUT, 2, 9);
    trace_build_survivor(&build, 1, LAB_TRACE_KEPT);
    trace_build_event(&build, LAB_TRACE_POWER_ON, 0, 0);
    trace_build_event(&build, LAB_TRACE_CUT, 0, 0);
    trace_build_survivor(&build, 2, LAB_TRACE_TORN);
    trace_build_end(&build, 0);
    trace = trace_build_read(&build);
    g_assert_cmpuint(trace->record_count, ==, 9);
    g_assert_cmpuint(trace->lost, ==, 0);
    g_assert_true(trace->has_end);
    g_assert_false(trace_has_vwc(trace));
    g_assert_cmpuint(trace->commands->len, ==, 2);
    g_assert_cmpuint(TRACE_COMMAND(trace, 0)->slba, ==, 64);
    g_assert_true(trace_is_write(TRACE_COMMAND(trace, 0)));
    g_assert_true(trace_is_flush(TRACE_COMMAND(trace, 1)));
    g_assert_cmpstr(TRACE_MARK(trace, 0)->text, ==,
                    "flush.raw.overwrite.sync");
    g_assert_cmpuint(TRACE_SURVIVOR(trace, 0)->cut, ==, 0);
    g_assert_cmpuint(TRACE_SURVIVOR(trace, 1)->cut, ==, 1);
    trace_free(trace);
    trace_build_clear(&build);
}

static void test_killed(void)
{
    struct trace_build build;
    struct trace *trace;
    guint8 zeros[4096] = { 0 };

    trace_build_init(&build, "vwc=on");
    trace_build_write(&build, 1, 0);
    g_byte_array_append(build.bytes, zeros, sizeof(zeros));
    trace = trace_build_read(&build);
    g_assert_false(trace->has_end);
    g_assert_cmpuint(trace->lost, ==, 0);
    g_assert_cmpuint(trace->commands->len, ==, 1);
    trace_free(trace);
    trace_build_clear(&build);
}

static void test_lost(void)
{
    struct trace_build build;
    struct trace *trace;

    trace_build_init(&build, "vwc=on");
    trace_build_write(&build, 1, 0);
    build.number += 3;
    trace_build_write(&build, 1, 8);
    trace = trace_build_read(&build);
    g_assert_cmpuint(trace->lost, ==, 3);
    trace_free(trace);
    trace_build_clear(&build);

    trace_build_init(&build, "vwc=on");
    trace_build_write(&build, 1, 0);
    trace_build_end(&build, 5);
    trace = trace_build_read(&build);
    g_assert_cmpuint(trace->lost, ==, 5);
    trace_free(trace);
    trace_build_clear(&build);

    /* END says so, though no number is missing. */
    trace_build_init(&build, "vwc=on");
    trace_build_write(&build, 1, 0);
    build.number -= 5;
    trace_build_end(&build, 5);
    trace = trace_build_read(&build);
    g_assert_cmpuint(trace->record_count, ==, 2);
    g_assert_cmpuint(trace->lost, ==, 5);
    trace_free(trace);
    trace_build_clear(&build);
}

static void test_foreign(void)
{
    struct trace_build build = { .bytes = g_byte_array_new() };

    g_byte_array_append(build.bytes, (const guint8 *)"#!/bin/sh\nexit\n", 15);
    expect_refused(&build, "not a command trace");
    g_byte_array_set_size(build.bytes, 0);
    expect_refused(&build, "not a command trace");
    trace_build_clear(&build);
}

static void test_truncated(void)
{
    guint whole;
    struct trace_build build;

    trace_build_init(&build, "vwc=on");
    g_byte_array_set_size(build.bytes, 100);
    expect_refused(&build, "truncated header");
    trace_build_clear(&build);

    trace_build_init(&build, "vwc=on");
    trace_build_write(&build, 1, 0);
    whole = build.bytes->len;
    g_byte_array_set_size(build.bytes, whole - 8);
    expect_refused(&build, "truncated record");
    g_byte_array_set_size(build.bytes, sizeof(struct lab_trace_header) + 16);
    expect_refused(&build, "truncated record: 16 bytes left");
    trace_build_clear(&build);
}

static void test_damaged(void)
{
    struct trace_build build;
    struct lab_trace_record *record;
    struct lab_trace_header *header;

    trace_build_init(&build, "vwc=on");
    header = (void *)build.bytes->data;
    header->version = 99;
    expect_refused(&build, "trace version 99");
    header->version = LAB_TRACE_VERSION;
    header->header_bytes = 4;
    expect_refused(&build, "header claims 4 bytes");
    trace_build_clear(&build);

    trace_build_init(&build, "vwc=on");
    trace_build_write(&build, 1, 0);
    trace_build_write(&build, 1, 0);
    record = (void *)(build.bytes->data + sizeof(struct lab_trace_header));
    record->type = 77;
    expect_refused(&build, "unknown record type 77");
    record->type = LAB_TRACE_COMMAND;
    record->size_bytes = 24;
    expect_refused(&build, "record type 1 of 24 bytes");
    record->size_bytes = sizeof(struct lab_trace_command);
    record->number = 9;
    expect_refused(&build, "record number 1 after 9");
    record->number = 0;
    /* Zeros where a record should be, and more behind them. */
    record->type = LAB_TRACE_NONE;
    expect_refused(&build, "bytes after the end");
    trace_build_clear(&build);
}

static void test_mark_text(void)
{
    struct trace_build build;
    struct lab_trace_mark *mark;

    trace_build_init(&build, "vwc=on");
    trace_build_mark(&build, LAB_MARK_NOTE, 1, "x");
    mark = (void *)(build.bytes->data + sizeof(struct lab_trace_header));
    mark->text_bytes = 4096;
    expect_refused(&build, "mark claims 4096 bytes");
    trace_build_clear(&build);
}

/* Every prefix of a good trace parses, or is refused, and never crashes. */
static void test_prefixes(void)
{
    struct trace_build build;
    guint length;

    trace_build_init(&build, "vwc=on");
    trace_build_mark(&build, LAB_MARK_BEGIN, 7, "name");
    trace_build_write(&build, 1, 64);
    trace_build_end(&build, 0);
    length = build.bytes->len;
    for (guint i = length; i > 0; i--) {
        g_autofree char *path = NULL;

        g_byte_array_set_size(build.bytes, i - 1);
        path = trace_build_file(&build);
        trace_free(trace_read(path, NULL));
        g_unlink(path);
    }
    trace_build_clear(&build);
}

/* What show and stat print, in full: the formats are an interface. */
static void test_show(void)
{
    struct trace_build build;
    struct trace *trace;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    trace_build_init(&build, "vwc=on");
    trace_build_mark(&build, LAB_MARK_BEGIN, 7, "case");
    trace_build_fua(&build, 1, 64);
    trace_build_event(&build, LAB_TRACE_HOLD, 3, LAB_HOLD_CQE);
    trace_build_event(&build, LAB_TRACE_PARKED, 1, 3 << 16 | 3 << 8);
    trace_build_event(&build, LAB_TRACE_RESUMED, 1,
                      3 << 16 | 3 << 8 | LAB_TRACE_TIMED);
    trace_build_event(&build, LAB_TRACE_HOLD_ENDED, 3, 1);
    trace_build_event(&build, LAB_TRACE_CUT, 2, 9);
    trace_build_survivor(&build, 1, LAB_TRACE_KEPT);
    trace_build_end(&build, 0);
    trace = trace_build_read(&build);
    trace_show(trace, TRACE_TEXT, out);
    fclose(out);
    g_assert_nonnull(strstr(text, "begin 7 case"));
    g_assert_nonnull(strstr(text, "write+fua"));
    g_assert_nonnull(strstr(text, "64+8"));
    g_assert_nonnull(strstr(text, "cut random:9"));
    g_assert_nonnull(strstr(text, "kept 1 ns1"));
    g_assert_nonnull(strstr(text, "hold: rule 3 at cqe\n"));
    g_assert_nonnull(strstr(text, "parked 1: rule 3 at cqe\n"));
    g_assert_nonnull(strstr(text, "resumed 1: rule 3 at cqe, timed\n"));
    g_assert_nonnull(strstr(text, "hold-ended: rule 3 parked 1\n"));
    g_assert_true(strstr(text, "begin 7") < strstr(text, "write+fua"));
    free(text);

    out = open_memstream(&text, &length);
    trace_stat(trace, TRACE_TEXT, out);
    fclose(out);
    /* Submitted at stamp 2, completed at 4: 2 µs. */
    g_assert_nonnull(strstr(text, "write+fua             1         8      0"
                            "      0        2.0"));
    free(text);
    trace_free(trace);
    trace_build_clear(&build);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/whole", test_whole);
    g_test_add_func("/trace/killed", test_killed);
    g_test_add_func("/trace/lost", test_lost);
    g_test_add_func("/trace/foreign", test_foreign);
    g_test_add_func("/trace/truncated", test_truncated);
    g_test_add_func("/trace/damaged", test_damaged);
    g_test_add_func("/trace/mark-text", test_mark_text);
    g_test_add_func("/trace/prefixes", test_prefixes);
    g_test_add_func("/trace/show", test_show);
    return g_test_run();
}
