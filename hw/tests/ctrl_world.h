/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A drive and what a careful driver knows about it: the commands under way,
 * and per block the newest completed tag and the newest promise. See
 * prop_ctrl.c for what is judged.
 */
#ifndef LAB_CTRL_WORLD_H
#define LAB_CTRL_WORLD_H

#include "driver.h"
#include "prop.h"

#define BLOCKS 48u
#define NAMESPACES 2u
#define SLOTS 40u
#define IO_QUEUES 3u

enum slot_kind { SLOT_FREE, SLOT_WRITE, SLOT_READ, SLOT_FLUSH, SLOT_VWC,
                 SLOT_OTHER };

struct slot {
    enum slot_kind kind;
    uint16_t qid;
    uint16_t cid;
    uint32_t nsid;
    uint64_t slba;
    uint32_t count;
    bool has_fua;
    bool is_zeroes;
    uint64_t tag;               /* zeroes have one, too, but do not show it */
    uint64_t value;
    uint64_t covered[NAMESPACES][BLOCKS]; /* what a flush must make durable */
    uint64_t expected[8];       /* reads: 0 where a write was under way */
    bool is_expected[8];
};

struct block {
    uint64_t last;              /* newest completed, or read back */
    uint64_t floor;             /* newest promise */
    uint64_t zeroed;            /* newest tag that stands for zeroes */
    uint32_t writers;           /* commands under way */
    uint64_t shown;             /* read back last */
    bool has_stray;             /* a write never completed, and may come late */
};

/* A write of data, for the judge of what is atomic. */
struct written {
    uint32_t nsid;
    uint64_t slba;
    uint32_t count;
    uint64_t tag;
};

struct world {
    struct prop_rng *rng;
    struct fake_host *host;
    struct driver *driver;
    struct slot slots[SLOTS];
    uint64_t pages;             /* one per slot */
    uint64_t page_mark;
    struct block blocks[NAMESPACES][BLOCKS];
    GArray *written;            /* struct written, since the last cut */
    uint64_t tag_last;
    bool is_vwc_off;            /* for certain */
    uint64_t switches;          /* VWC commands sent */
    bool has_rival;             /* the last met another under way */
    bool has_holds;
    uint32_t trace_at;
    uint64_t events_sent;
    uint64_t traced;
    uint64_t command_id_max;
    uint32_t times_traced[DRIVER_QUEUES][DRIVER_CIDS];
};

/* Every command is recorded at most once per submission. */
void world_look_at_trace(struct world *world);
/* Can this queue take one more? */
bool world_has_room(const struct world *world, uint16_t qid);
/* Block number i of the slot's range. */
struct block *world_block_of(struct world *world, const struct slot *slot,
                             uint32_t i);
/* The command gets no answer; after a reset it may yet take effect. */
void world_abandon(struct world *world, struct slot *slot, bool is_reset);
/* After a cut has been read back: is each atomic write whole (P5)? */
void world_judge_atomic(const struct world *world);
/* What a block with this content was last written with. */
uint64_t world_tag(const struct block *block, uint64_t shown);
/* What a flush that is rung now must make durable. */
void world_remember_completed(struct world *world, struct slot *slot);
/* A random command, where there is room for one. */
void world_send_io(struct world *world);
void world_send_admin(struct world *world);
/* What was remembered is promised. */
void world_raise_floor(struct world *world, const struct slot *slot);
/* Reap what is done, and judge it. */
void world_poll(struct world *world);

/* An admin command of which only the answer counts; there must be room. */
void world_send_other(struct world *world, const struct nvme_command *cmd);

/* ctrl_hold.c: hold, release, wait or abort something. */
void world_hold_step(struct world *world);
/* Every rule ends; without holds nothing. */
void world_release_all(struct world *world);
/* Nothing is in flight: each I/O command has its one record. */
void world_judge_records(const struct world *world);

/* ctrl_steps.c: one schedule, from a new drive to its end. */
void world_run(struct prop_rng *rng, bool has_holds);

#endif
