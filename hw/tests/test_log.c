/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log pages (Base 5.16). Offsets as numbers, as in test_identify.c. */
#include <string.h>

#include "bytes.h"
#include "fixture.h"

static uint8_t *get(struct fixture *f, uint8_t lid, uint32_t bytes)
{
    struct nvme_command cmd = cmd_get_log(f->driver, lid, bytes);
    uint8_t *page = fake_at(f->host, f->driver->buffer);

    memset(page, 0xA5, 2 * DRIVER_PAGE);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    return page;
}

static void test_supported(struct fixture *f, gconstpointer data)
{
    const uint8_t *page = get(f, 0, 1024);
    uint32_t lid;

    (void)data;
    for (lid = 0; lid < 256; lid++) {
        struct nvme_command cmd = cmd_get_log(f->driver, lid, 4);
        bool is_listed = le32_get(page + lid * 4) & 1;

        g_assert_cmpint(driver_exec(f->driver, 0, &cmd) == NVME_SUCCESS, ==,
                        is_listed);
        page = get(f, 0, 1024);
    }
}

static void test_effects(struct fixture *f, gconstpointer data)
{
    const uint8_t *page = get(f, 5, 4096);

    (void)data;
    g_assert_cmphex(le32_get(page + 0x06 * 4), ==, 1);      /* Identify */
    g_assert_cmphex(le32_get(page + 0x7C * 4), ==, 1); /* Doorbell Buffer */
    g_assert_cmphex(le32_get(page + LAB_OP_MARK * 4), ==, 1);
    g_assert_cmphex(le32_get(page + 1024 + 0x00 * 4), ==, 1); /* Flush */
    g_assert_cmphex(le32_get(page + 1024 + 0x01 * 4), ==, 3); /* Write: LBCC */
    g_assert_cmphex(le32_get(page + 1024 + 0x02 * 4), ==, 1); /* Read */
    g_assert_cmphex(le32_get(page + 1024 + 0x05 * 4), ==, 1); /* Compare */
    g_assert_cmphex(le32_get(page + 1024 + 0x08 * 4), ==, 3); /* Zeroes */
    g_assert_cmphex(le32_get(page + 1024 + 0x09 * 4), ==, 3); /* DSM */
    g_assert_cmphex(le32_get(page + 1024 + 0x0D * 4), ==, 0);
}

static void test_features(struct fixture *f, gconstpointer data)
{
    const uint8_t *page = get(f, 0x12, 1024);

    (void)data;
    /* Bit 0 supported, bit 21 controller scope, not bit 20 (namespace). */
    g_assert_cmphex(le32_get(page + 6 * 4), ==, 1 | 1 << 21);
    g_assert_cmphex(le32_get(page + 3 * 4), ==, 0);
}

static void test_error_entries(struct fixture *f, gconstpointer data)
{
    struct nvme_command bad = cmd_rw(f->driver, NVME_IO_READ, 1, 1000, 1,
                                     false);
    const uint8_t *page;
    uint32_t i;

    (void)data;
    g_assert_cmpuint(le64_get(get(f, 1, 64)), ==, 0);
    for (i = 0; i < 70; i++) {
        assert_status(driver_exec(f->driver, 1, &bad), NVME_LBA_OUT_OF_RANGE);
        g_assert_cmphex(driver_status_word() & NVME_MORE, ==, NVME_MORE);
    }
    page = get(f, 1, 4096);
    g_assert_cmpuint(le64_get(page + 0), ==, 70);           /* newest first */
    g_assert_cmpuint(le16_get(page + 8), ==, 1);            /* SQ */
    g_assert_cmphex(le16_get(page + 12) >> 1 & 0x7FF, ==,
                    NVME_LBA_OUT_OF_RANGE);
    g_assert_cmphex(le16_get(page + 14), ==, 0xFFFF);
    g_assert_cmpuint(le64_get(page + 16), ==, 1000);
    g_assert_cmpuint(le32_get(page + 24), ==, 1);
    g_assert_cmpuint(le64_get(page + 63 * 64), ==, 7);
}

static void test_smart(struct fixture *f, gconstpointer data)
{
    const uint8_t *page;

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_read_tag(f->driver, 1, 0, false);
    page = get(f, 2, 512);
    g_assert_cmphex(page[0], ==, 0);
    g_assert_cmpuint(le16_get(page + 1), >, 273);
    g_assert_cmpuint(page[3], ==, 100);
    g_assert_cmpuint(le64_get(page + 64), ==, 1);           /* reads */
    g_assert_cmpuint(le64_get(page + 80), ==, 2);           /* writes */
    g_assert_cmpuint(le64_get(page + 112), ==, 1);          /* power cycles */
    g_assert_cmpuint(le64_get(page + 144), ==, 0);          /* unsafe */
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    page = get(f, 2, 512);
    g_assert_cmpuint(le64_get(page + 112), ==, 2);
    g_assert_cmpuint(le64_get(page + 144), ==, 1);
}

static void test_smart_nsid(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = cmd_get_log(f->driver, 2, 512);

    (void)data;
    cmd.nsid = NVME_NSID_ALL;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    cmd.nsid = 1;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
}

static void test_firmware(struct fixture *f, gconstpointer data)
{
    const uint8_t *page = get(f, 3, 512);

    (void)data;
    g_assert_cmphex(page[0], ==, 1);
    g_assert_cmpmem(page + 8, 8, "1       ", 8);
}

static void test_offset(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = cmd_get_log(f->driver, 5, 16);
    uint8_t *page = fake_at(f->host, f->driver->buffer);

    (void)data;
    cmd.cdw12 = 1024;
    memset(page, 0xA5, 64);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmphex(le32_get(page + 4), ==, 3);             /* Write */
    g_assert_cmphex(page[16], ==, 0xA5);
    cmd.cdw12 = 2;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw12 = 8192;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw12 = 0;
    cmd.cdw13 = 1;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
}

/* Asked for more than there is: the page, and not a byte behind it. */
static void test_length(struct fixture *f, gconstpointer data)
{
    const uint8_t *page = get(f, 2, 4096);

    (void)data;
    g_assert_cmphex(page[512], ==, 0xA5);
    page = get(f, 2, 0x100000);
    g_assert_cmphex(page[512], ==, 0xA5);
    page = get(f, 2, 4);
    g_assert_cmphex(page[4], ==, 0xA5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/log/supported-pages-are-supported", NULL, test_supported);
    FIXTURE_TEST("/log/effects", NULL, test_effects);
    FIXTURE_TEST("/log/features-have-controller-scope", NULL, test_features);
    FIXTURE_TEST("/log/errors-newest-first", NULL, test_error_entries);
    FIXTURE_TEST("/log/smart-counts-power-cuts", NULL, test_smart);
    FIXTURE_TEST("/log/smart-is-per-controller", NULL, test_smart_nsid);
    FIXTURE_TEST("/log/firmware", NULL, test_firmware);
    FIXTURE_TEST("/log/offset", NULL, test_offset);
    FIXTURE_TEST("/log/length", NULL, test_length);
    return g_test_run();
}
