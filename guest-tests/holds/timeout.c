/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command that nobody releases. When its time is up nvme_timeout()
 * (drivers/nvme/host/pci.c, 6.1, 6.12, 7.2) looks for its completion, then
 * sends Abort, and if that did not end the command by its next time limit,
 * resets the controller.
 *
 * Before its data is visible the drive can abort a command (docs/holds.md, H8):
 * it ends with Command Abort Requested. With its completion entry all but
 * posted it cannot. Both ways the driver sends the command again, because
 * neither status says Do Not Retry (nvme_decide_disposition,
 * drivers/nvme/host/core.c), and the writer sees nothing but time.
 */
#include <inttypes.h>

#include "holds.h"
#include "kmsg.h"
#include "patience.h"

#define BLOCK 5
#define SHORT_MS 1000
#define LIMIT_S 60

struct timeout {
    enum lab_hold_stage stage;
    bool is_reset;              /* because the drive cannot abort it */
};

static void run_timeout(struct run *run)
{
    const struct timeout *timeout = run->guest_case->data;
    struct scene scene = scene_open(run);
    struct kmsg kmsg = kmsg_open(run);
    struct lab_stat before = scene_stat(&scene);
    struct lab_stat after;
    struct hold write;

    patience_set(run, &scene.target.ns, SHORT_MS);
    write = scene_hold(&scene, "the write",
                       scene_write_rule(&scene, timeout->stage, BLOCK));
    scene_write(&scene, scene.fd, BLOCK);
    hold_wait(&write, 1);
    kmsg_must_say(&kmsg, "timeout, aborting");
    kmsg_must_say(&kmsg, "Abort status: 0x0");
    if (timeout->is_reset) {
        kmsg_must_say(&kmsg, "timeout, reset controller");
    }
    scene_must_have_written(&scene, BLOCK);
    hold_must_be_empty(&write);
    hold_release(&write);
    scene_must_read(&scene, scene.fd, BLOCK, NEWER, "read");
    kmsg_must_not_say(&kmsg, "timeout, reset controller");
    after = scene_stat(&scene);
    if ((after.resets > before.resets) != timeout->is_reset) {
        run_fail(run, "%" PRIu64 " resets of the controller, wanted %s",
                 after.resets - before.resets,
                 timeout->is_reset ? "one" : "none");
    }
    run_pass(run, "%s, sent again", timeout->is_reset ? "reset" : "aborted");
}

static const struct timeout at_visible = { LAB_HOLD_VISIBLE, false };
static const struct timeout at_cqe = { LAB_HOLD_CQE, true };

#define TIMEOUT_CASES(target)                                            \
    GUEST_CASE(timeout_abort_##target,                                   \
               .name = "holds." #target ".timeout-abort",                \
               .claim = "a write that was aborted is sent again",        \
               .time_limit_s = LIMIT_S,                                  \
               .run = run_timeout,                                       \
               .data = &at_visible);                                     \
    GUEST_CASE(timeout_reset_##target,                                   \
               .name = "holds." #target ".timeout-reset",                \
               .claim = "a write that cannot be aborted outlives the "   \
                        "controller reset",                              \
               .time_limit_s = LIMIT_S,                                  \
               .run = run_timeout,                                       \
               .data = &at_cqe)

TIMEOUT_CASES(raw);
TIMEOUT_CASES(xfs);
TIMEOUT_CASES(ext4);
