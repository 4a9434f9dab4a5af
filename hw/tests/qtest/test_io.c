/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands do to a real image what they say, over queues that wrap. */
#include <string.h>

#include "drive.h"

#define IMAGE_BYTES (4u << 20)
#define IMAGE_BLOCKS (IMAGE_BYTES / DRIVE_BLOCK_BYTES)

static struct drive *start(const char *properties)
{
    char *image = drive_image("io.img", IMAGE_BYTES);
    struct drive *d = drive_start(image, properties);

    g_free(image);
    return d;
}

static void identify_tells_serial_size_and_cache(void)
{
    struct drive *d = start(",vwc=off");
    uint64_t page = drive_alloc(d, NVME_IDENTIFY_BYTES);
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_IDENTIFY, .prp1 = page, .cdw10 = NVME_CNS_CTRL,
    };
    struct nvme_id_ctrl ctrl;
    struct nvme_id_ns ns;

    drive_ok(d, 0, cmd);
    client_read(d->client, page, &ctrl, sizeof(ctrl));
    g_assert_cmpint(strncmp(ctrl.sn, "QTEST               ", 20), ==, 0);
    g_assert_cmphex(ctrl.vid, ==, 0x4e4c);
    g_assert_cmphex(ctrl.ssvid, ==, 0x4e4c);
    g_assert_cmpint(ctrl.vwc & NVME_VWC_PRESENT, ==, 0);
    cmd.cdw10 = NVME_CNS_NS;
    cmd.nsid = 1;
    drive_ok(d, 0, cmd);
    client_read(d->client, page, &ns, sizeof(ns));
    g_assert_cmpuint(ns.nsze, ==, IMAGE_BLOCKS);
    g_assert_cmpuint(ns.lbaf[0].ds, ==, 9);
    drive_quit(d);
}

static void what_is_written_is_read_back(void)
{
    struct drive *d = start("");

    drive_write_block(d, 0, 7, false);
    drive_write_block(d, IMAGE_BLOCKS - 1, 8, true);
    drive_write_block(d, 0, 9, false);
    g_assert_cmpuint(drive_generation(d, 0), ==, 9);
    g_assert_cmpuint(drive_generation(d, IMAGE_BLOCKS - 1), ==, 8);
    g_assert_cmpuint(drive_generation(d, 1), ==, 0);
    drive_quit(d);
}

/* 16 entries, 200 commands: the phase tag flips a dozen times. */
static void phase_flips_at_every_lap_of_the_queue(void)
{
    struct drive *d = start("");
    unsigned i;

    for (i = 0; i < 200; i++) {
        drive_write_block(d, i, i + 1, i % 3 == 0);
    }
    for (i = 0; i < 200; i++) {
        g_assert_cmpuint(drive_generation(d, i), ==, i + 1);
    }
    drive_quit(d);
}

/* One doorbell for a full queue, and the next lap at once. */
static void a_full_queue_is_answered_whole(void)
{
    struct drive *d = start("");
    uint64_t data = drive_alloc(d, 15 * 512);
    bool seen[45] = { false };
    unsigned lap, i;

    drive_fill(d, data, 0, 15, 1);
    d->cid_next = 0;
    for (lap = 0; lap < 3; lap++) {
        for (i = 0; i < 15; i++) {
            drive_submit(d, 1, drive_rw(NVME_IO_WRITE, i, 1, data + i * 512,
                                        false));
        }
        drive_ring(d, 1);
        for (i = 0; i < 15; i++) {
            struct nvme_completion cqe = drive_next(d, 1);

            g_assert_cmphex(drive_status(cqe), ==, NVME_SUCCESS);
            g_assert_cmpuint(cqe.cid, <, G_N_ELEMENTS(seen));
            g_assert_false(seen[cqe.cid]);
            seen[cqe.cid] = true;
        }
    }
    drive_assert_silent(d, 1);
    for (i = 0; i < 15; i++) {
        g_assert_cmpuint(drive_generation(d, i), ==, 1);
    }
    drive_quit(d);
}

/* 1 MiB through a PRP list that starts in the middle of a page. */
static void a_large_transfer_follows_its_prp_list(void)
{
    struct drive *d = start(",mdts=8");
    enum { BLOCKS = 2048, PAGES = 257 };
    uint64_t data = drive_alloc(d, PAGES * 4096) + 512;
    uint64_t list = drive_alloc(d, PAGES * 8);
    struct nvme_command cmd = drive_rw(NVME_IO_WRITE, 3, BLOCKS, data, false);
    unsigned i;

    for (i = 1; i < PAGES; i++) {
        client_write64(d->client, list + (i - 1) * 8, data - 512 + i * 4096);
    }
    drive_fill(d, data, 3, BLOCKS, 5);
    cmd.prp2 = list;
    drive_ok(d, 1, cmd);
    for (i = 0; i < BLOCKS; i += 97) {
        g_assert_cmpuint(drive_generation(d, 3 + i), ==, 5);
    }
    g_assert_cmpuint(drive_generation(d, 2), ==, 0);
    g_assert_cmpuint(drive_generation(d, 3 + BLOCKS), ==, 0);
    drive_quit(d);
}

static void a_range_past_the_end_changes_nothing(void)
{
    struct drive *d = start("");
    uint64_t data = drive_alloc(d, 1024);
    struct nvme_command cmd = drive_rw(NVME_IO_WRITE, IMAGE_BLOCKS - 1, 2, data,
                                       false);

    drive_fill(d, data, IMAGE_BLOCKS - 1, 2, 1);
    g_assert_cmphex(drive_status(drive_command(d, 1, cmd)), ==,
                    NVME_LBA_OUT_OF_RANGE);
    g_assert_cmpuint(drive_generation(d, IMAGE_BLOCKS - 1), ==, 0);
    drive_quit(d);
}

/* The virtual clock stands still unless we move it: not one ns too early. */
static void no_completion_comes_before_the_floor_latency(void)
{
    struct drive *d = start(",floor-latency=1000000");
    struct nvme_completion cqe;
    uint64_t cqe_at = d->queues[1].cq;

    drive_submit(d, 1, drive_flush());
    drive_ring(d, 1);
    g_usleep(50000);
    client_clock_step(d->client, 999999);
    g_usleep(50000);
    client_read(d->client, cqe_at, &cqe, sizeof(cqe));
    g_assert_cmphex(cqe.status & 1, ==, 0);
    client_clock_step(d->client, 1);
    cqe = drive_next(d, 1);
    g_assert_cmphex(drive_status(cqe), ==, NVME_SUCCESS);
    drive_quit(d);
}

/* Neither the drive nor the host moves 4 MiB of zeroes. */
static void zeroes_reach_the_image(void)
{
    char *image = drive_image("io.img", IMAGE_BYTES);
    struct drive *d = drive_start(image, "");
    struct nvme_command zero = {
        .opcode = NVME_IO_WRITE_ZEROES, .nsid = 1,
        .cdw12 = (IMAGE_BLOCKS - 2) | NVME_RW_FUA,
    };
    char *bytes;
    gsize length;
    unsigned i;

    drive_write_block(d, 0, 7, true);
    drive_write_block(d, IMAGE_BLOCKS - 2, 8, true);
    drive_write_block(d, IMAGE_BLOCKS - 1, 9, true);
    drive_ok(d, 1, zero);
    g_assert_cmpuint(drive_generation(d, 0), ==, 0);
    g_assert_cmpuint(drive_generation(d, IMAGE_BLOCKS - 2), ==, 0);
    g_assert_cmpuint(drive_generation(d, IMAGE_BLOCKS - 1), ==, 9);
    zero.cdw12 = (IMAGE_BLOCKS - 1) | NVME_WZ_DEAC;
    drive_ok(d, 1, zero);
    drive_sync(d);
    drive_kill(d);
    g_assert_true(g_file_get_contents(image, &bytes, &length, NULL));
    g_assert_cmpuint(length, ==, IMAGE_BYTES);
    for (i = 0; i < length; i++) {
        g_assert_cmpint(bytes[i], ==, 0);
    }
    g_free(bytes);
    g_free(image);
}

static void add_tests(void)
{
    g_test_add_func("/io/identify-tells-serial-size-and-cache",
                    identify_tells_serial_size_and_cache);
    g_test_add_func("/io/what-is-written-is-read-back",
                    what_is_written_is_read_back);
    g_test_add_func("/io/phase-flips-at-every-lap-of-the-queue",
                    phase_flips_at_every_lap_of_the_queue);
    g_test_add_func("/io/a-full-queue-is-answered-whole",
                    a_full_queue_is_answered_whole);
    g_test_add_func("/io/a-large-transfer-follows-its-prp-list",
                    a_large_transfer_follows_its_prp_list);
    g_test_add_func("/io/a-range-past-the-end-changes-nothing",
                    a_range_past_the_end_changes_nothing);
    g_test_add_func("/io/zeroes-reach-the-image", zeroes_reach_the_image);
    g_test_add_func("/io/no-completion-comes-before-the-floor-latency",
                    no_completion_comes_before_the_floor_latency);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
