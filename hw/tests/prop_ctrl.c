/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole drive under random command streams, resets, shutdowns, deleted
 * queues and power cuts, over storage that answers in random order.
 *
 * Judged
 *   - Every command is answered exactly once, or recorded once with NO_CQE, or
 *     was never fetched (or is an event request, which waits for ever).
 *   - A block holds the last tag that was written to it; after a cut one that
 *     is not older than the newest promise (P1, P2, P3, P8).
 * One write at a time per block, so that the last tag is known; overlapping
 * writes are prop_wcache's.
 */
#include <string.h>

#include "driver.h"
#include "prop.h"

#define BLOCKS 48u
#define NAMESPACES 2u
#define SLOTS 40u
#define STEPS 220u
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
    uint64_t tag;
    uint64_t value;
    uint64_t covered[NAMESPACES][BLOCKS]; /* what a flush must make durable */
    uint64_t expected[8];       /* reads: 0 where a write was under way */
    bool is_expected[8];
};

struct block {
    uint64_t last;              /* newest completed, or read back */
    uint64_t floor;             /* newest promise */
    uint32_t writers;           /* commands under way */
};

struct world {
    struct prop_rng *rng;
    struct fake_host *host;
    struct driver *driver;
    struct slot slots[SLOTS];
    uint64_t pages;             /* one per slot */
    uint64_t page_mark;
    struct block blocks[NAMESPACES][BLOCKS];
    uint64_t tag_last;
    bool is_vwc_off;            /* for certain */
    uint64_t switches;          /* VWC commands sent */
    bool has_rival;             /* the last met another under way */
    uint32_t trace_at;
    uint64_t events_sent;
    uint64_t traced;
    uint64_t command_id_max;
    uint32_t times_traced[DRIVER_QUEUES][DRIVER_CIDS];
};

/* -- The trace ------------------------------------------------------------ */

static void look_at_trace(struct world *world)
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

static bool has_room(const struct world *world, uint16_t qid)
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

static struct block *block_of(struct world *world, const struct slot *slot,
                              uint32_t i)
{
    return &world->blocks[slot->nsid - 1][slot->slba + i];
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
        if (block_of(world, slot, i)->writers) {
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

static void send_write(struct world *world, struct slot *slot, uint16_t qid)
{
    struct nvme_command cmd;
    uint32_t i;

    draw_range(world, slot);
    slot->has_fua = prop_one_in(world->rng, 3);
    if (!is_range_free(world, slot)) {
        slot->kind = SLOT_FREE;
        return;
    }
    slot->tag = ++world->tag_last;
    for (i = 0; i < slot->count; i++) {
        block_of(world, slot, i)->writers++;
    }
    cmd = slot_command(world, slot, NVME_IO_WRITE);
    tag_fill(fake_at(world->host, cmd.prp1), slot->count * 512ull, slot->tag);
    slot_send(world, slot, qid, &cmd);
}

static void send_read(struct world *world, struct slot *slot, uint16_t qid)
{
    struct nvme_command cmd;
    uint32_t i;

    draw_range(world, slot);
    slot->has_fua = prop_one_in(world->rng, 4);
    for (i = 0; i < slot->count; i++) {
        slot->is_expected[i] = !block_of(world, slot, i)->writers;
        slot->expected[i] = block_of(world, slot, i)->last;
    }
    cmd = slot_command(world, slot, NVME_IO_READ);
    slot_send(world, slot, qid, &cmd);
}

static void remember_completed(struct world *world, struct slot *slot)
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
    remember_completed(world, slot);
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

static void send_admin(struct world *world)
{
    struct nvme_command cmd = { .opcode = NVME_ADMIN_ASYNC_EVENT };
    struct slot *slot;

    if (!has_room(world, 0) || !(slot = slot_take(world, SLOT_OTHER))) {
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
        remember_completed(world, slot);
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

static void send_io(struct world *world)
{
    uint16_t qid = 1 + prop_below(world->rng, IO_QUEUES);
    struct slot *slot;

    if (!has_room(world, qid) || !(slot = slot_take(world, SLOT_WRITE))) {
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

/* -- Completions ---------------------------------------------------------- */

static void raise_floor(struct world *world, const struct slot *slot)
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

    assert_status(status, NVME_SUCCESS);
    for (i = 0; i < slot->count; i++) {
        struct block *block = block_of(world, slot, i);

        block->writers--;
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

    assert_status(status, NVME_SUCCESS);
    for (i = 0; i < slot->count; i++) {
        uint64_t tag = tag_of(data + i * 512, 512);

        /* A write may have begun since the read was sent. */
        if (slot->is_expected[i] && tag != slot->expected[i]) {
            g_assert_cmpuint(tag, >, slot->expected[i]);
        }
        if (slot->has_fua && slot->is_expected[i]) {
            struct block *block = block_of(world, slot, i);

            block->floor = MAX(block->floor, slot->expected[i]);
        }
    }
}

static void slot_over(struct world *world, struct slot *slot)
{
    uint16_t status = driver_reap(world->driver, slot->qid, slot->cid);
    enum slot_kind kind = slot->kind;

    g_assert_cmpuint(world->times_traced[slot->qid][slot->cid], ==,
                     world->driver->submitted[slot->qid][slot->cid]);
    slot->kind = SLOT_FREE;
    switch (kind) {
    case SLOT_WRITE:
        write_over(world, slot, status);
        break;
    case SLOT_READ:
        read_over(world, slot, status);
        break;
    case SLOT_FLUSH:
        assert_status(status, NVME_SUCCESS);
        raise_floor(world, slot);
        break;
    case SLOT_VWC:
        if (!status && !slot->value) {
            raise_floor(world, slot);
            /* Unless another command switched it on meanwhile, or will. */
            world->is_vwc_off = slot->tag == world->switches &&
                                !world->has_rival;
        }
        break;
    default:
        break;
    }
}

static void poll(struct world *world)
{
    uint32_t i;

    look_at_trace(world);
    driver_poll_all(world->driver);
    for (i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        if (slot->kind && driver_is_done(world->driver, slot->qid,
                                         slot->cid)) {
            slot_over(world, slot);
        }
    }
}

/* -- Resets and cuts ------------------------------------------------------ */

static void bring_up(struct world *world)
{
    struct driver *driver = world->driver;

    driver->page_next = world->page_mark;
    driver_enable(driver, 12);
    driver_create_pair(driver, 1, 4 + prop_below(world->rng, 12), 1);
    driver_create_pair(driver, 2, 4, DRIVER_POLLED);
    assert_status(driver_create_sq(driver, 3, 1, 6), NVME_SUCCESS);
    look_at_trace(world);
}

/* Nobody answers any more; what became of the writes is read back. */
static void forget(struct world *world)
{
    uint32_t i;
    uint32_t j;

    look_at_trace(world);
    /* Whatever was fetched is on record now, but for waiting event requests. */
    g_assert_cmpuint(world->traced + world->events_sent, >=,
                     world->command_id_max);
    for (i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        for (j = 0; slot->kind == SLOT_WRITE && j < slot->count; j++) {
            block_of(world, slot, j)->writers--;
        }
        slot->kind = SLOT_FREE;
    }
    for (i = 0; i < DRIVER_QUEUES; i++) {
        memset(world->driver->cid_state[i], CID_FREE, DRIVER_CIDS);
        world->driver->queues[i] = (struct driver_queue) { 0 };
    }
    /* Those that were not fetched never will be. */
    memcpy(world->times_traced, world->driver->submitted,
           sizeof(world->times_traced));
    world->is_vwc_off = false;
}

/* After a cut: not older than the floor; without one: not older than last. */
static void read_back(struct world *world, bool is_cut)
{
    uint32_t nsid;
    uint32_t i;

    for (nsid = 1; nsid <= NAMESPACES; nsid++) {
        for (i = 0; i < BLOCKS; i++) {
            struct block *block = &world->blocks[nsid - 1][i];
            uint64_t tag = driver_read_tag(world->driver, nsid, i, false);

                look_at_trace(world);
            g_assert_cmpuint(tag, >=, is_cut ? block->floor : block->last);
            g_assert_cmpuint(tag, <=, world->tag_last);
            block->last = tag;
            if (is_cut) {
                block->floor = tag;     /* it is all there is */
            }
        }
    }
}

static void reset(struct world *world)
{
    if (prop_one_in(world->rng, 2)) {
        lab_reset(world->host->ctrl);
    } else {
        reg_write(world->host, NVME_REG_CC, 0);
    }
    forget(world);
    if (prop_one_in(world->rng, 2)) {
        fake_finish(world->host);
    }
    bring_up(world);
    read_back(world, false);
}

static void shut_down(struct world *world)
{
    struct slot all = { .nsid = NVME_NSID_ALL };

    poll(world);
    remember_completed(world, &all);
    reg_write(world->host, NVME_REG_CC, DRIVER_CC | 1 << 14);
    while ((reg_read(world->host, NVME_REG_CSTS) & NVME_CSTS_SHST_MASK) !=
           NVME_CSTS_SHST_COMPLETE) {
        fake_run(world->host);
        g_assert_cmpuint(fake_waiting(world->host), >, 0);
        fake_step_any(world->host,
                      prop_below(world->rng, fake_waiting(world->host)));
    }
    raise_floor(world, &all);
    poll(world);
    reset(world);
}

static void cut(struct world *world)
{
    struct lab_cut how = { prop_below(world->rng, 3), prop_draw(world->rng) };

    if (prop_one_in(world->rng, 2)) {
        struct nvme_command cmd = {
            .opcode = LAB_OP_CUT, .cdw11 = how.policy, .cdw12 = how.seed,
            .cdw13 = how.seed >> 32,
        };

        if (has_room(world, 0)) {
            driver_send(world->driver, 0, &cmd);
                fake_run(world->host);
        }
    }
    fake_cut_and_boot(world->host, how.policy, how.seed);
    forget(world);
    bring_up(world);
    read_back(world, true);
}

/* Deleting a queue in flight: its commands get no answer, its writes stay. */
static void delete_queue(struct world *world)
{
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 3,
    };
    uint32_t i;
    uint32_t j;

    if (!world->driver->queues[3].sq_entries || !has_room(world, 0)) {
        return;
    }
    poll(world);
    assert_status(driver_exec(world->driver, 0, &cmd), NVME_SUCCESS);
    poll(world);
    for (i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        if (!slot->kind || slot->qid != 3) {
            continue;
        }
        for (j = 0; slot->kind == SLOT_WRITE && j < slot->count; j++) {
            struct block *block = block_of(world, slot, j);

            block->writers--;
            block->last = driver_read_tag(world->driver, slot->nsid,
                                          slot->slba + j, false);
            }
        slot->kind = SLOT_FREE;
    }
    look_at_trace(world);
    memset(world->driver->cid_state[3], CID_FREE, DRIVER_CIDS);
    memcpy(world->times_traced[3], world->driver->submitted[3],
           sizeof(world->times_traced[3]));
    world->driver->queues[3] = (struct driver_queue) { 0 };
}

/* -- Steps ---------------------------------------------------------------- */

static void bad_doorbell(struct world *world)
{
    reg_write(world->host,
              NVME_REG_DOORBELLS + 4 * (8 + prop_below(world->rng, 40)),
              prop_draw(world->rng));
}

static void step(struct world *world)
{
    uint32_t choice = prop_below(world->rng, 200);

    if (choice < 90) {
        send_io(world);
    } else if (choice < 100) {
        send_admin(world);
    } else if (choice < 150) {
        fake_run(world->host);
        if (fake_waiting(world->host)) {
            fake_step_any(world->host,
                          prop_below(world->rng, fake_waiting(world->host)));
        }
    } else if (choice < 175) {
        fake_advance(world->host, prop_below(world->rng, 3000));
    } else if (choice < 192) {
        poll(world);
    } else if (choice < 194) {
        bad_doorbell(world);
    } else if (choice < 196) {
        reset(world);
    } else if (choice == 196) {
        shut_down(world);
    } else if (choice == 197) {
        delete_queue(world);
    } else {
        cut(world);
    }
}

static struct fake_config draw_config(struct prop_rng *rng)
{
    struct fake_config config = fake_config_default();

    config.ns_count = NAMESPACES;
    config.block_count = BLOCKS;
    config.ram_bytes = 4 << 20;
    config.drive.cache_size_bytes = 4096 << prop_below(rng, 5);
    config.drive.has_vwc = !prop_one_in(rng, 5);
    config.drive.floor_latency_ns = prop_one_in(rng, 2) ? 0 : 2000;
    config.drive.awupf_0based = prop_one_in(rng, 3) ? 3 : 0;
    return config;
}

static void run(struct prop_rng *rng)
{
    struct world *world = g_new0(struct world, 1);
    struct fake_config config = draw_config(rng);
    uint32_t i;

    world->rng = rng;
    world->host = fake_new(&config);
    world->driver = driver_new(world->host);
    world->pages = driver_pages(world->driver, SLOTS);
    world->page_mark = world->driver->page_next;
    bring_up(world);
    for (i = 0; i < STEPS; i++) {
        step(world);
    }
    /* With time and storage everything that is not an event ends. */
    do {
        fake_finish(world->host);
        i = driver_poll_all(world->driver);
        poll(world);
    } while (i);
    for (i = 0; i < SLOTS; i++) {
        g_assert_true(!world->slots[i].kind ||
                      world->slots[i].kind == SLOT_OTHER);
    }
    read_back(world, false);
    cut(world);
    driver_free(world->driver);
    fake_free(world->host);
    g_free(world);
}

int main(int argc, char **argv)
{
    static const struct prop props[] = {
        { "/prop/ctrl/every-command-is-answered-once-and-no-promise-broken",
          run, 6000 },
    };

    return prop_main(argc, argv, props, G_N_ELEMENTS(props));
}
