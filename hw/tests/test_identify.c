/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identify, byte by byte where Linux 6.12 reads it (drivers/nvme/host/core.c:
 * nvme_init_identify, nvme_update_ns_info, nvme_identify_ns_descs). Offsets are
 * written as numbers on purpose: the test must not share a structure with the
 * code that it judges.
 */
#include <string.h>

#include "bytes.h"
#include "fixture.h"

static uint8_t *identify(struct fixture *f, uint8_t cns, uint32_t nsid)
{
    struct nvme_command cmd = cmd_identify(f->driver, cns, nsid);
    uint8_t *page = fake_at(f->host, f->driver->buffer);

    memset(page, 0xA5, 2 * DRIVER_PAGE);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    /* 4096 bytes, not one more. */
    g_assert_cmphex(page[4096], ==, 0xA5);
    return page;
}

static uint16_t identify_status(struct fixture *f, uint8_t cns, uint32_t nsid,
                                uint32_t cdw11)
{
    struct nvme_command cmd = cmd_identify(f->driver, cns, nsid);

    cmd.cdw11 = cdw11;
    return driver_exec(f->driver, 0, &cmd);
}

static void with_limits(struct fake_config *config)
{
    config->ns_count = 2;
    config->drive.mdts = 5;
    config->drive.awun_0based = 7;
    config->drive.serial = "SERIAL-1";
}

/* Namespace 1: all given; 2: units derived; 3: nothing. */
static void with_atomic(struct fake_config *config)
{
    config->ns_count = 3;
    config->drive.awun_0based = 3;
    config->atomic[0] = (struct lab_atomic) { 31, 15, 63, 47, 9 };
    config->atomic[1] = (struct lab_atomic) { .nawupf_0based = 7 };
}

static void with_awupf(struct fake_config *config)
{
    config->drive.awupf_0based = 7;
}

static void with_boundary(struct fake_config *config)
{
    config->drive.awun_0based = 9;
    config->drive.awupf_0based = 7;
    config->atomic[0] = (struct lab_atomic) { .nabspf_0based = 15 };
}

static void no_vwc(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

static void with_4k(struct fake_config *config)
{
    config->block_size_bytes = 4096;
    config->block_count = 100;
}

static void test_ctrl(struct fixture *f, gconstpointer data)
{
    const uint8_t *id = identify(f, 1, 0);

    (void)data;
    g_assert_cmphex(le16_get(id + 0), ==, 0x1b36);          /* VID */
    g_assert_cmphex(le16_get(id + 2), ==, 0x1af4);          /* SSVID */
    g_assert_cmpmem(id + 4, 20, "SERIAL-1            ", 20);
    g_assert_cmpmem(id + 24, 8, "nvmelab ", 8);
    g_assert_cmphex(id[24 + 39], ==, ' ');
    g_assert_cmphex(id[77], ==, 5);                         /* MDTS */
    g_assert_cmphex(le32_get(id + 80), ==, 0x20000);        /* VER */
    g_assert_cmphex(id[111], ==, 1);                        /* CNTRLTYPE */
    g_assert_cmphex(le16_get(id + 256), ==, 0x100); /* OACS: Doorbell Buffer
                                                           Config */
    g_assert_cmphex(id[259], ==, 3);                    /* AERL, 0's based */
    g_assert_cmphex(id[261] & 2, ==, 2);                    /* LPA: effects */
    g_assert_cmphex(id[262], ==, 63);                       /* ELPE */
    g_assert_cmphex(id[263], ==, 0);                        /* NPSS */
    g_assert_cmphex(id[512], ==, 0x66);                     /* SQES */
    g_assert_cmphex(id[513], ==, 0x44);                     /* CQES */
    g_assert_cmpuint(le32_get(id + 516), ==, 256);          /* NN */
    g_assert_cmphex(le16_get(id + 520), ==, 0xD);   /* ONCS: Compare, DSM,
                                                           Write Zeroes */
    g_assert_cmphex(id[525], ==, 7);                        /* VWC, flush all */
    g_assert_cmpuint(le16_get(id + 526), ==, 7);            /* AWUN */
    g_assert_cmpuint(le16_get(id + 528), ==, 0);            /* AWUPF */
    g_assert_cmphex(le32_get(id + 536), ==, 0);             /* SGLS */
    g_assert_true(g_str_has_prefix((const char *)id + 768,
                                   "nqn.2014-08.org.nvmexpress:uuid:"));
    g_assert_cmpuint(strlen((const char *)id + 768), ==, 32 + 36);
    g_assert_cmpuint(le16_get(id + 2048), >, 0);            /* PSD0.MP */
}

/* AWUPF ≤ AWUN */
static void test_awupf(struct fixture *f, gconstpointer data)
{
    const uint8_t *id = identify(f, 1, 0);

    (void)data;
    g_assert_cmpuint(le16_get(id + 526), ==, 7);
    g_assert_cmpuint(le16_get(id + 528), ==, 7);
}

static void test_ctrl_no_vwc(struct fixture *f, gconstpointer data)
{
    const uint8_t *id = identify(f, 1, 0);

    (void)data;
    g_assert_cmphex(id[525] & 1, ==, 0);
    g_assert_cmphex(id[525] >> 1, ==, 3);
}

/* NSFEAT bit 1 (NSABP), NAWUN to NABSPF but for NACWU, which stays 0. */
static void assert_atomic(const uint8_t *id, bool has_own,
                          struct lab_atomic want)
{
    g_assert_cmphex(id[24], ==, has_own ? 2 : 0);
    g_assert_cmpuint(le16_get(id + 34), ==, want.nawun_0based);
    g_assert_cmpuint(le16_get(id + 36), ==, want.nawupf_0based);
    g_assert_cmpuint(le16_get(id + 38), ==, 0);             /* NACWU */
    g_assert_cmpuint(le16_get(id + 40), ==, want.nabsn_0based);
    g_assert_cmpuint(le16_get(id + 42), ==, want.nabo);
    g_assert_cmpuint(le16_get(id + 44), ==, want.nabspf_0based);
}

static void test_atomic(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_atomic(identify(f, 0, 1), true,
                  (struct lab_atomic) { 31, 15, 63, 47, 9 });
    assert_atomic(identify(f, 0, 2), true,
                  (struct lab_atomic) { 7, 7, 0, 0, 0 });
    assert_atomic(identify(f, 0, 3), false, (struct lab_atomic) { 0 });
}

/* With NSABP set Linux takes NAWUPF, and only then looks at the boundary. */
static void test_boundary(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_atomic(identify(f, 0, 1), true,
                  (struct lab_atomic) { 9, 7, 0, 15, 0 });
}

static void test_ns(struct fixture *f, gconstpointer data)
{
    const uint8_t *id = identify(f, 0, 1);
    static const uint8_t none[16];

    (void)data;
    g_assert_cmpuint(le64_get(id + 0), ==, 64);             /* NSZE */
    g_assert_cmpuint(le64_get(id + 8), ==, 64);             /* NCAP */
    g_assert_cmpuint(le64_get(id + 16), ==, 64);            /* NUSE */
    g_assert_cmphex(id[24], ==, 0);                         /* NSFEAT */
    g_assert_cmphex(id[25], ==, 0);                         /* NLBAF */
    g_assert_cmphex(id[26], ==, 0);                         /* FLBAS */
    g_assert_cmphex(id[29], ==, 0);                         /* DPS */
    g_assert_cmphex(id[30], ==, 0);                         /* NMIC */
    g_assert_cmphex(id[33], ==, 9);     /* DLFEAT: zeroes, and DEAC */
    assert_atomic(id, false, (struct lab_atomic) { 0 });
    g_assert_true(memcmp(id + 104, none, 16) != 0);         /* NGUID */
    g_assert_cmphex(le32_get(id + 128), ==, 9 << 16);       /* LBAF0: 512 */
}

static void test_ns_4k(struct fixture *f, gconstpointer data)
{
    const uint8_t *id = identify(f, 0, 1);

    (void)data;
    g_assert_cmpuint(le64_get(id + 0), ==, 100);
    g_assert_cmphex(le32_get(id + 128), ==, 12 << 16);
}

static void test_absent_ns(struct fixture *f, gconstpointer data)
{
    static const uint8_t zeros[4096];

    (void)data;
    g_assert_cmpmem(identify(f, 0, 3), 4096, zeros, 4096);
    assert_status(identify_status(f, 0, 0, 0), NVME_INVALID_NAMESPACE);
    assert_status(identify_status(f, 0, 257, 0), NVME_INVALID_NAMESPACE);
    assert_status(identify_status(f, 0, NVME_NSID_ALL, 0),
                  NVME_INVALID_NAMESPACE);
    assert_status(identify_status(f, 3, 3, 0), NVME_INVALID_NAMESPACE);
    assert_status(identify_status(f, 8, 0, 0), NVME_INVALID_NAMESPACE);
    assert_status(identify_status(f, 8, 300, 0), NVME_INVALID_NAMESPACE);
}

static void test_active_list(struct fixture *f, gconstpointer data)
{
    const uint8_t *list = identify(f, 2, 0);

    (void)data;
    g_assert_cmpuint(le32_get(list + 0), ==, 1);
    g_assert_cmpuint(le32_get(list + 4), ==, 2);
    g_assert_cmpuint(le32_get(list + 8), ==, 0);
    list = identify(f, 2, 1);
    g_assert_cmpuint(le32_get(list + 0), ==, 2);
    g_assert_cmpuint(le32_get(list + 4), ==, 0);
    list = identify(f, 2, 2);
    g_assert_cmpuint(le32_get(list + 0), ==, 0);
    assert_status(identify_status(f, 2, NVME_NSID_ALL, 0),
                  NVME_INVALID_NAMESPACE);
    assert_status(identify_status(f, 2, NVME_NSID_ALL - 1, 0),
                  NVME_INVALID_NAMESPACE);
    list = identify(f, 7, 0);
    g_assert_cmpuint(le32_get(list + 0), ==, 1);
}

/* Type 3 (UUID), 16 bytes; type 4 (command set), 1 byte; end. */
static void test_descriptors(struct fixture *f, gconstpointer data)
{
    uint8_t first[16];
    const uint8_t *list = identify(f, 3, 1);

    (void)data;
    g_assert_cmphex(le16_get(list + 0), ==, 16 << 8 | 3);
    g_assert_cmphex(list[4 + 6] >> 4, ==, 8);               /* UUID version */
    g_assert_cmphex(list[4 + 8] >> 6, ==, 2);               /* variant */
    g_assert_cmphex(le16_get(list + 20), ==, 1 << 8 | 4);
    g_assert_cmphex(list[24], ==, 0);                       /* NVM */
    g_assert_cmphex(le32_get(list + 25), ==, 0);
    memcpy(first, list + 4, 16);
    list = identify(f, 3, 2);
    g_assert_true(memcmp(first, list + 4, 16) != 0);
}

static void test_independent(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(identify(f, 8, 1)[14], ==, 1);          /* NSTAT: ready */
    g_assert_cmphex(identify(f, 8, 1)[0], ==, 0);           /* NSFEAT */
    g_assert_cmphex(identify(f, 8, 7)[14], ==, 0);
}

static void test_command_sets(struct fixture *f, gconstpointer data)
{
    static const uint8_t zeros[4096];

    (void)data;
    g_assert_cmphex(le64_get(identify(f, 0x1C, 0)), ==, 1);
    g_assert_cmpmem(identify(f, 5, 1), 4096, zeros, 4096);
    /* VSL to DMRL unlimited, DMRSL, DMSL unlimited. */
    g_assert_cmphex(le32_get(identify(f, 6, 0)), ==, 0);
    g_assert_cmpuint(le32_get(identify(f, 6, 0) + 4), ==, 65536);
    g_assert_cmpmem(identify(f, 6, 0) + 8, 4088, zeros, 4088);
    assert_status(identify_status(f, 5, 1, 2u << 24), NVME_INVALID_FIELD);
    assert_status(identify_status(f, 6, 0, 2u << 24), NVME_INVALID_FIELD);
    assert_status(identify_status(f, 7, 0, 2u << 24), NVME_INVALID_FIELD);
    assert_status(identify_status(f, 5, 0, 0), NVME_INVALID_NAMESPACE);
}

static void test_unknown_cns(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_status(identify_status(f, 0x10, 1, 0), NVME_INVALID_FIELD);
    assert_status(identify_status(f, 0xFF, 1, 0), NVME_INVALID_FIELD);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/identify/controller", with_limits, test_ctrl);
    FIXTURE_TEST("/identify/controller-without-cache", no_vwc,
                 test_ctrl_no_vwc);
    FIXTURE_TEST("/identify/awun-is-not-below-awupf", with_awupf, test_awupf);
    FIXTURE_TEST("/identify/namespace", NULL, test_ns);
    FIXTURE_TEST("/identify/namespace-4k", with_4k, test_ns_4k);
    FIXTURE_TEST("/identify/atomic-units-and-boundaries", with_atomic,
                 test_atomic);
    FIXTURE_TEST("/identify/a-boundary-brings-the-controllers-unit",
                 with_boundary, test_boundary);
    FIXTURE_TEST("/identify/absent-namespaces", NULL, test_absent_ns);
    FIXTURE_TEST("/identify/active-list", with_limits, test_active_list);
    FIXTURE_TEST("/identify/descriptors", with_limits, test_descriptors);
    FIXTURE_TEST("/identify/independent-namespace", NULL, test_independent);
    FIXTURE_TEST("/identify/command-sets", NULL, test_command_sets);
    FIXTURE_TEST("/identify/unknown-cns", NULL, test_unknown_cns);
    return g_test_run();
}
