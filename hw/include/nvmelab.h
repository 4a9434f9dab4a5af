/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab.h: the drive, as whoever carries it sees it.
 *
 * The core is one controller with its namespaces. It never sleeps, reads a
 * clock, draws a random number or starts a thread: whoever carries it (the
 * QEMU device in hw/qemu, the fake host in hw/tests, later a vfio-user server)
 * lends it memory, time, interrupts and storage through the two tables below,
 * and calls it from one thread at a time.
 *
 *      guest ── MMIO ──► lab_mmio_*  ──► kick ──► lab_run ──► irq
 *                                                  │  ▲
 *                                        lab_store_ops (asynchronous)
 *
 * Re-entrancy: the core calls host operations from inside every entry point.
 * A store operation must not call its completion before submit() has returned;
 * kick() and timer_set() must not call back at once. lab_store_done() is the
 * only entry point that storage calls.
 *
 * Errors: functions that can refuse host input return false or NULL and store
 * one line that names the value in *error (free with free()). Guest input is
 * never refused here: it is answered with an NVMe status.
 */
#ifndef NVMELAB_H
#define NVMELAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define LAB_TIME_NEVER UINT64_MAX

struct lab_ctrl;

/* What the drive pretends; docs/loss-model.md, "Lies". */
enum lab_lie {
    LAB_LIE_NONE,
    LAB_LIE_FLUSH,              /* Flush succeeds and makes nothing durable */
    LAB_LIE_FLUSH_EARLY,        /* Flush answers now, works at the next one */
    LAB_LIE_FUA,                /* the FUA bit is ignored */
    LAB_LIE_FUA_BARRIER,        /* a FUA write also flushes older writes */
    LAB_LIE_ATOMIC,             /* AWUPF and NAWUPF are claimed, not kept */
    LAB_LIE_COUNT
};

/* Which unpromised writes outlive a power cut; docs/loss-model.md, P4-P6. */
enum lab_policy {
    LAB_POLICY_DROP_ALL,
    LAB_POLICY_KEEP_ALL,
    LAB_POLICY_RANDOM
};

struct lab_cut {
    enum lab_policy policy;
    uint64_t seed;              /* LAB_POLICY_RANDOM only */
};

/* "flush-early" <-> LAB_LIE_FLUSH_EARLY; false: no such word. */
bool lab_lie_parse(const char *word, enum lab_lie *lie);
const char *lab_lie_name(enum lab_lie lie);
/* "drop-all", "keep-all", "random:SEED" (decimal or 0x). */
bool lab_cut_parse(const char *text, struct lab_cut *cut);

/* What happened, for the carrier's own log. */
enum lab_log_class {
    LAB_LOG_EVENT,              /* the drive did something worth a line */
    LAB_LOG_ERR,                /* a host operation failed */
    LAB_LOG_GUEST               /* the driver did something undefined */
};

/*
 * Storage of one namespace: a flat run of bytes, asynchronous. The iovec and
 * its bytes stay valid until lab_store_done(). Offsets and lengths are
 * multiples of the namespace's block size.
 */
enum lab_store_op {
    LAB_STORE_READ,
    LAB_STORE_WRITE,
    LAB_STORE_ZEROES,           /* write zeroes; no iovec, any length */
    LAB_STORE_DEALLOCATE,       /* the same, and the space may be given back */
    LAB_STORE_FLUSH,
};

struct lab_store_req {
    enum lab_store_op op;
    bool has_fua;               /* writes: durable before done */
    uint64_t offset_bytes;
    uint64_t length_bytes;
    const struct iovec *iov;
    int iov_count;
    void *host_private;         /* for the carrier's use between the calls */
};

struct lab_store_ops {
    void (*submit)(void *opaque, struct lab_store_req *req);
};

/* To be called once per submitted request; error is 0 or -errno. */
void lab_store_done(struct lab_store_req *req, int error);

struct lab_host_ops {
    /* Guest memory. 0, or -errno (also for the drive's own BAR). */
    int (*dma_read)(void *opaque, uint64_t address, void *buf, size_t length);
    int (*dma_write)(void *opaque, uint64_t address, const void *buf,
                     size_t length);
    /* Nanoseconds, never going back, standing still while stopped. */
    uint64_t (*clock_ns)(void *opaque);
    /* Call lab_run() at that time; LAB_TIME_NEVER cancels. One timer. */
    void (*timer_set)(void *opaque, uint64_t deadline_ns);
    /* Call lab_run() soon, never from inside this call. */
    void (*kick)(void *opaque);
    /* Send the message of this MSI-X vector, soon; several may become one. */
    void (*irq)(void *opaque, uint16_t vector);
    /*
     * One whole record of the command trace (abi/trace_file.h); false: it is
     * lost. May be NULL.
     */
    bool (*trace)(void *opaque, const void *record, size_t length);
    /*
     * The guest asked for a power cut (vendor command CUT). The drive is
     * already frozen; the carrier calls lab_power_cut() when it can.
     */
    void (*cut_requested)(void *opaque, struct lab_cut cut);
    void (*log)(void *opaque, enum lab_log_class log_class, const char *text);
};

struct lab_config {
    const char *serial;             /* 1..20 printable ASCII characters */
    uint16_t pci_vendor_id;
    uint16_t pci_subsystem_vendor_id;
    bool has_vwc;
    uint64_t cache_size_bytes;      /* per namespace; 0 is refused */
    uint16_t awun_0based;           /* blocks, as NVMe has the field */
    uint16_t awupf_0based;
    enum lab_lie lie;
    uint64_t floor_latency_ns;      /* I/O commands: doorbell to CQE at least */
    uint16_t io_queue_pairs_max;    /* 1..1024 */
    uint16_t queue_entries_max;     /* 2..32768; CAP.MQES + 1 */
    uint8_t mdts;                   /* largest transfer 4 KiB << mdts; 1..9 */
    uint16_t irq_vectors;           /* MSI-X vectors that irq() accepts */
    bool has_vendor_commands;
    bool has_shadow_doorbells;      /* with up to 511 queue pairs */
    const char *holds;              /* lab_hold() at lab_start(); or NULL */
};

#define LAB_CONFIG_DEFAULT                                              \
    {                                                                   \
        .has_vwc = true, .cache_size_bytes = 64 << 20,                  \
        .io_queue_pairs_max = 64, .queue_entries_max = 1024, .mdts = 7, \
        .irq_vectors = 65, .has_vendor_commands = true,                 \
        .has_shadow_doorbells = true,                                   \
    }

/* Atomic write units of a namespace, blocks, as NVMe has the fields. */
struct lab_atomic {
    uint16_t nawun_0based;          /* 0: AWUN, but not below nawupf */
    uint16_t nawupf_0based;         /* 0: AWUPF */
    uint16_t nabsn_0based;          /* 0: no boundaries */
    uint16_t nabspf_0based;
    uint16_t nabo;
};

struct lab_ns_config {
    uint32_t nsid;                  /* 1..LAB_NSID_MAX */
    uint32_t block_size_bytes;      /* 512 or 4096 */
    uint64_t size_bytes;            /* a multiple of the block size, not 0 */
    uint8_t uuid[16];               /* all zero: derived from serial and nsid */
    bool has_no_vwc;                /* no volatile cache of its own */
    struct lab_atomic atomic;
    const struct lab_store_ops *store_ops;
    void *store_opaque;
    /*
     * A second run of bytes for the redo record that keeps atomic writes whole
     * when the process dies (docs/loss-model.md, "The process as a drive").
     * Absent: meta_ops is NULL, and an awupf or nawupf above 0 is refused.
     */
    const struct lab_store_ops *meta_ops;
    void *meta_opaque;
    uint64_t meta_size_bytes;
};

#define LAB_NSID_MAX 256

/* ops and opaque must outlive the controller; config is copied. */
struct lab_ctrl *lab_ctrl_new(const struct lab_config *config,
                              const struct lab_host_ops *ops, void *opaque,
                              char **error);
bool lab_ns_add(struct lab_ctrl *ctrl, const struct lab_ns_config *config,
                char **error);
/* Bytes that meta must have at least, for this configuration. */
uint64_t lab_meta_size_min(const struct lab_config *config,
                           uint32_t block_size_bytes);
/*
 * Read the redo record and finish what the last process left unfinished. To be
 * called once, after the last lab_ns_add() and before the first MMIO; done()
 * is called, never from inside, with 0 or -errno.
 */
void lab_start(struct lab_ctrl *ctrl, void (*done)(void *opaque, int error));
/* Nothing may be in flight at any store: lab_is_idle(). */
void lab_ctrl_free(struct lab_ctrl *ctrl);
/* No request is at a store. */
bool lab_is_idle(const struct lab_ctrl *ctrl);

/* BAR0: registers, doorbells from 0x1000. Size 2, 4 or 8, naturally aligned. */
uint64_t lab_bar_size(const struct lab_config *config);
uint64_t lab_mmio_read(struct lab_ctrl *ctrl, uint64_t offset, unsigned size);
void lab_mmio_write(struct lab_ctrl *ctrl, uint64_t offset, uint64_t value,
                    unsigned size);

/* Fetch, execute and complete whatever is due. */
void lab_run(struct lab_ctrl *ctrl);
/*
 * The same, but drivers that submit in silence (shadow doorbells) stay silent:
 * the carrier promises to call again soon, lab_run() in the end. True: there
 * was a command.
 */
bool lab_poll(struct lab_ctrl *ctrl);

/* Function-level or machine reset: queues vanish, no data does (P8). */
void lab_reset(struct lab_ctrl *ctrl);

/*
 * Power cut; not while one is under way, but after cut_requested(). From the
 * first call on registers read all ones and nothing is
 * written to guest memory, no interrupt is sent. Requests at the store are
 * waited for, survivors chosen and written; then done() is called (never from
 * inside lab_power_cut()). The drive stays dark until lab_power_on().
 */
void lab_power_cut(struct lab_ctrl *ctrl, struct lab_cut cut,
                   void (*done)(void *opaque));
void lab_power_on(struct lab_ctrl *ctrl);
bool lab_is_dark(const struct lab_ctrl *ctrl);

/*
 * Held commands in words (docs/holds.md): arm rules, "RULE;RULE;…", all or
 * none; let commands go on; what is armed and parked, a line of JSON. May be
 * called whenever the drive has been started and has power; what goes on does
 * so in lab_run(). False and *error, one line: nothing was done.
 */
bool lab_hold(struct lab_ctrl *ctrl, const char *text, char **error);
bool lab_release(struct lab_ctrl *ctrl, const char *text, char **error);
char *lab_held_json(struct lab_ctrl *ctrl);

/* A line of JSON with the counters of STAT; free with free(). */
char *lab_stats_json(struct lab_ctrl *ctrl);

#endif
