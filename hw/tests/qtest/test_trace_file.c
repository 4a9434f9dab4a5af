/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace file holds every record whole and in order, through kill -9 and
 * across the window that is mapped at a time; a clean exit ends it.
 */
#include <string.h>

#include "drive.h"
#include "trace_file.h"
#include "vendor.h"

struct trace {
    char *bytes;
    size_t length;
    size_t at;
    uint64_t records;
    uint64_t commands;
    uint64_t marks;
    bool has_end;
};

static char *trace_path(void)
{
    return client_path("qtest.labtrace");
}

static struct drive *start(const char *properties)
{
    char *image = drive_image("trace.img", 1 << 20);
    char *path = trace_path();
    char *all = g_strdup_printf(",trace='%s'%s", path, properties);
    struct drive *d = drive_start(image, all);

    g_free(all);
    g_free(path);
    g_free(image);
    return d;
}

static void check_header(struct trace *t)
{
    struct lab_trace_header header;

    g_assert_cmpuint(t->length, >=, sizeof(header));
    memcpy(&header, t->bytes, sizeof(header));
    g_assert_cmpmem(header.magic, 8, LAB_TRACE_MAGIC, 8);
    g_assert_cmpuint(header.version, ==, LAB_TRACE_VERSION);
    g_assert_cmpstr(header.serial, ==, "QTEST");
    g_assert_nonnull(strstr(header.drive, "vwc=on,cache-size=67108864,"));
    t->at = header.header_bytes;
}

/* The next record; false at the zeros or the end of the file. */
static bool next_record(struct trace *t)
{
    struct lab_trace_record record;

    if (t->at + sizeof(record) > t->length) {
        g_assert_cmpuint(t->at, ==, t->length);
        return false;
    }
    memcpy(&record, t->bytes + t->at, sizeof(record));
    if (record.type == LAB_TRACE_NONE) {
        return false;
    }
    g_assert_false(t->has_end);
    g_assert_cmpuint(record.number, ==, t->records);
    g_assert_cmpuint(record.size_bytes % 8, ==, 0);
    g_assert_cmpuint(record.size_bytes, >=, sizeof(record));
    t->records++;
    t->commands += record.type == LAB_TRACE_COMMAND;
    t->marks += record.type == LAB_TRACE_MARK;
    t->has_end = record.type == LAB_TRACE_END;
    t->at += record.size_bytes;
    return true;
}

static struct trace read_trace(void)
{
    struct trace t = { 0 };
    char *path = trace_path();

    g_assert_true(g_file_get_contents(path, &t.bytes, &t.length, NULL));
    check_header(&t);
    while (next_record(&t)) {
    }
    g_free(t.bytes);
    g_free(path);
    return t;
}

static void a_clean_exit_ends_the_trace(void)
{
    struct drive *d = start("");
    struct trace t;

    drive_write_block(d, 1, 1, false);
    drive_sync(d);
    drive_quit(d);
    t = read_trace();
    g_assert_true(t.has_end);
    g_assert_cmpuint(t.at, ==, t.length);
    g_assert_cmpuint(t.commands, >=, 4);    /* two queues, write, flush */
}

static void kill_9_loses_no_record(void)
{
    struct drive *d = start("");
    unsigned i;
    struct trace t;

    for (i = 0; i < 100; i++) {
        drive_write_block(d, i, 1, false);
    }
    drive_kill(d);
    t = read_trace();
    g_assert_false(t.has_end);
    g_assert_cmpuint(t.commands, >=, 102);
}

/* A mark with a long text is about 320 bytes: 15,000 pass 4 MiB. */
static void records_cross_the_mapped_window_whole(void)
{
    struct drive *d = start("");
    struct nvme_command cmd = {
        .opcode = LAB_OP_MARK, .cdw10 = LAB_MARK_TEXT_MAX / 4,
        .cdw11 = LAB_MARK_NOTE,
    };
    enum { BATCH = 15, BATCHES = 1000 };
    char text[LAB_MARK_TEXT_MAX];
    unsigned i, j;
    struct trace t;

    memset(text, 'x', sizeof(text));
    cmd.prp1 = drive_alloc(d, sizeof(text));
    client_write(d->client, cmd.prp1, text, sizeof(text));
    for (i = 0; i < BATCHES; i++) {
        for (j = 0; j < BATCH; j++) {
            drive_submit(d, 0, cmd);
        }
        drive_ring(d, 0);
        for (j = 0; j < BATCH; j++) {
            g_assert_cmphex(drive_status(drive_next(d, 0)), ==, NVME_SUCCESS);
        }
    }
    drive_quit(d);
    t = read_trace();
    g_assert_true(t.has_end);
    g_assert_cmpuint(t.marks, ==, BATCH * BATCHES);
    g_assert_cmpuint(t.length, >, 4 << 20);
}

static void add_tests(void)
{
    g_test_add_func("/trace/a-clean-exit-ends-the-trace",
                    a_clean_exit_ends_the_trace);
    g_test_add_func("/trace/kill-9-loses-no-record", kill_9_loses_no_record);
    g_test_add_func("/trace/records-cross-the-mapped-window-whole",
                    records_cross_the_mapped_window_whole);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
