/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floor latency: from the doorbell to the CQE at least, on I/O queues only. */
#include "fixture.h"

#define FLOOR_NS 3000000ull

static void slow(struct fake_config *config)
{
    config->drive.floor_latency_ns = FLOOR_NS;
}

static void test_not_before(struct fixture *f, gconstpointer data)
{
    uint16_t cid = driver_send_write(f->driver, 1, 0, 1, 1, false);

    (void)data;
    fake_settle(f->host);
    g_assert_cmpuint(f->host->timer_ns, ==, f->host->now_ns + FLOOR_NS);
    fake_advance(f->host, FLOOR_NS - 1);
    driver_poll_all(f->driver);
    g_assert_false(driver_is_done(f->driver, 1, cid));
    fake_advance(f->host, 1);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 1, cid), NVME_SUCCESS);
    g_assert_cmpuint(f->host->timer_ns, ==, LAB_TIME_NEVER);
}

/* The drive was slow to fetch: that is part of the latency. */
static void test_from_the_doorbell(struct fixture *f, gconstpointer data)
{
    uint16_t cid = driver_send_write(f->driver, 1, 0, 1, 1, false);

    (void)data;
    f->host->now_ns += FLOOR_NS / 2;
    fake_settle(f->host);
    fake_advance(f->host, FLOOR_NS / 2);
    driver_poll_all(f->driver);
    g_assert_true(driver_is_done(f->driver, 1, cid));
}

/* Slower storage than the floor costs nothing on top. */
static void test_slow_storage(struct fixture *f, gconstpointer data)
{
    uint16_t cid = driver_send_write(f->driver, 1, 0, 1, 1, true);

    (void)data;
    fake_advance(f->host, 2 * FLOOR_NS);
    fake_step(f->host, 1, 0);
    fake_run(f->host);
    driver_poll_all(f->driver);
    g_assert_true(driver_is_done(f->driver, 1, cid));
}

static void test_admin(struct fixture *f, gconstpointer data)
{
    struct nvme_command identify = cmd_identify(f->driver, 1, 0);
    uint16_t cid = driver_send(f->driver, 0, &identify);

    (void)data;
    fake_run(f->host);
    driver_poll_all(f->driver);
    g_assert_true(driver_is_done(f->driver, 0, cid));
}

static void test_refused(struct fixture *f, gconstpointer data)
{
    struct nvme_command bad = cmd_rw(f->driver, NVME_IO_READ, 9, 0, 1, false);
    uint16_t cid = driver_send(f->driver, 1, &bad);

    (void)data;
    fake_settle(f->host);
    driver_poll_all(f->driver);
    g_assert_false(driver_is_done(f->driver, 1, cid));
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 1, cid), NVME_INVALID_NAMESPACE);
}

static void test_each_its_own(struct fixture *f, gconstpointer data)
{
    uint16_t first = driver_send_write(f->driver, 1, 0, 1, 1, false);
    uint16_t second;

    (void)data;
    fake_advance(f->host, FLOOR_NS / 2);
    second = driver_send_write(f->driver, 1, 1, 1, 1, false);
    fake_advance(f->host, FLOOR_NS / 2);
    driver_poll_all(f->driver);
    g_assert_true(driver_is_done(f->driver, 1, first));
    g_assert_false(driver_is_done(f->driver, 1, second));
    fake_advance(f->host, FLOOR_NS / 2);
    driver_poll_all(f->driver);
    g_assert_true(driver_is_done(f->driver, 1, second));
}

/* Latency is not ignorance: what is visible can be read at once. */
static void test_visible_at_once(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 7, false);
    fake_settle(f->host);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 7);
}

/* The CQE is not posted, so a flush in between owes nothing (P1). */
static void test_completion_counts(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 7, false);
    fake_settle(f->host);
    driver_send(f->driver, 1, &flush);
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 2);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 512);
}

static void test_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 7, false);
    fake_settle(f->host);
    driver_disable(f->driver);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
    fake_advance(f->host, 2 * FLOOR_NS);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/floor-latency/not-a-nanosecond-before", slow,
                 test_not_before);
    FIXTURE_TEST("/floor-latency/counts-from-the-doorbell", slow,
                 test_from_the_doorbell);
    FIXTURE_TEST("/floor-latency/slow-storage-costs-nothing-on-top", slow,
                 test_slow_storage);
    FIXTURE_TEST("/floor-latency/admin-commands-are-exempt", slow, test_admin);
    FIXTURE_TEST("/floor-latency/refused-commands-are-not", slow,
                 test_refused);
    FIXTURE_TEST("/floor-latency/each-command-its-own", slow,
                 test_each_its_own);
    FIXTURE_TEST("/floor-latency/data-is-visible-at-once", slow,
                 test_visible_at_once);
    FIXTURE_TEST("/floor-latency/P1/completed-means-cqe-posted", slow,
                 test_completion_counts);
    FIXTURE_TEST("/floor-latency/reset-forgets-the-deadline", slow,
                 test_reset);
    return g_test_run();
}
