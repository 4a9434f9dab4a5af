/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resets take queues and commands away, and not one completed block (P8). */
#include <string.h>

#include "drive.h"

#define PCI_CAP_ID_EXP 0x10
#define EXP_DEVCTL_FLR (1u << 15)

static struct drive *start(const char *properties)
{
    char *image = drive_image("reset.img", 4 << 20);
    struct drive *d = drive_start(image, properties);

    g_free(image);
    return d;
}

static void again(struct drive *d)
{
    drive_enable(d);
    drive_create_queue(d, 1, 16);
}

/* Eight writes that the floor latency keeps from completing. */
static void leave_in_flight(struct drive *d)
{
    uint64_t data = drive_alloc(d, 8 * 512);
    unsigned i;

    drive_fill(d, data, 100, 8, 2);
    for (i = 0; i < 8; i++) {
        drive_submit(d, 1, drive_rw(NVME_IO_WRITE, 100 + i, 1, data + i * 512,
                                    i % 2));
    }
    drive_ring(d, 1);
}

static void assert_cq_untouched(struct drive *d, const struct queue *q)
{
    uint8_t got[16 * sizeof(struct nvme_completion)];
    uint8_t zeros[sizeof(got)] = { 0 };

    client_read(d->client, q->cq + q->head * 16, got,
                sizeof(got) - q->head * 16);
    g_assert_cmpmem(got, sizeof(got) - q->head * 16, zeros,
                    sizeof(got) - q->head * 16);
}

/* In flight may survive, vanish, or be there in part (P4): old or new. */
static void assert_old_or_new(struct drive *d)
{
    unsigned i;

    for (i = 0; i < 8; i++) {
        uint64_t generation = drive_generation(d, 100 + i);

        g_assert_true(generation == 0 || generation == 2);
    }
}

static void disable(struct drive *d)
{
    drive_disable(d);
}

static void function_level_reset(struct drive *d)
{
    unsigned exp = drive_find_capability(d, PCI_CAP_ID_EXP);

    drive_config_write(d, exp + 8,
                       drive_config_read(d, exp + 8) | EXP_DEVCTL_FLR);
    drive_map(d);
}

static void machine_reset(struct drive *d)
{
    client_qmp_ok(d->client, "system_reset", NULL);
    client_wait_event(d->client, "RESET");
    drive_map(d);
}

static void check_reset(void (*reset)(struct drive *d))
{
    struct drive *d = start(",floor-latency=10000000");
    struct queue before;
    unsigned round;

    drive_write_block(d, 5, 1, false);
    for (round = 0; round < 20; round++) {
        leave_in_flight(d);
        before = d->queues[1];
        reset(d);
        client_clock_step(d->client, 100 * 1000 * 1000);
        assert_cq_untouched(d, &before);
        again(d);
    }
    g_assert_cmpuint(drive_generation(d, 5), ==, 1);
    assert_old_or_new(d);
    drive_quit(d);
}

static void disable_answers_nothing_and_loses_nothing(void)
{
    check_reset(disable);
}

static void function_level_reset_answers_nothing_and_loses_nothing(void)
{
    check_reset(function_level_reset);
}

static void machine_reset_answers_nothing_and_loses_nothing(void)
{
    check_reset(machine_reset);
}

static void shutdown_makes_completed_writes_durable(void)
{
    char *image = drive_image("shutdown.img", 1 << 20);
    struct drive *d = drive_start(image, "");

    drive_write_block(d, 5, 1, false);
    drive_set_reg32(d, NVME_REG_CC, 4 << 20 | 6 << 16 | 1 << 14 | NVME_CC_EN);
    drive_wait_csts(d, NVME_CSTS_SHST_MASK, NVME_CSTS_SHST_COMPLETE);
    drive_kill(d);
    d = drive_start(image, "");
    g_assert_cmpuint(drive_generation(d, 5), ==, 1);
    drive_quit(d);
    g_free(image);
}

static void a_stopped_machine_sees_no_completion(void)
{
    struct drive *d = start("");
    struct nvme_completion cqe;
    uint64_t at;

    drive_write_block(d, 5, 1, false);
    drive_submit(d, 1, drive_flush());
    client_qmp_ok(d->client, "stop", NULL);
    drive_ring(d, 1);
    g_usleep(100000);
    at = d->queues[1].cq + d->queues[1].head * sizeof(cqe);
    client_read(d->client, at, &cqe, sizeof(cqe));
    g_assert_cmphex(cqe.status, ==, 0);
    client_qmp_ok(d->client, "cont", NULL);
    g_assert_cmphex(drive_status(drive_next(d, 1)), ==, NVME_SUCCESS);
    drive_quit(d);
}

static void add_tests(void)
{
    g_test_add_func("/reset/disable-answers-nothing-and-loses-nothing",
                    disable_answers_nothing_and_loses_nothing);
    g_test_add_func("/reset/function-level-reset-answers-nothing-and-loses-"
                    "nothing",
                    function_level_reset_answers_nothing_and_loses_nothing);
    g_test_add_func("/reset/machine-reset-answers-nothing-and-loses-nothing",
                    machine_reset_answers_nothing_and_loses_nothing);
    g_test_add_func("/reset/shutdown-makes-completed-writes-durable",
                    shutdown_makes_completed_writes_durable);
    g_test_add_func("/reset/a-stopped-machine-sees-no-completion",
                    a_stopped_machine_sees_no_completion);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
