/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Write Zeroes (NVM Command Set 3.2.8) through the queues. */
#include <errno.h>

#include "fixture.h"

#define FUA (1u << 30)
#define DEAC (1u << 25)

static void no_vwc(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

static void large(struct fake_config *config)
{
    config->block_size_bytes = 4096;
    config->block_count = 65536 + 4;
    config->drive.mdts = 1;
}

static void drop(struct fixture *f)
{
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

static uint16_t zero(struct fixture *f, uint64_t slba, uint32_t blocks,
                     uint32_t flags)
{
    struct nvme_command cmd = {
        .opcode = 0x08, .nsid = 1, .cdw10 = slba, .cdw11 = slba >> 32,
        .cdw12 = (blocks - 1) | flags,
    };

    return driver_exec(f->driver, 1, &cmd);
}

static void test_zeroes(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, true);
    assert_status(zero(f, 2, 3, 0), NVME_SUCCESS);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 5);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 2, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 4, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 5, false), ==, 5);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 3 * 512);
    g_assert_cmpuint(driver_stat(f->driver).writes, ==, 2);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 5);
    assert_status(zero(f, 2, 3, 0), NVME_SUCCESS);
    driver_flush(f->driver, 1);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 0);
    g_assert_cmpuint(f->host->stores[0].zeroes, ==, 1);
    g_assert_cmpuint(f->host->stores[0].deallocations, ==, 0);
}

static void test_fua(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;
    uint32_t at = f->host->trace->len;

    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, true);
    fake_trace_next(f->host, LAB_TRACE_COMMAND, &at);
    assert_status(zero(f, 2, 3, FUA), NVME_SUCCESS);
    command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &at);
    g_assert_cmphex(command->opcode, ==, 0x08);
    g_assert_cmpuint(command->slba, ==, 2);
    g_assert_cmpuint(command->block_count, ==, 3);
    g_assert_cmphex(command->flags & LAB_TRACE_FUA, ==, LAB_TRACE_FUA);
    g_assert_cmphex(command->flags & LAB_TRACE_DURABLE, ==, LAB_TRACE_DURABLE);
    g_assert_cmpuint(command->unpromised_bytes, ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).writes_fua, ==, 2);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 5, false), ==, 5);
}

/* P3 */
static void test_no_cache(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, false);
    assert_status(zero(f, 2, 3, 0), NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 5), ==, 5);
}

static void test_deac(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 8, 5, true);
    assert_status(zero(f, 0, 4, DEAC | FUA), NVME_SUCCESS);
    g_assert_cmpuint(f->host->stores[0].deallocations, ==, 1);
    g_assert_cmpuint(f->host->stores[0].zeroes, ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
}

static void test_range(struct fixture *f, gconstpointer data)
{
    struct nvme_command absent = { .opcode = 0x08, .nsid = 2 };

    (void)data;
    assert_status(zero(f, 64, 1, 0), NVME_LBA_OUT_OF_RANGE);
    assert_status(zero(f, 63, 2, 0), NVME_LBA_OUT_OF_RANGE);
    assert_status(zero(f, 0, 65536, 0), NVME_LBA_OUT_OF_RANGE);
    assert_status(zero(f, UINT64_MAX, 2, 0), NVME_LBA_OUT_OF_RANGE);
    assert_status(zero(f, 0, 64, 0), NVME_SUCCESS);
    assert_status(driver_exec(f->driver, 1, &absent), NVME_INVALID_NAMESPACE);
    absent.nsid = NVME_NSID_ALL;
    assert_status(driver_exec(f->driver, 1, &absent), NVME_INVALID_NAMESPACE);
}

/* 256 MiB at once, far above MDTS, in a cache that is a quarter of that. */
static void test_longest(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 5, true);
    driver_write(f->driver, 1, 65535, 2, 6, true);
    assert_status(zero(f, 0, 65536, 0), NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 1u << 28);
    g_assert_cmpuint(driver_stat(f->driver).destaged_bytes, ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 65535, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 65536, false), ==, 6);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(f->host->stores[0].zeroes, ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 65535), ==, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 65536), ==, 6);
}

/* Failing storage is told, as for a write. */
static void test_error(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->host->stores[0].error = -ENOSPC;
    assert_status(zero(f, 0, 4, FUA), NVME_WRITE_FAULT);
    f->host->stores[0].error = 0;
    assert_status(zero(f, 0, 4, FUA), NVME_SUCCESS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/zeroes/P1/visible-at-once-durable-by-flush", NULL,
                 test_zeroes);
    FIXTURE_TEST("/zeroes/P2/fua-is-honoured", NULL, test_fua);
    FIXTURE_TEST("/zeroes/P3/without-cache-durable", no_vwc, test_no_cache);
    FIXTURE_TEST("/zeroes/deac-lets-the-storage-give-up-space", NULL,
                 test_deac);
    FIXTURE_TEST("/zeroes/range-and-namespace", NULL, test_range);
    FIXTURE_TEST("/zeroes/65536-blocks-at-once", large, test_longest);
    FIXTURE_TEST("/zeroes/storage-errors-have-a-status", NULL, test_error);
    return g_test_run();
}
