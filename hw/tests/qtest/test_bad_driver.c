/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that gets it wrong meets an NVMe status, an event or CSTS.CFS, never
 * a crash, and the drive works on after a reset.
 */
#include "drive.h"

/* Above the machine's memory and below the 32-bit holes: nobody answers. */
#define NOWHERE 0x20000000ull

static struct drive *start(void)
{
    char *image = drive_image("bad.img", 1 << 20);
    struct drive *d = drive_start(image, "");

    g_free(image);
    return d;
}

static void assert_works(struct drive *d)
{
    drive_write_block(d, 9, 9, false);
    g_assert_cmpuint(drive_generation(d, 9), ==, 9);
    drive_quit(d);
}

static void assert_works_after_reset(struct drive *d)
{
    drive_disable(d);
    drive_enable(d);
    drive_create_queue(d, 1, 16);
    assert_works(d);
}

static unsigned status_of(struct drive *d, uint8_t opcode, uint64_t address)
{
    struct nvme_command cmd = drive_rw(opcode, 0, 1, address, false);

    return drive_status(drive_command(d, 1, cmd));
}

static void data_nowhere_is_a_transfer_error(void)
{
    struct drive *d = start();

    g_assert_cmphex(status_of(d, NVME_IO_WRITE, NOWHERE), ==,
                    NVME_DATA_TRANSFER_ERROR);
    g_assert_cmphex(status_of(d, NVME_IO_READ, NOWHERE), ==,
                    NVME_DATA_TRANSFER_ERROR);
    g_assert_cmpuint(drive_generation(d, 0), ==, 0);
    assert_works(d);
}

static void data_in_the_drives_own_registers_is_a_transfer_error(void)
{
    struct drive *d = start();

    g_assert_cmphex(status_of(d, NVME_IO_WRITE, d->bar0), ==,
                    NVME_DATA_TRANSFER_ERROR);
    g_assert_cmphex(status_of(d, NVME_IO_READ, d->bar0), ==,
                    NVME_DATA_TRANSFER_ERROR);
    g_assert_cmphex(status_of(d, NVME_IO_READ, d->bar4), ==,
                    NVME_DATA_TRANSFER_ERROR);
    g_assert_cmphex(drive_reg32(d, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    assert_works(d);
}

/* Page-aligned and just before the BAR: the second block runs into it. */
static void data_that_runs_into_registers_is_a_transfer_error(void)
{
    struct drive *d = start();
    struct nvme_command cmd = drive_rw(NVME_IO_READ, 0, 9, 0, false);

    cmd.prp1 = drive_alloc(d, 4096);
    cmd.prp2 = d->bar0;
    g_assert_cmphex(drive_status(drive_command(d, 1, cmd)), ==,
                    NVME_DATA_TRANSFER_ERROR);
    assert_works(d);
}

static void a_queue_nowhere_is_fatal_until_reset(void)
{
    struct drive *d = start();
    struct nvme_command cmd = { 0 };

    cmd.opcode = NVME_ADMIN_CREATE_CQ;
    cmd.prp1 = drive_alloc(d, 4096);
    cmd.cdw10 = 7 << 16 | 2;
    cmd.cdw11 = 1;
    drive_ok(d, 0, cmd);
    cmd.opcode = NVME_ADMIN_CREATE_SQ;
    cmd.prp1 = NOWHERE;
    cmd.cdw11 = 2 << 16 | 1;
    drive_ok(d, 0, cmd);
    drive_set_reg32(d, NVME_REG_DOORBELLS + 2 * 8, 1);
    drive_wait_csts(d, NVME_CSTS_CFS, NVME_CSTS_CFS);
    assert_works_after_reset(d);
}

static void a_completion_queue_nowhere_is_fatal_until_reset(void)
{
    struct drive *d = start();
    struct nvme_command cmd = { 0 };

    cmd.opcode = NVME_ADMIN_CREATE_CQ;
    cmd.prp1 = d->bar0;
    cmd.cdw10 = 7 << 16 | 2;
    cmd.cdw11 = 1;
    drive_ok(d, 0, cmd);
    cmd.opcode = NVME_ADMIN_CREATE_SQ;
    cmd.prp1 = drive_alloc(d, 4096);
    cmd.cdw11 = 2 << 16 | 1;
    drive_ok(d, 0, cmd);
    d->queues[2] = (struct queue) { .sq = cmd.prp1, .entries = 8 };
    drive_submit(d, 2, drive_flush());
    drive_ring(d, 2);
    drive_wait_csts(d, NVME_CSTS_CFS, NVME_CSTS_CFS);
    assert_works_after_reset(d);
}

static void wrong_doorbells_change_nothing(void)
{
    struct drive *d = start();
    unsigned i;

    /* Tails and heads beyond the queue, absent queues, all of the array. */
    drive_set_reg32(d, NVME_REG_DOORBELLS + 8, 16);
    drive_set_reg32(d, NVME_REG_DOORBELLS + 8, 0xffffffff);
    drive_set_reg32(d, NVME_REG_DOORBELLS + 12, 16);
    drive_set_reg32(d, NVME_REG_DOORBELLS + 12, 9);
    for (i = 2; i <= 64; i++) {
        drive_set_reg32(d, NVME_REG_DOORBELLS + i * 8, 1);
        drive_set_reg32(d, NVME_REG_DOORBELLS + i * 8 + 4, 1);
    }
    drive_set_reg64(d, NVME_REG_DOORBELLS + 8, 5);
    drive_assert_silent(d, 1);
    g_assert_cmphex(drive_reg32(d, NVME_REG_CSTS) & NVME_CSTS_CFS, ==, 0);
    assert_works(d);
}

static void a_wrong_doorbell_is_reported_as_an_event(void)
{
    struct drive *d = start();
    struct nvme_command cmd = { .opcode = NVME_ADMIN_ASYNC_EVENT };
    struct nvme_completion cqe;

    drive_submit(d, 0, cmd);
    drive_ring(d, 0);
    drive_assert_silent(d, 0);
    drive_set_reg32(d, NVME_REG_DOORBELLS + 8, 16);
    cqe = drive_next(d, 0);
    g_assert_cmphex(drive_status(cqe), ==, NVME_SUCCESS);
    g_assert_cmphex(cqe.dw0 & 0xffff, ==,
                    NVME_AER_INVALID_DOORBELL_VALUE << 8);
    assert_works(d);
}

/* Every opcode, with a data pointer that is no address. */
static void any_opcode_is_answered(void)
{
    struct drive *d = start();
    unsigned opcode;

    for (opcode = 0; opcode < 256; opcode++) {
        struct nvme_command cmd = {
            .opcode = opcode, .nsid = 0x12345, .prp1 = NOWHERE + 1,
            .prp2 = NOWHERE + 3, .cdw10 = 0xffffffff, .cdw11 = 0xffffffff,
            .cdw12 = 0xffffffff,
        };

        g_assert_cmphex(drive_status(drive_command(d, 1, cmd)), !=,
                        NVME_SUCCESS);
        if (opcode != NVME_ADMIN_ASYNC_EVENT) {
            drive_command(d, 0, cmd);
        }
    }
    assert_works(d);
}

static void a_controller_enabled_without_queues_recovers(void)
{
    struct drive *d = start();

    drive_disable(d);
    drive_set_reg32(d, NVME_REG_AQA, 0);
    drive_set_reg32(d, NVME_REG_CC, 4 << 20 | 6 << 16 | NVME_CC_EN);
    drive_wait_csts(d, NVME_CSTS_CFS, NVME_CSTS_CFS);
    assert_works_after_reset(d);
}

static void without_bus_mastering_the_drive_reaches_nothing(void)
{
    struct drive *d = start();

    drive_config_write(d, 0x04, 0x02);
    drive_submit(d, 1, drive_flush());
    drive_ring(d, 1);
    drive_wait_csts(d, NVME_CSTS_CFS, NVME_CSTS_CFS);
    drive_map(d);
    assert_works_after_reset(d);
}

static void add_tests(void)
{
    g_test_add_func("/bad/data-nowhere-is-a-transfer-error",
                    data_nowhere_is_a_transfer_error);
    g_test_add_func("/bad/data-in-the-drives-own-registers-is-a-transfer-error",
                    data_in_the_drives_own_registers_is_a_transfer_error);
    g_test_add_func("/bad/data-that-runs-into-registers-is-a-transfer-error",
                    data_that_runs_into_registers_is_a_transfer_error);
    g_test_add_func("/bad/a-queue-nowhere-is-fatal-until-reset",
                    a_queue_nowhere_is_fatal_until_reset);
    g_test_add_func("/bad/a-completion-queue-nowhere-is-fatal-until-reset",
                    a_completion_queue_nowhere_is_fatal_until_reset);
    g_test_add_func("/bad/wrong-doorbells-change-nothing",
                    wrong_doorbells_change_nothing);
    g_test_add_func("/bad/a-wrong-doorbell-is-reported-as-an-event",
                    a_wrong_doorbell_is_reported_as_an_event);
    g_test_add_func("/bad/any-opcode-is-answered", any_opcode_is_answered);
    g_test_add_func("/bad/a-controller-enabled-without-queues-recovers",
                    a_controller_enabled_without_queues_recovers);
    g_test_add_func("/bad/without-bus-mastering-the-drive-reaches-nothing",
                    without_bus_mastering_the_drive_reaches_nothing);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
