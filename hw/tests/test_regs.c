/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers (Base 3.1.3): what reads back, what is refused, what is fatal. */
#include "driver.h"

static struct fake_host *host_make(void)
{
    struct fake_config config = fake_config_default();

    return fake_new(&config);
}

static void test_capabilities(void)
{
    struct fake_host *host = host_make();
    uint64_t cap = reg_read64(host, NVME_REG_CAP);

    g_assert_cmpuint(cap & 0xFFFF, ==, 1023);           /* MQES */
    g_assert_cmpuint(cap >> 16 & 1, ==, 1);             /* CQR */
    g_assert_cmpuint(cap >> 24 & 0xFF, >, 0);           /* TO */
    g_assert_cmpuint(cap >> 32 & 0xF, ==, 0);           /* DSTRD: 4 bytes */
    g_assert_cmpuint(cap >> 37 & 1, ==, 1);             /* CSS: NVM */
    g_assert_cmpuint(cap >> 48 & 0xFF, ==, 0);          /* MPSMIN, MPSMAX */
    g_assert_cmphex(reg_read(host, NVME_REG_CAP), ==, (uint32_t)cap);
    g_assert_cmphex(reg_read(host, NVME_REG_CAP + 4), ==, cap >> 32);
    g_assert_cmphex(reg_read(host, NVME_REG_VS), ==, 0x20000);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, 0);
    g_assert_cmphex(reg_read(host, NVME_REG_CC), ==, 0);
    /* CAP.CRMS says ready with media; CRTO in the unit of CAP.TO. */
    g_assert_cmpuint(reg_read(host, NVME_REG_CRTO) & 0xFFFF, ==,
                     cap >> 24 & 0xFF);
    fake_free(host);
}

static void test_narrow_reads(void)
{
    struct fake_host *host = host_make();
    uint32_t vs = reg_read(host, NVME_REG_VS);

    g_assert_cmphex(lab_mmio_read(host->ctrl, NVME_REG_VS + 2, 1), ==,
                    vs >> 16 & 0xFF);
    g_assert_cmphex(lab_mmio_read(host->ctrl, NVME_REG_VS + 2, 2), ==,
                    vs >> 16);
    g_assert_cmphex(lab_mmio_read(host->ctrl, 0xFF8, 8), ==, 0);
    g_assert_cmphex(lab_mmio_read(host->ctrl, NVME_REG_DOORBELLS, 4), ==, 0);
    fake_free(host);
}

static void test_queue_addresses(void)
{
    struct fake_host *host = host_make();

    reg_write64(host, NVME_REG_ASQ, 0x123456789abcdfffull);
    reg_write(host, NVME_REG_ACQ, 0x9abcdfff);
    reg_write(host, NVME_REG_ACQ + 4, 0x12345678);
    reg_write(host, NVME_REG_AQA, 0xFFFFFFFF);
    g_assert_cmphex(reg_read64(host, NVME_REG_ASQ), ==, 0x123456789abcd000ull);
    g_assert_cmphex(reg_read64(host, NVME_REG_ACQ), ==, 0x123456789abcd000ull);
    g_assert_cmphex(reg_read(host, NVME_REG_AQA), ==, 0x0FFF0FFF);
    fake_free(host);
}

static void test_interrupt_mask(void)
{
    struct fake_host *host = host_make();

    reg_write(host, NVME_REG_INTMS, 0xF0);
    reg_write(host, NVME_REG_INTMS, 0x0F);
    reg_write(host, NVME_REG_INTMC, 0x11);
    g_assert_cmphex(reg_read(host, NVME_REG_INTMS), ==, 0xEE);
    g_assert_cmphex(reg_read(host, NVME_REG_INTMC), ==, 0xEE);
    fake_free(host);
}

static void test_read_only(void)
{
    struct fake_host *host = host_make();
    uint64_t offset;

    for (offset = 0; offset < 0x40; offset += 4) {
        if (offset == NVME_REG_CAP || offset == NVME_REG_CAP + 4 ||
            offset == NVME_REG_VS || offset == NVME_REG_CSTS) {
            uint32_t before = reg_read(host, offset);

            reg_write(host, offset, ~before);
            g_assert_cmphex(reg_read(host, offset), ==, before);
        }
    }
    g_assert_cmpuint(host->log_lines[LAB_LOG_GUEST], ==, 4);
    fake_free(host);
}

static void test_bad_access(void)
{
    struct fake_host *host = host_make();

    lab_mmio_write(host->ctrl, NVME_REG_INTMS, 0xFF, 1);
    lab_mmio_write(host->ctrl, NVME_REG_INTMS, 0xFF, 2);
    lab_mmio_write(host->ctrl, NVME_REG_INTMS + 2, 0xFF, 4);
    lab_mmio_write(host->ctrl, NVME_REG_INTMS, 0xFF, 8);
    g_assert_cmphex(reg_read(host, NVME_REG_INTMS), ==, 0);
    g_assert_cmpuint(host->log_lines[LAB_LOG_GUEST], ==, 4);
    fake_free(host);
}

static void enable_with(struct fake_host *host, uint32_t cc, uint32_t aqa)
{
    reg_write(host, NVME_REG_AQA, aqa);
    reg_write64(host, NVME_REG_ASQ, FAKE_RAM_BASE);
    reg_write64(host, NVME_REG_ACQ, FAKE_RAM_BASE + 0x10000);
    reg_write(host, NVME_REG_CC, cc);
    fake_run(host);
}

static void test_enable(void)
{
    struct fake_host *host = host_make();

    enable_with(host, DRIVER_CC, 31 << 16 | 31);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    reg_write(host, NVME_REG_CC, DRIVER_CC & ~NVME_CC_EN);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, 0);
    /* The admin queue registers survive a controller reset (Base 3.7.2). */
    g_assert_cmphex(reg_read(host, NVME_REG_AQA), ==, 31 << 16 | 31);
    g_assert_cmphex(reg_read64(host, NVME_REG_ASQ), ==, FAKE_RAM_BASE);
    enable_with(host, DRIVER_CC | 6 << 4, 31 << 16 | 31);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    fake_free(host);
}

static void test_enable_refused(void)
{
    static const struct {
        uint32_t cc;
        uint32_t aqa;
    } wrong[] = {
        { DRIVER_CC | 1 << 7, 31 << 16 | 31 },          /* MPS: 8 KiB */
        { DRIVER_CC | 1 << 4, 31 << 16 | 31 },          /* CSS: reserved */
        { DRIVER_CC | 7 << 4, 31 << 16 | 31 },          /* CSS: admin only */
        { DRIVER_CC | 1 << 11, 31 << 16 | 31 },         /* AMS: weighted */
        { DRIVER_CC, 0 << 16 | 31 },                    /* ACQS: one entry */
        { DRIVER_CC, 31 << 16 | 0 },                    /* ASQS: one entry */
    };
    uint32_t i;

    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct fake_host *host = host_make();

        enable_with(host, wrong[i].cc, wrong[i].aqa);
        g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, NVME_CSTS_CFS);
        g_assert_cmpuint(host->log_lines[LAB_LOG_GUEST], ==, 1);
        reg_write(host, NVME_REG_CC, 0);
        g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, 0);
        enable_with(host, DRIVER_CC, 31 << 16 | 31);
        g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
        fake_free(host);
    }
}

static void test_bar_size(void)
{
    struct lab_config config = LAB_CONFIG_DEFAULT;

    config.io_queue_pairs_max = 4;
    g_assert_cmphex(lab_bar_size(&config), ==, 0x4000);
    config.io_queue_pairs_max = 1024;
    g_assert_cmpuint(lab_bar_size(&config), >=, 0x1000 + 1025 * 8);
    g_assert_cmpuint(lab_bar_size(&config) & (lab_bar_size(&config) - 1), ==,
                     0);
}

static void test_past_the_end(void)
{
    struct fake_host *host = host_make();
    struct driver *driver = driver_up(host);
    uint64_t end = lab_bar_size(&host->config.drive);

    reg_write(host, end - 4, 5);
    reg_write(host, end - 8, 5);
    g_assert_cmphex(reg_read(host, end - 4), ==, 0);
    g_assert_cmpuint(host->log_lines[LAB_LOG_GUEST], ==, 2);
    driver_free(driver);
    fake_free(host);
}

static void test_reset_clears(void)
{
    struct fake_host *host = host_make();
    struct driver *driver = driver_up(host);

    reg_write(host, NVME_REG_INTMS, 0xFF);
    lab_reset(host->ctrl);
    g_assert_cmphex(reg_read(host, NVME_REG_CC), ==, 0);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS), ==, 0);
    g_assert_cmphex(reg_read(host, NVME_REG_AQA), ==, 0);
    g_assert_cmphex(reg_read64(host, NVME_REG_ASQ), ==, 0);
    g_assert_cmphex(reg_read64(host, NVME_REG_ACQ), ==, 0);
    g_assert_cmphex(reg_read(host, NVME_REG_INTMS), ==, 0);
    driver_free(driver);
    fake_free(host);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/regs/capabilities", test_capabilities);
    g_test_add_func("/regs/narrow-reads", test_narrow_reads);
    g_test_add_func("/regs/queue-addresses-are-page-aligned",
                    test_queue_addresses);
    g_test_add_func("/regs/interrupt-mask", test_interrupt_mask);
    g_test_add_func("/regs/read-only-registers-stay", test_read_only);
    g_test_add_func("/regs/odd-accesses-change-nothing", test_bad_access);
    g_test_add_func("/regs/enable-and-disable", test_enable);
    g_test_add_func("/regs/impossible-configuration-is-fatal",
                    test_enable_refused);
    g_test_add_func("/regs/bar-holds-all-doorbells", test_bar_size);
    g_test_add_func("/regs/beyond-the-last-doorbell", test_past_the_end);
    g_test_add_func("/regs/reset-clears-all", test_reset_clears);
    return g_test_run();
}
