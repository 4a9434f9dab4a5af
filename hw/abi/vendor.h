/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor commands: how a guest talks to the drive about the experiment.
 *
 * Admin commands in the vendor range C0h-FFh, sent through the stock driver's
 * admin passthrough (NVME_IOCTL_ADMIN_CMD, CAP_SYS_ADMIN). Bits 1:0 of the
 * opcode give the direction of data as NVMe asks (NVMe Base 2.0, 5, Figure
 * "Opcodes for Admin Commands"): 00b none, 01b host to controller, 10b
 * controller to host. The effects log lists them as supported and nothing
 * else, because any other effect makes Linux freeze the namespaces first
 * (drivers/nvme/host/core.c, nvme_passthru_start, 6.12).
 *
 * All fields little-endian. 64-bit values: low dword first.
 */
#ifndef LAB_ABI_VENDOR_H
#define LAB_ABI_VENDOR_H

#include <stdint.h>

/*
 * MARK: put a line into the command trace, in its place of submission.
 *   CDW10 dwords of text in the data buffer, 0..LAB_MARK_TEXT_MAX / 4
 *   CDW11 kind          CDW12,13 id          CDW14,15 guest clock, ns
 * The text ends at its first NUL or at the end of the buffer.
 */
#define LAB_OP_MARK 0xC1
#define LAB_MARK_TEXT_MAX 256

enum lab_mark_kind {
    LAB_MARK_NOTE = 0,
    LAB_MARK_BEGIN = 1,         /* a case starts; the text is its name */
    LAB_MARK_ACK = 2,           /* the application has seen its completion */
    LAB_MARK_END = 3,
};

/* STAT: read struct lab_stat. CDW10 dwords wanted, 1..sizeof / 4. */
#define LAB_OP_STAT 0xC2

/*
 * CUT: power cut. Never answered.
 *   CDW10 when: 0 now (other values: Invalid Field)
 *   CDW11 policy: 0 drop-all, 1 keep-all, 2 random     CDW12,13 seed
 */
#define LAB_OP_CUT 0xC4

/*
 * HOLD: park commands at a stage (docs/holds.md). Data: one struct lab_hold,
 * CDW10 its dwords. DW0 of the completion: the number of the rule, 1 to
 * LAB_HOLDS_MAX, smallest free first.
 */
#define LAB_OP_HOLD 0xC5
#define LAB_HOLDS_MAX 64

/* Where a command is parked; each is *before* what it is named after. */
enum lab_hold_stage {
    LAB_HOLD_FETCH = 0,         /* the queue's head does not pass it */
    LAB_HOLD_VISIBLE = 1,       /* its data is not seen by anybody */
    LAB_HOLD_DURABLE = 2,       /* its data is seen, but not promised */
    LAB_HOLD_CQE = 3,           /* all is done, no completion entry */
    LAB_HOLD_IRQ = 4,           /* the entry is in memory, no interrupt */
    LAB_HOLD_STAGES
};

enum lab_hold_flags {
    LAB_HOLD_BY_OPCODE = 1 << 0,
    LAB_HOLD_BY_NSID = 1 << 1,
    LAB_HOLD_BY_LBA = 1 << 2,   /* any block in common */
    LAB_HOLD_BY_QUEUE = 1 << 3,
    LAB_HOLD_WITH_FUA = 1 << 4,
    LAB_HOLD_WITHOUT_FUA = 1 << 5,
    LAB_HOLD_AFTER_MARK = 1 << 6 /* a MARK of this id, after it was armed */
};

/* What no flag asks for is not looked at. I/O commands only. */
struct lab_hold {
    uint32_t stage;
    uint32_t flags;
    uint8_t opcode;
    uint8_t reserved;           /* 0 */
    uint16_t sqid;
    uint32_t nsid;
    uint64_t first_lba;
    uint64_t last_lba;
    uint64_t mark_id;
    uint32_t skip;              /* matches that go on first */
    uint32_t count;             /* matches that are parked then; 0: all */
    uint64_t release_after_ns;  /* each by itself, this long parked; 0: never */
    uint64_t reserved2;         /* 0 */
};

/*
 * WAIT: until commands are parked. Data: struct lab_held for each of them that
 * finds room, in order of parking; CDW10 dwords of room, may be 0.
 *   CDW11 rule, 0: any          CDW12 how many, at least 1
 *   CDW13 limit in ms of guest time, 1..LAB_WAIT_MS_MAX
 * DW0: how many are parked. Past the limit: LAB_STATUS_WAIT_OVER.
 */
#define LAB_OP_WAIT 0xC6
#define LAB_WAIT_MS_MAX 20000   /* Linux lets admin commands wait 60 s */
#define LAB_WAIT_ROOM_MAX 64    /* struct lab_held */

struct lab_held {
    uint64_t command_id;        /* as in the trace */
    uint64_t slba;
    uint64_t parked_ns;         /* the trace's clock */
    uint32_t block_count;
    uint32_t nsid;
    uint32_t rule;
    uint16_t sqid;
    uint16_t cid;
    uint8_t opcode;
    uint8_t stage;
    uint8_t has_fua;
    uint8_t reserved;
    uint32_t reserved2;
};

/*
 * RELEASE: let parked commands go on. DW0: how many did.
 *   CDW10 enum lab_release      CDW11 rule
 *   CDW12 how many, 0: all      CDW13 0: oldest first, 1: newest first
 *   CDW14,15 command_id
 */
#define LAB_OP_RELEASE 0xC8

enum lab_release {
    LAB_RELEASE_ALL = 0,        /* every rule ends, everything goes on */
    LAB_RELEASE_RULE = 1,       /* this rule ends, its commands go on */
    LAB_RELEASE_SOME = 2,       /* of this rule, which goes on parking */
    LAB_RELEASE_ONE = 3,        /* the command with this command_id */
    LAB_RELEASE_LOST = 4,       /* the same at stage irq: it is never sent */
};

/* Vendor specific status (Base 2.0, Figure "Status Code Type": 7h). */
#define LAB_STATUS_WAIT_OVER 0x7C0
#define LAB_STATUS_HOLDS_FULL 0x7C1
#define LAB_STATUS_NO_RULE 0x7C2 /* no such rule, or no such parked command */

/* Kept for what comes: FAULT C9h, SEEK CCh. */

#define LAB_STAT_VERSION 1

struct lab_stat {
    uint32_t version;           /* LAB_STAT_VERSION */
    uint32_t size_bytes;        /* of this structure */
    uint64_t power_cuts;        /* since the process started */
    uint64_t resets;            /* controller resets and disables */
    uint64_t commands_submitted; /* I/O commands */
    uint64_t commands_completed;
    uint64_t writes;
    uint64_t writes_fua;
    uint64_t reads;
    uint64_t flushes;
    uint64_t unpromised_bytes;  /* completed writes without a promise */
    uint64_t cached_bytes;      /* in the volatile cache, all namespaces */
    uint64_t destaged_bytes;    /* written to the medium because it was full */
    uint64_t trace_records;
    uint64_t trace_records_lost;
    uint64_t guest_errors;      /* lines of class LAB_LOG_GUEST */
    uint64_t doorbell_writes;   /* to doorbell registers */
    uint64_t shadow_doorbells;  /* changes seen in the shadow doorbell page */
    uint64_t holds_armed;       /* rules */
    uint64_t commands_held;     /* parked now */
    uint64_t commands_parked;   /* ever */
};

#endif
