/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held commands, stage by stage: what is seen, promised and answered while a
 * command is parked (H1-H5), when it is released (H6, H7), aborted (H8), and
 * when its queue goes away (H9). The predicates are test_hold_rules.c's.
 */
#include <string.h>

#include "hold_bench.h"

/* -- H1: fetch ------------------------------------------------------------ */

static void test_fetch(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_FETCH);
    uint16_t first;
    uint16_t second;

    (void)data;
    driver_create_pair(f->driver, 2, 16, 2);
    first = driver_send_write(f->driver, 1, 0, 1, 7, false);
    second = hold_send(f, 1, NVME_IO_READ, 9, false);
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).commands_submitted, ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 1);
    hold_end(f, rule, 1);
    hold_expect(f, 1, first, NVME_SUCCESS);
    hold_expect(f, 1, second, NVME_SUCCESS);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 7);
}

static void test_fetch_is_per_queue(struct fixture *f, gconstpointer data)
{
    struct lab_hold spec = { .stage = LAB_HOLD_FETCH,
                             .flags = LAB_HOLD_BY_QUEUE, .sqid = 1 };
    uint32_t rule;
    uint16_t held;

    (void)data;
    driver_create_pair(f->driver, 2, 16, 2);
    rule = hold_arm_ok(f, &spec);
    held = driver_send_write(f->driver, 1, 0, 1, 7, false);
    fake_finish(f->host);
    hold_expect(f, 2, hold_send(f, 2, NVME_IO_READ, 0, false), NVME_SUCCESS);
    g_assert_false(driver_is_done(f->driver, 1, held));
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
}

/* -- H2: visible ---------------------------------------------------------- */

static void test_visible_write(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_opcode_at(f, LAB_HOLD_VISIBLE, NVME_IO_WRITE);
    uint16_t held = driver_send_write(f->driver, 1, 3, 2, 7, false);

    (void)data;
    fake_finish(f->host);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 0);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 3), ==, 0);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==, 7);
    /* P1: the flush does not cover what was not completed. */
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 1024);
}

/* The data is the guest's of the time of the fetch. */
static void test_visible_data_is_copied(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_opcode_at(f, LAB_HOLD_VISIBLE, NVME_IO_WRITE);
    struct nvme_command cmd = cmd_rw(f->driver, NVME_IO_WRITE, 1, 0, 1, false);
    uint16_t held;

    (void)data;
    tag_fill(fake_at(f->host, f->driver->buffer), 512, 5);
    held = driver_send(f->driver, 1, &cmd);
    fake_finish(f->host);
    tag_fill(fake_at(f->host, f->driver->buffer), 512, 6);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 5);
}

/* A read that is held returns what is there when it goes on. */
static void test_visible_read(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_opcode_at(f, LAB_HOLD_VISIBLE, NVME_IO_READ);
    uint16_t held = hold_send(f, 1, NVME_IO_READ, 4, false);

    (void)data;
    fake_finish(f->host);
    driver_write(f->driver, 1, 4, 1, 9, false);
    memset(fake_at(f->host, f->driver->buffer), 0xee, 512);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(tag_of(fake_at(f->host, f->driver->buffer), 512), ==, 9);
}

/* A held flush covers what was completed before it was submitted, no more. */
static void flush_held_at(struct fixture *f, enum lab_hold_stage stage)
{
    struct nvme_command flush = cmd_flush(1);
    uint32_t rule = hold_opcode_at(f, stage, NVME_IO_FLUSH);
    uint16_t held;

    driver_write(f->driver, 1, 0, 1, 1, false);
    held = driver_send(f->driver, 1, &flush);
    fake_finish(f->host);
    driver_write(f->driver, 1, 1, 1, 2, false);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 1), ==, 0);
}

static void test_visible_flush(struct fixture *f, gconstpointer data)
{
    (void)data;
    flush_held_at(f, LAB_HOLD_VISIBLE);
}

static void test_durable_flush(struct fixture *f, gconstpointer data)
{
    (void)data;
    flush_held_at(f, LAB_HOLD_DURABLE);
}

/* -- H3: durable ---------------------------------------------------------- */

static void test_durable_fua(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_DURABLE);
    uint16_t held = driver_send_write(f->driver, 1, 0, 2, 7, true);

    (void)data;
    fake_finish(f->host);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 7);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 7);
    g_assert_cmpuint(driver_stat(f->driver).unpromised_bytes, ==, 0);
}

/* A plain write with the cache on is never promised by itself. */
static void test_durable_plain(struct fixture *f, gconstpointer data)
{
    (void)data;
    hold_at(f, LAB_HOLD_DURABLE);
    driver_write(f->driver, 1, 0, 2, 7, false);
    g_assert_cmpuint(driver_stat(f->driver).commands_parked, ==, 0);
}

static void test_durable_through(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_DURABLE);
    uint16_t held = driver_send_write(f->driver, 1, 0, 2, 7, false);

    (void)data;
    fake_finish(f->host);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 7);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 7);
}

/* A flush beside it: the write is not completed, so P1 does not take it. */
static void test_durable_beside_flush(struct fixture *f, gconstpointer data)
{
    uint16_t held;

    (void)data;
    hold_opcode_at(f, LAB_HOLD_DURABLE, NVME_IO_WRITE);
    held = driver_send_write(f->driver, 1, 0, 1, 7, true);
    fake_finish(f->host);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    (void)held;
}

/* -- H4: cqe -------------------------------------------------------------- */

static void test_cqe(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_opcode_at(f, LAB_HOLD_CQE, NVME_IO_WRITE);
    uint16_t held = driver_send_write(f->driver, 1, 0, 1, 7, true);

    (void)data;
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 7);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
}

static void test_cqe_is_not_completed(struct fixture *f, gconstpointer data)
{
    uint16_t held;

    (void)data;
    hold_opcode_at(f, LAB_HOLD_CQE, NVME_IO_WRITE);
    held = driver_send_write(f->driver, 1, 0, 1, 7, false);
    fake_finish(f->host);
    driver_flush(f->driver, 1);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
    (void)held;
}

/* What the drive refuses is held there, too. */
static void test_cqe_of_refused(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = { .opcode = 0x7f, .nsid = 1 };
    struct lab_hold spec = { .stage = LAB_HOLD_CQE, .opcode = 0x7f,
                             .flags = LAB_HOLD_BY_OPCODE };
    uint32_t rule = hold_arm_ok(f, &spec);
    uint16_t held = driver_send(f->driver, 1, &cmd);

    (void)data;
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_INVALID_OPCODE);
}

/* -- H5: irq -------------------------------------------------------------- */

static void test_irq(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_IRQ);
    uint16_t held = hold_send(f, 1, NVME_IO_READ, 0, false);
    uint64_t at_ns;

    (void)data;
    fake_finish(f->host);
    g_assert_true(driver_poll(f->driver, 1));
    assert_status(driver_reap(f->driver, 1, held), NVME_SUCCESS);
    g_assert_cmpuint(hold_irqs(f, 1), ==, 0);
    g_assert_null(fake_trace_io(f->host, NVME_IO_READ));
    fake_advance(f->host, 5000);
    at_ns = f->host->now_ns;
    hold_end(f, rule, 1);
    g_assert_cmpuint(hold_irqs(f, 1), ==, 1);
    g_assert_cmpuint(fake_trace_io(f->host, NVME_IO_READ)->irq_ns, ==, at_ns);
    g_assert_cmpuint(fake_trace_io(f->host, NVME_IO_READ)->completed_ns, ==,
                     at_ns - 5000);
}

/* Another command's interrupt shows both entries. */
static void test_irq_of_another(struct fixture *f, gconstpointer data)
{
    uint16_t held;
    uint16_t other;

    (void)data;
    hold_opcode_at(f, LAB_HOLD_IRQ, NVME_IO_READ);
    held = hold_send(f, 1, NVME_IO_READ, 0, false);
    other = driver_send_write(f->driver, 1, 0, 1, 7, false);
    fake_finish(f->host);
    g_assert_cmpuint(hold_irqs(f, 1), ==, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    hold_expect(f, 1, other, NVME_SUCCESS);
}

static void test_irq_lost(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_RELEASE, .cdw10 = LAB_RELEASE_LOST,
    };

    (void)data;
    hold_at(f, LAB_HOLD_IRQ);
    hold_send(f, 1, NVME_IO_READ, 0, false);
    fake_finish(f->host);
    cmd.cdw14 = hold_event(f, LAB_TRACE_PARKED, 0)->value;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 1);
    g_assert_cmpuint(hold_irqs(f, 1), ==, 0);
    g_assert_cmpuint(fake_trace_io(f->host, NVME_IO_READ)->irq_ns, ==, 0);
    g_assert_cmpuint(LAB_TRACE_HELD_HOW(
        hold_event(f, LAB_TRACE_RESUMED, 0)->value2), ==, LAB_TRACE_LOST);
}

/* Without an interrupt there is nothing to hold. */
static void test_irq_polled(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_create_pair(f->driver, 2, 16, DRIVER_POLLED);
    hold_at(f, LAB_HOLD_IRQ);
    hold_expect(f, 2, hold_send(f, 2, NVME_IO_READ, 0, false), NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).commands_parked, ==, 0);
}

/* They hold no place of the queue, and no endless number of them is kept. */
static void test_irq_ghosts(struct fixture *f, gconstpointer data)
{
    uint32_t i;

    (void)data;
    hold_at(f, LAB_HOLD_IRQ);
    for (i = 0; i < 1100; i++) {
        hold_expect(f, 1, hold_send(f, 1, NVME_IO_READ, 0, false),
                    NVME_SUCCESS);
    }
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 1024);
    g_assert_cmpuint(hold_irqs(f, 1), ==, 1100 - 1024);
}

/* -- H6, H7 --------------------------------------------------------------- */

static void test_stage_after_stage(struct fixture *f, gconstpointer data)
{
    uint32_t stage;
    uint16_t held;

    (void)data;
    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        hold_at(f, stage);
    }
    held = driver_send_write(f->driver, 1, 0, 1, 7, true);
    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        const struct lab_trace_event *event;

        fake_finish(f->host);
        event = hold_event(f, LAB_TRACE_PARKED, stage);
        g_assert_cmpuint(LAB_TRACE_HELD_STAGE(event->value2), ==, stage);
        g_assert_cmpuint(LAB_TRACE_HELD_RULE(event->value2), ==, stage + 1);
        g_assert_cmpuint(hold_release(f, LAB_RELEASE_SOME, stage + 1, 0, 0),
                         ==, 1);
    }
    hold_expect(f, 1, held, NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).commands_parked, ==, 5);
    g_assert_cmpuint(hold_irqs(f, 1), ==, 1);
}

static void test_timed(struct fixture *f, gconstpointer data)
{
    uint32_t stage;

    (void)data;
    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        struct lab_hold spec = { .stage = stage, .release_after_ns = 1000 };
        uint32_t rule = hold_arm_ok(f, &spec);
        uint16_t held = driver_send_write(f->driver, 1, 0, 1, 7, true);

        fake_settle(f->host);
        fake_advance(f->host, 999);
        g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_RESUMED), ==,
                         stage);
        fake_advance(f->host, 1);
        g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_RESUMED), ==,
                         stage + 1);
        hold_expect(f, 1, held, NVME_SUCCESS);
        g_assert_cmpuint(LAB_TRACE_HELD_HOW(
            hold_event(f, LAB_TRACE_RESUMED, stage)->value2), ==,
            LAB_TRACE_TIMED);
        hold_end(f, rule, 0);
    }
}

static void floor_latency(struct fake_config *config)
{
    config->drive.floor_latency_ns = 100000;
}

/* The floor is counted from submission, held or not. */
static void test_floor(struct fixture *f, gconstpointer data)
{
    uint32_t stage;

    (void)data;
    for (stage = 0; stage <= LAB_HOLD_CQE; stage++) {
        uint32_t rule = hold_at(f, stage);
        uint64_t start_ns = f->host->now_ns;
        const struct lab_trace_command *command;
        uint16_t held = driver_send_write(f->driver, 1, 0, 1, 7, true);

        fake_settle(f->host);
        fake_advance(f->host, 30000);
        hold_end(f, rule, 1);
        hold_expect(f, 1, held, NVME_SUCCESS);
        command = fake_trace_io(f->host, NVME_IO_WRITE);
        g_assert_cmpuint(command->completed_ns, ==, start_ns + 100000);
    }
}

/* -- Many ----------------------------------------------------------------- */

static void test_dsm(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = hold_dsm(f, 4, 2, 40, 3);
    uint32_t stage;

    (void)data;
    driver_write(f->driver, 1, 0, 64, 3, true);
    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        uint32_t rule = hold_opcode_at(f, stage, NVME_IO_DSM);
        uint64_t shown = stage > LAB_HOLD_VISIBLE ? 0 : 3;
        uint64_t there = stage > LAB_HOLD_DURABLE ? 0 : 3;
        uint16_t held;

        driver_write(f->driver, 1, 0, 64, 3, true);
        cmd = hold_dsm(f, 4, 2, 40, 3);
        held = driver_send(f->driver, 1, &cmd);
        fake_finish(f->host);
        g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 1);
        if (stage != LAB_HOLD_FETCH) {
            g_assert_cmpuint(driver_read_tag(f->driver, 1, 42, false), ==,
                             shown);
        }
        g_assert_cmpuint(medium_tag(f->host, 1, 5), ==, there);
        hold_end(f, rule, 1);
        hold_expect(f, 1, held, NVME_SUCCESS);
        g_assert_cmpuint(medium_tag(f->host, 1, 4), ==, 0);
        g_assert_cmpuint(medium_tag(f->host, 1, 42), ==, 0);
    }
}

static void no_cache(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/hold/H1/fetch-stops-its-queue", NULL, test_fetch);
    FIXTURE_TEST("/hold/H1/fetch-stops-no-other-queue", NULL,
                 test_fetch_is_per_queue);
    FIXTURE_TEST("/hold/H2/a-write-is-seen-by-nobody", NULL,
                 test_visible_write);
    FIXTURE_TEST("/hold/H2/its-data-is-copied-before", NULL,
                 test_visible_data_is_copied);
    FIXTURE_TEST("/hold/H2/a-read-has-not-read", NULL, test_visible_read);
    FIXTURE_TEST("/hold/H2/a-flush-has-not-begun", NULL, test_visible_flush);
    FIXTURE_TEST("/hold/H3/a-fua-write-is-seen-and-not-promised", NULL,
                 test_durable_fua);
    FIXTURE_TEST("/hold/H3/a-plain-write-has-no-such-stage", NULL,
                 test_durable_plain);
    FIXTURE_TEST("/hold/H3/without-a-cache-every-write-has", no_cache,
                 test_durable_through);
    FIXTURE_TEST("/hold/H3/a-flush-passes-by", NULL,
                 test_durable_beside_flush);
    FIXTURE_TEST("/hold/H3/a-flush-has-not-begun", NULL, test_durable_flush);
    FIXTURE_TEST("/hold/H4/all-is-done-but-the-answer", NULL, test_cqe);
    FIXTURE_TEST("/hold/H4/not-completed", NULL, test_cqe_is_not_completed);
    FIXTURE_TEST("/hold/H4/refused-commands-too", NULL, test_cqe_of_refused);
    FIXTURE_TEST("/hold/H5/entry-without-interrupt", NULL, test_irq);
    FIXTURE_TEST("/hold/H5/another-interrupt-shows-it", NULL,
                 test_irq_of_another);
    FIXTURE_TEST("/hold/H5/lost", NULL, test_irq_lost);
    FIXTURE_TEST("/hold/H5/a-polled-queue-has-no-such-stage", NULL,
                 test_irq_polled);
    FIXTURE_TEST("/hold/H5/ghosts-are-counted", NULL, test_irq_ghosts);
    FIXTURE_TEST("/hold/H6/each-stage-once", NULL, test_stage_after_stage);
    FIXTURE_TEST("/hold/H7/released-by-time", NULL, test_timed);
    FIXTURE_TEST("/hold/H7/the-floor-is-the-floor", floor_latency, test_floor);
    FIXTURE_TEST("/hold/dsm-is-held-as-a-whole", no_cache, test_dsm);
    return g_test_run();
}
