/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.h: a command trace in memory (hw/abi/trace_file.h on disk).
 */
#ifndef HARNESS_TRACE_H
#define HARNESS_TRACE_H

#include <glib.h>
#include <stdbool.h>
#include <trace_file.h>
#include <vendor.h>

/* NVM Command Set 1.0, "Opcodes for NVM Commands". */
#define NVME_OP_FLUSH 0x00
#define NVME_OP_WRITE 0x01
#define NVME_OP_READ 0x02
#define NVME_OP_WRITE_ZEROES 0x08
#define NVME_OP_DATASET_MANAGEMENT 0x09
#define NVME_NSID_ALL 0xFFFFFFFFu

struct trace_mark {
    struct lab_trace_mark mark;
    char *text;
};

struct trace_survivor {
    struct lab_trace_survivor survivor;
    unsigned cut;               /* 0, 1, …: which of the file's power cuts */
};

struct trace {
    char *path;
    struct lab_trace_header header;
    GArray *commands;           /* struct lab_trace_command, file order */
    GArray *marks;              /* struct trace_mark */
    GArray *events;             /* struct lab_trace_event */
    GArray *survivors;          /* struct trace_survivor */
    guint64 record_count;
    bool has_end;
    guint64 lost;               /* missing by number, or by END */
};

#define TRACE_COMMAND(t, i) \
    (&g_array_index((t)->commands, struct lab_trace_command, (i)))
#define TRACE_MARK(t, i) (&g_array_index((t)->marks, struct trace_mark, (i)))
#define TRACE_EVENT(t, i) \
    (&g_array_index((t)->events, struct lab_trace_event, (i)))
#define TRACE_SURVIVOR(t, i) \
    (&g_array_index((t)->survivors, struct trace_survivor, (i)))

/* NULL and an error that names file and offset. */
struct trace *trace_read(const char *path, GError **error);
void trace_free(struct trace *trace);

/* Whether the drive had a volatile cache at start ("vwc=on" in drive[]). */
bool trace_has_vwc(const struct trace *trace);
/* Whether that namespace had it, too (event NAMESPACE). */
bool trace_ns_has_vwc(const struct trace *trace, guint32 nsid);
/* "flush", "write", …; NULL: not in the table. */
const char *trace_opcode_name(uint8_t opcode, bool is_admin);
/* "random:7" of a CUT event; free with g_free(). */
char *trace_policy(const struct lab_trace_event *cut);
/* An I/O command that changes blocks. */
bool trace_is_write(const struct lab_trace_command *command);
bool trace_is_flush(const struct lab_trace_command *command);
/* Answered, and with success. */
bool trace_is_completed(const struct lab_trace_command *command);

#endif
