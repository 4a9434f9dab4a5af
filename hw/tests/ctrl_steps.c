/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole drive under random command streams, resets, shutdowns, deleted
 * queues and power cuts, over storage that answers in random order, with held
 * commands (ctrl_hold.c) or without.
 *
 * Judged
 *   - Every command is answered exactly once, or recorded once with NO_CQE, or
 *     was never fetched (or is an event request, which waits for ever).
 *   - A block holds the last tag that was written to it; after a cut one that
 *     is not older than the newest promise (P1, P2, P3, P8).
 *   - After a cut a write within its namespace's atomic unit that crosses no
 *     boundary is there whole, or not at all (P5).
 * Half of the time the driver has shadow doorbells: what it submits in silence,
 * also while the drive runs, has to be found.
 * One write at a time per block, so that the last tag is known; overlapping
 * writes are prop_wcache's.
 */
#include <string.h>

#include "ctrl_world.h"

#define STEPS 220u

/* -- Resets and cuts ------------------------------------------------------ */

static void bring_up(struct world *world)
{
    struct driver *driver = world->driver;

    driver->page_next = world->page_mark;
    driver_enable(driver, 12);
    driver_create_pair(driver, 1, 4 + prop_below(world->rng, 12), 1);
    driver_create_pair(driver, 2, 4, DRIVER_POLLED);
    if (prop_one_in(world->rng, 2)) {
        assert_status(driver_shadow_on(driver), NVME_SUCCESS);
    }
    assert_status(driver_create_sq(driver, 3, 1, 6), NVME_SUCCESS);
    world_look_at_trace(world);
}

/* Nobody answers any more; what became of the writes is read back. */
static void forget(struct world *world, bool is_reset)
{
    uint32_t i;

    world_look_at_trace(world);
    /* Whatever was fetched is on record now, but for waiting event requests. */
    g_assert_cmpuint(world->traced + world->events_sent, >=,
                     world->command_id_max);
    for (i = 0; i < SLOTS; i++) {
        world_abandon(world, &world->slots[i], is_reset);
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

/* What was written before a cut is settled by it. */
static void start_over(struct world *world)
{
    uint32_t nsid;
    uint32_t i;

    g_array_set_size(world->written, 0);
    for (nsid = 1; nsid <= NAMESPACES; nsid++) {
        for (i = 0; i < BLOCKS; i++) {
            world->blocks[nsid - 1][i].has_stray = false;
        }
    }
}

/* After a cut: not older than the floor; without one: not older than last. */
static void read_back(struct world *world, bool is_cut)
{
    uint32_t nsid;
    uint32_t i;

    for (nsid = 1; nsid <= NAMESPACES; nsid++) {
        for (i = 0; i < BLOCKS; i++) {
            struct block *block = &world->blocks[nsid - 1][i];
            uint64_t tag;

            block->shown = driver_read_tag(world->driver, nsid, i, false);
            tag = world_tag(block, block->shown);
            world_look_at_trace(world);
            g_assert_cmpuint(tag, >=, is_cut ? block->floor : block->last);
            g_assert_cmpuint(tag, <=, world->tag_last);
            block->last = tag;
            if (is_cut) {
                block->floor = tag;     /* it is all there is */
            }
        }
    }
    if (is_cut) {
        world_judge_atomic(world);
        start_over(world);
    }
}

static void reset(struct world *world)
{
    if (prop_one_in(world->rng, 2)) {
        lab_reset(world->host->ctrl);
    } else {
        reg_write(world->host, NVME_REG_CC, 0);
    }
    forget(world, true);
    world_release_all(world);
    if (prop_one_in(world->rng, 2)) {
        fake_finish(world->host);
    }
    bring_up(world);
    read_back(world, false);
}

static void shut_down(struct world *world)
{
    struct slot all = { .nsid = NVME_NSID_ALL };

    world_poll(world);
    world_remember_completed(world, &all);
    reg_write(world->host, NVME_REG_CC, DRIVER_CC | 1 << 14);
    while ((reg_read(world->host, NVME_REG_CSTS) & NVME_CSTS_SHST_MASK) !=
           NVME_CSTS_SHST_COMPLETE) {
        fake_run(world->host);
        g_assert_cmpuint(fake_waiting(world->host), >, 0);
        fake_step_any(world->host,
                      prop_below(world->rng, fake_waiting(world->host)));
    }
    world_raise_floor(world, &all);
    world_poll(world);
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

        if (world_has_room(world, 0)) {
            driver_send(world->driver, 0, &cmd);
                fake_run(world->host);
        }
    }
    fake_cut_and_boot(world->host, how.policy, how.seed);
    forget(world, false);
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

    if (!world->driver->queues[3].sq_entries || !world_has_room(world, 0)) {
        return;
    }
    world_poll(world);
    assert_status(driver_exec(world->driver, 0, &cmd), NVME_SUCCESS);
    world_release_all(world);
    world_poll(world);
    for (i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        if (!slot->kind || slot->qid != 3) {
            continue;
        }
        for (j = 0; slot->kind == SLOT_WRITE && j < slot->count; j++) {
            struct block *block = world_block_of(world, slot, j);

            block->last = world_tag(
                block, driver_read_tag(world->driver, slot->nsid,
                                       slot->slba + j, false));
        }
        world_abandon(world, slot, true);
    }
    world_look_at_trace(world);
    memset(world->driver->cid_state[3], CID_FREE, DRIVER_CIDS);
    memcpy(world->times_traced[3], world->driver->submitted[3],
           sizeof(world->times_traced[3]));
    world->driver->queues[3] = (struct driver_queue) { 0 };
}

/* -- Steps ---------------------------------------------------------------- */

/*
 * Another processor of the guest, while the drive runs: it submits and takes
 * completions in the shadow page; a register it has to write waits for the
 * drive.
 */
static void meanwhile(void *opaque, uint64_t address, bool is_write)
{
    struct world *world = opaque;
    struct driver *driver = world->driver;

    (void)address;
    (void)is_write;
    if (!driver->shadow || driver->is_drive_busy ||
        !prop_one_in(world->rng, 24)) {
        return;
    }
    driver->is_drive_busy = true;
    if (prop_one_in(world->rng, 3)) {
        driver_poll(driver, 1 + prop_below(world->rng, 2));
    } else {
        world_send_io(world);
    }
    driver->is_drive_busy = false;
}

static void bad_doorbell(struct world *world)
{
    reg_write(world->host,
              NVME_REG_DOORBELLS + 4 * (8 + prop_below(world->rng, 40)),
              prop_draw(world->rng));
}

static void run_beside_guest(struct world *world, bool has_time)
{
    world->host->before_dma = meanwhile;
    world->host->before_dma_opaque = world;
    if (has_time) {
        fake_advance(world->host, prop_below(world->rng, 3000));
    } else {
        fake_run(world->host);
    }
    world->host->before_dma = NULL;
    driver_ring_late(world->driver);
}

static void step(struct world *world)
{
    uint32_t choice = prop_below(world->rng, 200);

    if (world->has_holds && prop_one_in(world->rng, 6)) {
        world_hold_step(world);
        return;
    }
    if (choice < 90) {
        world_send_io(world);
    } else if (choice < 100) {
        world_send_admin(world);
    } else if (choice < 150) {
        run_beside_guest(world, false);
        if (fake_waiting(world->host)) {
            fake_step_any(world->host,
                          prop_below(world->rng, fake_waiting(world->host)));
        }
    } else if (choice < 175) {
        run_beside_guest(world, true);
    } else if (choice < 192) {
        world_poll(world);
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

/* Something that a drive with this awupf can have. */
static struct lab_atomic draw_atomic(struct prop_rng *rng, uint32_t awupf)
{
    struct lab_atomic atomic = { 0 };
    uint32_t unit;

    if (prop_one_in(rng, 3)) {
        return atomic;
    }
    atomic.nawupf_0based = awupf + prop_below(rng, 5);
    if (prop_one_in(rng, 2)) {
        return atomic;
    }
    unit = MAX(atomic.nawupf_0based, awupf);
    atomic.nabspf_0based = unit + prop_below(rng, 6);
    atomic.nabsn_0based = atomic.nabspf_0based + prop_below(rng, 6);
    atomic.nabo = prop_below(rng, atomic.nabspf_0based + 1);
    return atomic;
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
    config.atomic[0] = draw_atomic(rng, config.drive.awupf_0based);
    config.atomic[1] = draw_atomic(rng, config.drive.awupf_0based);
    return config;
}

void world_run(struct prop_rng *rng, bool has_holds)
{
    struct world *world = g_new0(struct world, 1);
    struct fake_config config = draw_config(rng);
    uint32_t i;

    world->rng = rng;
    world->has_holds = has_holds;
    world->written = g_array_new(FALSE, FALSE, sizeof(struct written));
    world->host = fake_new(&config);
    world->driver = driver_new(world->host);
    world->pages = driver_pages(world->driver, SLOTS);
    world->page_mark = world->driver->page_next;
    bring_up(world);
    for (i = 0; i < STEPS; i++) {
        step(world);
    }
    world_release_all(world);
    /* With time and storage everything that is not an event ends. */
    do {
        fake_finish(world->host);
        i = driver_poll_all(world->driver);
        world_poll(world);
    } while (i);
    for (i = 0; i < SLOTS; i++) {
        g_assert_true(!world->slots[i].kind ||
                      world->slots[i].kind == SLOT_OTHER);
    }
    world_judge_records(world);
    read_back(world, false);
    cut(world);
    driver_free(world->driver);
    fake_free(world->host);
    g_array_free(world->written, TRUE);
    g_free(world);
}
