/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues and doorbells (Base 3.3, 5.2). */
#include <string.h>

#include "fixture.h"

static void ring_sq(struct fixture *f, uint16_t id, uint32_t tail)
{
    reg_write(f->host, NVME_REG_DOORBELLS + id * 8, tail);
}

static void ring_cq(struct fixture *f, uint16_t id, uint32_t head)
{
    reg_write(f->host, NVME_REG_DOORBELLS + id * 8 + 4, head);
}

/* driver_poll() checks phase, ids and slots of every entry. */
static void test_wrap(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint32_t i;

    (void)data;
    driver_create_pair(f->driver, 2, 3, 2);
    for (i = 0; i < 50; i++) {
        assert_status(driver_exec(f->driver, 2, &flush), NVME_SUCCESS);
    }
}

static void test_full_cq(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint16_t cids[10];
    uint32_t done = 0;
    uint32_t i;

    (void)data;
    assert_status(driver_create_cq(f->driver, 2, 4, 2), NVME_SUCCESS);
    assert_status(driver_create_sq(f->driver, 2, 2, 16), NVME_SUCCESS);
    for (i = 0; i < 10; i++) {
        cids[i] = driver_submit(f->driver, 2, &flush);
    }
    driver_ring(f->driver, 2);
    fake_finish(f->host);
    g_assert_cmpuint(f->host->log_lines[LAB_LOG_GUEST], ==, 0);
    /* Four entries hold three. */
    while (driver_poll(f->driver, 2)) {
        done++;
    }
    g_assert_cmpuint(done, ==, 3);
    fake_finish(f->host);
    while (driver_poll(f->driver, 2)) {
        done++;
        fake_finish(f->host);
    }
    g_assert_cmpuint(done, ==, 10);
    for (i = 0; i < 10; i++) {
        assert_status(driver_reap(f->driver, 2, cids[i]), NVME_SUCCESS);
    }
}

static void test_shared_cq(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    assert_status(driver_create_sq(f->driver, 2, 1, 8), NVME_SUCCESS);
    assert_status(driver_create_sq(f->driver, 3, 1, 8), NVME_SUCCESS);
    assert_status(driver_exec(f->driver, 2, &flush), NVME_SUCCESS);
    assert_status(driver_exec(f->driver, 3, &flush), NVME_SUCCESS);
    assert_status(driver_exec(f->driver, 1, &flush), NVME_SUCCESS);
}

static void test_interrupts(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint32_t before;

    (void)data;
    driver_create_pair(f->driver, 2, 8, 4);
    driver_create_pair(f->driver, 3, 8, DRIVER_POLLED);
    before = f->host->irqs->len;
    driver_exec(f->driver, 2, &flush);
    g_assert_cmpuint(f->host->irqs->len, ==, before + 1);
    g_assert_cmpuint(g_array_index(f->host->irqs, uint16_t, before), ==, 4);
    assert_status(driver_exec(f->driver, 3, &flush), NVME_SUCCESS);
    g_assert_cmpuint(f->host->irqs->len, ==, before + 1);
}

/* Several completions of one run share an interrupt. */
static void test_one_interrupt(struct fixture *f, gconstpointer data)
{
    struct nvme_command read = cmd_rw(f->driver, NVME_IO_READ, 1, 0, 1, false);
    uint32_t before;
    uint32_t i;

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    before = f->host->irqs->len;
    for (i = 0; i < 5; i++) {
        driver_submit(f->driver, 1, &read);
    }
    driver_ring(f->driver, 1);
    fake_run(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 5);
    g_assert_cmpuint(f->host->irqs->len, ==, before + 1);
}

/* Fetched in the order in which doorbells were rung, whatever the queue. */
static void test_doorbell_order(struct fixture *f, gconstpointer data)
{
    struct nvme_command write = cmd_rw(f->driver, NVME_IO_WRITE, 1, 0, 1,
                                       false);
    uint32_t i;

    (void)data;
    driver_create_pair(f->driver, 2, 8, 2);
    driver_create_pair(f->driver, 3, 8, 3);
    for (i = 0; i < 6; i++) {
        static const uint16_t queues[] = { 3, 1, 2, 1, 3, 2 };
        uint64_t page = driver_pages(f->driver, 1);

        tag_fill(fake_at(f->host, page), 512, i + 1);
        write.prp1 = page;
        driver_send(f->driver, queues[i], &write);
    }
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 6);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 6);
}

/* A bad doorbell is an event, a line for the host, and nothing else. */
static void expect_event(struct fixture *f, uint16_t cid, uint32_t info)
{
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 0, cid), NVME_SUCCESS);
    g_assert_cmphex(driver_result(), ==,
                    NVME_AER_DW0(NVME_AER_ERROR, info, NVME_LOG_ERROR));
    g_assert_cmpuint(f->host->log_lines[LAB_LOG_GUEST], ==, 1);
}

static uint16_t arm_event(struct fixture *f)
{
    struct nvme_command aer = { .opcode = NVME_ADMIN_ASYNC_EVENT };

    return driver_send(f->driver, 0, &aer);
}

static void test_bad_sq_value(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint16_t cid = arm_event(f);

    (void)data;
    ring_sq(f, 1, 32);
    expect_event(f, cid, NVME_AER_INVALID_DOORBELL_VALUE);
    assert_status(driver_exec(f->driver, 1, &flush), NVME_SUCCESS);
}

/* More entries than the queue can hold, seen from what was not fetched yet. */
static void test_sq_overrun(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint16_t cid = arm_event(f);
    uint32_t i;

    (void)data;
    fake_finish(f->host);
    driver_create_pair(f->driver, 2, 4, 2);
    for (i = 0; i < 3; i++) {
        driver_send(f->driver, 2, &flush);
    }
    ring_sq(f, 2, 1);
    expect_event(f, cid, NVME_AER_INVALID_DOORBELL_VALUE);
    g_assert_cmpuint(f->driver->queues[2].cq_head, ==, 3);
}

static void test_absent_queue(struct fixture *f, gconstpointer data)
{
    uint16_t cid = arm_event(f);

    (void)data;
    fake_finish(f->host);
    ring_sq(f, 3, 1);
    expect_event(f, cid, NVME_AER_INVALID_DOORBELL_REGISTER);
}

static void test_absent_cq(struct fixture *f, gconstpointer data)
{
    uint16_t cid = arm_event(f);

    (void)data;
    fake_finish(f->host);
    ring_cq(f, 4, 1);
    expect_event(f, cid, NVME_AER_INVALID_DOORBELL_REGISTER);
}

static void test_bad_cq_value(struct fixture *f, gconstpointer data)
{
    uint16_t cid = arm_event(f);

    (void)data;
    fake_finish(f->host);
    ring_cq(f, 1, 7);                   /* past the tail */
    expect_event(f, cid, NVME_AER_INVALID_DOORBELL_VALUE);
}

static void test_cq_value_beyond(struct fixture *f, gconstpointer data)
{
    uint16_t cid = arm_event(f);

    (void)data;
    fake_finish(f->host);
    ring_cq(f, 1, 32);
    expect_event(f, cid, NVME_AER_INVALID_DOORBELL_VALUE);
}

static void test_same_tail(struct fixture *f, gconstpointer data)
{
    (void)data;
    ring_sq(f, 1, 0);
    fake_finish(f->host);
    g_assert_cmpuint(f->host->log_lines[LAB_LOG_GUEST], ==, 0);
}

static void test_doorbell_while_disabled(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_disable(f->driver);
    ring_sq(f, 0, 1);
    fake_finish(f->host);
    g_assert_cmpuint(f->host->log_lines[LAB_LOG_GUEST], ==, 1);
    driver_enable(f->driver, 32);
}

static void test_unmapped_sq(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_hole(f->host, 0, f->driver->queues[1].sq_address, DRIVER_PAGE);
    ring_sq(f, 1, 1);
    fake_finish(f->host);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS) & NVME_CSTS_CFS, ==,
                    NVME_CSTS_CFS);
    fake_hole(f->host, 0, 0, 0);
    driver_disable(f->driver);
    driver_enable(f->driver, 16);
    driver_create_pair(f->driver, 1, 16, 1);
    driver_write(f->driver, 1, 0, 1, 1, false);
}

static void test_unmapped_cq(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    fake_hole(f->host, 0, f->driver->queues[1].cq_address, DRIVER_PAGE);
    driver_send(f->driver, 1, &flush);
    driver_send(f->driver, 1, &flush);
    fake_finish(f->host);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS) & NVME_CSTS_CFS, ==,
                    NVME_CSTS_CFS);
    driver_disable(f->driver);
    driver_enable(f->driver, 16);
    driver_create_pair(f->driver, 1, 16, 1);
    driver_write(f->driver, 1, 0, 1, 1, false);
}

/* A fatal controller fetches nothing until it is reset. */
static void test_fatal_is_silent(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    fake_hole(f->host, 0, f->driver->queues[1].sq_address, DRIVER_PAGE);
    ring_sq(f, 1, 1);
    fake_finish(f->host);
    driver_send(f->driver, 0, &flush);
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
}

/* Commands' data is bounded; what is beyond waits and is served later. */
static void big_data(struct fake_config *config)
{
    config->block_count = 4096;
    config->drive.mdts = 9;
    config->drive.queue_entries_max = 128;
}

static void test_data_limit(struct fixture *f, gconstpointer data)
{
    struct nvme_command read = cmd_rw(f->driver, NVME_IO_READ, 1, 0, 2048,
                                      false);
    uint32_t done = 0;
    uint32_t i;

    (void)data;
    driver_create_pair(f->driver, 2, 128, 2);
    for (i = 0; i < 100; i++) {
        driver_submit(f->driver, 2, &read);
    }
    driver_ring(f->driver, 2);
    fake_run(f->host);
    g_assert_cmpuint(fake_waiting(f->host), <, 100);
    g_assert_cmpuint(fake_waiting(f->host), >=, 64);
    do {
        fake_finish(f->host);
        i = driver_poll_all(f->driver);
        done += i;
    } while (i);
    g_assert_cmpuint(done, ==, 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/queue/phase-flips-at-every-lap", NULL, test_wrap);
    FIXTURE_TEST("/queue/full-cq-holds-completions-back", NULL, test_full_cq);
    FIXTURE_TEST("/queue/many-sq-one-cq", NULL, test_shared_cq);
    FIXTURE_TEST("/queue/vector-or-polled", NULL, test_interrupts);
    FIXTURE_TEST("/queue/one-interrupt-per-run", NULL, test_one_interrupt);
    FIXTURE_TEST("/queue/fetched-in-order-of-doorbells", NULL,
                 test_doorbell_order);
    FIXTURE_TEST("/queue/bad-doorbell/sq-value", NULL, test_bad_sq_value);
    FIXTURE_TEST("/queue/bad-doorbell/sq-overrun", NULL, test_sq_overrun);
    FIXTURE_TEST("/queue/bad-doorbell/absent-sq", NULL, test_absent_queue);
    FIXTURE_TEST("/queue/bad-doorbell/absent-cq", NULL, test_absent_cq);
    FIXTURE_TEST("/queue/bad-doorbell/cq-past-tail", NULL, test_bad_cq_value);
    FIXTURE_TEST("/queue/bad-doorbell/cq-beyond-size", NULL,
                 test_cq_value_beyond);
    FIXTURE_TEST("/queue/doorbell-without-change-is-nothing", NULL,
                 test_same_tail);
    FIXTURE_TEST("/queue/doorbell-while-disabled-is-nothing", NULL,
                 test_doorbell_while_disabled);
    FIXTURE_TEST("/queue/sq-in-unmapped-memory-is-fatal", NULL,
                 test_unmapped_sq);
    FIXTURE_TEST("/queue/cq-in-unmapped-memory-is-fatal", NULL,
                 test_unmapped_cq);
    FIXTURE_TEST("/queue/fatal-controller-fetches-nothing", NULL,
                 test_fatal_is_silent);
    FIXTURE_TEST("/queue/data-in-flight-is-bounded", big_data,
                 test_data_limit);
    return g_test_run();
}
