/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A carrier for the drive without QEMU: memory, time, interrupts and storage
 * that do nothing unless the test says so.
 *
 *      guest RAM   [FAKE_RAM_BASE, FAKE_RAM_BASE + ram_bytes), with holes;
 *                  everything else answers -EFAULT, the drive's own BAR too
 *      time        stands still until fake_advance()
 *      storage     requests wait until they are stepped, in any order
 *
 * Checked on every call, whatever the test is about: a dark drive touches no
 * guest memory, sends no interrupt and arms no timer; trace records are whole,
 * numbered without gaps and consistent in themselves (trace_check.h); storage
 * requests stay inside the medium and no write overlaps another request; kick()
 * is not sent from inside kick().
 */
#ifndef LAB_HOST_FAKE_H
#define LAB_HOST_FAKE_H

#include <glib.h>

#include "nvmelab.h"
#include "trace_file.h"

#define FAKE_RAM_BASE 0x100000ull
#define FAKE_BAR 0xfe000000ull
#define FAKE_HOLES 4
#define FAKE_NS_MAX 3
#define FAKE_STORES (2 * FAKE_NS_MAX)

/* The medium of one namespace, or its metadata. */
struct fake_store {
    struct fake_host *host;
    uint8_t *bytes;             /* NULL: not there */
    uint64_t size_bytes;
    uint32_t block_size_bytes;
    GPtrArray *waiting;         /* struct lab_store_req */
    int error;                  /* what the next requests answer */
    uint64_t reads;
    uint64_t writes;
    uint64_t zeroes;
    uint64_t deallocations;
    uint64_t writes_fua;        /* of any kind */
    uint64_t flushes;
};

struct fake_config {
    struct lab_config drive;
    uint32_t ns_count;          /* namespaces 1, 2, … */
    uint32_t block_size_bytes;
    uint64_t block_count;
    uint32_t nsid_no_vwc;       /* the namespace without a cache; 0: none */
    struct lab_atomic atomic[FAKE_NS_MAX]; /* of namespaces 1, 2, … */
    uint64_t ram_bytes;
    bool has_no_trace;          /* the carrier keeps none */
    uint8_t meta_fill;          /* what the metadata is full of at first */
};

struct fake_host {
    struct lab_ctrl *ctrl;
    struct fake_config config;
    uint8_t *ram;
    struct {
        uint64_t start;
        uint64_t end;
    } holes[FAKE_HOLES];
    uint64_t now_ns;
    uint64_t timer_ns;
    bool is_kicked;
    struct fake_store stores[FAKE_STORES]; /* media, then metadata */

    GArray *irqs;               /* uint16_t, in order of sending */
    GPtrArray *trace;           /* struct lab_trace_record, whole records */
    bool drops_trace;           /* check records, do not keep them */
    bool loses_trace;           /* say that they could not be kept */
    uint64_t trace_number;      /* of the next record */
    uint64_t stamp_last;        /* greatest stamp seen in the trace */
    uint64_t lost_irq_id;       /* the next record of this command has none */
    uint64_t log_lines[3];      /* by class */
    char *log_last;

    bool has_cut_request;
    struct lab_cut cut_request;

    /* Another processor of the guest, just before the drive's DMA. */
    void (*before_dma)(void *opaque, uint64_t address, bool is_write);
    void *before_dma_opaque;
    bool is_cut_done;
    bool is_started;
    int start_error;
};

/* The usual: one namespace of 64 blocks of 512 bytes, no floor latency. */
struct fake_config fake_config_default(void);
/* Aborts the test when the drive refuses the configuration; start_error. */
struct fake_host *fake_new(const struct fake_config *config);
/* Whatever waits at the stores is carried out first. */
void fake_free(struct fake_host *host);

/* Guest RAM at this address, as the test's own pointer. */
void *fake_at(struct fake_host *host, uint64_t address);
void fake_hole(struct fake_host *host, uint32_t index, uint64_t start,
               uint64_t bytes);

/* lab_run() as long as it is asked for; at most a bounded number of times. */
void fake_run(struct fake_host *host);
/* Let time pass, and the timer with it. */
void fake_advance(struct fake_host *host, uint64_t ns);

uint32_t fake_waiting(const struct fake_host *host);
/* The waiting request number index of this namespace, 0 being the oldest. */
void fake_step(struct fake_host *host, uint32_t nsid, uint32_t index);
/* The choice-th of all waiting requests of all stores. */
void fake_step_any(struct fake_host *host, uint32_t choice);
/* Run and step, oldest first, until nothing is left to do at this time. */
void fake_settle(struct fake_host *host);
/* The same, and let time pass up to the last deadline. */
void fake_finish(struct fake_host *host);

/* From power cut to dark, whatever is in flight. */
void fake_cut(struct fake_host *host, struct lab_cut cut);
/* The same, then power on. */
void fake_cut_and_boot(struct fake_host *host, enum lab_policy policy,
                       uint64_t seed);

uint8_t *fake_block(struct fake_host *host, uint32_t nsid, uint64_t block);

/* The next record of this type from *index on, which moves past it; or NULL. */
const void *fake_trace_next(const struct fake_host *host,
                            enum lab_trace_type type, uint32_t *index);
/* The last command with this opcode on an I/O queue; NULL: none. */
const struct lab_trace_command *fake_trace_io(const struct fake_host *host,
                                              uint8_t opcode);
uint32_t fake_trace_events(const struct fake_host *host,
                           enum lab_trace_event_kind kind);

#endif
