/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Features (Base 5.27), the volatile cache above all: P3. */
#include <errno.h>

#include "fixture.h"

static uint16_t get(struct fixture *f, uint8_t fid, uint32_t select)
{
    struct nvme_command cmd = cmd_get_features(fid);

    cmd.cdw10 |= select << 8;
    return driver_exec(f->driver, 0, &cmd);
}

static uint16_t set(struct fixture *f, uint8_t fid, uint32_t value)
{
    struct nvme_command cmd = cmd_set_features(fid, value);

    return driver_exec(f->driver, 0, &cmd);
}

static uint32_t value_of(struct fixture *f, uint8_t fid, uint32_t select)
{
    assert_status(get(f, fid, select), NVME_SUCCESS);
    return driver_result();
}

static void no_vwc(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

static void two_namespaces(struct fake_config *config)
{
    config->ns_count = 2;
}

static void drop(struct fixture *f)
{
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

static void test_vwc_off_settles(struct fixture *f, gconstpointer data)
{
    struct nvme_command off = cmd_set_features(NVME_FEAT_VWC, 0);
    uint16_t cid;

    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    driver_write(f->driver, 2, 9, 1, 2, false);
    cid = driver_send(f->driver, 0, &off);
    fake_run(f->host);
    driver_poll_all(f->driver);
    g_assert_false(driver_is_done(f->driver, 0, cid));
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 0, cid), NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 2, 9), ==, 2);
    g_assert_cmpuint(f->host->stores[0].flushes, >, 0);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 0);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_VWC), ==, 1);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
}

static void test_vwc_off_writes_through(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_status(set(f, NVME_FEAT_VWC, 0), NVME_SUCCESS);
    g_assert_cmpuint(value_of(f, NVME_FEAT_VWC, 0), ==, 0);
    driver_write(f->driver, 1, 0, 1, 1, false);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
    g_assert_cmphex(fake_trace_io(f->host, NVME_IO_WRITE)->flags &
                    LAB_TRACE_DURABLE, ==, LAB_TRACE_DURABLE);
    assert_status(set(f, NVME_FEAT_VWC, 1), NVME_SUCCESS);
    driver_write(f->driver, 1, 0, 1, 2, false);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
}

static void test_vwc_error(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    f->host->stores[0].error = -EIO;
    assert_status(set(f, NVME_FEAT_VWC, 0), NVME_WRITE_FAULT);
    f->host->stores[0].error = 0;
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 4 * 512);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
    assert_status(set(f, NVME_FEAT_VWC, 0), NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 1);
}

static void test_vwc_absent(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_status(get(f, NVME_FEAT_VWC, 0), NVME_INVALID_FIELD);
    assert_status(set(f, NVME_FEAT_VWC, 1), NVME_INVALID_FIELD);
    driver_write(f->driver, 1, 0, 4, 1, false);
    drop(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 1);
}

/* Not saveable: a controller reset brings the cache back on (5.27.1). */
static void test_vwc_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_status(set(f, NVME_FEAT_VWC, 0), NVME_SUCCESS);
    driver_disable(f->driver);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
    g_assert_cmpuint(value_of(f, NVME_FEAT_VWC, 0), ==, 1);
    driver_write(f->driver, 1, 0, 1, 1, false);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 512);
}

static void test_queues(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_status(set(f, NVME_FEAT_QUEUES, 63 << 16 | 63), NVME_SUCCESS);
    g_assert_cmphex(driver_result(), ==, 3 << 16 | 3);
    assert_status(set(f, NVME_FEAT_QUEUES, 0), NVME_SUCCESS);
    g_assert_cmphex(value_of(f, NVME_FEAT_QUEUES, 0), ==, 3 << 16 | 3);
    assert_status(set(f, NVME_FEAT_QUEUES, 0xFFFF), NVME_INVALID_FIELD);
    assert_status(set(f, NVME_FEAT_QUEUES, 0xFFFF0000), NVME_INVALID_FIELD);
}

static void test_kept_values(struct fixture *f, gconstpointer data)
{
    static const uint8_t fids[] = {
        NVME_FEAT_ARBITRATION, NVME_FEAT_TEMPERATURE, NVME_FEAT_ERROR_RECOVERY,
        NVME_FEAT_IRQ_COALESCING, NVME_FEAT_WRITE_ATOMICITY,
        NVME_FEAT_ASYNC_EVENTS,
    };
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(fids); i++) {
        uint32_t initial = value_of(f, fids[i], NVME_SELECT_DEFAULT);

        g_assert_cmphex(value_of(f, fids[i], NVME_SELECT_CURRENT), ==, initial);
        assert_status(set(f, fids[i], 0x101), NVME_SUCCESS);
        g_assert_cmphex(value_of(f, fids[i], NVME_SELECT_CURRENT), ==, 0x101);
        g_assert_cmphex(value_of(f, fids[i], NVME_SELECT_DEFAULT), ==, initial);
        g_assert_cmphex(value_of(f, fids[i], NVME_SELECT_SUPPORTED), ==,
                        NVME_FEATURE_CHANGEABLE);
        assert_status(get(f, fids[i], 4), NVME_INVALID_FIELD);
    }
}

static void test_irq_vector(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = cmd_get_features(NVME_FEAT_IRQ_VECTOR);

    (void)data;
    assert_status(set(f, NVME_FEAT_IRQ_VECTOR, 1 << 16 | 3), NVME_SUCCESS);
    cmd.cdw11 = 3;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmphex(driver_result(), ==, 1 << 16 | 3);
    cmd.cdw11 = 2;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmphex(driver_result(), ==, 2);
    assert_status(set(f, NVME_FEAT_IRQ_VECTOR, 5), NVME_INVALID_FIELD);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
    struct nvme_command save = cmd_set_features(NVME_FEAT_VWC, 1);

    (void)data;
    save.cdw10 |= NVME_FEATURE_SAVE;
    assert_status(driver_exec(f->driver, 0, &save), NVME_FEATURE_NOT_SAVEABLE);
    assert_status(set(f, 0x00, 0), NVME_INVALID_FIELD);
    assert_status(set(f, 0x03, 0), NVME_INVALID_FIELD);
    assert_status(get(f, 0xC0, 0), NVME_INVALID_FIELD);
    assert_status(set(f, NVME_FEAT_POWER, 1), NVME_INVALID_FIELD);
    assert_status(set(f, NVME_FEAT_POWER, 0), NVME_SUCCESS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/feature/P3/cache-off-settles-first", two_namespaces,
                 test_vwc_off_settles);
    FIXTURE_TEST("/feature/P3/cache-off-writes-through", NULL,
                 test_vwc_off_writes_through);
    FIXTURE_TEST("/feature/P3/cache-off-that-fails-keeps-the-data", NULL,
                 test_vwc_error);
    FIXTURE_TEST("/feature/P3/no-cache-no-feature", no_vwc, test_vwc_absent);
    FIXTURE_TEST("/feature/cache-is-on-again-after-a-reset", NULL,
                 test_vwc_reset);
    FIXTURE_TEST("/feature/number-of-queues", NULL, test_queues);
    FIXTURE_TEST("/feature/values-are-kept", NULL, test_kept_values);
    FIXTURE_TEST("/feature/interrupt-vector", NULL, test_irq_vector);
    FIXTURE_TEST("/feature/refused", NULL, test_refused);
    return g_test_run();
}
