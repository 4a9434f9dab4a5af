/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_build.c: command traces for tests.
 */
#include "trace_build.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

void trace_build_init(struct trace_build *build, const char *drive)
{
    struct lab_trace_header header = {
        .version = LAB_TRACE_VERSION, .header_bytes = sizeof(header),
    };

    memcpy(header.magic, LAB_TRACE_MAGIC, sizeof(header.magic));
    g_strlcpy(header.serial, "LAB0", sizeof(header.serial));
    g_strlcpy(header.drive, drive, sizeof(header.drive));
    *build = (struct trace_build){ .bytes = g_byte_array_new() };
    g_byte_array_append(build->bytes, (const guint8 *)&header,
                        sizeof(header));
}

void trace_build_clear(struct trace_build *build)
{
    g_byte_array_unref(build->bytes);
}

static void put(struct trace_build *build, uint16_t type, void *record,
                size_t size)
{
    struct lab_trace_record *head = record;

    head->type = type;
    head->size_bytes = (uint16_t)size;
    head->number = build->number++;
    head->time_ns = build->stamp * 1000;
    g_byte_array_append(build->bytes, record, (guint)size);
}

struct lab_trace_command trace_build_submit(struct trace_build *build,
                                            uint32_t nsid, uint8_t opcode,
                                            uint64_t slba, uint32_t blocks)
{
    struct lab_trace_command command = {
        .sqid = 1, .cqid = 1, .opcode = opcode, .nsid = nsid, .slba = slba,
        .block_count = blocks, .block_size_bytes = 512,
        .command_id = ++build->command_id,
        .submitted_stamp = ++build->stamp,
    };

    command.submitted_ns = command.submitted_stamp * 1000;
    command.fetched_ns = command.submitted_ns;
    return command;
}

void trace_build_command(struct trace_build *build,
                         const struct lab_trace_command *command)
{
    struct lab_trace_command copy = *command;

    put(build, LAB_TRACE_COMMAND, &copy, sizeof(copy));
}

void trace_build_complete(struct trace_build *build,
                          struct lab_trace_command command)
{
    if (command.opcode == NVME_OP_WRITE) {
        command.visible_stamp = ++build->stamp;
    }
    command.completed_stamp = ++build->stamp;
    command.completed_ns = command.completed_stamp * 1000;
    trace_build_command(build, &command);
}

void trace_build_write(struct trace_build *build, uint32_t nsid, uint64_t slba)
{
    trace_build_complete(build, trace_build_submit(build, nsid, NVME_OP_WRITE,
                                                   slba, 8));
}

void trace_build_fua(struct trace_build *build, uint32_t nsid, uint64_t slba)
{
    struct lab_trace_command command =
        trace_build_submit(build, nsid, NVME_OP_WRITE, slba, 8);

    command.flags = LAB_TRACE_FUA;
    trace_build_complete(build, command);
}

void trace_build_flush(struct trace_build *build, uint32_t nsid)
{
    trace_build_complete(build, trace_build_submit(build, nsid, NVME_OP_FLUSH,
                                                   0, 0));
}

void trace_build_mark(struct trace_build *build, uint32_t kind, uint64_t id,
                      const char *text)
{
    size_t length = (strlen(text) + 1 + 7) / 8 * 8;
    size_t size = sizeof(struct lab_trace_mark) + length;
    g_autofree struct lab_trace_mark *mark = g_malloc0(size);

    mark->id = id;
    mark->kind = kind;
    mark->submitted_stamp = ++build->stamp;
    mark->submitted_ns = build->stamp * 1000;
    mark->guest_ns = mark->submitted_ns + build->guest_ahead_ns;
    mark->text_bytes = (uint32_t)length;
    memcpy(mark + 1, text, strlen(text));
    put(build, LAB_TRACE_MARK, mark, size);
}

void trace_build_event(struct trace_build *build, uint32_t kind,
                       uint64_t value, uint64_t value2)
{
    struct lab_trace_event event = {
        .kind = kind, .stamp = ++build->stamp, .value = value,
        .value2 = value2,
    };

    put(build, LAB_TRACE_EVENT, &event, sizeof(event));
}

void trace_build_survivor(struct trace_build *build, uint64_t command_id,
                          uint32_t outcome)
{
    struct lab_trace_survivor survivor = {
        .command_id = command_id, .nsid = 1, .block_count = 8,
        .outcome = outcome,
    };

    put(build, LAB_TRACE_SURVIVOR, &survivor, sizeof(survivor));
}

void trace_build_end(struct trace_build *build, uint64_t lost)
{
    struct lab_trace_end end = { .lost = lost };

    build->number += lost;
    put(build, LAB_TRACE_END, &end, sizeof(end));
}

char *trace_build_file(const struct trace_build *build)
{
    char *path = NULL;
    int fd = g_file_open_tmp("nvmelab-trace-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, (char *)build->bytes->data,
                                      build->bytes->len, NULL));
    return path;
}

struct trace *trace_build_read(const struct trace_build *build)
{
    g_autofree char *path = trace_build_file(build);
    g_autoptr(GError) error = NULL;
    struct trace *trace = trace_read(path, &error);

    g_assert_no_error(error);
    g_unlink(path);
    return trace;
}
