/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and completions of the world; see ctrl_world.h. */
#include "ctrl_world.h"

#include <string.h>

#include "bytes.h"

/* -- The trace ------------------------------------------------------------ */

void world_look_at_trace(struct world *world)
{
    const struct lab_trace_command *command;

    while ((command = fake_trace_next(world->host, LAB_TRACE_COMMAND,
                                      &world->trace_at))) {
        world->traced++;
        world->command_id_max = MAX(world->command_id_max,
                                    command->command_id);
        g_assert_cmpuint(command->cid, <, DRIVER_CIDS);
        g_assert_cmpuint(++world->times_traced[command->sqid][command->cid],
                         <=,
                         world->driver->submitted[command->sqid][command->cid]);
    }
    g_assert_cmpuint(world->traced, <=, world->driver->submitted_total);
}

/* -- Slots ---------------------------------------------------------------- */

static struct slot *slot_take(struct world *world, enum slot_kind kind)
{
    uint32_t i;

    for (i = 0; i < SLOTS; i++) {
        if (world->slots[i].kind == SLOT_FREE) {
            memset(&world->slots[i], 0, sizeof(world->slots[i]));
            world->slots[i].kind = kind;
            return &world->slots[i];
        }
    }
    return NULL;
}

static uint64_t slot_page(const struct world *world, const struct slot *slot)
{
    return world->pages + (slot - world->slots) * DRIVER_PAGE;
}

bool world_has_room(const struct world *world, uint16_t qid)
{
    const struct driver_queue *queue = &world->driver->queues[qid];
    uint32_t under_way = 0;
    uint32_t i;

    for (i = 0; i < SLOTS; i++) {
        under_way += world->slots[i].kind && world->slots[i].qid == qid;
    }
    return queue->sq_entries && under_way + 1 < queue->sq_entries;
}

static void slot_send(struct world *world, struct slot *slot, uint16_t qid,
                      const struct nvme_command *cmd)
{
    slot->qid = qid;
    slot->cid = driver_send(world->driver, qid, cmd);
}

struct block *world_block_of(struct world *world, const struct slot *slot,
                             uint32_t i)
{
    return &world->blocks[slot->nsid - 1][slot->slba + i];
}

uint64_t world_tag(const struct block *block, uint64_t shown)
{
    return shown ? shown : block->zeroed;
}

void world_abandon(struct world *world, struct slot *slot, bool is_reset)
{
    uint32_t i;

    for (i = 0; slot->kind == SLOT_WRITE && i < slot->count; i++) {
        struct block *block = world_block_of(world, slot, i);

        block->writers--;
        block->has_stray |= is_reset;
    }
    slot->kind = SLOT_FREE;
}

static void draw_range(struct world *world, struct slot *slot)
{
    slot->nsid = 1 + prop_below(world->rng, NAMESPACES);
    slot->count = 1 + prop_below(world->rng, 8);
    slot->slba = prop_below(world->rng, BLOCKS - slot->count + 1);
}

static bool is_range_free(struct world *world, const struct slot *slot)
{
    uint32_t i;

    for (i = 0; i < slot->count; i++) {
        if (world_block_of(world, slot, i)->writers) {
            return false;
        }
    }
    return true;
}

static struct nvme_command slot_command(struct world *world, struct slot *slot,
                                        uint8_t opcode)
{
    struct nvme_command cmd = cmd_rw(world->driver, opcode, slot->nsid,
                                     slot->slba, slot->count, slot->has_fua);

    cmd.prp1 = slot_page(world, slot);
    cmd.prp2 = 0;
    return cmd;
}

/* The slot's blocks as up to three ranges, the last one first. */
static struct nvme_command dsm_command(struct world *world, struct slot *slot)
{
    uint8_t *list = fake_at(world->host, slot_page(world, slot));
    struct nvme_command cmd = {
        .opcode = NVME_IO_DSM, .nsid = slot->nsid,
        .prp1 = slot_page(world, slot), .cdw10 = 2,
        .cdw11 = NVME_DSM_DEALLOCATE,
    };
    uint32_t left = slot->count;
    uint32_t i;

    for (i = 0; i < 3; i++) {
        uint32_t blocks = i == 2 ? left : prop_below(world->rng, left + 1);

        left -= blocks;
        le32_put(list + i * 16 + 4, blocks);
        le64_put(list + i * 16 + 8, slot->slba + left);
    }
    return cmd;
}

/* Zeroes or data; what is deallocated is zeroes, too. */
static struct nvme_command write_command(struct world *world, struct slot *slot)
{
    struct nvme_command cmd;
    uint32_t i;

    if (!slot->is_zeroes) {
        cmd = slot_command(world, slot, NVME_IO_WRITE);
        tag_fill(fake_at(world->host, cmd.prp1), slot->count * 512ull,
                 slot->tag);
        return cmd;
    }
    for (i = 0; i < slot->count; i++) {
        world_block_of(world, slot, i)->zeroed = slot->tag;
    }
    if (!slot->has_fua && prop_one_in(world->rng, 2)) {
        return dsm_command(world, slot);
    }
    cmd = slot_command(world, slot, NVME_IO_WRITE_ZEROES);
    cmd.prp1 = 0;
    cmd.cdw12 |= prop_one_in(world->rng, 2) ? NVME_WZ_DEAC : 0;
    return cmd;
}

static void send_write(struct world *world, struct slot *slot, uint16_t qid)
{
    struct nvme_command cmd;
    uint32_t i;

    draw_range(world, slot);
    slot->has_fua = prop_one_in(world->rng, 3);
    slot->is_zeroes = prop_one_in(world->rng, 5);
    if (!is_range_free(world, slot)) {
        slot->kind = SLOT_FREE;
        return;
    }
    slot->tag = ++world->tag_last;
    for (i = 0; i < slot->count; i++) {
        world_block_of(world, slot, i)->writers++;
    }
    if (!slot->is_zeroes) {
        struct written written = {
            slot->nsid, slot->slba, slot->count, slot->tag,
        };

        g_array_append_val(world->written, written);
    }
    cmd = write_command(world, slot);
    slot_send(world, slot, qid, &cmd);
}

static void send_read(struct world *world, struct slot *slot, uint16_t qid)
{
    struct nvme_command cmd;
    uint32_t i;

    draw_range(world, slot);
    slot->has_fua = prop_one_in(world->rng, 4);
    for (i = 0; i < slot->count; i++) {
        slot->is_expected[i] = !world_block_of(world, slot, i)->writers;
        slot->expected[i] = world_block_of(world, slot, i)->last;
    }
    cmd = slot_command(world, slot, NVME_IO_READ);
    slot_send(world, slot, qid, &cmd);
}

void world_remember_completed(struct world *world, struct slot *slot)
{
    uint32_t nsid;
    uint32_t i;

    for (nsid = 1; nsid <= NAMESPACES; nsid++) {
        for (i = 0; i < BLOCKS; i++) {
            slot->covered[nsid - 1][i] = world->blocks[nsid - 1][i].last;
        }
    }
}

static void send_flush(struct world *world, struct slot *slot, uint16_t qid)
{
    struct nvme_command cmd;

    slot->nsid = prop_one_in(world->rng, 3) ? NVME_NSID_ALL
                                            : 1 + prop_below(world->rng, 2);
    world_remember_completed(world, slot);
    cmd = cmd_flush(slot->nsid);
    slot_send(world, slot, qid, &cmd);
}

static bool is_switching(const struct world *world, const struct slot *mine)
{
    uint32_t i;

    for (i = 0; i < SLOTS; i++) {
        if (world->slots[i].kind == SLOT_VWC && &world->slots[i] != mine) {
            return true;
        }
    }
    return false;
}

/* What would take the world's own queues away, or the power. */
static bool is_drastic(uint8_t opcode)
{
    return opcode == NVME_ADMIN_DELETE_SQ || opcode == NVME_ADMIN_DELETE_CQ ||
           opcode == NVME_ADMIN_SET_FEATURES || opcode == LAB_OP_CUT;
}

void world_send_admin(struct world *world)
{
    struct nvme_command cmd = { .opcode = NVME_ADMIN_ASYNC_EVENT };
    struct slot *slot;

    if (!world_has_room(world, 0) || !(slot = slot_take(world, SLOT_OTHER))) {
        return;
    }
    switch (prop_below(world->rng, 7)) {
    case 0:
        cmd = cmd_identify(world->driver, prop_below(world->rng, 9), 1);
        break;
    case 1:
        cmd = cmd_get_log(world->driver, prop_below(world->rng, 6), 512);
        break;
    case 2:
        cmd = cmd_mark(world->driver, world->traced, LAB_MARK_NOTE, "note");
        break;
    case 3:
        slot->kind = SLOT_VWC;
        slot->nsid = NVME_NSID_ALL;
        slot->value = prop_below(world->rng, 2);
        world_remember_completed(world, slot);
        slot->tag = ++world->switches;
        world->has_rival = is_switching(world, slot);
        world->is_vwc_off = false;
        cmd = cmd_set_features(NVME_FEAT_VWC, slot->value);
        break;
    case 4:
        cmd.opcode = prop_draw(world->rng);
        if (is_drastic(cmd.opcode)) {
            cmd.opcode = NVME_ADMIN_ABORT;
        }
        break;
    case 5:
        cmd.opcode = NVME_ADMIN_ABORT;
        cmd.cdw10 = prop_draw(world->rng);
        break;
    default:
        break;
    }
    world->events_sent += cmd.opcode == NVME_ADMIN_ASYNC_EVENT;
    slot_send(world, slot, 0, &cmd);
}

void world_send_other(struct world *world, const struct nvme_command *cmd)
{
    struct slot *slot = slot_take(world, SLOT_OTHER);

    if (slot) {
        slot_send(world, slot, 0, cmd);
    }
}

void world_send_io(struct world *world)
{
    uint16_t qid = 1 + prop_below(world->rng, IO_QUEUES);
    struct slot *slot;

    if (!world_has_room(world, qid) || !(slot = slot_take(world, SLOT_WRITE))) {
        return;
    }
    switch (prop_below(world->rng, 8)) {
    case 0:
        slot->kind = SLOT_FLUSH;
        send_flush(world, slot, qid);
        break;
    case 1:
    case 2:
        slot->kind = SLOT_READ;
        send_read(world, slot, qid);
        break;
    default:
        send_write(world, slot, qid);
        break;
    }
}

/* -- P5 ------------------------------------------------------------------- */

/* As the specification has it: unit, then boundary by boundary. */
static bool is_atomic(const struct world *world, const struct written *write)
{
    const struct fake_config *config = &world->host->config;
    const struct lab_atomic *atomic = &config->atomic[write->nsid - 1];
    uint32_t unit = 1 + (atomic->nawupf_0based ? atomic->nawupf_0based
                                               : config->drive.awupf_0based);
    uint64_t boundary = atomic->nabo;

    if (write->count > unit) {
        return false;
    }
    while (atomic->nabspf_0based && boundary < BLOCKS) {
        if (boundary > write->slba && boundary < write->slba + write->count) {
            return false;
        }
        boundary += atomic->nabspf_0based + 1;
    }
    return true;
}

/*
 * One write at a time per block, so a greater tag is a later write, unless one
 * that a reset interrupted came late. Zeroes do not say which they are.
 */
static bool is_on_top(const struct block *block, const struct written *write)
{
    return block->has_stray ||
           MAX(block->shown, block->shown ? 0 : block->zeroed) >= write->tag;
}

static void judge_written(const struct world *world,
                          const struct written *write)
{
    const struct block *blocks = &world->blocks[write->nsid - 1][write->slba];
    uint32_t shown = 0;
    uint32_t i;

    for (i = 0; i < write->count; i++) {
        shown += blocks[i].shown == write->tag;
    }
    for (i = 0; shown && i < write->count; i++) {
        if (!is_on_top(&blocks[i], write)) {
            g_error("namespace %u: write %" G_GUINT64_FORMAT " of blocks %"
                    G_GUINT64_FORMAT " +%u is torn: block %" G_GUINT64_FORMAT
                    " has tag %" G_GUINT64_FORMAT, write->nsid, write->tag,
                    write->slba, write->count, write->slba + i,
                    blocks[i].shown);
        }
    }
}

void world_judge_atomic(const struct world *world)
{
    uint32_t i;

    for (i = 0; i < world->written->len; i++) {
        const struct written *write =
            &g_array_index(world->written, struct written, i);

        if (is_atomic(world, write)) {
            judge_written(world, write);
        }
    }
}

/* -- Completions ---------------------------------------------------------- */

void world_raise_floor(struct world *world, const struct slot *slot)
{
    uint32_t nsid;
    uint32_t i;

    for (nsid = 1; nsid <= NAMESPACES; nsid++) {
        for (i = 0; i < BLOCKS; i++) {
            struct block *block = &world->blocks[nsid - 1][i];

            if (slot->nsid == nsid || slot->nsid == NVME_NSID_ALL) {
                block->floor = MAX(block->floor,
                                   slot->covered[nsid - 1][i]);
            }
        }
    }
}

static void write_over(struct world *world, struct slot *slot, uint16_t status)
{
    uint32_t i;

    for (i = 0; i < slot->count; i++) {
        struct block *block = world_block_of(world, slot, i);

        block->writers--;
        if (status) {
            continue;
        }
        block->last = slot->tag;
        if (slot->has_fua || world->is_vwc_off ||
            !world->host->config.drive.has_vwc) {
            block->floor = slot->tag;
        }
    }
}

static void read_over(struct world *world, struct slot *slot, uint16_t status)
{
    const uint8_t *data = fake_at(world->host, slot_page(world, slot));
    uint32_t i;

    for (i = 0; !status && i < slot->count; i++) {
        uint64_t tag = world_tag(world_block_of(world, slot, i),
                                 tag_of(data + i * 512, 512));

        /* A write may have begun since the read was sent. */
        if (slot->is_expected[i] && tag != slot->expected[i]) {
            g_assert_cmpuint(tag, >, slot->expected[i]);
        }
        if (slot->has_fua && slot->is_expected[i]) {
            struct block *block = world_block_of(world, slot, i);

            block->floor = MAX(block->floor, slot->expected[i]);
        }
    }
}

static void slot_over(struct world *world, struct slot *slot)
{
    uint16_t status = driver_reap(world->driver, slot->qid, slot->cid);
    enum slot_kind kind = slot->kind;

    /* Held before its interrupt it has its record later. */
    if (!world->has_holds) {
        g_assert_cmpuint(world->times_traced[slot->qid][slot->cid], ==,
                         world->driver->submitted[slot->qid][slot->cid]);
    }
    /* Nothing is refused here, and only what is held can be aborted. */
    if (kind != SLOT_VWC && kind != SLOT_OTHER &&
        !(world->has_holds && status == NVME_ABORT_REQUESTED)) {
        assert_status(status, NVME_SUCCESS);
    }
    slot->kind = SLOT_FREE;
    switch (kind) {
    case SLOT_WRITE:
        write_over(world, slot, status);
        break;
    case SLOT_READ:
        read_over(world, slot, status);
        break;
    case SLOT_FLUSH:
        if (!status) {
            world_raise_floor(world, slot);
        }
        break;
    case SLOT_VWC:
        if (!status && !slot->value) {
            world_raise_floor(world, slot);
            /* Unless another command switched it on meanwhile, or will. */
            world->is_vwc_off = slot->tag == world->switches &&
                                !world->has_rival;
        }
        break;
    default:
        break;
    }
}

void world_poll(struct world *world)
{
    uint32_t i;

    world_look_at_trace(world);
    driver_poll_all(world->driver);
    for (i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        if (slot->kind && driver_is_done(world->driver, slot->qid,
                                         slot->cid)) {
            slot_over(world, slot);
        }
    }
}
