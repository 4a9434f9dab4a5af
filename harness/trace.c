/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c: reader of command traces.
 *
 * A trace is either whole or refused: whatever does not parse is an error that
 * names file and offset. What parses but has holes in its numbering, or says
 * at its end that records were lost, is read with lost > 0, and whoever judges
 * by it must not. A file whose process was killed ends in zeros and has no END
 * record; that alone is no loss, because records are written whole and in
 * order.
 */
#include "trace.h"

#include <string.h>

#include "failure.h"

G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

struct reader {
    struct trace *trace;
    const char *bytes;
    gsize length;
    gsize offset;
    unsigned power_ons;
    GError **error;
};

static const gsize type_bytes[] = {
    [LAB_TRACE_COMMAND] = sizeof(struct lab_trace_command),
    [LAB_TRACE_MARK] = sizeof(struct lab_trace_mark),
    [LAB_TRACE_EVENT] = sizeof(struct lab_trace_event),
    [LAB_TRACE_SURVIVOR] = sizeof(struct lab_trace_survivor),
    [LAB_TRACE_END] = sizeof(struct lab_trace_end),
};

G_GNUC_PRINTF(2, 3)
static bool reader_refuse(struct reader *reader, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list ap;

    va_start(ap, format);
    what = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(reader->error, FAILURE, FAILURE_INFRA, "%s: offset %zu: %s",
                reader->trace->path, (size_t)reader->offset, what);
    return false;
}

static bool reader_header(struct reader *reader)
{
    struct lab_trace_header *header = &reader->trace->header;

    if (reader->length < sizeof(header->magic) ||
        memcmp(reader->bytes, LAB_TRACE_MAGIC, sizeof(header->magic)) != 0) {
        return reader_refuse(reader, "not a command trace: no magic '%s'",
                             LAB_TRACE_MAGIC);
    }
    if (reader->length < sizeof(*header)) {
        return reader_refuse(reader, "truncated header: %zu of %zu bytes",
                             (size_t)reader->length, sizeof(*header));
    }
    memcpy(header, reader->bytes, sizeof(*header));
    if (header->version != LAB_TRACE_VERSION) {
        return reader_refuse(reader, "trace version %u, this program reads %u",
                             header->version, LAB_TRACE_VERSION);
    }
    if (header->header_bytes < sizeof(*header) ||
        header->header_bytes % 8 != 0 ||
        header->header_bytes > reader->length) {
        return reader_refuse(reader, "header claims %u bytes",
                             header->header_bytes);
    }
    header->serial[sizeof(header->serial) - 1] = '\0';
    header->drive[sizeof(header->drive) - 1] = '\0';
    reader->offset = header->header_bytes;
    return true;
}

static bool reader_mark(struct reader *reader, gsize size)
{
    const char *text = reader->bytes + reader->offset;
    struct trace_mark mark;

    memcpy(&mark.mark, text, sizeof(mark.mark));
    if (mark.mark.text_bytes > size - sizeof(mark.mark)) {
        return reader_refuse(reader, "mark claims %u bytes of text in %zu",
                             mark.mark.text_bytes, (size_t)size);
    }
    mark.text = g_strndup(text + sizeof(mark.mark), mark.mark.text_bytes);
    g_array_append_val(reader->trace->marks, mark);
    return true;
}

static void reader_event(struct reader *reader)
{
    struct lab_trace_event event;

    memcpy(&event, reader->bytes + reader->offset, sizeof(event));
    reader->power_ons += event.kind == LAB_TRACE_POWER_ON;
    g_array_append_val(reader->trace->events, event);
}

/* The record at offset is whole and of a known type. */
static bool reader_take(struct reader *reader,
                        const struct lab_trace_record *record)
{
    const char *bytes = reader->bytes + reader->offset;
    struct trace *trace = reader->trace;

    switch (record->type) {
    case LAB_TRACE_COMMAND: {
        struct lab_trace_command command;

        memcpy(&command, bytes, sizeof(command));
        g_array_append_val(trace->commands, command);
        return true;
    }
    case LAB_TRACE_MARK:
        return reader_mark(reader, record->size_bytes);
    case LAB_TRACE_EVENT:
        reader_event(reader);
        return true;
    case LAB_TRACE_SURVIVOR: {
        struct trace_survivor survivor = { .cut = reader->power_ons };

        memcpy(&survivor.survivor, bytes, sizeof(survivor.survivor));
        g_array_append_val(trace->survivors, survivor);
        return true;
    }
    default: {
        struct lab_trace_end end;

        memcpy(&end, bytes, sizeof(end));
        trace->has_end = true;
        /* What END counts has left a gap in the numbers, too. */
        trace->lost = MAX(trace->lost, end.lost);
        return true;
    }
    }
}

static bool reader_is_known(uint16_t type)
{
    return type < G_N_ELEMENTS(type_bytes) && type_bytes[type];
}

static bool reader_record(struct reader *reader)
{
    gsize left = reader->length - reader->offset;
    struct lab_trace_record record;

    if (left < sizeof(record)) {
        return reader_refuse(reader, "truncated record: %zu bytes left",
                             (size_t)left);
    }
    memcpy(&record, reader->bytes + reader->offset, sizeof(record));
    if (!reader_is_known(record.type)) {
        return reader_refuse(reader, "unknown record type %u", record.type);
    }
    if (record.size_bytes < type_bytes[record.type] ||
        record.size_bytes % 8 != 0) {
        return reader_refuse(reader, "record type %u of %u bytes",
                             record.type, record.size_bytes);
    }
    if (record.size_bytes > left) {
        return reader_refuse(reader,
                             "truncated record: %u bytes, %zu are left",
                             record.size_bytes, (size_t)left);
    }
    if (record.number < reader->trace->record_count) {
        return reader_refuse(reader, "record number %" G_GUINT64_FORMAT
                             " after %" G_GUINT64_FORMAT, record.number,
                             reader->trace->record_count - 1);
    }
    reader->trace->lost += record.number - reader->trace->record_count;
    reader->trace->record_count = record.number + 1;
    if (!reader_take(reader, &record)) {
        return false;
    }
    reader->offset += record.size_bytes;
    return true;
}

static bool reader_is_at_zeros(const struct reader *reader)
{
    for (gsize i = reader->offset; i < reader->length; i++) {
        if (reader->bytes[i]) {
            return false;
        }
    }
    return true;
}

static bool reader_next_is_none(const struct reader *reader)
{
    uint16_t type = LAB_TRACE_NONE;

    if (reader->length - reader->offset >= sizeof(type)) {
        memcpy(&type, reader->bytes + reader->offset, sizeof(type));
    }
    return type == LAB_TRACE_NONE;
}

static bool reader_records(struct reader *reader)
{
    while (reader->offset < reader->length) {
        if (reader->trace->has_end || reader_next_is_none(reader)) {
            return reader_is_at_zeros(reader) ||
                   reader_refuse(reader, "bytes after the end of the trace");
        }
        if (!reader_record(reader)) {
            return false;
        }
    }
    return true;
}

static void mark_clear(void *data)
{
    struct trace_mark *mark = data;

    g_free(mark->text);
}

static struct trace *trace_new(const char *path)
{
    struct trace *trace = g_new0(struct trace, 1);

    trace->path = g_strdup(path);
    trace->commands = g_array_new(FALSE, FALSE,
                                  sizeof(struct lab_trace_command));
    trace->marks = g_array_new(FALSE, FALSE, sizeof(struct trace_mark));
    trace->events = g_array_new(FALSE, FALSE, sizeof(struct lab_trace_event));
    trace->survivors = g_array_new(FALSE, FALSE,
                                   sizeof(struct trace_survivor));
    g_array_set_clear_func(trace->marks, mark_clear);
    return trace;
}

void trace_free(struct trace *trace)
{
    if (!trace) {
        return;
    }
    g_free(trace->path);
    g_array_unref(trace->commands);
    g_array_unref(trace->marks);
    g_array_unref(trace->events);
    g_array_unref(trace->survivors);
    g_free(trace);
}

struct trace *trace_read(const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &cause);
    struct reader reader = { .error = error };

    if (!file) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "%s", cause->message);
        return NULL;
    }
    reader.trace = trace_new(path);
    reader.bytes = g_mapped_file_get_contents(file);
    reader.length = g_mapped_file_get_length(file);
    if (!reader_header(&reader) || !reader_records(&reader)) {
        trace_free(reader.trace);
        return NULL;
    }
    return reader.trace;
}

bool trace_has_vwc(const struct trace *trace)
{
    g_auto(GStrv) properties = g_strsplit(trace->header.drive, ",", -1);

    for (char **property = properties; *property; property++) {
        if (g_str_has_prefix(*property, "vwc=")) {
            return g_str_equal(*property, "vwc=on") ||
                   g_str_equal(*property, "vwc=true");
        }
    }
    return true;
}

bool trace_ns_has_vwc(const struct trace *trace, guint32 nsid)
{
    if (!trace_has_vwc(trace)) {
        return false;
    }
    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);

        if (event->kind == LAB_TRACE_NAMESPACE && event->value == nsid) {
            return event->value2 != 0;
        }
    }
    return true;
}

const char *trace_opcode_name(uint8_t opcode, bool is_admin)
{
    static const struct {
        uint8_t opcode;
        bool is_admin;
        const char *name;
    } names[] = {
        { NVME_OP_FLUSH, false, "flush" },
        { NVME_OP_WRITE, false, "write" },
        { NVME_OP_READ, false, "read" },
        { 0x04, false, "write-uncorrectable" },
        { 0x05, false, "compare" },
        { NVME_OP_WRITE_ZEROES, false, "write-zeroes" },
        { NVME_OP_DATASET_MANAGEMENT, false, "dsm" },
        { 0x0C, false, "verify" },
        { 0x19, false, "copy" },
        { 0x00, true, "delete-sq" },
        { 0x01, true, "create-sq" },
        { 0x02, true, "get-log" },
        { 0x04, true, "delete-cq" },
        { 0x05, true, "create-cq" },
        { 0x06, true, "identify" },
        { 0x08, true, "abort" },
        { 0x09, true, "set-features" },
        { 0x0A, true, "get-features" },
        { 0x0C, true, "async-event" },
        { 0x7C, true, "doorbell-buffers" },
        { LAB_OP_MARK, true, "mark" },
        { LAB_OP_STAT, true, "stat" },
        { LAB_OP_CUT, true, "cut" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].opcode == opcode && names[i].is_admin == is_admin) {
            return names[i].name;
        }
    }
    return NULL;
}

char *trace_policy(const struct lab_trace_event *cut)
{
    static const char *const names[] = { "drop-all", "keep-all" };

    if (cut->value < G_N_ELEMENTS(names)) {
        return g_strdup(names[cut->value]);
    }
    return g_strdup_printf("random:%" G_GUINT64_FORMAT, cut->value2);
}

bool trace_is_write(const struct lab_trace_command *command)
{
    if (command->flags & LAB_TRACE_ADMIN) {
        return false;
    }
    return command->opcode == NVME_OP_WRITE ||
           command->opcode == NVME_OP_WRITE_ZEROES ||
           command->opcode == NVME_OP_DATASET_MANAGEMENT;
}

bool trace_is_flush(const struct lab_trace_command *command)
{
    return !(command->flags & LAB_TRACE_ADMIN) &&
           command->opcode == NVME_OP_FLUSH;
}

bool trace_is_completed(const struct lab_trace_command *command)
{
    return !(command->flags & LAB_TRACE_NO_CQE) && command->completed_stamp &&
           command->status == 0;
}
