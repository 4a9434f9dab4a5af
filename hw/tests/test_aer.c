/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asynchronous events (Base 5.2). */
#include "fixture.h"

static const struct nvme_command aer = { .opcode = NVME_ADMIN_ASYNC_EVENT };

static void bad_value(struct fixture *f)
{
    reg_write(f->host, NVME_REG_DOORBELLS + 8, 999);
    fake_finish(f->host);
    driver_poll_all(f->driver);
}

static void bad_register(struct fixture *f)
{
    reg_write(f->host, NVME_REG_DOORBELLS + 3 * 8, 1);
    fake_finish(f->host);
    driver_poll_all(f->driver);
}

static void reap(struct fixture *f, uint16_t cid, uint32_t info)
{
    assert_status(driver_reap(f->driver, 0, cid), NVME_SUCCESS);
    g_assert_cmphex(driver_result(), ==,
                    NVME_AER_DW0(NVME_AER_ERROR, info, NVME_LOG_ERROR));
}

static void read_log(struct fixture *f, bool is_retained)
{
    struct nvme_command cmd = cmd_get_log(f->driver, NVME_LOG_ERROR, 64);

    cmd.cdw10 |= (uint32_t)is_retained << 15;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    driver_poll_all(f->driver);
}

static void test_waits(struct fixture *f, gconstpointer data)
{
    uint16_t cid = driver_send(f->driver, 0, &aer);

    (void)data;
    fake_finish(f->host);
    driver_poll_all(f->driver);
    g_assert_false(driver_is_done(f->driver, 0, cid));
    bad_value(f);
    reap(f, cid, NVME_AER_INVALID_DOORBELL_VALUE);
}

/* The event came before the request did. */
static void test_pending(struct fixture *f, gconstpointer data)
{
    uint16_t cid;

    (void)data;
    bad_value(f);
    cid = driver_send(f->driver, 0, &aer);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    reap(f, cid, NVME_AER_INVALID_DOORBELL_VALUE);
}

static void test_masked(struct fixture *f, gconstpointer data)
{
    uint16_t first = driver_send(f->driver, 0, &aer);
    uint16_t second = driver_send(f->driver, 0, &aer);

    (void)data;
    bad_value(f);
    reap(f, first, NVME_AER_INVALID_DOORBELL_VALUE);
    bad_register(f);
    bad_register(f);
    g_assert_false(driver_is_done(f->driver, 0, second));
    read_log(f, true);
    g_assert_false(driver_is_done(f->driver, 0, second));
    read_log(f, false);
    reap(f, second, NVME_AER_INVALID_DOORBELL_REGISTER);
}

/* The same event twice between two reads of the log is told once. */
static void test_told_once(struct fixture *f, gconstpointer data)
{
    uint16_t first = driver_send(f->driver, 0, &aer);
    uint16_t second = driver_send(f->driver, 0, &aer);
    uint16_t third = driver_send(f->driver, 0, &aer);

    (void)data;
    bad_value(f);
    bad_value(f);
    bad_value(f);
    reap(f, first, NVME_AER_INVALID_DOORBELL_VALUE);
    read_log(f, false);
    reap(f, second, NVME_AER_INVALID_DOORBELL_VALUE);
    read_log(f, false);
    g_assert_false(driver_is_done(f->driver, 0, third));
}

static void test_limit(struct fixture *f, gconstpointer data)
{
    uint32_t i;

    (void)data;
    for (i = 0; i < 4; i++) {
        driver_send(f->driver, 0, &aer);
    }
    assert_status(driver_exec(f->driver, 0, &aer), NVME_AER_LIMIT);
}

static void test_small_queue(void)
{
    struct fake_config config = fake_config_default();
    struct fake_host *host = fake_new(&config);
    struct driver *driver = driver_new(host);
    struct nvme_command identify;
    uint32_t i;

    driver_enable(driver, 2);
    for (i = 0; i < 4; i++) {
        driver_send(driver, 0, &aer);
        fake_finish(host);
        driver_poll_all(driver);
    }
    identify = cmd_identify(driver, NVME_CNS_CTRL, 0);
    assert_status(driver_exec(driver, 0, &identify), NVME_SUCCESS);
    driver_free(driver);
    fake_free(host);
}

static void test_reset_forgets(struct fixture *f, gconstpointer data)
{
    uint16_t cid;

    (void)data;
    driver_send(f->driver, 0, &aer);
    bad_value(f);
    bad_value(f);
    driver_disable(f->driver);
    driver_enable(f->driver, 32);
    cid = driver_send(f->driver, 0, &aer);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    g_assert_false(driver_is_done(f->driver, 0, cid));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/aer/request-waits-for-an-event", NULL, test_waits);
    FIXTURE_TEST("/aer/event-waits-for-a-request", NULL, test_pending);
    FIXTURE_TEST("/aer/masked-until-the-log-is-read", NULL, test_masked);
    FIXTURE_TEST("/aer/same-event-is-told-once", NULL, test_told_once);
    FIXTURE_TEST("/aer/limit", NULL, test_limit);
    FIXTURE_TEST("/aer/reset-forgets", NULL, test_reset_forgets);
    g_test_add_func("/aer/outstanding-requests-do-not-fill-a-small-admin-queue",
                    test_small_queue);
    return g_test_run();
}
