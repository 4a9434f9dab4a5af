/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow doorbells through QEMU's DMA and main loop. The rules themselves are
 * tested in hw/tests/test_shadow.c; here a driver writes the page and rings
 * only when EventIdx asks for it.
 */
#include "drive.h"

#define COMMANDS 200u

struct shadow {
    uint64_t doorbells;
    uint64_t events;
    unsigned rings;
};

static struct drive *start(const char *properties)
{
    char *image = drive_image("shadow.img", 1 << 20);
    struct drive *d = drive_start(image, properties);

    g_free(image);
    return d;
}

static unsigned offer(struct drive *d, uint64_t doorbells, uint64_t events)
{
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DOORBELL_BUFFERS, .prp1 = doorbells,
        .prp2 = events,
    };

    return drive_status(drive_command(d, 0, cmd));
}

static struct shadow shadow_on(struct drive *d)
{
    struct shadow shadow = {
        .doorbells = drive_alloc(d, 4096), .events = drive_alloc(d, 4096),
    };

    g_assert_cmphex(offer(d, shadow.doorbells, shadow.events), ==,
                    NVME_SUCCESS);
    return shadow;
}

/* As Linux does it; index is that of the doorbell register. */
static void doorbell(struct drive *d, struct shadow *shadow, unsigned index,
                     uint16_t value)
{
    uint16_t before = client_read32(d->client, shadow->doorbells + index * 4);
    uint16_t event;

    client_write32(d->client, shadow->doorbells + index * 4, value);
    event = client_read32(d->client, shadow->events + index * 4);
    if ((uint16_t)(value - event - 1) < (uint16_t)(value - before)) {
        shadow->rings++;
        drive_set_reg32(d, NVME_REG_DOORBELLS + index * 4, value);
    }
}

/* drive_next() rings heads: a ring more than it takes does no harm. */
static void bursts_are_answered(void)
{
    struct drive *d = start(",floor-latency=100000");
    struct shadow shadow = shadow_on(d);
    unsigned burst;
    unsigned i;

    for (i = 0; i < COMMANDS; i += burst) {
        for (burst = 0; burst < 12; burst++) {
            drive_submit(d, 1, drive_flush());
            doorbell(d, &shadow, 2, d->queues[1].tail);
        }
        for (burst = 0; burst < 12; burst++) {
            g_assert_cmphex(drive_status(drive_next(d, 1)), ==, NVME_SUCCESS);
            doorbell(d, &shadow, 3, d->queues[1].head);
        }
    }
    g_assert_cmpuint(shadow.rings, >, 0);
    drive_assert_silent(d, 1);
    drive_quit(d);
}

static void bad_pages_are_refused(void)
{
    struct drive *d = start("");
    uint64_t page = drive_alloc(d, 4096);

    g_assert_cmphex(offer(d, page + 8, page), ==, NVME_INVALID_FIELD);
    g_assert_cmphex(offer(d, d->bar0, page), ==, NVME_INVALID_FIELD);
    g_assert_cmphex(offer(d, page, d->bar4), ==, NVME_INVALID_FIELD);
    g_assert_cmphex(offer(d, 0x20000000ull, page), ==, NVME_INVALID_FIELD);
    drive_write_block(d, 9, 9, false);
    g_assert_cmpuint(drive_generation(d, 9), ==, 9);
    drive_quit(d);
}

static void without_bus_mastering_is_fatal_until_a_reset(void)
{
    struct drive *d = start("");
    uint32_t command = drive_config_read(d, 4);

    shadow_on(d);
    drive_config_write(d, 4, command & ~4u);
    drive_set_reg32(d, NVME_REG_DOORBELLS + 8, 1);
    drive_wait_csts(d, NVME_CSTS_CFS, NVME_CSTS_CFS);
    drive_config_write(d, 4, command);
    drive_disable(d);
    drive_enable(d);
    drive_create_queue(d, 1, 16);
    drive_write_block(d, 9, 9, false);
    g_assert_cmpuint(drive_generation(d, 9), ==, 9);
    drive_quit(d);
}

static void switched_off_it_is_no_command(void)
{
    struct drive *d = start(",shadow-doorbells=off");
    uint64_t page = drive_alloc(d, 4096);

    g_assert_cmphex(offer(d, page, page), ==, NVME_INVALID_OPCODE);
    drive_quit(d);
}

static void add_tests(void)
{
    g_test_add_func("/shadow/bursts-are-answered", bursts_are_answered);
    g_test_add_func("/shadow/bad-pages-are-refused", bad_pages_are_refused);
    g_test_add_func("/shadow/without-bus-mastering-is-fatal-until-a-reset",
                    without_bus_mastering_is_fatal_until_a_reset);
    g_test_add_func("/shadow/switched-off-it-is-no-command",
                    switched_off_it_is_no_command);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
