/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data pointers (Base 4.1.1), through Write and Read: offsets, lists, chains,
 * loops, and memory that is not there.
 */
#include <string.h>

#include "bytes.h"
#include "driver.h"

#define BLOCK 512u
#define LIST_ENTRIES 512u

struct fixture {
    struct fake_host *host;
    struct driver *driver;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    struct fake_config config = fake_config_default();

    (void)data;
    config.block_count = 8192;
    config.drive.mdts = 9;
    config.ram_bytes = 32 << 20;
    f->host = fake_new(&config);
    f->driver = driver_up(f->host);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_free(f->driver);
    fake_free(f->host);
}

static uint16_t exec(struct fixture *f, uint8_t opcode, uint32_t blocks,
                     uint64_t prp1, uint64_t prp2)
{
    struct nvme_command cmd = {
        .opcode = opcode, .nsid = 1, .cdw12 = blocks - 1, .prp1 = prp1,
        .prp2 = prp2,
    };

    return driver_exec(f->driver, 1, &cmd);
}

static void fill_words(void *at, size_t bytes, uint64_t first)
{
    size_t i;

    for (i = 0; i < bytes; i += 4) {
        le32_put((uint8_t *)at + i, first + i / 4);
    }
}

/* Write from one place, read to another: the bytes must be the same. */
static void round_trip(struct fixture *f, uint32_t offset, uint32_t blocks)
{
    uint32_t bytes = blocks * BLOCK;
    uint32_t pages = (offset + bytes) / DRIVER_PAGE + 1;
    uint64_t from = driver_pages(f->driver, pages) + offset;
    uint64_t to = driver_pages(f->driver, pages + 1) + offset;
    struct nvme_command cmd = {
        .opcode = NVME_IO_WRITE, .nsid = 1, .cdw12 = blocks - 1,
    };

    fill_words(fake_at(f->host, from), bytes, offset * 1000 + blocks);
    driver_prps(f->driver, &cmd, from, bytes);
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_SUCCESS);
    cmd.opcode = NVME_IO_READ;
    cmd.prp2 = 0;
    driver_prps(f->driver, &cmd, to, bytes);
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_SUCCESS);
    g_assert_cmpmem(fake_at(f->host, to), bytes, fake_at(f->host, from), bytes);
    /* Not a byte more. */
    g_assert_cmpuint(*(uint8_t *)fake_at(f->host, to + bytes), ==, 0);
}

static void test_sizes(struct fixture *f, gconstpointer data)
{
    static const uint32_t sizes[] = { 1, 7, 8, 9, 15, 16, 17, 64, 1024 };
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        round_trip(f, 0, sizes[i]);
    }
}

static void test_offsets(struct fixture *f, gconstpointer data)
{
    static const uint32_t offsets[] = { 4, 512, 2048, 4092 };
    static const uint32_t sizes[] = { 1, 8, 9, 17, 64 };
    uint32_t i;
    uint32_t j;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(offsets); i++) {
        for (j = 0; j < G_N_ELEMENTS(sizes); j++) {
            round_trip(f, offsets[i], sizes[j]);
        }
    }
}

/* 2 MiB: 511 list entries fit in one page, with an offset it takes a chain. */
static void test_chain(struct fixture *f, gconstpointer data)
{
    (void)data;
    round_trip(f, 0, 4096);
    round_trip(f, 512, 4096);
}

/* The list may begin anywhere in a page, at its last entry even. */
static void test_list_offset(struct fixture *f, gconstpointer data)
{
    uint64_t page = driver_pages(f->driver, 2);
    uint64_t buffer = driver_pages(f->driver, 4);
    uint64_t list = page + DRIVER_PAGE - 8;
    uint64_t i;

    (void)data;
    fill_words(fake_at(f->host, buffer), 4 * DRIVER_PAGE, 77);
    le64_put(fake_at(f->host, list), page + DRIVER_PAGE);
    for (i = 0; i < 3; i++) {
        le64_put(fake_at(f->host, page + DRIVER_PAGE + i * 8),
                 buffer + (i + 1) * DRIVER_PAGE);
    }
    assert_status(exec(f, NVME_IO_WRITE, 32, buffer, list), NVME_SUCCESS);
    /* Two pages left: the last entry is data, not a chain. */
    le64_put(fake_at(f->host, page + DRIVER_PAGE - 16), buffer + DRIVER_PAGE);
    le64_put(fake_at(f->host, page + DRIVER_PAGE - 8),
             buffer + 2 * DRIVER_PAGE);
    assert_status(exec(f, NVME_IO_WRITE, 24, buffer,
                       page + DRIVER_PAGE - 16), NVME_SUCCESS);
}

/* A list page whose chain entry points to itself ends with the transfer. */
static void test_loop(struct fixture *f, gconstpointer data)
{
    uint64_t list = driver_pages(f->driver, 1);
    uint64_t buffer = driver_pages(f->driver, 1);
    uint32_t i;

    (void)data;
    for (i = 0; i < LIST_ENTRIES; i++) {
        le64_put(fake_at(f->host, list + i * 8), buffer);
    }
    assert_status(exec(f, NVME_IO_WRITE, 4096, buffer, list), NVME_SUCCESS);
    le64_put(fake_at(f->host, list + (LIST_ENTRIES - 1) * 8), list);
    assert_status(exec(f, NVME_IO_READ, 4096, buffer + 512, list),
                  NVME_SUCCESS);
}

static void test_bad_offsets(struct fixture *f, gconstpointer data)
{
    uint64_t list = driver_pages(f->driver, 1);
    uint64_t buffer = driver_pages(f->driver, 4);

    (void)data;
    assert_status(exec(f, NVME_IO_WRITE, 1, buffer + 2, 0),
                  NVME_INVALID_PRP_OFFSET);
    assert_status(exec(f, NVME_IO_WRITE, 16, buffer, buffer + DRIVER_PAGE + 8),
                  NVME_INVALID_PRP_OFFSET);
    assert_status(exec(f, NVME_IO_WRITE, 24, buffer, list + 4),
                  NVME_INVALID_PRP_OFFSET);
    le64_put(fake_at(f->host, list), buffer + DRIVER_PAGE);
    le64_put(fake_at(f->host, list + 8), buffer + 2 * DRIVER_PAGE + 512);
    assert_status(exec(f, NVME_IO_WRITE, 24, buffer, list),
                  NVME_INVALID_PRP_OFFSET);
    g_assert_cmphex(driver_status_word() & NVME_DNR, ==, NVME_DNR);
}

static void test_bad_chain(struct fixture *f, gconstpointer data)
{
    uint64_t list = driver_pages(f->driver, 1);
    uint64_t buffer = driver_pages(f->driver, 1);
    uint32_t i;

    (void)data;
    for (i = 0; i < LIST_ENTRIES; i++) {
        le64_put(fake_at(f->host, list + i * 8), buffer);
    }
    le64_put(fake_at(f->host, list + (LIST_ENTRIES - 1) * 8), list + 8);
    assert_status(exec(f, NVME_IO_READ, 4096, buffer + 512, list),
                  NVME_INVALID_PRP_OFFSET);
}

static void test_unmapped(struct fixture *f, gconstpointer data)
{
    static const uint64_t nowhere[] = { 0, FAKE_BAR, UINT64_MAX & ~4095ull };
    uint64_t buffer = driver_pages(f->driver, 4);
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        assert_status(exec(f, NVME_IO_WRITE, 1, nowhere[i], 0),
                      NVME_DATA_TRANSFER_ERROR);
        assert_status(exec(f, NVME_IO_READ, 1, nowhere[i], 0),
                      NVME_DATA_TRANSFER_ERROR);
        assert_status(exec(f, NVME_IO_WRITE, 16, buffer, nowhere[i]),
                      NVME_DATA_TRANSFER_ERROR);
        assert_status(exec(f, NVME_IO_WRITE, 24, buffer, nowhere[i]),
                      NVME_DATA_TRANSFER_ERROR);
    }
}

/* A write that could not be copied whole must leave nothing behind. */
static void test_hole_in_data(struct fixture *f, gconstpointer data)
{
    uint64_t buffer = driver_pages(f->driver, 2);

    (void)data;
    driver_write(f->driver, 1, 0, 16, 5, true);
    tag_fill(fake_at(f->host, buffer), 2 * DRIVER_PAGE, 6);
    fake_hole(f->host, 0, buffer + DRIVER_PAGE + 512, 512);
    assert_status(exec(f, NVME_IO_WRITE, 16, buffer, buffer + DRIVER_PAGE),
                  NVME_DATA_TRANSFER_ERROR);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 5);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 15, false), ==, 5);
}

static void test_sgl(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = cmd_rw(f->driver, NVME_IO_READ, 1, 0, 1, false);

    (void)data;
    cmd.flags = 1 << 6;
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_INVALID_FIELD);
    cmd.flags = 1;
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_INVALID_FIELD);
}

#define ADD(path, function) \
    g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/dptr/one-page-two-pages-lists", test_sizes);
    ADD("/dptr/first-page-may-start-at-any-dword", test_offsets);
    ADD("/dptr/list-pages-chain", test_chain);
    ADD("/dptr/list-may-start-at-any-entry", test_list_offset);
    ADD("/dptr/list-that-loops-ends-with-the-transfer", test_loop);
    ADD("/dptr/wrong-offsets-are-refused", test_bad_offsets);
    ADD("/dptr/chain-entry-with-offset-is-refused", test_bad_chain);
    ADD("/dptr/memory-that-is-not-there", test_unmapped);
    ADD("/dptr/write-that-cannot-be-copied-changes-nothing",
        test_hole_in_data);
    ADD("/dptr/sgl-and-fused-are-refused", test_sgl);
    return g_test_run();
}
