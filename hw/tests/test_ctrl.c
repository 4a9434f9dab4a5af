/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller's life and P8: whatever happens to the controller, data is
 * lost by a power cut only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void up_again(struct fixture *f)
{
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

static uint32_t shst(struct fixture *f)
{
    return reg_read(f->host, NVME_REG_CSTS) & NVME_CSTS_SHST_MASK;
}

static void notify_shutdown(struct fixture *f, uint32_t how)
{
    reg_write(f->host, NVME_REG_CC,
              (reg_read(f->host, NVME_REG_CC) & ~(3u << 14)) | how << 14);
}

static void tiny_cache(struct fake_config *config)
{
    config->drive.cache_size_bytes = 4096;
}

static void flush_lie(struct fake_config *config)
{
    config->drive.lie = LAB_LIE_FLUSH;
}

static void two_namespaces(struct fake_config *config)
{
    config->ns_count = 2;
}

/* -- Disable and reset ---------------------------------------------------- */

static void test_disable_keeps(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    driver_disable(f->driver);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
    g_assert_cmpuint(driver_stat(f->driver).resets, ==, 1);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 1);
}

static void test_reset_keeps(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    lab_reset(f->host->ctrl);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_RESET), ==, 1);
    /* Still unpromised: a cut takes it. */
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 4 * 512);
}

static void test_disable_in_flight(struct fixture *f, gconstpointer data)
{
    struct nvme_command read = cmd_rw(f->driver, NVME_IO_READ, 1, 40, 4, false);
    struct nvme_command flush = cmd_flush(1);
    uint64_t buffer = f->driver->buffer;
    const struct lab_trace_command *command;
    uint32_t index = 0;
    uint32_t unanswered = 0;

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_send_write(f->driver, 1, 1, 1, 2, true);
    driver_send(f->driver, 1, &flush);
    tag_fill(fake_at(f->host, buffer), 2048, 77);
    driver_send(f->driver, 1, &read);
    fake_run(f->host);
    g_assert_cmpuint(fake_waiting(f->host), >=, 3);
    driver_disable(f->driver);
    while ((command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &index))) {
        unanswered += !!(command->flags & LAB_TRACE_NO_CQE);
    }
    g_assert_cmpuint(unanswered, ==, 3);
    fake_finish(f->host);
    /* The read of a queue that is gone touches no memory. */
    g_assert_cmpuint(tag_of(fake_at(f->host, buffer), 512), ==, 77);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 2);
}

/* A write that waits for room has not begun when the controller goes away. */
static void test_never_visible(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 8, 1, false);
    driver_send_write(f->driver, 1, 20, 8, 2, false);
    fake_run(f->host);
    g_assert_cmpuint(fake_waiting(f->host), >, 0);
    driver_disable(f->driver);
    fake_finish(f->host);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 20, false), ==, 0);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 20, false), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
}

static void test_reset_under_load(struct fixture *f, gconstpointer data)
{
    uint32_t round;

    (void)data;
    for (round = 1; round <= 20; round++) {
        uint32_t i;

        for (i = 0; i < 8; i++) {
            driver_write(f->driver, 1, i, 1, round * 10 + i, false);
            driver_send_write(f->driver, 1, 8 + i, 1, round, i % 2);
        }
        f->driver->page_next -= 16 * DRIVER_PAGE;
        fake_run(f->host);
        if (round % 2) {
            lab_reset(f->host->ctrl);
        } else {
            driver_disable(f->driver);
        }
        if (round % 3 == 0) {
            fake_finish(f->host);
        }
        up_again(f);
        for (i = 0; i < 8; i++) {
            g_assert_cmpuint(driver_read_tag(f->driver, 1, i, false), ==,
                             round * 10 + i);
        }
    }
}

static void test_reenable_while_busy(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 1, true);
    fake_run(f->host);
    driver_disable(f->driver);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
    /* The orphan's data is older than what the new driver writes. */
    driver_write(f->driver, 1, 0, 1, 2, true);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 2);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 2);
}

/* -- Shutdown ------------------------------------------------------------- */

static void shutdown_is_durable(struct fixture *f, uint32_t how)
{
    driver_write(f->driver, 1, 0, 4, 1, false);
    notify_shutdown(f, how);
    g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_OCCURRING);
    fake_run(f->host);
    while (fake_waiting(f->host)) {
        g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_OCCURRING);
        fake_step_any(f->host, 0);
        fake_run(f->host);
    }
    g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_COMPLETE);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 1);
    g_assert_cmpuint(f->host->stores[0].flushes, ==, 1);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_SHUTDOWN), ==, 1);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    g_assert_cmphex(shst(f), ==, 0);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
}

static void test_shutdown_normal(struct fixture *f, gconstpointer data)
{
    (void)data;
    shutdown_is_durable(f, 1);
}

static void test_shutdown_abrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    shutdown_is_durable(f, 2);
}

static void test_shutdown_all(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 2, 0, 1, 2, false);
    notify_shutdown(f, 1);
    fake_finish(f->host);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 2, 0), ==, 2);
}

/* Disabled in the middle: the end of the first is not that of the second. */
static void test_second_shutdown(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    notify_shutdown(f, 1);
    fake_run(f->host);
    driver_disable(f->driver);
    g_assert_cmphex(shst(f), ==, 0);
    up_again(f);
    driver_write(f->driver, 2, 0, 1, 2, false);
    fake_finish(f->host);
    g_assert_cmphex(shst(f), ==, 0);
    driver_write(f->driver, 1, 1, 1, 3, false);
    notify_shutdown(f, 1);
    fake_finish(f->host);
    g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_COMPLETE);
    g_assert_cmpuint(medium_tag(f->host, 1, 1), ==, 3);
}

static void test_second_waits(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    notify_shutdown(f, 1);
    fake_run(f->host);
    /* Its medium write is under way; keep it there over the reset. */
    g_assert_cmpuint(fake_waiting(f->host), ==, 1);
    driver_disable(f->driver);
    driver_enable(f->driver, 8);
    g_assert_cmpuint(fake_waiting(f->host), ==, 1);
    notify_shutdown(f, 1);
    g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_OCCURRING);
    fake_step(f->host, 1, 0);
    fake_run(f->host);
    while (fake_waiting(f->host) > 1) {
        fake_step(f->host, 1, 0);
        fake_run(f->host);
    }
    g_assert_cmpuint(fake_waiting(f->host), ==, 1);
    g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_OCCURRING);
    fake_finish(f->host);
    g_assert_cmphex(shst(f), ==, NVME_CSTS_SHST_COMPLETE);
}

static void test_shutdown_error(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    f->host->stores[0].error = -EIO;
    notify_shutdown(f, 1);
    fake_finish(f->host);
    g_assert_cmphex(shst(f), !=, NVME_CSTS_SHST_COMPLETE);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS) & NVME_CSTS_CFS, ==,
                    NVME_CSTS_CFS);
    f->host->stores[0].error = 0;
}

static void test_shutdown_liar(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    notify_shutdown(f, 1);
    fake_finish(f->host);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
}

/* -- Configuration -------------------------------------------------------- */

static const struct lab_host_ops *no_ops(void)
{
    static const struct lab_host_ops ops;

    return &ops;
}

static void expect_refusal(const struct lab_config *config, const char *value)
{
    char *error = NULL;

    g_assert_null(lab_ctrl_new(config, no_ops(), NULL, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(g_strstr_len(error, -1, value));
    g_assert_null(strchr(error, '\n'));
    free(error);
}

static struct lab_config config_default(void)
{
    struct lab_config config = LAB_CONFIG_DEFAULT;

    config.serial = "X";
    return config;
}

#define REFUSE(field, wrong, text) \
    do { \
        struct lab_config config_ = config_default(); \
        config_.field = wrong; \
        expect_refusal(&config_, text); \
    } while (0)

static void test_config_refused(void)
{
    REFUSE(serial, "", "serial");
    REFUSE(serial, NULL, "serial");
    REFUSE(serial, "123456789012345678901", "123456789012345678901");
    REFUSE(serial, "a\tb", "serial");
    REFUSE(cache_size_bytes, 0, "cache-size=0");
    REFUSE(io_queue_pairs_max, 0, "=0");
    REFUSE(io_queue_pairs_max, 1025, "=1025");
    REFUSE(queue_entries_max, 1, "=1");
    REFUSE(queue_entries_max, 32769, "=32769");
    REFUSE(mdts, 0, "mdts=0");
    REFUSE(mdts, 10, "mdts=10");
    REFUSE(irq_vectors, 0, "=0");
    REFUSE(floor_latency_ns, UINT64_MAX, "floor-latency");
    REFUSE(lie, LAB_LIE_COUNT, "lie");
}

static void expect_ns_refusal(struct fixture *f,
                              const struct lab_ns_config *config,
                              const char *value)
{
    char *error = NULL;

    g_assert_false(lab_ns_add(f->host->ctrl, config, &error));
    g_assert_nonnull(g_strstr_len(error, -1, value));
    free(error);
}

static void test_ns_refused(struct fixture *f, gconstpointer data)
{
    struct lab_ns_config ns = {
        .nsid = 2, .block_size_bytes = 512, .size_bytes = 1 << 20,
    };

    (void)data;
    ns.nsid = 0;
    expect_ns_refusal(f, &ns, "nsid=0");
    ns.nsid = 257;
    expect_ns_refusal(f, &ns, "nsid=257");
    ns.nsid = 1;
    expect_ns_refusal(f, &ns, "nsid=1");
    ns.nsid = 2;
    ns.block_size_bytes = 1024;
    expect_ns_refusal(f, &ns, "1024");
    ns.block_size_bytes = 512;
    ns.size_bytes = 1000;
    expect_ns_refusal(f, &ns, "1000");
    ns.size_bytes = 0;
    expect_ns_refusal(f, &ns, "0 bytes");
}

static void test_awun_refused(void)
{
    struct lab_config config = config_default();
    char *error = NULL;

    config.awun_0based = 3;
    config.awupf_0based = 4;
    g_assert_null(lab_ctrl_new(&config, no_ops(), NULL, &error));
    g_assert_cmpstr(error, ==, "awun=3: below awupf=4");
    free(error);
}

static void test_awupf_needs_meta(void)
{
    struct lab_config config = config_default();
    struct lab_ns_config ns = {
        .nsid = 2, .block_size_bytes = 512, .size_bytes = 1 << 20,
    };
    struct lab_ctrl *ctrl;
    char *error = NULL;

    config.awupf_0based = 7;
    ctrl = lab_ctrl_new(&config, no_ops(), NULL, &error);
    g_assert_nonnull(ctrl);
    g_assert_false(lab_ns_add(ctrl, &ns, &error));
    g_assert_nonnull(g_strstr_len(error, -1, "awupf=7"));
    free(error);
    lab_ctrl_free(ctrl);
}

static void test_atomic_refused(void)
{
    static const struct {
        struct lab_atomic atomic;
        const char *want;
    } table[] = {
        { { .nawupf_0based = 128 }, "nawupf=128: must be 0..127" },
        { { .nawupf_0based = 2 }, "nawupf=2: below awupf=3" },
        { { .nawun_0based = 6 }, "nawun=6: below awun=7" },
        { { .nawun_0based = 8, .nawupf_0based = 9 },
          "nawun=8: below nawupf=9" },
        { { .nabsn_0based = 6 }, "nabsn=6: below nawun=7" },
        { { .nawupf_0based = 15, .nabsn_0based = 14 },
          "nabsn=14: below nawun=15" },
        { { .nabspf_0based = 2 }, "nabspf=2: below nawupf=3" },
        { { .nawupf_0based = 9, .nabspf_0based = 8 },
          "nabspf=8: below nawupf=9" },
        { { .nabo = 1 }, "nabo=1: above nabsn=0" },
        { { .nabsn_0based = 15, .nabo = 1 }, "nabo=1: above nabspf=0" },
        { { .nabsn_0based = 15, .nabspf_0based = 31, .nabo = 16 },
          "nabo=16: above nabsn=15" },
        { { .nabsn_0based = 31, .nabspf_0based = 15, .nabo = 16 },
          "nabo=16: above nabspf=15" },
        { { .nawupf_0based = 9 }, "nawupf=9: above 0 needs a metadata node" },
        { { .nabspf_0based = 15 }, "awupf=3: above 0 needs a metadata node" },
    };
    struct lab_config config = config_default();
    struct lab_ns_config ns = {
        .nsid = 2, .block_size_bytes = 512, .size_bytes = 1 << 20,
    };
    struct lab_ctrl *ctrl;
    char *error = NULL;
    uint32_t i;

    config.awun_0based = 7;
    config.awupf_0based = 3;
    ctrl = lab_ctrl_new(&config, no_ops(), NULL, &error);
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        ns.atomic = table[i].atomic;
        g_assert_false(lab_ns_add(ctrl, &ns, &error));
        if (!g_str_has_prefix(error, table[i].want)) {
            g_error("'%s' is not how '%s' begins", table[i].want, error);
        }
        free(error);
    }
    lab_ctrl_free(ctrl);
}

static void test_meta_too_small(void)
{
    struct lab_config config = config_default();
    struct lab_store_ops ops = { NULL };
    struct lab_ns_config ns = {
        .nsid = 2, .block_size_bytes = 512, .size_bytes = 1 << 20,
        .meta_ops = &ops,
    };
    struct lab_ctrl *ctrl;
    char *error = NULL;

    config.awupf_0based = 7;
    ctrl = lab_ctrl_new(&config, no_ops(), NULL, &error);
    ns.meta_size_bytes = lab_meta_size_min(&config, 512) - 1;
    g_assert_false(lab_ns_add(ctrl, &ns, &error));
    g_assert_nonnull(g_strstr_len(error, -1, "namespace 2"));
    free(error);
    lab_ctrl_free(ctrl);
}

/* Metadata of somebody else: refused at the start, and not a byte changed. */
static void test_foreign_meta(void)
{
    struct fake_config config = fake_config_default();
    struct fake_host *host;

    config.drive.awupf_0based = 7;
    config.ns_count = 2;
    config.meta_fill = 0x5A;
    host = fake_new(&config);
    g_assert_cmpint(host->start_error, ==, -EINVAL);
    g_assert_cmpuint(host->log_lines[LAB_LOG_ERR], ==, 1);
    g_assert_nonnull(strstr(host->log_last, "namespace 1"));
    g_assert_cmphex(host->stores[FAKE_NS_MAX].bytes[0], ==, 0x5A);
    fake_free(host);
}

static void test_words(void)
{
    struct lab_cut cut;
    enum lab_lie lie;
    int i;

    for (i = 0; i < LAB_LIE_COUNT; i++) {
        g_assert_true(lab_lie_parse(lab_lie_name(i), &lie));
        g_assert_cmpint(lie, ==, i);
    }
    g_assert_false(lab_lie_parse("", &lie));
    g_assert_false(lab_lie_parse("Flush", &lie));
    g_assert_true(lab_cut_parse("drop-all", &cut));
    g_assert_cmpint(cut.policy, ==, LAB_POLICY_DROP_ALL);
    g_assert_true(lab_cut_parse("keep-all", &cut));
    g_assert_cmpint(cut.policy, ==, LAB_POLICY_KEEP_ALL);
    g_assert_true(lab_cut_parse("random:0x10", &cut));
    g_assert_cmpint(cut.policy, ==, LAB_POLICY_RANDOM);
    g_assert_cmpuint(cut.seed, ==, 16);
    g_assert_true(lab_cut_parse("random:18446744073709551615", &cut));
    g_assert_cmpuint(cut.seed, ==, UINT64_MAX);
    g_assert_false(lab_cut_parse("random:", &cut));
    g_assert_false(lab_cut_parse("random:-1", &cut));
    g_assert_false(lab_cut_parse("random: 1", &cut));
    g_assert_false(lab_cut_parse("random:1x", &cut));
    g_assert_false(lab_cut_parse("random:18446744073709551616", &cut));
    g_assert_false(lab_cut_parse("drop", &cut));
    g_assert_false(lab_cut_parse("", &cut));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/ctrl/P8/disable-loses-nothing", NULL, test_disable_keeps);
    FIXTURE_TEST("/ctrl/P8/reset-loses-nothing-and-promises-nothing", NULL,
                 test_reset_keeps);
    FIXTURE_TEST("/ctrl/P8/disable-with-commands-in-flight", NULL,
                 test_disable_in_flight);
    FIXTURE_TEST("/ctrl/P8/reset-under-load-loses-nothing", NULL,
                 test_reset_under_load);
    FIXTURE_TEST("/ctrl/P8/normal-shutdown-is-durable", NULL,
                 test_shutdown_normal);
    FIXTURE_TEST("/ctrl/P8/abrupt-shutdown-is-durable", NULL,
                 test_shutdown_abrupt);
    FIXTURE_TEST("/ctrl/P8/shutdown-covers-all-namespaces", two_namespaces,
                 test_shutdown_all);
    FIXTURE_TEST("/ctrl/P8/shutdown-again-after-a-reset", two_namespaces,
                 test_second_shutdown);
    FIXTURE_TEST("/ctrl/P8/second-shutdown-waits-for-itself", NULL,
                 test_second_waits);
    FIXTURE_TEST("/ctrl/P8/shutdown-that-fails-never-completes", NULL,
                 test_shutdown_error);
    FIXTURE_TEST("/ctrl/P8/shutdown-is-durable-whatever-the-lie", flush_lie,
                 test_shutdown_liar);
    FIXTURE_TEST(
        "/ctrl/a-write-that-never-became-visible-does-not-appear-after-disable",
        tiny_cache, test_never_visible);
    FIXTURE_TEST("/ctrl/orphans-are-older-than-the-new-drivers-writes", NULL,
                 test_reenable_while_busy);
    g_test_add_func("/config/refused-with-the-value", test_config_refused);
    FIXTURE_TEST("/config/namespace-refused-with-the-value", NULL,
                 test_ns_refused);
    g_test_add_func("/config/awun-below-awupf-is-refused", test_awun_refused);
    g_test_add_func("/config/awupf-needs-metadata", test_awupf_needs_meta);
    g_test_add_func("/config/impossible-atomic-units-are-refused",
                    test_atomic_refused);
    g_test_add_func("/config/metadata-too-small", test_meta_too_small);
    g_test_add_func("/config/foreign-metadata-is-refused-at-start",
                    test_foreign_meta);
    g_test_add_func("/config/words", test_words);
    return g_test_run();
}
