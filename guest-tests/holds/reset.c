/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A controller reset while a write is parked. The drive forgets the command
 * (docs/holds.md, H9), the driver ends it with Host Aborted Command and sends
 * it again (nvme_cancel_request, nvme_decide_disposition,
 * drivers/nvme/host/core.c, 6.1, 6.12, 7.2). What has its completion entry in
 * memory is complete, and not sent again: nvme_dev_disable reaps it on the way
 * (nvme_reap_pending_cqes, drivers/nvme/host/pci.c). So what is parked at
 * durable and cqe is carried out twice. The writer sees nothing but time.
 */
#include <fcntl.h>
#include <inttypes.h>

#include "holds.h"

#define BLOCK 5
#define BLOCK_AT(stage) (1 + 3 * (stage)) /* no two that could be merged */
#define RESET_MS 20000

/* File systems write on their own account, too. */
static void must_be_carried_out(const struct scene *scene,
                                enum lab_hold_stage stage, uint64_t writes)
{
    bool is_done = stage == LAB_HOLD_DURABLE || stage == LAB_HOLD_CQE;
    uint64_t wanted = is_done ? 2 : 1;

    if (!scene->target.type->mount_point && writes != wanted) {
        run_fail(scene->run, "the drive carried out %" PRIu64 " writes, "
                 "wanted %" PRIu64, writes, wanted);
    }
}

static void run_reset(struct run *run)
{
    const enum lab_hold_stage stage =
        *(const enum lab_hold_stage *)run->guest_case->data;
    struct scene scene = scene_open(run);
    int dsync = scene_open_again(&scene, O_RDWR | O_DIRECT | O_DSYNC);
    struct lab_stat before;
    struct lab_stat after;
    struct hold write;
    struct task reset;

    write = scene_hold(&scene, "the write",
                       scene_write_rule(&scene, stage, BLOCK));
    before = scene_stat(&scene);
    scene_write(&scene, dsync, BLOCK);
    hold_wait(&write, 1);
    reset = task_start(run, "reset_controller", scene_reset, &scene);
    task_must_finish_in(&reset, 0, RESET_MS);
    scene_must_have_written(&scene, BLOCK);
    hold_must_be_empty(&write);
    hold_release(&write);
    scene_must_read(&scene, scene.fd, BLOCK, NEWER, "read");
    after = scene_stat(&scene);
    if (after.resets == before.resets) {
        run_fail(run, "the drive saw no reset");
    }
    must_be_carried_out(&scene, stage, after.writes - before.writes);
    run_pass(run, "the write outlived the reset");
}

/*
 * A write at each stage, and one reset. The queue stands still behind the one
 * at fetch, so that comes last.
 */
static void run_reset_all(struct run *run)
{
    struct scene scene = scene_open(run);
    int dsync = scene_open_again(&scene, O_RDWR | O_DIRECT | O_DSYNC);
    struct hold writes[LAB_HOLD_STAGES];
    struct task reset;

    for (unsigned stage = LAB_HOLD_STAGES; stage-- > 0;) {
        writes[stage] =
            scene_hold(&scene, "a write",
                       scene_write_rule(&scene, stage, BLOCK_AT(stage)));
        scene_write(&scene, dsync, BLOCK_AT(stage));
        hold_wait(&writes[stage], 1);
    }
    async_must_be_quiet(run);
    reset = task_start(run, "reset_controller", scene_reset, &scene);
    task_must_finish_in(&reset, 0, RESET_MS);
    for (unsigned i = 0; i < LAB_HOLD_STAGES; i++) {
        scene_must_have_written_one(&scene);
    }
    for (unsigned stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        hold_must_be_empty(&writes[stage]);
        hold_release(&writes[stage]);
        scene_must_read(&scene, scene.fd, BLOCK_AT(stage), NEWER, "read");
    }
    run_pass(run, "%d writes outlived the reset", LAB_HOLD_STAGES);
}

static const enum lab_hold_stage fetch = LAB_HOLD_FETCH;
static const enum lab_hold_stage visible = LAB_HOLD_VISIBLE;
static const enum lab_hold_stage durable = LAB_HOLD_DURABLE;
static const enum lab_hold_stage cqe = LAB_HOLD_CQE;
static const enum lab_hold_stage irq = LAB_HOLD_IRQ;

#define RESET_AT(target, stage)                                          \
    GUEST_CASE(reset_##stage##_##target,                                 \
               .name = "holds." #target ".reset-" #stage,                \
               .claim = "a write parked before " #stage " outlives a "   \
                        "controller reset",                              \
               .run = run_reset,                                         \
               .data = &stage)

#define RESETS(target)                                                   \
    GUEST_CASE(reset_all_##target,                                       \
               .name = "holds." #target ".reset-all-stages",             \
               .claim = "writes parked everywhere outlive a controller " \
                        "reset",                                         \
               .run = run_reset_all);                                    \
    RESET_AT(target, fetch);                                             \
    RESET_AT(target, visible);                                           \
    RESET_AT(target, durable);                                           \
    RESET_AT(target, cqe);                                               \
    RESET_AT(target, irq)

RESETS(raw);
RESETS(xfs);
RESETS(ext4);
