/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read, Write and Flush (NVM Command Set 3.2) through the queues. */
#include <errno.h>

#include "fixture.h"

static void two_namespaces(struct fake_config *config)
{
    config->ns_count = 2;
}

static void small_mdts(struct fake_config *config)
{
    config->drive.mdts = 1;
}

static void no_vwc(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

static void drop(struct fixture *f)
{
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

static uint16_t rw(struct fixture *f, uint8_t opcode, uint32_t nsid,
                   uint64_t slba, uint32_t blocks)
{
    struct nvme_command cmd = cmd_rw(f->driver, opcode, nsid, slba, blocks,
                                     false);

    return driver_exec(f->driver, 1, &cmd);
}

static void test_flush(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    driver_flush(f->driver, 1);
    driver_write(f->driver, 1, 0, 2, 2, false);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 2);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
}

static void test_flush_one(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 2, 0, 1, 2, false);
    driver_flush(f->driver, 2);
    g_assert_cmpuint(f->host->stores[0].flushes, ==, 0);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 2, 0, false), ==, 2);
}

static void test_flush_all(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(NVME_NSID_ALL);
    uint16_t cid;

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 2, 0, 1, 2, false);
    cid = driver_send(f->driver, 1, &flush);
    fake_run(f->host);
    while (fake_waiting(f->host)) {
        fake_run(f->host);
        driver_poll_all(f->driver);
        g_assert_false(driver_is_done(f->driver, 1, cid));
        fake_step_any(f->host, 0);
        fake_run(f->host);
    }
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 1, cid), NVME_SUCCESS);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 2, 0, false), ==, 2);
}

/*
 * The doorbell of the flush rings in the same run as that of the write: it was
 * submitted before the write completed, so it owes nothing.
 */
static void test_flush_too_early(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 1, false);
    driver_send(f->driver, 1, &flush);
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 2);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 512);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
}

static void test_fua_write(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 1, 1, 1, 2, true);
    g_assert_cmpuint(f->host->stores[0].writes_fua, ==, 1);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 2);
}

static void test_fua_read(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 2, true), ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 2), ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 1), ==, 0);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 2, false), ==, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 0);
}

static void test_no_cache(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 1);
    driver_flush(f->driver, 1);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
}

static void test_absent_ns(struct fixture *f, gconstpointer data)
{
    static const uint32_t nsids[] = { 0, 2, 256, 257, 0xFFFFFFFE };
    struct nvme_command flush;
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(nsids); i++) {
        assert_status(rw(f, NVME_IO_READ, nsids[i], 0, 1),
                      NVME_INVALID_NAMESPACE);
        assert_status(rw(f, NVME_IO_WRITE, nsids[i], 0, 1),
                      NVME_INVALID_NAMESPACE);
        flush = cmd_flush(nsids[i]);
        assert_status(driver_exec(f->driver, 1, &flush),
                      NVME_INVALID_NAMESPACE);
    }
    assert_status(rw(f, NVME_IO_READ, NVME_NSID_ALL, 0, 1),
                  NVME_INVALID_NAMESPACE);
}

static void test_range(struct fixture *f, gconstpointer data)
{
    static const struct {
        uint64_t slba;
        uint32_t blocks;
    } wrong[] = {
        { 64, 1 }, { 63, 2 }, { 0, 65 }, { UINT64_MAX, 1 },
        { UINT64_MAX, 2 }, { UINT64_MAX - 6, 8 }, { 1ull << 63, 1 },
        { 1ull << 32, 1 },
    };
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_status(rw(f, NVME_IO_READ, 1, wrong[i].slba, wrong[i].blocks),
                      NVME_LBA_OUT_OF_RANGE);
        assert_status(rw(f, NVME_IO_WRITE, 1, wrong[i].slba, wrong[i].blocks),
                      NVME_LBA_OUT_OF_RANGE);
        g_assert_cmphex(driver_status_word() & NVME_DNR, ==, NVME_DNR);
    }
    assert_status(rw(f, NVME_IO_WRITE, 1, 63, 1), NVME_SUCCESS);
    assert_status(rw(f, NVME_IO_WRITE, 1, 0, 64), NVME_SUCCESS);
}

/* MDTS 1: 8 KiB, 16 blocks. Above it the size is what is wrong. */
static void test_mdts(struct fixture *f, gconstpointer data)
{
    struct nvme_command huge = { .opcode = NVME_IO_READ, .nsid = 1 };

    (void)data;
    assert_status(rw(f, NVME_IO_WRITE, 1, 0, 16), NVME_SUCCESS);
    assert_status(rw(f, NVME_IO_READ, 1, 0, 16), NVME_SUCCESS);
    assert_status(rw(f, NVME_IO_WRITE, 1, 0, 17), NVME_INVALID_FIELD);
    assert_status(rw(f, NVME_IO_READ, 1, 0, 17), NVME_INVALID_FIELD);
    huge.prp1 = f->driver->buffer;
    huge.cdw12 = 0xFFFF;
    assert_status(driver_exec(f->driver, 1, &huge), NVME_INVALID_FIELD);
}

static uint16_t compare(struct fixture *f, uint64_t slba, uint32_t blocks,
                        uint64_t tag, bool has_fua)
{
    struct nvme_command cmd = cmd_rw(f->driver, 0x05, 1, slba, blocks, has_fua);

    tag_fill(fake_at(f->host, f->driver->buffer), blocks * 512ull, tag);
    return driver_exec(f->driver, 1, &cmd);
}

/* Compare sees what a Read sees, wherever it is, and changes nothing. */
static void test_compare(struct fixture *f, gconstpointer data)
{
    struct nvme_command last = cmd_rw(f->driver, 0x05, 1, 0, 40, false);
    uint8_t *buffer = fake_at(f->host, f->driver->buffer);

    (void)data;
    driver_write(f->driver, 1, 0, 40, 5, true);
    driver_write(f->driver, 1, 8, 4, 6, false);
    assert_status(compare(f, 0, 8, 5, false), NVME_SUCCESS);
    assert_status(compare(f, 8, 4, 6, false), NVME_SUCCESS);
    assert_status(compare(f, 7, 2, 5, false), 0x285);
    assert_status(compare(f, 8, 4, 5, false), 0x285);
    assert_status(compare(f, 12, 28, 5, false), NVME_SUCCESS);
    assert_status(compare(f, 63, 2, 0, false), NVME_LBA_OUT_OF_RANGE);
    assert_status(compare(f, 60, 2, 0, false), NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).writes, ==, 2);
    /* The last byte of many pages. */
    driver_write(f->driver, 1, 8, 4, 5, false);
    tag_fill(buffer, 40 * 512, 5);
    assert_status(driver_exec(f->driver, 1, &last), NVME_SUCCESS);
    buffer[40 * 512 - 1] ^= 0x80;
    assert_status(driver_exec(f->driver, 1, &last), 0x285);
    /* P2: with FUA the range is durable first. */
    assert_status(compare(f, 8, 2, 5, true), NVME_SUCCESS);
    drop(f);
    assert_status(compare(f, 8, 2, 5, false), NVME_SUCCESS);
    f->host->stores[0].error = -EIO;
    assert_status(compare(f, 30, 1, 5, false), NVME_UNRECOVERED_READ);
    f->host->stores[0].error = 0;
    last.prp1 = 0;
    assert_status(driver_exec(f->driver, 1, &last), NVME_DATA_TRANSFER_ERROR);
}

static void test_errors(struct fixture *f, gconstpointer data)
{
    static const struct {
        int error;
        uint16_t write;
        uint16_t read;
    } errors[] = {
        { -EIO, NVME_WRITE_FAULT, NVME_UNRECOVERED_READ },
        { -ENOSPC, NVME_WRITE_FAULT, NVME_UNRECOVERED_READ },
        { -EROFS, NVME_WRITE_FAULT, NVME_UNRECOVERED_READ },
        { -ENOMEM, NVME_INTERNAL_ERROR, NVME_INTERNAL_ERROR },
    };
    struct nvme_command flush = cmd_flush(1);
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(errors); i++) {
        struct nvme_command fua = cmd_rw(f->driver, NVME_IO_WRITE, 1, 9, 1,
                                         true);

        driver_write(f->driver, 1, 0, 1, 5, false);
        f->host->stores[0].error = errors[i].error;
        assert_status(rw(f, NVME_IO_READ, 1, 20, 1), errors[i].read);
        assert_status(driver_exec(f->driver, 1, &fua), errors[i].write);
        assert_status(driver_exec(f->driver, 1, &flush), errors[i].write);
        g_assert_cmpuint(f->host->log_lines[LAB_LOG_ERR], >, 0);
        f->host->stores[0].error = 0;
        driver_flush(f->driver, 1);
    }
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 5);
}

static void test_unknown(struct fixture *f, gconstpointer data)
{
    static const uint8_t opcodes[] = { 0x04, 0x0D, 0x19,
                                       0x7D, 0xC1, 0xFF };
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        struct nvme_command cmd = { .opcode = opcodes[i], .nsid = 1 };

        assert_status(driver_exec(f->driver, 1, &cmd), NVME_INVALID_OPCODE);
    }
}

/* The guest may change its buffer as soon as the write is visible. */
static void test_copied_once(struct fixture *f, gconstpointer data)
{
    uint64_t page = f->driver->page_next;
    uint16_t cid = driver_send_write(f->driver, 1, 0, 1, 1, true);

    (void)data;
    fake_run(f->host);
    g_assert_cmpuint(fake_waiting(f->host), ==, 1);
    tag_fill(fake_at(f->host, page), 512, 2);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 1, cid), NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
}

static void second_without_vwc(struct fake_config *config)
{
    config->ns_count = 2;
    config->nsid_no_vwc = 2;
}

/* P3, for one namespace; neither a reset nor Set Features gives it a cache. */
static void test_no_cache_here(struct fixture *f, gconstpointer data)
{
    struct nvme_command id = cmd_identify(f->driver, 8, 1);
    const uint8_t *page = fake_at(f->host, f->driver->buffer);
    struct nvme_command off = cmd_set_features(NVME_FEAT_VWC, 0);
    struct nvme_command on = cmd_set_features(NVME_FEAT_VWC, 1);
    uint32_t i;

    (void)data;
    assert_status(driver_exec(f->driver, 0, &id), NVME_SUCCESS);
    g_assert_cmphex(page[0], ==, 0);
    id.nsid = 2;
    assert_status(driver_exec(f->driver, 0, &id), NVME_SUCCESS);
    g_assert_cmphex(page[0], ==, 1 << 5);               /* NSFEAT: VWCNP */
    for (i = 1; i <= 3; i++) {
        driver_write(f->driver, 1, 0, 1, i, false);
        driver_write(f->driver, 2, 0, 1, i, false);
        g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
        g_assert_cmpuint(medium_tag(f->host, 2, 0), ==, i);
        drop(f);
        g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
        g_assert_cmpuint(driver_read_tag(f->driver, 2, 0, false), ==, i);
        assert_status(driver_exec(f->driver, 0, &off), NVME_SUCCESS);
        assert_status(driver_exec(f->driver, 0, &on), NVME_SUCCESS);
    }
}

static void tiny_cache(struct fake_config *config)
{
    config->drive.cache_size_bytes = 4096;
}

static void test_full_cache(struct fixture *f, gconstpointer data)
{
    uint32_t i;

    (void)data;
    for (i = 0; i < 200; i++) {
        driver_write(f->driver, 1, i % 64, 1, i + 1, false);
    }
    for (i = 0; i < 64; i++) {
        g_assert_cmpuint(driver_read_tag(f->driver, 1, i, false), ==,
                         i < 8 ? 193 + i : 129 + i);
    }
    g_assert_cmpuint(driver_stat(f->driver).destaged_bytes, >, 0);
    g_assert_cmpuint(driver_stat(f->driver).cached_bytes, <=, 4096);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 200 * 512);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/io/P1/flush-covers-completed", NULL, test_flush);
    FIXTURE_TEST("/io/P1/flush-is-per-namespace", two_namespaces,
                 test_flush_one);
    FIXTURE_TEST("/io/P1/broadcast-flush-waits-for-all", two_namespaces,
                 test_flush_all);
    FIXTURE_TEST("/io/P1/flush-rung-too-early-owes-nothing", NULL,
                 test_flush_too_early);
    FIXTURE_TEST("/io/P2/fua-write-is-no-barrier", NULL, test_fua_write);
    FIXTURE_TEST("/io/P2/fua-read-makes-its-range-durable", NULL,
                 test_fua_read);
    FIXTURE_TEST("/io/P3/without-cache-durable", no_vwc, test_no_cache);
    FIXTURE_TEST("/io/P3/namespace-without-cache", second_without_vwc,
                 test_no_cache_here);
    FIXTURE_TEST("/io/P7/full-cache-destages", tiny_cache, test_full_cache);
    FIXTURE_TEST("/io/compare-sees-what-a-read-sees", NULL, test_compare);
    FIXTURE_TEST("/io/absent-namespaces", NULL, test_absent_ns);
    FIXTURE_TEST("/io/range-with-wrap-around", NULL, test_range);
    FIXTURE_TEST("/io/length-against-mdts", small_mdts, test_mdts);
    FIXTURE_TEST("/io/storage-errors-have-a-status", NULL, test_errors);
    FIXTURE_TEST("/io/unknown-opcodes", NULL, test_unknown);
    FIXTURE_TEST("/io/data-is-copied-once", NULL, test_copied_once);
    return g_test_run();
}
