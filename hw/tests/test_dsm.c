/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dataset Management, deallocate (NVM Command Set 3.2.3). */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"

#define AD (1u << 2)

struct range {
    uint64_t slba;
    uint32_t blocks;
};

static void no_vwc(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

static void large(struct fake_config *config)
{
    config->block_count = 65536 * 2;
}

/* Room for two ranges at a time; the storage must make more. */
static void tiny_cache(struct fake_config *config)
{
    config->drive.cache_size_bytes = 4096;
}

static void drop(struct fixture *f)
{
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

static struct nvme_command cmd_dsm(struct fixture *f,
                                   const struct range *ranges, uint32_t count,
                                   uint32_t attributes)
{
    uint8_t *list = fake_at(f->host, f->driver->buffer);
    uint32_t i;

    memset(list, 0xA5, 4096);
    for (i = 0; i < count; i++) {
        le32_put(list + i * 16 + 4, ranges[i].blocks);
        le64_put(list + i * 16 + 8, ranges[i].slba);
    }
    return (struct nvme_command) {
        .opcode = 0x09, .nsid = 1, .prp1 = f->driver->buffer,
        .cdw10 = count - 1, .cdw11 = attributes,
    };
}

static uint16_t dsm(struct fixture *f, const struct range *ranges,
                    uint32_t count, uint32_t attributes)
{
    struct nvme_command cmd = cmd_dsm(f, ranges, count, attributes);

    return driver_exec(f->driver, 1, &cmd);
}

static const struct range two[] = { { 1, 2 }, { 0, 0 }, { 6, 1 } };

static void assert_two(struct fixture *f, uint64_t tag)
{
    uint32_t i;

    for (i = 0; i < 8; i++) {
        bool is_in = i == 1 || i == 2 || i == 6;

        g_assert_cmpuint(driver_read_tag(f->driver, 1, i, false), ==,
                         is_in ? tag : 5);
    }
}

static void test_ranges(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;
    uint32_t at = f->host->trace->len;

    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, true);
    fake_trace_next(f->host, LAB_TRACE_COMMAND, &at);
    assert_status(dsm(f, two, 3, AD), NVME_SUCCESS);
    command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &at);
    g_assert_cmphex(command->opcode, ==, 0x09);
    g_assert_cmpuint(command->slba, ==, 1);
    g_assert_cmpuint(command->block_count, ==, 3);
    g_assert_cmphex(command->status_flags, ==, LAB_TRACE_RANGES);
    g_assert_cmphex(command->flags & LAB_TRACE_DATA_VISIBLE, !=, 0);
    g_assert_cmpuint(command->unpromised_bytes, ==, 3 * 512);
    assert_two(f, 0);
    drop(f);
    assert_two(f, 5);
    assert_status(dsm(f, two, 3, AD), NVME_SUCCESS);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 0);
    drop(f);
    assert_two(f, 0);
    g_assert_cmpuint(f->host->stores[0].deallocations, ==, 2);
}

/* P3: durable, and on record as such, with every range. */
static void test_no_cache(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;
    uint32_t at;

    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, false);
    at = f->host->trace->len;
    assert_status(dsm(f, two, 3, AD), NVME_SUCCESS);
    command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &at);
    g_assert_cmphex(command->flags & LAB_TRACE_DURABLE, !=, 0);
    drop(f);
    assert_two(f, 0);
}

/* Without the attribute it is a hint at most. */
static void test_hints(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, true);
    assert_status(dsm(f, two, 3, 3), NVME_SUCCESS);
    assert_status(dsm(f, two, 3, 0), NVME_SUCCESS);
    assert_two(f, 5);
}

/* One wrong range, and none is touched. */
static void test_refused(struct fixture *f, gconstpointer data)
{
    const struct range beyond[] = { { 1, 2 }, { 131072, 1 } };
    const struct range across[] = { { 1, 2 }, { 131071, 2 } };
    const struct range around[] = { { 1, 2 }, { UINT64_MAX, 2 } };
    const struct range longer[] = { { 1, 2 }, { 0, 65537 } };
    const struct range longest[] = { { 8, 65536 }, { 131072, 0 } };
    struct nvme_command cmd;

    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, true);
    assert_status(dsm(f, beyond, 2, AD), NVME_LBA_OUT_OF_RANGE);
    assert_status(dsm(f, across, 2, AD), NVME_LBA_OUT_OF_RANGE);
    assert_status(dsm(f, around, 2, AD), NVME_LBA_OUT_OF_RANGE);
    assert_status(dsm(f, longer, 2, AD), 0x183);
    cmd = cmd_dsm(f, two, 3, AD);
    cmd.nsid = 7;
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_INVALID_NAMESPACE);
    cmd = cmd_dsm(f, two, 3, AD);
    cmd.prp1 = 0;
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_DATA_TRANSFER_ERROR);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 5);
    assert_status(dsm(f, longest, 2, AD), NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==,
                     65536 * 512);
}

/* All 256, which take turns in a cache that has room for 8. */
static void test_most(struct fixture *f, gconstpointer data)
{
    struct range ranges[256];
    uint32_t i;

    (void)data;
    for (i = 0; i < 256; i++) {
        ranges[i] = (struct range) { i * 7 % 64, 1 };
    }
    driver_write(f->driver, 1, 0, 64, 5, true);
    assert_status(dsm(f, ranges, 256, AD), NVME_SUCCESS);
    for (i = 0; i < 64; i++) {
        g_assert_cmpuint(driver_read_tag(f->driver, 1, i, false), ==, 0);
    }
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 256 * 512);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 0);
}

/* No room and no storage: told, and nothing counts as done. */
static void test_error(struct fixture *f, gconstpointer data)
{
    struct range ranges[20];
    uint32_t i;

    (void)data;
    for (i = 0; i < 20; i++) {
        ranges[i] = (struct range) { i * 2, 1 };
    }
    driver_write(f->driver, 1, 0, 64, 5, true);
    f->host->stores[0].error = -EIO;
    assert_status(dsm(f, ranges, 20, AD), NVME_WRITE_FAULT);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 0);
    f->host->stores[0].error = 0;
    assert_status(dsm(f, ranges, 20, AD), NVME_SUCCESS);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 38, false), ==, 0);
}

/* The queue goes away with ranges in the cache, at the store and waiting. */
static void test_orphan(struct fixture *f, gconstpointer data)
{
    struct range ranges[64];
    struct nvme_command cmd;
    uint32_t i;

    (void)data;
    for (i = 0; i < 64; i++) {
        ranges[i] = (struct range) { i, 1 };
    }
    cmd = cmd_dsm(f, ranges, 64, AD);
    driver_send(f->driver, 1, &cmd);
    fake_run(f->host);
    g_assert_cmpuint(fake_waiting(f->host), >, 0);
    lab_reset(f->host->ctrl);
    fake_finish(f->host);
    driver_free(f->driver);
    f->driver = driver_up(f->host);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 0);
    driver_write(f->driver, 1, 0, 64, 6, false);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 63), ==, 6);
}

/* P4: each range has a fate of its own, and a record that tells it. */
static void test_survivors(struct fixture *f, gconstpointer data)
{
    static const struct range ranges[] = { { 3, 1 }, { 9, 1 }, { 12, 1 } };
    uint32_t mixed = 0;
    uint64_t seed;

    (void)data;
    for (seed = 0; seed < 30; seed++) {
        const struct lab_trace_survivor *survivor;
        uint32_t at = f->host->trace->len;
        uint32_t records = 0;
        uint32_t zeroes = 0;

        driver_write(f->driver, 1, 0, 16, 5, true);
        assert_status(dsm(f, ranges, 3, AD), NVME_SUCCESS);
        fake_cut_and_boot(f->host, LAB_POLICY_RANDOM, seed);
        driver_enable(f->driver, 32);
        driver_create_pair(f->driver, 1, 32, 1);
        while ((survivor = fake_trace_next(f->host, LAB_TRACE_SURVIVOR,
                                           &at))) {
            bool is_kept = survivor->outcome == LAB_TRACE_KEPT;

            g_assert_cmpuint(survivor->slba, ==, ranges[records].slba);
            g_assert_cmpuint(driver_read_tag(f->driver, 1, survivor->slba,
                                             false), ==, is_kept ? 0 : 5);
            records++;
            zeroes += is_kept;
        }
        g_assert_cmpuint(records, ==, 3);
        mixed += zeroes && zeroes < 3;
    }
    g_assert_cmpuint(mixed, >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/dsm/P1/deallocated-reads-zero-durable-by-flush", NULL,
                 test_ranges);
    FIXTURE_TEST("/dsm/P3/without-cache-durable", no_vwc, test_no_cache);
    FIXTURE_TEST("/dsm/P4/each-range-has-its-own-fate", NULL, test_survivors);
    FIXTURE_TEST("/dsm/P7/256-ranges-in-a-full-cache", tiny_cache, test_most);
    FIXTURE_TEST("/dsm/other-attributes-change-nothing", NULL, test_hints);
    FIXTURE_TEST("/dsm/one-wrong-range-refuses-all", large, test_refused);
    FIXTURE_TEST("/dsm/storage-errors-have-a-status", tiny_cache, test_error);
    FIXTURE_TEST("/dsm/queue-gone-in-the-middle", tiny_cache, test_orphan);
    return g_test_run();
}
