/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller, seen from inside.
 *
 *      regs.c ──doorbell──► queue.c ──► req.c ──► admin.c / io.c / vendor.c
 *                                        │ ▲  hold.c     │
 *                                        ▼ └── status ───┘
 *                                 heap of deadlines ──► queue.c (CQE, irq)
 *
 * A request belongs to the submission queue it came from until that queue goes
 * away (deletion, disable, reset, cut); then it is an orphan: it finishes at
 * the medium, touches no guest memory and is freed in silence.
 *
 * CQEs are posted by ctrl_run() and nowhere else.
 */
#ifndef LAB_NVME_H
#define LAB_NVME_H

#include <glib.h>
#include <inttypes.h>
#include <sys/queue.h>

#include "bytes.h"
#include "heap.h"
#include "hold.h"
#include "moment.h"
#include "nvme_spec.h"
#include "nvmelab.h"
#include "trace_file.h"
#include "vendor.h"
#include "wcache.h"

#define LAB_PAGE_BYTES 4096u
#define LAB_MODEL "nvmelab"
#define LAB_FIRMWARE "1"
#define LAB_AER_MAX 4
#define LAB_ERROR_ENTRIES 64
#define LAB_IRQ_VECTORS_MAX 2048
/* A cut looks at every block of a range. */
#define LAB_DSM_RANGE_BLOCKS_MAX 65536u
/* Data of commands in flight; past it, queues wait to be fetched from. */
#define LAB_DATA_BYTES_MAX (64u << 20)

struct ns {
    struct lab_ctrl *ctrl;
    uint32_t nsid;
    uint32_t block_size_bytes;
    uint8_t block_shift;
    uint64_t block_count;
    bool has_vwc;
    bool has_own_atomic;        /* some of it was given to the namespace */
    struct lab_atomic atomic;   /* what holds here, the controller's or not */
    uint8_t uuid[16];
    struct store *store;
    struct wcache *cache;
    struct store *meta;         /* NULL: no metadata node */
    struct redo *redo;
};

/* A tail doorbell that has not been fetched up to yet. */
struct doorbell {
    uint16_t tail;
    struct moment rung;
};

/* A queue's entry in the shadow doorbell page; shadow.c. */
struct shadow_entry {
    uint32_t seen;              /* when it was last read */
    bool is_armed;              /* SQ: EventIdx is that value */
};

TAILQ_HEAD(req_list, req);

struct sq {
    struct lab_ctrl *ctrl;
    uint16_t id;
    uint16_t cqid;
    uint32_t size;              /* entries */
    uint64_t address;
    uint32_t head;
    uint32_t tail;              /* as last rung */
    struct doorbell *doorbells; /* ring of size entries */
    uint32_t doorbell_first;
    uint32_t doorbell_count;
    uint32_t in_flight;
    struct req_list reqs;       /* fetched, record not written */
    struct req *peeked;         /* the head does not pass it yet (hold.c) */
    struct shadow_entry entry;
};

struct cq {
    uint16_t id;
    uint32_t size;
    uint64_t address;
    uint32_t head;
    uint32_t tail;
    bool phase;
    bool has_irq;
    bool must_raise;            /* entries were posted in this run */
    uint16_t vector;
    uint32_t sq_count;
    struct req_list waiting;    /* finished, no room in the queue */
    struct shadow_entry entry;
};

struct req {
    TAILQ_ENTRY(req) link;      /* sq->reqs, or ctrl->orphans */
    TAILQ_ENTRY(req) wait_link; /* cq->waiting, ctrl->aer or ctrl->posted */
    struct parked *parked;      /* held at a stage: in none of those */
    struct wait *wait;          /* a WAIT that is not over */
    uint8_t stage_next;         /* the first where it can still be held */
    struct heap_node due;
    struct lab_ctrl *ctrl;
    struct sq *sq;              /* NULL: orphan */
    struct nvme_command cmd;    /* host byte order after req_fetch */
    uint64_t number;            /* of the command, from 1 */
    struct moment submitted;
    struct moment visible;
    struct moment completed;
    uint64_t fetched_ns;
    uint64_t durable_ns;
    uint64_t irq_ns;
    uint16_t status;
    uint32_t result;            /* DW0 of the CQE */
    bool is_at_media;           /* an operation below may still call back */
    bool is_aer;                /* an event request that waits for its event */

    struct ns *ns;
    uint64_t slba;
    uint32_t block_count;
    bool has_fua;
    void *data;
    uint64_t data_bytes;        /* counted against LAB_DATA_BYTES_MAX */
    uint64_t unpromised_bytes;  /* of the namespace, once completed */
    struct wcache_op op;
    struct dsm *dsm;            /* instead of op: several */
};

/* One operation on the caches of some namespaces; fanout.c. */
enum fanout_kind { FANOUT_FLUSH, FANOUT_SETTLE, FANOUT_VWC_ON, FANOUT_VWC_OFF };

typedef void fanout_done(struct lab_ctrl *ctrl, void *opaque, int error);

TAILQ_HEAD(fanout_list, fanout);

enum cut_stage { CUT_NONE, CUT_FROZEN, CUT_WAITING, CUT_WRITING, CUT_DARK };

struct lab_ctrl {
    struct lab_config config;
    char *serial;
    char *holds_text;
    const struct lab_host_ops *ops;
    void *opaque;
    struct moments moments;
    struct ns *ns[LAB_NSID_MAX + 1];

    uint32_t cc;
    uint32_t csts;
    uint32_t aqa;
    uint64_t asq;
    uint64_t acq;
    uint32_t intms;

    struct sq **sq;             /* io_queue_pairs_max + 1 */
    struct cq **cq;
    uint32_t queues;            /* above the highest number ever created */
    struct req_list orphans;
    struct req_list posted;     /* CQE in memory, trace record to come */
    struct heap due;
    uint64_t data_bytes;
    bool is_running;
    bool is_kicked;
    uint64_t commands;

    struct req_list aer;
    uint32_t aer_count;
    uint32_t aer_pending;       /* bit per information value, type error */
    uint32_t aer_masked;        /* until the error log is read */
    struct nvme_error_entry errors[LAB_ERROR_ENTRIES];
    uint64_t error_count;
    uint32_t features[256];
    uint8_t irq_vector_config[LAB_IRQ_VECTORS_MAX / 8 + 1];

    struct {
        bool is_on;
        uint64_t doorbells;     /* addresses of the two pages */
        uint64_t events;
    } shadow;

    struct holds holds;
    struct fanout_list fanouts;
    uint32_t shutdown;          /* number of the one under way; 0: none */
    uint32_t shutdowns;

    enum cut_stage cut_stage;
    struct lab_cut cut;
    uint32_t cut_parts_left;
    void (*cut_done)(void *opaque);
    uint32_t start_nsid;        /* start.c: the next namespace to look at */
    void (*start_done)(void *opaque, int error);
    bool is_ns_starting;
    int start_error;

    uint64_t trace_number;
    struct lab_stat stat;
};

/* atomic.c */
/* Of what was asked for: what is wrong with it, g_free; NULL: nothing. */
char *atomic_refusal(const struct lab_config *drive,
                     const struct lab_atomic *asked);
bool atomic_is_given(const struct lab_atomic *asked);
void atomic_hold(const struct lab_config *drive, const struct lab_atomic *asked,
                 struct lab_atomic *held);
/* P5 for the cache, whatever the drive says of itself. */
struct atomicity atomic_rule(const struct lab_config *drive,
                             const struct lab_atomic *held);

/* start.c */
void start_step(struct lab_ctrl *ctrl);

/* cut.c */
void cut_step(struct lab_ctrl *ctrl);
void ctrl_freeze(struct lab_ctrl *ctrl);
/* Nobody will be called back; requests can be freed once all is idle. */
void ctrl_freeze_caches(struct lab_ctrl *ctrl);

/* ctrl.c */
struct ns *ctrl_ns(struct lab_ctrl *ctrl, uint32_t nsid);
bool ctrl_is_dark(const struct lab_ctrl *ctrl);
void ctrl_enable(struct lab_ctrl *ctrl);
void ctrl_disable(struct lab_ctrl *ctrl);
void ctrl_shutdown(struct lab_ctrl *ctrl);
/* Nothing more can be trusted: CSTS.CFS (Base 9.5). */
void ctrl_fatal(struct lab_ctrl *ctrl, const char *why);
uint64_t ctrl_now_ns(const struct lab_ctrl *ctrl);
void ctrl_kick(struct lab_ctrl *ctrl);
void ctrl_log(struct lab_ctrl *ctrl, enum lab_log_class log_class,
              const char *format, ...) G_GNUC_PRINTF(3, 4);

/* queue.c */
/* how: what becomes of commands that are held. */
void queue_free_all(struct lab_ctrl *ctrl, enum lab_trace_resumed how);
struct sq *sq_new(struct lab_ctrl *ctrl, uint16_t id, uint16_t cqid,
                  uint32_t size, uint64_t address);
struct cq *cq_new(struct lab_ctrl *ctrl, uint16_t id, uint32_t size,
                  uint64_t address, bool has_irq, uint16_t vector);
void sq_free(struct lab_ctrl *ctrl, struct sq *sq, enum lab_trace_resumed how);
void cq_free(struct lab_ctrl *ctrl, struct cq *cq);
void sq_doorbell(struct lab_ctrl *ctrl, uint32_t id, uint32_t tail);
void cq_doorbell(struct lab_ctrl *ctrl, uint32_t id, uint32_t head);
/* What a doorbell says, once it is known; bad values are the driver's error. */
void sq_set_tail(struct lab_ctrl *ctrl, struct sq *sq, uint32_t tail);
void cq_set_head(struct lab_ctrl *ctrl, struct cq *cq, uint32_t head);
bool cq_is_full(const struct cq *cq);
/* The queue whose next command was submitted first; NULL: none can go on. */
struct sq *sq_next(struct lab_ctrl *ctrl);
/* Post the CQE if there is room. */
bool cq_post(struct lab_ctrl *ctrl, struct req *req);
void cq_raise_all(struct lab_ctrl *ctrl);

/* shadow.c */
bool shadow_is_offered(const struct lab_ctrl *ctrl);
uint16_t exec_doorbell_buffers(struct req *req);
void shadow_off(struct lab_ctrl *ctrl);
void shadow_sq_new(struct lab_ctrl *ctrl, struct sq *sq);
void shadow_cq_new(struct lab_ctrl *ctrl, struct cq *cq);
/* Its register was written; true: the entry counts, not the register. */
bool shadow_sq_rung(struct lab_ctrl *ctrl, struct sq *sq);
bool shadow_cq_rung(struct lab_ctrl *ctrl, struct cq *cq);
/* See tails that were moved in silence. */
void shadow_look(struct lab_ctrl *ctrl);
/* End of a run: ask to be rung again. */
void shadow_arm(struct lab_ctrl *ctrl);
/* The queue looks full. */
void shadow_cq_needed(struct lab_ctrl *ctrl, struct cq *cq);

/* req.c */
void req_fetch(struct lab_ctrl *ctrl, struct sq *sq);
/* The one way a request ends; may be called from inside its execution. */
void req_finish(struct req *req, uint16_t status);
void req_post_due(struct lab_ctrl *ctrl);
void req_report_posted(struct lab_ctrl *ctrl);
void req_orphan(struct req *req, enum lab_trace_resumed how);
void req_free(struct req *req);
/* Nobody needs the bytes any more. */
void req_drop_data(struct req *req);
/* The second half of req_finish(): the CQE, when it is due. */
void req_complete(struct req *req);
/* The CQE has been posted: the interrupt, or none ever. */
void req_interrupt(struct req *req, bool is_lost);
/* Not at the media: Command Abort Requested, whatever it did so far. */
void req_abort(struct req *req);

/* dptr.c: one transfer between data and the command's PRPs. */
uint16_t dptr_from_guest(struct req *req, void *data, size_t length);
uint16_t dptr_to_guest(struct req *req, const void *data, size_t length);

/* admin.c, identify.c, feature.c, log.c, aer.c, io.c, vendor.c */
void admin_execute(struct req *req);
uint16_t exec_identify(struct req *req);
void exec_set_features(struct req *req);
uint16_t exec_get_features(struct req *req);
void feature_reset(struct lab_ctrl *ctrl);
uint32_t feature_support(uint8_t fid);
uint16_t exec_get_log(struct req *req);
void log_error(struct req *req);
bool admin_is_supported(const struct lab_ctrl *ctrl, uint8_t opcode);
uint32_t io_effects(uint8_t opcode);
void aer_park(struct req *req);
void aer_raise(struct lab_ctrl *ctrl, uint8_t info);
void aer_log_read(struct lab_ctrl *ctrl);
void io_execute(struct req *req);
/* What a command that is not fetched yet says of itself, right or wrong. */
void io_peek(struct req *req);
/* Everything is checked and copied: do it. */
void io_begin(struct req *req);
/* What was done is seen: promise it. */
void io_harden(struct req *req);
bool vendor_is_command(const struct lab_ctrl *ctrl, uint8_t opcode);
void vendor_execute(struct req *req);

/* dsm.c: what req->op is for other writes. */
uint16_t dsm_prepare(struct req *req);
void dsm_begin(struct req *req);
void dsm_harden(struct req *req);
/* A range has a block in common; also of a command that was only peeked at. */
bool dsm_touches(struct req *req, uint64_t first, uint64_t last);
void dsm_completed(struct req *req, uint64_t stamp);
bool dsm_is_promised(const struct req *req);
/* True: nothing of it is left at the cache. */
bool dsm_withdraw(struct req *req);
/* More than one that is not empty. */
bool dsm_has_ranges(const struct req *req);
/* When the first range became visible. */
struct moment dsm_visible(const struct req *req);

/* fanout.c */
void fanout_start(struct lab_ctrl *ctrl, enum fanout_kind kind, uint32_t nsid,
                  uint64_t submitted_stamp, fanout_done *done, void *opaque);
/* The power is gone: nobody will call back. */
void fanout_forget(struct lab_ctrl *ctrl);

/* status.c */
uint16_t status_from_errno(int error, bool is_write);

/* host_store.c */
struct store *host_store_new(struct lab_ctrl *ctrl,
                             const struct lab_store_ops *ops, void *opaque);
void host_store_free(struct store *store);

/* trace.c */
void trace_command(struct req *req, bool has_cqe);
void trace_mark(struct req *req, const char *text);
void trace_event(struct lab_ctrl *ctrl, enum lab_trace_event_kind kind,
                 uint64_t value, uint64_t value2);
void trace_survivor(struct lab_ctrl *ctrl, uint32_t nsid,
                    const struct wcache_survivor *survivor);

/* One test on the way of every command while nothing is held there. */
static inline bool hold_parks(struct req *req, enum lab_hold_stage stage)
{
    return req->ctrl->holds.live[stage] && hold_park(req, stage);
}

#endif
