/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world's holds: rules, releases, WAITs and Aborts at random. */
#include <stdlib.h>

#include "ctrl_world.h"

static const char *draw_word(struct world *world, const char *const *words)
{
    uint32_t count = 0;

    while (words[count]) {
        count++;
    }
    return words[prop_below(world->rng, count)];
}

/* What is impossible is refused, and that is all. */
static void arm(struct world *world)
{
    static const char *const stages[] = {
        "fetch", "visible", "durable", "cqe", "irq", NULL,
    };
    static const char *const opcodes[] = {
        "", "", " opcode=write", " opcode=read", " opcode=flush",
        " opcode=write-zeroes", " opcode=dsm", NULL,
    };
    static const char *const others[] = {
        "", "", "", " fua=on", " fua=off", " queue=1", " queue=3", " nsid=1",
        " lba=10-30", " skip=1", " count=1", " count=2 skip=1", " after=500",
        " after=5000", " after=18446744073709551615", NULL,
    };
    char *text = g_strconcat("stage=", draw_word(world, stages),
                             draw_word(world, opcodes),
                             draw_word(world, others), NULL);
    char *error = NULL;

    if (!lab_hold(world->host->ctrl, text, &error)) {
        g_assert_nonnull(error);
        free(error);
    }
    g_free(text);
}

static void release(struct world *world)
{
    static const char *const texts[] = {
        "all", "rule 1", "rule 2", "rule 1 1", "rule 1 1 newest", "rule 2 2",
        "rule 3 newest", NULL,
    };
    char *error = NULL;

    if (!lab_release(world->host->ctrl, draw_word(world, texts), &error)) {
        g_assert_nonnull(error);
        free(error);
    }
}

static void send(struct world *world, const struct nvme_command *cmd)
{
    if (world_has_room(world, 0)) {
        world_send_other(world, cmd);
    }
}

static void release_command(struct world *world)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_RELEASE, .cdw10 = prop_below(world->rng, 5),
        .cdw11 = 1 + prop_below(world->rng, 3),
        .cdw12 = prop_below(world->rng, 3), .cdw13 = prop_below(world->rng, 2),
        .cdw14 = world->command_id_max + prop_below(world->rng, 8),
    };

    send(world, &cmd);
}

static void wait_command(struct world *world)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_WAIT, .prp1 = world->driver->buffer,
        .cdw10 = prop_below(world->rng, 30),
        .cdw11 = prop_below(world->rng, 3), .cdw12 = prop_below(world->rng, 4),
        .cdw13 = prop_below(world->rng, 3),
    };

    send(world, &cmd);
}

static void abort_command(struct world *world)
{
    const struct slot *slot = &world->slots[prop_below(world->rng, SLOTS)];
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_ABORT,
        .cdw10 = (uint32_t)slot->cid << 16 | slot->qid,
    };

    if (slot->kind != SLOT_FREE && slot->kind != SLOT_VWC) {
        send(world, &cmd);
    }
}

void world_hold_step(struct world *world)
{
    switch (prop_below(world->rng, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        arm(world);
        break;
    case 4:
    case 5:
        release(world);
        break;
    case 6:
    case 7:
        release_command(world);
        break;
    case 8:
        wait_command(world);
        break;
    case 9:
    case 10:
        abort_command(world);
        break;
    default:
        world_release_all(world);
        break;
    }
}

void world_release_all(struct world *world)
{
    char *error = NULL;

    if (world->has_holds) {
        g_assert_true(lab_release(world->host->ctrl, "all", &error));
        fake_run(world->host);
    }
}

void world_judge_records(const struct world *world)
{
    uint32_t qid;
    uint32_t cid;

    for (qid = 1; qid < DRIVER_QUEUES; qid++) {
        for (cid = 0; cid < DRIVER_CIDS; cid++) {
            g_assert_cmpuint(world->times_traced[qid][cid], ==,
                             world->driver->submitted[qid][cid]);
        }
    }
}
