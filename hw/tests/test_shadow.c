/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shadow doorbells; the rules S1 to S10 stand in hw/nvme/shadow.c. */
#include <string.h>

#include "bytes.h"
#include "fixture.h"

#define SQ1 2u                  /* doorbell numbers */
#define CQ1 3u

static void shadow_up(struct fixture *f)
{
    assert_status(driver_shadow_on(f->driver), NVME_SUCCESS);
    memset(f->driver->rings, 0, sizeof(f->driver->rings));
}

static uint8_t *entry(struct fixture *f, uint32_t index)
{
    return fake_at(f->host, f->driver->shadow + index * 4);
}

static uint32_t event(struct fixture *f, uint32_t index)
{
    return le32_get(fake_at(f->host, f->driver->events + index * 4));
}

static void ring(struct fixture *f, uint32_t index, uint32_t value)
{
    reg_write(f->host, NVME_REG_DOORBELLS + index * 4, value);
}

static uint32_t reap_all(struct fixture *f)
{
    uint32_t done = 0;
    uint32_t now;

    do {
        fake_finish(f->host);
        now = driver_poll_all(f->driver);
        done += now;
    } while (now);
    return done;
}

static uint32_t guest_errors(struct fixture *f)
{
    return f->host->log_lines[LAB_LOG_GUEST];
}

static bool is_fatal(struct fixture *f)
{
    return reg_read(f->host, NVME_REG_CSTS) & NVME_CSTS_CFS;
}

/* -- S1 ------------------------------------------------------------------- */

static void test_works(struct fixture *f, gconstpointer data)
{
    uint32_t i;

    (void)data;
    shadow_up(f);
    for (i = 0; i < 100; i++) {
        driver_write(f->driver, 1, i % 64, 1, i + 1, i % 3 == 0);
        g_assert_cmpuint(driver_read_tag(f->driver, 1, i % 64, false), ==,
                         i + 1);
    }
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

/* The queue's tail is 5 when a page of zeros comes, then one of garbage. */
static void test_start_value(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint64_t pages = driver_pages(f->driver, 2);
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DOORBELL_BUFFERS, .prp1 = pages,
        .prp2 = pages + DRIVER_PAGE,
    };
    uint32_t i;

    (void)data;
    for (i = 0; i < 5; i++) {
        assert_status(driver_exec(f->driver, 1, &flush), NVME_SUCCESS);
    }
    shadow_up(f);
    assert_status(driver_exec(f->driver, 1, &flush), NVME_SUCCESS);
    memset(fake_at(f->host, pages), 0xEE, 2 * DRIVER_PAGE);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    f->driver->shadow = pages;
    f->driver->events = pages + DRIVER_PAGE;
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    g_assert_cmpuint(guest_errors(f), ==, 0);
    assert_status(driver_exec(f->driver, 1, &flush), NVME_SUCCESS);
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

/* -- S2 ------------------------------------------------------------------- */

static void test_register_only_rings(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    shadow_up(f);
    driver_submit(f->driver, 1, &flush);
    driver_submit(f->driver, 1, &flush);
    ring(f, SQ1, 1);                    /* the entry says 0 */
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    le32_put(entry(f, SQ1), 2);
    ring(f, SQ1, 1);                    /* late: the entry is newer */
    g_assert_cmpuint(reap_all(f), ==, 2);
    g_assert_cmpuint(guest_errors(f), ==, 0);
    ring(f, SQ1, 32);
    g_assert_cmpuint(guest_errors(f), ==, 1);
    ring(f, CQ1, 32);
    g_assert_cmpuint(guest_errors(f), ==, 2);
}

/* -- S3 ------------------------------------------------------------------- */

/* Eight submissions, one ring: the drive sees the rest by itself. */
static void test_silent_burst(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    struct lab_stat before;
    struct lab_stat after;
    uint32_t i;

    (void)data;
    shadow_up(f);
    before = driver_stat(f->driver);
    for (i = 0; i < 8; i++) {
        driver_send(f->driver, 1, &flush);
    }
    g_assert_cmpuint(f->driver->rings[SQ1], ==, 1);
    g_assert_cmpuint(reap_all(f), ==, 8);
    g_assert_cmpuint(f->driver->rings[CQ1], ==, 0);
    after = driver_stat(f->driver);
    /* One of them is the admin queue's own, for STAT, with its head. */
    g_assert_cmpuint(after.doorbell_writes - before.doorbell_writes, ==, 3);
    g_assert_cmpuint(after.shadow_doorbells, >, before.shadow_doorbells);
}

struct rival {
    struct fixture *f;
    uint64_t address;
    bool is_write;
    uint32_t left;
};

/* Another processor submits just before that access of the drive. */
static void submit_meanwhile(void *opaque, uint64_t address, bool is_write)
{
    struct rival *rival = opaque;
    struct nvme_command flush = cmd_flush(1);

    if (rival->left && address == rival->address &&
        is_write == rival->is_write) {
        rival->left--;
        rival->f->driver->is_drive_busy = true;
        driver_send(rival->f->driver, 1, &flush);
        rival->f->driver->is_drive_busy = false;
    }
}

static void race(struct fixture *f, uint64_t address, bool is_write)
{
    struct nvme_command flush = cmd_flush(1);
    struct rival rival = { f, address, is_write, 3 };
    uint32_t done;

    f->host->before_dma = submit_meanwhile;
    f->host->before_dma_opaque = &rival;
    driver_send(f->driver, 1, &flush);
    done = reap_all(f);
    driver_ring_late(f->driver);        /* if it was asked for */
    done += reap_all(f);
    f->host->before_dma = NULL;
    g_assert_cmpuint(done, ==, 1 + 3 - rival.left);
    g_assert_cmpuint(rival.left, <, 3);
}

/* Before EventIdx is written the driver is silent, after it it rings. */
static void test_race(struct fixture *f, gconstpointer data)
{
    uint32_t i;

    (void)data;
    shadow_up(f);
    for (i = 0; i < 20; i++) {
        race(f, f->driver->events + SQ1 * 4, true);
        g_assert_cmpuint(f->driver->has_to_ring[SQ1], ==, 0);
        race(f, f->driver->shadow + SQ1 * 4, false);
    }
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

/* A driver that never rests: the drive lets go after each run. */
static void never_rest(void *opaque, uint64_t address, bool is_write)
{
    struct fixture *f = opaque;
    uint8_t *at = entry(f, SQ1);

    if (address == f->driver->events + SQ1 * 4 && is_write) {
        le32_put(at, le32_get(at) ^ 0x40000000);
    }
}

static void test_run_ends(struct fixture *f, gconstpointer data)
{
    uint32_t i;

    (void)data;
    shadow_up(f);
    f->host->before_dma = never_rest;
    f->host->before_dma_opaque = f;
    ring(f, SQ1, 0);
    for (i = 0; i < 10; i++) {
        g_assert_true(f->host->is_kicked);
        f->host->is_kicked = false;
        lab_run(f->host->ctrl);
    }
    f->host->before_dma = NULL;
    le32_put(entry(f, SQ1), 0);
    fake_finish(f->host);
    g_assert_false(is_fatal(f));
}

/* A queue that nobody rings costs nothing and keeps nobody awake. */
static void test_idle(struct fixture *f, gconstpointer data)
{
    (void)data;
    shadow_up(f);
    driver_write(f->driver, 1, 0, 1, 1, false);
    fake_finish(f->host);
    g_assert_false(f->host->is_kicked);
    g_assert_cmpuint(f->host->timer_ns, ==, LAB_TIME_NEVER);
    g_assert_cmpuint(event(f, SQ1), ==, le32_get(entry(f, SQ1)));
}

/* -- S4 ------------------------------------------------------------------- */

/* Two writes, the second one in silence; then a mark on the admin queue. */
static void test_order_of_marks(struct fixture *f, gconstpointer data)
{
    struct nvme_command mark = cmd_mark(f->driver, 7, LAB_MARK_ACK, "");
    const struct lab_trace_command *command;
    const struct lab_trace_mark *record;
    uint32_t at = 0;

    (void)data;
    shadow_up(f);
    driver_send_write(f->driver, 1, 1, 1, 1, false);
    driver_send_write(f->driver, 1, 2, 1, 1, false);
    g_assert_cmpuint(f->driver->rings[SQ1], ==, 1);
    driver_send(f->driver, 0, &mark);
    reap_all(f);
    command = fake_trace_io(f->host, NVME_IO_WRITE);
    record = fake_trace_next(f->host, LAB_TRACE_MARK, &at);
    g_assert_cmpuint(command->slba, ==, 2);
    g_assert_cmpuint(command->submitted_stamp, <, record->submitted_stamp);
}

/*
 * P1: a flush that was written in silence before the write completed does not
 * cover it, though the drive looks only when the write is due.
 */
static void late_completions(struct fake_config *config)
{
    config->drive.floor_latency_ns = 1000;
}

static void test_order_of_completions(struct fixture *f, gconstpointer data)
{
    struct nvme_command read = cmd_rw(f->driver, NVME_IO_READ, 1, 9, 1, false);
    struct nvme_command flush = cmd_flush(1);
    const struct lab_trace_command *command;
    uint64_t write_completed;

    (void)data;
    shadow_up(f);
    driver_send_write(f->driver, 1, 1, 1, 1, false);
    fake_run(f->host);
    f->host->now_ns += 1000;            /* due, and the timer is late */
    driver_send(f->driver, 1, &read);   /* rings */
    driver_send(f->driver, 1, &flush);  /* does not */
    g_assert_cmpuint(f->driver->rings[SQ1], ==, 2);
    reap_all(f);
    write_completed = fake_trace_io(f->host, NVME_IO_WRITE)->completed_stamp;
    command = fake_trace_io(f->host, NVME_IO_FLUSH);
    g_assert_cmpuint(command->submitted_stamp, <, write_completed);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 512);
}

/* -- S5 ------------------------------------------------------------------- */

static void test_cq_laps(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint32_t i;

    (void)data;
    shadow_up(f);
    for (i = 0; i < 32 * 10; i++) {
        assert_status(driver_exec(f->driver, 1, &flush), NVME_SUCCESS);
    }
    g_assert_cmpuint(f->driver->rings[SQ1], ==, 32 * 10);
    g_assert_cmpuint(f->driver->rings[CQ1], <=, 10);
}

static void test_full_cq(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint32_t done = 0;
    uint32_t i;

    (void)data;
    shadow_up(f);
    assert_status(driver_create_cq(f->driver, 2, 4, 2), NVME_SUCCESS);
    assert_status(driver_create_sq(f->driver, 2, 2, 16), NVME_SUCCESS);
    for (i = 0; i < 10; i++) {
        driver_submit(f->driver, 2, &flush);
    }
    driver_ring(f->driver, 2);
    fake_finish(f->host);
    while (driver_poll(f->driver, 2)) {
        done++;
    }
    g_assert_cmpuint(done, ==, 3);
    g_assert_cmpuint(f->driver->rings[5], ==, 1);
    g_assert_cmpuint(done + reap_all(f), ==, 10);
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

/* It was full before the pages came. */
static void test_full_cq_before(struct fixture *f, gconstpointer data)
{
    uint64_t pages = driver_pages(f->driver, 2);
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DOORBELL_BUFFERS, .prp1 = pages,
        .prp2 = pages + DRIVER_PAGE,
    };
    struct nvme_command flush = cmd_flush(1);
    uint16_t cid;
    uint32_t i;

    (void)data;
    assert_status(driver_create_cq(f->driver, 2, 4, 2), NVME_SUCCESS);
    assert_status(driver_create_sq(f->driver, 2, 2, 16), NVME_SUCCESS);
    for (i = 0; i < 10; i++) {
        driver_submit(f->driver, 2, &flush);
    }
    driver_ring(f->driver, 2);
    cid = driver_send(f->driver, 0, &cmd);
    fake_finish(f->host);
    driver_poll(f->driver, 0);
    assert_status(driver_reap(f->driver, 0, cid), NVME_SUCCESS);
    f->driver->shadow = pages;
    f->driver->events = pages + DRIVER_PAGE;
    g_assert_cmpuint(reap_all(f), ==, 10);
}

/* The head moves between the drive's look and its wish to be rung. */
static void take_one(void *opaque, uint64_t address, bool is_write)
{
    struct rival *rival = opaque;
    struct driver *driver = rival->f->driver;

    if (address == rival->address && is_write) {
        driver->is_drive_busy = true;
        rival->left -= driver_poll(driver, 2);
        driver->is_drive_busy = false;
    }
}

static void test_cq_race(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    struct rival rival = { .f = f, .left = 10 };
    uint32_t i;

    (void)data;
    shadow_up(f);
    rival.address = f->driver->events + 5 * 4;
    assert_status(driver_create_cq(f->driver, 2, 4, 2), NVME_SUCCESS);
    assert_status(driver_create_sq(f->driver, 2, 2, 16), NVME_SUCCESS);
    for (i = 0; i < 10; i++) {
        driver_submit(f->driver, 2, &flush);
    }
    f->host->before_dma = take_one;
    f->host->before_dma_opaque = &rival;
    driver_ring(f->driver, 2);
    fake_finish(f->host);
    g_assert_cmpuint(rival.left, <, 10);
    driver_ring_late(f->driver);
    fake_finish(f->host);
    f->host->before_dma = NULL;
    g_assert_cmpuint(reap_all(f), ==, rival.left);
}

/* -- S6 ------------------------------------------------------------------- */

static void test_admin(struct fixture *f, gconstpointer data)
{
    struct nvme_command identify = cmd_identify(f->driver, NVME_CNS_CTRL, 0);
    struct driver_queue *queue = &f->driver->queues[0];
    uint32_t i;

    (void)data;
    shadow_up(f);
    for (i = 0; i < 70; i++) {          /* registers alone */
        assert_status(driver_exec(f->driver, 0, &identify), NVME_SUCCESS);
    }
    for (i = 0; i < 70; i++) {          /* entry, then the register late */
        uint16_t cid = driver_submit(f->driver, 0, &identify);

        le32_put(entry(f, 0), queue->sq_tail);
        ring(f, 0, queue->sq_tail);
        reap_all(f);
        assert_status(driver_reap(f->driver, 0, cid), NVME_SUCCESS);
        g_assert_cmpuint(event(f, 0), ==, queue->sq_tail);
    }
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

/* -- S7 ------------------------------------------------------------------- */

static uint16_t await_event(struct fixture *f)
{
    struct nvme_command aer = { .opcode = NVME_ADMIN_ASYNC_EVENT };
    uint16_t cid = driver_send(f->driver, 0, &aer);

    fake_finish(f->host);
    return cid;
}

static void expect_bad_value(struct fixture *f, uint16_t cid)
{
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 0, cid), NVME_SUCCESS);
    g_assert_cmphex(driver_result(), ==,
                    NVME_AER_DW0(NVME_AER_ERROR,
                                 NVME_AER_INVALID_DOORBELL_VALUE,
                                 NVME_LOG_ERROR));
    g_assert_cmpuint(guest_errors(f), ==, 1);
}

static void test_bad_tail(struct fixture *f, gconstpointer data)
{
    static const uint32_t values[] = { 32, 0xFFFF, 0x10001, UINT32_MAX };
    uint32_t i;

    (void)data;
    shadow_up(f);
    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        uint16_t cid = await_event(f);
        uint32_t good = le32_get(entry(f, SQ1));

        f->host->log_lines[LAB_LOG_GUEST] = 0;
        le32_put(entry(f, SQ1), values[i]);
        ring(f, SQ1, 0);
        expect_bad_value(f, cid);
        fixture_errors(f, &(struct nvme_error_entry) { 0 }, 1);
        /* Told once; the queue goes on from where it was. */
        f->host->log_lines[LAB_LOG_GUEST] = 0;
        ring(f, SQ1, 0);
        fake_finish(f->host);
        g_assert_cmpuint(guest_errors(f), ==, 0);
        le32_put(entry(f, SQ1), good);
        ring(f, SQ1, 0);
        driver_write(f->driver, 1, 0, 1, i + 1, false);
        g_assert_cmpuint(guest_errors(f), ==, 0);
    }
}

/* Valid numbers, but more than the queue holds. */
static void test_overrun(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);
    uint16_t cid;
    uint32_t i;

    (void)data;
    shadow_up(f);
    cid = await_event(f);
    driver_create_pair(f->driver, 2, 4, 2);
    for (i = 0; i < 3; i++) {
        driver_submit(f->driver, 2, &flush);
    }
    le32_put(entry(f, 4), 3);
    ring(f, 4, 3);
    le32_put(entry(f, 4), 1);
    ring(f, 4, 1);
    expect_bad_value(f, cid);
    reap_all(f);
    g_assert_cmpuint(f->driver->queues[2].cq_head, ==, 3);
}

static void test_bad_head(struct fixture *f, gconstpointer data)
{
    uint16_t cid;

    (void)data;
    shadow_up(f);
    cid = await_event(f);
    le32_put(entry(f, CQ1), 7);         /* past the tail */
    ring(f, CQ1, 7);
    expect_bad_value(f, cid);
}

/* -- S8 ------------------------------------------------------------------- */

static uint16_t offer(struct fixture *f, uint64_t doorbells, uint64_t events)
{
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DOORBELL_BUFFERS, .prp1 = doorbells,
        .prp2 = events,
    };

    return driver_exec(f->driver, 0, &cmd);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
    uint64_t page = driver_pages(f->driver, 2);
    uint64_t other = page + DRIVER_PAGE;

    (void)data;
    assert_status(offer(f, page + 4, other), NVME_INVALID_FIELD);
    assert_status(offer(f, page, other + 2048), NVME_INVALID_FIELD);
    assert_status(offer(f, FAKE_BAR, other), NVME_INVALID_FIELD);
    assert_status(offer(f, page, FAKE_BAR), NVME_INVALID_FIELD);
    assert_status(offer(f, page, 0), NVME_INVALID_FIELD);
    /* Refused is refused: registers count. */
    driver_write(f->driver, 1, 0, 1, 1, false);
    g_assert_false(is_fatal(f));
}

static void lose_page(struct fixture *f, uint64_t page)
{
    struct nvme_command flush = cmd_flush(1);

    fake_hole(f->host, 0, page, DRIVER_PAGE);
    driver_submit(f->driver, 1, &flush);
    ring(f, SQ1, 1);
    fake_finish(f->host);
    g_assert_true(is_fatal(f));
    fake_hole(f->host, 0, 0, 0);
    driver_disable(f->driver);
    driver_enable(f->driver, 16);
    driver_create_pair(f->driver, 1, 16, 1);
    driver_write(f->driver, 1, 0, 1, 1, false);
}

static void test_lost_doorbells(struct fixture *f, gconstpointer data)
{
    (void)data;
    shadow_up(f);
    lose_page(f, f->driver->shadow);
}

static void test_lost_events(struct fixture *f, gconstpointer data)
{
    (void)data;
    shadow_up(f);
    lose_page(f, f->driver->events);
}

/* -- S9 ------------------------------------------------------------------- */

static void check_ended_by(struct fixture *f, void (*end)(struct fixture *f))
{
    uint64_t shadow;
    uint64_t events;

    shadow_up(f);
    shadow = f->driver->shadow;
    events = f->driver->events;
    end(f);
    driver_enable(f->driver, 16);
    driver_create_pair(f->driver, 1, 16, 1);
    memset(fake_at(f->host, events), 0xA5, DRIVER_PAGE);
    memset(fake_at(f->host, shadow), 0xA5, DRIVER_PAGE);
    driver_write(f->driver, 1, 0, 1, 9, false);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 9);
    g_assert_cmphex(le32_get(fake_at(f->host, events + SQ1 * 4)), ==,
                    0xA5A5A5A5);
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

static void disable(struct fixture *f)
{
    driver_disable(f->driver);
}

static void reset(struct fixture *f)
{
    lab_reset(f->host->ctrl);
}

/* host_fake aborts if the dark drive so much as looks at a page. */
static void cut_power(struct fixture *f)
{
    struct nvme_command flush = cmd_flush(1);

    driver_send(f->driver, 1, &flush);
    driver_send(f->driver, 1, &flush);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
}

static void test_disable(struct fixture *f, gconstpointer data)
{
    (void)data;
    check_ended_by(f, disable);
}

static void test_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    check_ended_by(f, reset);
}

static void test_cut(struct fixture *f, gconstpointer data)
{
    (void)data;
    check_ended_by(f, cut_power);
}

static void test_queue_again(struct fixture *f, gconstpointer data)
{
    struct nvme_command delete_sq = { .opcode = NVME_ADMIN_DELETE_SQ,
                                      .cdw10 = 2 };
    struct nvme_command delete_cq = { .opcode = NVME_ADMIN_DELETE_CQ,
                                      .cdw10 = 2 };
    struct nvme_command flush = cmd_flush(1);
    uint32_t round;
    uint32_t i;

    (void)data;
    shadow_up(f);
    for (round = 0; round < 3; round++) {
        driver_create_pair(f->driver, 2, 8, 2);
        for (i = 0; i < 13; i++) {
            assert_status(driver_exec(f->driver, 2, &flush), NVME_SUCCESS);
        }
        assert_status(driver_exec(f->driver, 0, &delete_sq), NVME_SUCCESS);
        assert_status(driver_exec(f->driver, 0, &delete_cq), NVME_SUCCESS);
    }
    g_assert_cmpuint(guest_errors(f), ==, 0);
}

/* -- S10 ------------------------------------------------------------------ */

static void switched_off(struct fake_config *config)
{
    config->drive.has_shadow_doorbells = false;
}

static void with_511(struct fake_config *config)
{
    config->drive.io_queue_pairs_max = 511;
}

static void with_512(struct fake_config *config)
{
    config->drive.io_queue_pairs_max = 512;
}

static void check_offered(struct fixture *f, bool is_offered)
{
    struct nvme_command identify = cmd_identify(f->driver, NVME_CNS_CTRL, 0);
    struct nvme_command effects = cmd_get_log(f->driver, NVME_LOG_EFFECTS,
                                              4096);
    const uint8_t *page = fake_at(f->host, f->driver->buffer);

    assert_status(driver_exec(f->driver, 0, &identify), NVME_SUCCESS);
    g_assert_cmphex(le16_get(page + 256) >> 8 & 1, ==, is_offered);
    assert_status(driver_exec(f->driver, 0, &effects), NVME_SUCCESS);
    g_assert_cmphex(le32_get(page + 0x7C * 4), ==, is_offered);
    assert_status(driver_shadow_on(f->driver),
                  is_offered ? NVME_SUCCESS : NVME_INVALID_OPCODE);
    driver_write(f->driver, 1, 0, 1, 1, false);
}

static void test_offered(struct fixture *f, gconstpointer data)
{
    (void)data;
    check_offered(f, true);
}

static void test_not_offered(struct fixture *f, gconstpointer data)
{
    (void)data;
    check_offered(f, false);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/shadow/S1/commands-are-served", NULL, test_works);
    FIXTURE_TEST("/shadow/S1/only-a-change-counts", NULL, test_start_value);
    FIXTURE_TEST("/shadow/S2/register-only-rings", NULL,
                 test_register_only_rings);
    FIXTURE_TEST("/shadow/S3/one-ring-for-many", NULL, test_silent_burst);
    FIXTURE_TEST("/shadow/S3/nothing-missed-while-arming", NULL, test_race);
    FIXTURE_TEST("/shadow/S3/a-run-ends", NULL, test_run_ends);
    FIXTURE_TEST("/shadow/S3/no-polling", NULL, test_idle);
    FIXTURE_TEST("/shadow/S4/silent-tail-before-a-mark", NULL,
                 test_order_of_marks);
    FIXTURE_TEST("/shadow/S4/silent-flush-before-a-completion",
                 late_completions, test_order_of_completions);
    FIXTURE_TEST("/shadow/S5/one-ring-per-lap", NULL, test_cq_laps);
    FIXTURE_TEST("/shadow/S5/full-cq-asks-for-a-ring", NULL, test_full_cq);
    FIXTURE_TEST("/shadow/S5/full-cq-when-the-pages-come", NULL,
                 test_full_cq_before);
    FIXTURE_TEST("/shadow/S5/head-moves-while-arming", NULL, test_cq_race);
    FIXTURE_TEST("/shadow/S6/admin-register-or-entry", NULL, test_admin);
    FIXTURE_TEST("/shadow/S7/tail-beyond-size", NULL, test_bad_tail);
    FIXTURE_TEST("/shadow/S7/tail-past-head", NULL, test_overrun);
    FIXTURE_TEST("/shadow/S7/head-past-tail", NULL, test_bad_head);
    FIXTURE_TEST("/shadow/S8/bad-page-is-refused", NULL, test_refused);
    FIXTURE_TEST("/shadow/S8/lost-doorbell-page-is-fatal", NULL,
                 test_lost_doorbells);
    FIXTURE_TEST("/shadow/S8/lost-event-page-is-fatal", NULL,
                 test_lost_events);
    FIXTURE_TEST("/shadow/S9/disable-ends-it", NULL, test_disable);
    FIXTURE_TEST("/shadow/S9/reset-ends-it", NULL, test_reset);
    FIXTURE_TEST("/shadow/S9/power-cut-ends-it", NULL, test_cut);
    FIXTURE_TEST("/shadow/S9/queue-deleted-and-created", NULL,
                 test_queue_again);
    FIXTURE_TEST("/shadow/S10/offered", NULL, test_offered);
    FIXTURE_TEST("/shadow/S10/511-pairs-fit", with_511, test_offered);
    FIXTURE_TEST("/shadow/S10/512-pairs-do-not", with_512, test_not_offered);
    FIXTURE_TEST("/shadow/S10/switched-off", switched_off, test_not_offered);
    return g_test_run();
}
