/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_build.h: command traces for tests: in memory, and as files.
 *
 * One stamp per step: trace_build_submit() and trace_build_complete() each
 * take the next one, so that the order of calls is the order of events. A
 * step is 1000 ns, and the guest's clock says the same.
 */
#ifndef TRACE_BUILD_H
#define TRACE_BUILD_H

#include <stdio.h>

#include "trace.h"

struct trace_build {
    GByteArray *bytes;
    uint64_t number;            /* of the next record */
    uint64_t stamp;
    uint64_t command_id;
    uint64_t guest_ahead_ns;    /* of the guest's clock, in marks */
};

void trace_build_init(struct trace_build *build, const char *drive);
void trace_build_clear(struct trace_build *build);

/* A command that has been submitted; completed when written. */
struct lab_trace_command trace_build_submit(struct trace_build *build,
                                            uint32_t nsid, uint8_t opcode,
                                            uint64_t slba, uint32_t blocks);
/* Write its record, with success. */
void trace_build_complete(struct trace_build *build,
                          struct lab_trace_command command);
/* Write its record as it is (unanswered, failed, …). */
void trace_build_command(struct trace_build *build,
                         const struct lab_trace_command *command);

/* Submit and complete at once. */
void trace_build_write(struct trace_build *build, uint32_t nsid,
                       uint64_t slba);
void trace_build_fua(struct trace_build *build, uint32_t nsid, uint64_t slba);
void trace_build_flush(struct trace_build *build, uint32_t nsid);

void trace_build_mark(struct trace_build *build, uint32_t kind, uint64_t id,
                      const char *text);
void trace_build_event(struct trace_build *build, uint32_t kind,
                       uint64_t value, uint64_t value2);
void trace_build_survivor(struct trace_build *build, uint64_t command_id,
                          uint32_t outcome);
void trace_build_end(struct trace_build *build, uint64_t lost);

/* Write to a new temporary file; free the path with g_free(). */
char *trace_build_file(const struct trace_build *build);
/* Write and read back; must succeed. */
struct trace *trace_build_read(const struct trace_build *build);

#endif
