/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command trace on disk: what the drive saw, command by command.
 *
 *      [ header ][ record ][ record ] … [ zeros, if the process was killed ]
 *
 * A record is written whole into a mapping of the file, so that what the drive
 * said before a kill -9 can be read after it. Records are numbered from 0
 * without gaps; a gap, or lost > 0 in the END record, means lost records and
 * every verdict drawn from the file is void. All fields little-endian, all
 * records multiples of 8 bytes. docs/trace-format.md is the manual page.
 *
 * Order: 'stamp' fields come from one counter of the controller that steps at
 * every doorbell, every data-visible moment and every posted CQE. They settle
 * what was before what; the *_ns fields say how long it took.
 */
#ifndef LAB_ABI_TRACE_FILE_H
#define LAB_ABI_TRACE_FILE_H

#include <stdint.h>

#define LAB_TRACE_MAGIC "LABTRACE"
#define LAB_TRACE_VERSION 1

struct lab_trace_header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;      /* offset of the first record */
    uint64_t realtime_ns;       /* CLOCK_REALTIME when the file was made */
    char serial[24];            /* NUL-terminated */
    char drive[208];            /* the properties, "name=value,…", NUL-term. */
};

enum lab_trace_type {
    LAB_TRACE_NONE = 0,         /* zeros: the file ends here */
    LAB_TRACE_COMMAND = 1,      /* struct lab_trace_command */
    LAB_TRACE_MARK = 2,         /* struct lab_trace_mark */
    LAB_TRACE_EVENT = 3,        /* struct lab_trace_event */
    LAB_TRACE_SURVIVOR = 4,     /* struct lab_trace_survivor */
    LAB_TRACE_END = 5,          /* struct lab_trace_end; the last record */
};

struct lab_trace_record {
    uint16_t type;
    uint16_t size_bytes;        /* of the whole record */
    uint32_t reserved;
    uint64_t number;            /* 0, 1, 2, … */
    uint64_t time_ns;           /* drive clock when the record was written */
};

/* Written when the CQE has been posted, or at a cut or reset for the rest. */
enum lab_trace_command_flags {
    LAB_TRACE_FUA = 1 << 0,     /* CDW12 bit 30 */
    LAB_TRACE_ADMIN = 1 << 1,
    LAB_TRACE_NO_CQE = 1 << 2,  /* never answered: cut, reset, queue deleted */
    LAB_TRACE_POLLED = 1 << 3,  /* its CQ has no interrupt */
    LAB_TRACE_DURABLE = 1 << 4, /* promised when the CQE was posted */
    LAB_TRACE_DATA_VISIBLE = 1 << 5, /* writes: other commands can read it */
};

enum lab_trace_status_flags {
    LAB_TRACE_DNR = 1 << 0,
    LAB_TRACE_RANGES = 1 << 1,  /* several: block_count is their sum */
};

struct lab_trace_command {
    struct lab_trace_record record;
    uint16_t sqid;
    uint16_t cqid;
    uint16_t cid;
    uint8_t opcode;
    uint8_t flags;              /* lab_trace_command_flags */
    uint32_t nsid;
    uint16_t status;            /* NVMe status, SCT << 8 | SC, without phase */
    uint16_t status_flags;      /* lab_trace_status_flags */
    uint64_t slba;
    uint32_t block_count;       /* 0 where the command has no range */
    uint32_t block_size_bytes;
    uint64_t command_id;        /* number of the command, from 1, by fetch */
    uint64_t submitted_stamp;
    uint64_t visible_stamp;     /* 0: no data became visible */
    uint64_t completed_stamp;   /* 0: no CQE */
    uint64_t submitted_ns;      /* doorbell, or its shadow seen */
    uint64_t fetched_ns;
    uint64_t visible_ns;        /* writes: in the cache; reads: transferred */
    uint64_t durable_ns;        /* 0: not promised when this was written */
    uint64_t completed_ns;      /* CQE in host memory */
    uint64_t irq_ns;            /* asked for; 0: no interrupt */
    uint64_t unpromised_bytes;  /* of its namespace, after this command */
};

struct lab_trace_mark {
    struct lab_trace_record record;
    uint64_t id;
    uint64_t guest_ns;
    uint64_t submitted_stamp;
    uint64_t submitted_ns;
    uint32_t kind;              /* enum lab_mark_kind of abi/vendor.h */
    uint32_t text_bytes;        /* text follows, NUL-terminated and padded */
};

enum lab_trace_event_kind {
    LAB_TRACE_ENABLE = 1,       /* CC.EN 0 -> 1 */
    LAB_TRACE_DISABLE = 2,      /* CC.EN 1 -> 0 */
    LAB_TRACE_SHUTDOWN = 3,     /* CSTS.SHST = complete */
    LAB_TRACE_RESET = 4,        /* function-level or machine reset */
    LAB_TRACE_CUT = 5,          /* value = policy, value2 = seed */
    LAB_TRACE_POWER_ON = 6,
    LAB_TRACE_VWC = 7,          /* volatile cache switched; value = 0 or 1 */
    LAB_TRACE_NAMESPACE = 8,    /* at start, each; value = nsid, value2 = 1
                                   if it has a volatile cache when that is on */
    LAB_TRACE_HOLD = 9,         /* a rule is armed: value = its number, value2 =
                                   its stage */
    LAB_TRACE_PARKED = 10,      /* value = command_id, value2 = rule << 16 |
                                   stage << 8 */
    LAB_TRACE_RESUMED = 11,     /* the same, value2 | enum lab_trace_resumed */
    LAB_TRACE_HOLD_ENDED = 12,  /* value = rule, value2 = commands it parked */
};

/* How a parked command came to be parked no more. */
enum lab_trace_resumed {
    LAB_TRACE_RELEASED = 1,
    LAB_TRACE_TIMED = 2,        /* by its rule's own time limit */
    LAB_TRACE_LOST = 3,         /* released without its interrupt */
    LAB_TRACE_ABORTED = 4,
    LAB_TRACE_DELETED = 5,      /* its submission queue was */
    LAB_TRACE_BY_RESET = 6,     /* or by disabling, or removal of the drive */
    LAB_TRACE_BY_CUT = 7,
};

#define LAB_TRACE_HELD_RULE(value2) ((uint32_t)((value2) >> 16))
#define LAB_TRACE_HELD_STAGE(value2) ((uint32_t)((value2) >> 8 & 0xFF))
#define LAB_TRACE_HELD_HOW(value2) ((uint32_t)((value2) & 0xFF))

struct lab_trace_event {
    struct lab_trace_record record;
    uint32_t kind;
    uint32_t reserved;
    uint64_t stamp;
    uint64_t value;
    uint64_t value2;
};

/* At a cut, one per write that had no promise: what became of it. */
enum lab_trace_outcome {
    LAB_TRACE_DROPPED = 0,
    LAB_TRACE_KEPT = 1,
    LAB_TRACE_TORN = 2,
};

struct lab_trace_survivor {
    struct lab_trace_record record;
    uint64_t command_id;
    uint64_t slba;
    uint32_t nsid;
    uint32_t block_count;
    uint32_t blocks_kept;
    uint32_t outcome;
};

struct lab_trace_end {
    struct lab_trace_record record;
    uint64_t lost;              /* records that could not be written */
};

#endif
