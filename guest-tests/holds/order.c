/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completions in the reverse of the order of submission: NVMe promises none
 * between commands (Base 2.0, 3.3.1), and neither does anybody above. Each
 * write ends by itself, the newest first, with the right bytes; none is ended
 * by the completion of another: nvme_handle_cqe finds it by its command
 * identifier, drivers/nvme/host/pci.c, 6.1, 6.12, 7.2.
 */
#include "holds.h"

#define WRITES 4
#define BLOCK(i) (1 + 3 * (i))  /* no two that could be merged */

/* Which of the writes the command is. */
static unsigned block_of(const struct scene *scene, const struct lab_held *held)
{
    uint32_t bytes = scene->target.ns.block_size_bytes;

    for (unsigned i = 0; i < WRITES; i++) {
        if ((off_t)(held->slba * bytes) == scene_address(scene, BLOCK(i))) {
            return BLOCK(i);
        }
    }
    run_error(scene->run, "the parked write at LBA %ju is none of ours",
              (uintmax_t)held->slba);
}

static void run_newest_first(struct run *run)
{
    struct scene scene = scene_open(run);
    struct lab_hold rule = hold_write(&scene.target.ns, LAB_HOLD_CQE,
                                      scene_address(&scene, 0), SCENE_BYTES);
    struct lab_held held[WRITES];
    struct hold writes;

    rule.count = WRITES;
    writes = scene_hold(&scene, "the writes", rule);
    for (unsigned i = 0; i < WRITES; i++) {
        scene_write(&scene, scene.fd, BLOCK(i));
    }
    hold_wait(&writes, WRITES);
    hold_held(&writes, held, WRITES);
    for (unsigned i = WRITES; i-- > 0;) {
        async_must_be_quiet(run);
        hold_release_newest(&writes);
        scene_must_have_written(&scene, block_of(&scene, &held[i]));
    }
    hold_release(&writes);
    for (unsigned i = 0; i < WRITES; i++) {
        scene_must_read(&scene, scene.fd, BLOCK(i), NEWER, "read");
    }
    run_pass(run, "%d writes completed newest first", WRITES);
}

#define NEWEST_FIRST(target)                                             \
    GUEST_CASE(newest_first_##target,                                    \
               .name = "holds." #target ".newest-first",                 \
               .claim = "writes may complete in any order, each itself", \
               .run = run_newest_first)

NEWEST_FIRST(raw);
NEWEST_FIRST(xfs);
NEWEST_FIRST(ext4);
