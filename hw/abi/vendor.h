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

/* Kept for what comes: HOLD C5h, WAIT C6h, RELEASE C8h, FAULT C9h, SEEK CCh. */

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
};

#endif
