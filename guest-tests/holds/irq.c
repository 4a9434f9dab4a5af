/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts: the completion entry is in memory, and nobody was told.
 *
 *      late    the reader sleeps until the interrupt comes
 *      shared  the interrupt of another command of that queue ends it, too:
 *              nvme_irq goes through the queue to its end (nvme_process_cq in
 *              6.1, nvme_poll_cq in 6.12 and 7.2), drivers/nvme/host/pci.c. Its
 *              own comes when there is nothing left, and does no harm
 *      lost    the driver's time limit finds the entry ("completion polled"):
 *              nvme_timeout, same file. No abort, no reset
 *
 * All are reads of one processor, so of one queue that nobody else uses.
 */
#include <inttypes.h>

#include "holds.h"
#include "kmsg.h"
#include "patience.h"

#define WHERE "blkdev_read_iter"
#define SHORT_MS 1000

struct reader {
    const struct scene *scene;
    unsigned block;
};

static ssize_t read_block(void *opaque)
{
    const struct reader *reader = opaque;

    scene_must_read(reader->scene, reader->scene->fd, reader->block, OLDER,
                    "read");
    return 0;
}

static struct hold hold_irq(const struct scene *scene, unsigned block)
{
    return scene_hold(scene, "the interrupt of the read",
                      hold_read(&scene->target.ns, LAB_HOLD_IRQ,
                                scene_address(scene, block),
                                TARGET_BLOCK_BYTES));
}

static void run_late(struct run *run)
{
    struct scene scene = scene_open(run);
    struct reader reader = { &scene, 1 };
    struct hold irq = hold_irq(&scene, reader.block);
    struct task task;

    task_stay_on(run, 0);
    task = task_start(run, "the read", read_block, &reader);
    hold_wait(&irq, 1);
    task_must_wait(&task, WHERE);
    hold_release(&irq);
    task_must_finish(&task, 0);
    run_pass(run, "the read slept until its interrupt came");
}

static void run_shared(struct run *run)
{
    struct scene scene = scene_open(run);
    struct reader first = { &scene, 1 };
    struct reader second = { &scene, 2 };
    struct hold irq = hold_irq(&scene, first.block);
    struct task one, two;

    task_stay_on(run, 0);
    one = task_start(run, "the first read", read_block, &first);
    hold_wait(&irq, 1);
    task_must_wait(&one, WHERE);
    two = task_start(run, "the second read", read_block, &second);
    task_must_finish(&two, 0);
    task_must_finish(&one, 0);
    hold_only(&irq);
    hold_release(&irq);
    read_block(&second);
    run_pass(run, "one interrupt ended both reads, the late one did no harm");
}

static void run_lost(struct run *run)
{
    struct scene scene = scene_open(run);
    struct reader reader = { &scene, 1 };
    struct kmsg kmsg = kmsg_open(run);
    uint64_t resets = scene_stat(&scene).resets;
    struct hold irq;
    struct task task;

    patience_set(run, &scene.target.ns, SHORT_MS);
    task_stay_on(run, 0);
    irq = hold_irq(&scene, reader.block);
    task = task_start(run, "the read", read_block, &reader);
    hold_wait(&irq, 1);
    hold_lose_irq(&irq);
    kmsg_must_complain(&kmsg, "timeout, completion polled");
    task_must_finish(&task, 0);
    if (scene_stat(&scene).resets != resets) {
        run_fail(run, "the controller was reset, too");
    }
    run_pass(run, "the completion was found without its interrupt");
}

GUEST_CASE(irq_late,
           .name = "holds.raw.irq-late",
           .claim = "a completion counts when its interrupt has come",
           .run = run_late);
GUEST_CASE(irq_shared,
           .name = "holds.raw.irq-shared",
           .claim = "another command's interrupt ends what is complete",
           .run = run_shared);
GUEST_CASE(irq_lost,
           .name = "holds.raw.irq-lost",
           .claim = "a completion without an interrupt is found in time",
           .run = run_lost);
