/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules: what they match, in which order, what is refused, and how they end
 * (H6, H10, H11); RELEASE's choices. WAIT is test_hold_wait.c's.
 */
#include <string.h>

#include "hold_bench.h"

static void two_namespaces(struct fake_config *config)
{
    config->ns_count = 2;
}

/* -- Predicates ----------------------------------------------------------- */

/* Of these commands, sent in this order, which does the rule park? */
static uint32_t parked_of(struct fixture *f, const struct lab_hold *spec)
{
    struct nvme_command list[10];
    uint16_t cid[10];
    uint32_t rule;
    uint32_t mask = 0;
    uint32_t i;

    list[0] = cmd_rw(f->driver, NVME_IO_WRITE, 1, 0, 4, false);
    list[1] = cmd_rw(f->driver, NVME_IO_WRITE, 1, 8, 4, true);
    list[2] = cmd_rw(f->driver, NVME_IO_WRITE, 2, 8, 4, false);
    list[3] = cmd_rw(f->driver, NVME_IO_READ, 1, 8, 1, false);
    list[4] = cmd_rw(f->driver, NVME_IO_COMPARE, 1, 11, 1, true);
    list[5] = cmd_flush(1);
    list[6] = cmd_flush(NVME_NSID_ALL);
    list[7] = (struct nvme_command) {
        .opcode = NVME_IO_WRITE_ZEROES, .nsid = 1, .cdw10 = 30, .cdw12 = 9,
    };
    list[8] = hold_dsm(f, 2, 1, 20, 4);
    list[9] = (struct nvme_command) { .opcode = 0x7e, .nsid = 1 };
    rule = hold_arm_ok(f, spec);
    for (i = 0; i < G_N_ELEMENTS(list); i++) {
        uint16_t qid = 1 + i % 2;

        cid[i] = driver_send(f->driver, qid, &list[i]);
        fake_finish(f->host);
        driver_poll_all(f->driver);
        if (!driver_is_done(f->driver, qid, cid[i])) {
            mask |= 1u << i;
            hold_release(f, LAB_RELEASE_SOME, rule, 0, 0);
            driver_poll_all(f->driver);
        }
        driver_reap(f->driver, qid, cid[i]);
    }
    hold_end(f, rule, 0);
    return mask;
}

static void test_predicates(struct fixture *f, gconstpointer data)
{
    static const struct {
        struct lab_hold spec;
        uint32_t fetch;         /* bit per command of parked_of() */
        uint32_t visible;
    } table[] = {
        { { 0 }, 0x3ff, 0x1ff },
        { { .flags = LAB_HOLD_BY_OPCODE, .opcode = NVME_IO_WRITE },
          0x007, 0x007 },
        { { .flags = LAB_HOLD_BY_NSID, .nsid = 1 }, 0x3fb, 0x1fb },
        { { .flags = LAB_HOLD_BY_NSID, .nsid = 2 }, 0x044, 0x044 },
        { { .flags = LAB_HOLD_BY_NSID, .nsid = NVME_NSID_ALL }, 0x040, 0x040 },
        { { .flags = LAB_HOLD_BY_LBA, .first_lba = 11, .last_lba = 11 },
          0x016, 0x016 },
        { { .flags = LAB_HOLD_BY_LBA, .first_lba = 3, .last_lba = 3 },
          0x001, 0x001 },
        { { .flags = LAB_HOLD_BY_LBA, .first_lba = 4, .last_lba = 7 }, 0, 0 },
        { { .flags = LAB_HOLD_BY_LBA, .first_lba = 23, .last_lba = 30 },
          0x180, 0x180 },
        { { .flags = LAB_HOLD_BY_LBA, .first_lba = 39,
            .last_lba = UINT64_MAX }, 0x080, 0x080 },
        { { .flags = LAB_HOLD_WITH_FUA }, 0x012, 0x012 },
        { { .flags = LAB_HOLD_WITHOUT_FUA }, 0x3ed, 0x1ed },
        { { .flags = LAB_HOLD_BY_QUEUE, .sqid = 2 }, 0x2aa, 0x0aa },
        { { .flags = LAB_HOLD_BY_QUEUE | LAB_HOLD_BY_OPCODE, .sqid = 2,
            .opcode = NVME_IO_WRITE }, 0x002, 0x002 },
        { { .skip = 2, .count = 3 }, 0x01c, 0x01c },
        { { .flags = LAB_HOLD_BY_OPCODE, .opcode = NVME_IO_WRITE, .skip = 1,
            .count = 1 }, 0x002, 0x002 },
        { { .flags = LAB_HOLD_AFTER_MARK, .mark_id = 5 }, 0, 0 },
    };
    guint i;

    (void)data;
    driver_create_pair(f->driver, 2, 16, 2);
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        struct lab_hold spec = table[i].spec;

        spec.stage = LAB_HOLD_FETCH;
        g_assert_cmphex(parked_of(f, &spec), ==, table[i].fetch);
        spec.stage = LAB_HOLD_VISIBLE;
        g_assert_cmphex(parked_of(f, &spec), ==, table[i].visible);
    }
}

/* A range that ends past all numbers is no wrap to the beginning. */
static void test_lba_wrap(struct fixture *f, gconstpointer data)
{
    struct lab_hold spec = { .stage = LAB_HOLD_FETCH,
                             .flags = LAB_HOLD_BY_LBA, .last_lba = 3 };
    struct nvme_command cmd = cmd_rw(f->driver, NVME_IO_READ, 1, UINT64_MAX,
                                     8, false);

    (void)data;
    hold_arm_ok(f, &spec);
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_LBA_OUT_OF_RANGE);
}

/* A list that cannot be read matches no range, and is answered as ever. */
static void test_dsm_without_list(struct fixture *f, gconstpointer data)
{
    struct lab_hold spec = { .stage = LAB_HOLD_FETCH,
                             .flags = LAB_HOLD_BY_LBA, .last_lba = 60 };
    struct nvme_command cmd = hold_dsm(f, 1, 1, 2, 1);

    (void)data;
    hold_arm_ok(f, &spec);
    cmd.prp1 = 0x10;
    assert_status(driver_exec(f->driver, 1, &cmd), NVME_DATA_TRANSFER_ERROR);
}

static void test_mark(struct fixture *f, gconstpointer data)
{
    struct lab_hold spec = { .stage = LAB_HOLD_CQE, .count = 1,
                             .flags = LAB_HOLD_AFTER_MARK, .mark_id = 77 };
    struct nvme_command mark = cmd_mark(f->driver, 77, LAB_MARK_BEGIN, "here");
    struct nvme_command other = cmd_mark(f->driver, 78, LAB_MARK_BEGIN, "no");
    uint32_t rule;
    uint16_t held;

    (void)data;
    /* One that came before the rule does not count. */
    assert_status(driver_exec(f->driver, 0, &mark), NVME_SUCCESS);
    rule = hold_arm_ok(f, &spec);
    driver_write(f->driver, 1, 0, 1, 1, false);
    assert_status(driver_exec(f->driver, 0, &other), NVME_SUCCESS);
    driver_write(f->driver, 1, 0, 1, 2, false);
    mark = cmd_mark(f->driver, 77, LAB_MARK_BEGIN, "here");
    assert_status(driver_exec(f->driver, 0, &mark), NVME_SUCCESS);
    held = driver_send_write(f->driver, 1, 0, 1, 3, false);
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    /* The count is used up. */
    driver_write(f->driver, 1, 0, 1, 4, false);
    hold_end(f, rule, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
}

/* -- Several rules -------------------------------------------------------- */

/* The first armed wins, whatever its number; what it skips is for others. */
static void test_first_rule(struct fixture *f, gconstpointer data)
{
    struct lab_hold skips = { .stage = LAB_HOLD_CQE, .skip = 1 };
    uint32_t low = hold_at(f, LAB_HOLD_CQE);
    uint32_t first = hold_arm_ok(f, &skips);
    uint32_t i;

    (void)data;
    hold_end(f, low, 0);
    g_assert_cmpuint(hold_at(f, LAB_HOLD_CQE), ==, low);
    for (i = 0; i < 3; i++) {
        hold_send(f, 1, NVME_IO_READ, i, false);
    }
    fake_finish(f->host);
    g_assert_cmpuint(LAB_TRACE_HELD_RULE(
        hold_event(f, LAB_TRACE_PARKED, 0)->value2), ==, low);
    g_assert_cmpuint(LAB_TRACE_HELD_RULE(
        hold_event(f, LAB_TRACE_PARKED, 1)->value2), ==, first);
    g_assert_cmpuint(LAB_TRACE_HELD_RULE(
        hold_event(f, LAB_TRACE_PARKED, 2)->value2), ==, first);
    hold_end(f, first, 2);
    hold_end(f, low, 1);
}

static void test_order(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_VISIBLE);
    uint16_t cid[4];
    uint32_t i;

    (void)data;
    for (i = 0; i < 4; i++) {
        cid[i] = driver_send_write(f->driver, 1, 0, 1, 10 + i, false);
    }
    fake_finish(f->host);
    g_assert_cmpuint(hold_release(f, LAB_RELEASE_SOME, rule, 1, 1), ==, 1);
    hold_expect(f, 1, cid[3], NVME_SUCCESS);
    g_assert_cmpuint(hold_release(f, LAB_RELEASE_SOME, rule, 2, 0), ==, 2);
    hold_expect(f, 1, cid[0], NVME_SUCCESS);
    hold_expect(f, 1, cid[1], NVME_SUCCESS);
    hold_end(f, rule, 1);
    hold_expect(f, 1, cid[2], NVME_SUCCESS);
    /* The last to be released is on top. */
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 12);
}

static void test_release_one(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_RELEASE, .cdw10 = LAB_RELEASE_ONE,
    };
    uint16_t first;
    uint16_t second;

    (void)data;
    hold_at(f, LAB_HOLD_CQE);
    first = hold_send(f, 1, NVME_IO_READ, 0, false);
    second = hold_send(f, 1, NVME_IO_READ, 1, false);
    fake_finish(f->host);
    cmd.cdw14 = hold_event(f, LAB_TRACE_PARKED, 1)->value;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    hold_expect(f, 1, second, NVME_SUCCESS);
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_NO_RULE);
    /* Not at irq: its interrupt cannot be lost. */
    cmd.cdw10 = LAB_RELEASE_LOST;
    cmd.cdw14 = hold_event(f, LAB_TRACE_PARKED, 0)->value;
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_NO_RULE);
    g_assert_cmpuint(hold_release(f, LAB_RELEASE_ALL, 0, 0, 0), ==, 1);
    hold_expect(f, 1, first, NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 0);
}

/* H6: a rule at a later stage gets what is released, an ended one does not. */
static void test_later_stage(struct fixture *f, gconstpointer data)
{
    uint32_t early = hold_at(f, LAB_HOLD_VISIBLE);
    uint32_t late = hold_opcode_at(f, LAB_HOLD_CQE, NVME_IO_WRITE);
    uint16_t held = driver_send_write(f->driver, 1, 0, 1, 1, false);

    (void)data;
    fake_finish(f->host);
    hold_end(f, early, 1);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
    g_assert_cmpuint(hold_release(f, LAB_RELEASE_ALL, 0, 0, 0), ==, 1);
    hold_expect(f, 1, held, NVME_SUCCESS);
    (void)late;
}

/* -- What is refused ------------------------------------------------------ */

static void test_refused(struct fixture *f, gconstpointer data)
{
    static const struct lab_hold table[] = {
        { .stage = LAB_HOLD_STAGES },
        { .stage = UINT32_MAX },
        { .flags = LAB_HOLD_AFTER_MARK << 1 },
        { .reserved = 1 },
        { .reserved2 = 1 },
        { .flags = LAB_HOLD_WITH_FUA | LAB_HOLD_WITHOUT_FUA },
        { .flags = LAB_HOLD_BY_LBA, .first_lba = 2, .last_lba = 1 },
        { .flags = LAB_HOLD_BY_NSID },
        { .flags = LAB_HOLD_BY_NSID, .nsid = 257 },
        { .flags = LAB_HOLD_BY_QUEUE },
        { .flags = LAB_HOLD_BY_QUEUE, .sqid = 5 },
        { .flags = LAB_HOLD_BY_OPCODE, .opcode = NVME_IO_READ,
          .stage = LAB_HOLD_DURABLE },
        { .flags = LAB_HOLD_BY_OPCODE, .opcode = NVME_IO_COMPARE,
          .stage = LAB_HOLD_DURABLE },
        { .flags = LAB_HOLD_BY_OPCODE, .opcode = 0x7e,
          .stage = LAB_HOLD_VISIBLE },
        { .flags = LAB_HOLD_BY_OPCODE | LAB_HOLD_BY_LBA,
          .opcode = NVME_IO_FLUSH },
        { .flags = LAB_HOLD_BY_OPCODE | LAB_HOLD_WITH_FUA,
          .opcode = NVME_IO_DSM },
    };
    struct nvme_command cmd = {
        .opcode = LAB_OP_HOLD, .prp1 = f->driver->buffer,
    };
    guint i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        assert_status(hold_arm_raw(f, &table[i]), NVME_INVALID_FIELD);
    }
    for (i = 0; i < 40; i++) {
        if (i != sizeof(struct lab_hold) / 4) {
            cmd.cdw10 = i;
            assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
        }
    }
    cmd.cdw10 = sizeof(struct lab_hold) / 4;
    cmd.prp1 = 0x10;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_DATA_TRANSFER_ERROR);
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 0);
}

static void test_release_refused(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = { .opcode = LAB_OP_RELEASE, .cdw10 = 5 };

    (void)data;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw10 = LAB_RELEASE_SOME;
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_NO_RULE);
    cmd.cdw11 = hold_at(f, LAB_HOLD_CQE);
    cmd.cdw13 = 2;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw10 = LAB_RELEASE_RULE;
    cmd.cdw11 = 9;
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_NO_RULE);
    cmd.cdw10 = LAB_RELEASE_ONE;
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_NO_RULE);
    cmd.cdw10 = LAB_RELEASE_ALL;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 0);
}

static void test_table_full(struct fixture *f, gconstpointer data)
{
    struct lab_hold spec = { .stage = LAB_HOLD_CQE };
    uint32_t i;

    (void)data;
    for (i = 1; i <= LAB_HOLDS_MAX; i++) {
        g_assert_cmpuint(hold_at(f, LAB_HOLD_CQE), ==, i);
    }
    assert_status(hold_arm_raw(f, &spec), LAB_STATUS_HOLDS_FULL);
    hold_end(f, 17, 0);
    g_assert_cmpuint(hold_at(f, LAB_HOLD_CQE), ==, 17);
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, LAB_HOLDS_MAX);
}

/* -- H11 ------------------------------------------------------------------ */

/* So much data that no I/O is fetched any more: RELEASE still is. */
static void huge(struct fake_config *config)
{
    config->ram_bytes = 16 << 20;
    config->block_count = 4096;
    config->drive.mdts = 9;
    config->drive.queue_entries_max = 64;
}

static void test_full_of_data(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_opcode_at(f, LAB_HOLD_VISIBLE, NVME_IO_WRITE);
    struct nvme_command cmd;
    uint32_t i;

    (void)data;
    driver_create_pair(f->driver, 2, 64, 2);
    cmd = cmd_rw(f->driver, NVME_IO_WRITE, 1, 0, 2048, false);
    driver_prps(f->driver, &cmd, f->driver->buffer, 1 << 20);
    memset(fake_at(f->host, f->driver->buffer), 0, 1 << 20);
    for (i = 0; i < 63; i++) {
        driver_send(f->driver, 2, &cmd);
    }
    for (i = 0; i < 4; i++) {
        driver_send(f->driver, 1, &cmd);
    }
    fake_finish(f->host);
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 64);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    hold_end(f, rule, 64);
    fake_finish(f->host);
    g_assert_cmpuint(driver_stat(f->driver).commands_completed, ==, 67);
}

static void test_admin_is_not_held(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = cmd_identify(f->driver, 1, 0);
    uint32_t stage;

    (void)data;
    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        hold_at(f, stage);
    }
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpuint(driver_stat(f->driver).commands_parked, ==, 0);
}

/* -- H10 ------------------------------------------------------------------ */

static void test_trace(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_opcode_at(f, LAB_HOLD_CQE, NVME_IO_READ);

    (void)data;
    hold_send(f, 1, NVME_IO_READ, 0, false);
    fake_finish(f->host);
    hold_end(f, rule, 1);
    g_assert_cmpuint(hold_event(f, LAB_TRACE_HOLD, 0)->value, ==, rule);
    g_assert_cmpuint(hold_event(f, LAB_TRACE_HOLD, 0)->value2, ==,
                     LAB_HOLD_CQE);
    g_assert_cmpuint(hold_event(f, LAB_TRACE_PARKED, 0)->value, ==,
                     fake_trace_io(f->host, NVME_IO_READ)->command_id);
    g_assert_cmpuint(hold_event(f, LAB_TRACE_RESUMED, 0)->value2, ==,
                     rule << 16 | LAB_HOLD_CQE << 8 | LAB_TRACE_RELEASED);
    g_assert_cmpuint(hold_event(f, LAB_TRACE_HOLD_ENDED, 0)->value, ==, rule);
    g_assert_cmpuint(hold_event(f, LAB_TRACE_HOLD_ENDED, 0)->value2, ==, 1);
}

/* Shadow doorbells: the queue's tail moves in silence behind the held head. */
static void test_shadow(struct fixture *f, gconstpointer data)
{
    uint32_t rule;
    uint16_t cid[6];
    uint32_t i;

    (void)data;
    assert_status(driver_shadow_on(f->driver), NVME_SUCCESS);
    rule = hold_at(f, LAB_HOLD_FETCH);
    for (i = 0; i < 6; i++) {
        cid[i] = hold_send(f, 1, NVME_IO_READ, i, false);
        fake_run(f->host);
    }
    fake_finish(f->host);
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 1);
    hold_end(f, rule, 1);
    for (i = 0; i < 6; i++) {
        hold_expect(f, 1, cid[i], NVME_SUCCESS);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/hold/rules/predicates", two_namespaces, test_predicates);
    FIXTURE_TEST("/hold/rules/lba-does-not-wrap", NULL, test_lba_wrap);
    FIXTURE_TEST("/hold/rules/dsm-without-list", NULL, test_dsm_without_list);
    FIXTURE_TEST("/hold/rules/after-a-mark", NULL, test_mark);
    FIXTURE_TEST("/hold/rules/the-first-armed-wins", NULL, test_first_rule);
    FIXTURE_TEST("/hold/release/order", NULL, test_order);
    FIXTURE_TEST("/hold/release/one", NULL, test_release_one);
    FIXTURE_TEST("/hold/H6/held-again-at-a-later-stage", NULL,
                 test_later_stage);
    FIXTURE_TEST("/hold/rules/refused", NULL, test_refused);
    FIXTURE_TEST("/hold/release/refused", NULL, test_release_refused);
    FIXTURE_TEST("/hold/rules/table-full", NULL, test_table_full);
    FIXTURE_TEST("/hold/H11/release-comes-through", huge, test_full_of_data);
    FIXTURE_TEST("/hold/H11/admin-is-not-held", NULL, test_admin_is_not_held);
    FIXTURE_TEST("/hold/H10/the-trace-has-it", NULL, test_trace);
    FIXTURE_TEST("/hold/H1/shadow-doorbells", NULL, test_shadow);
    return g_test_run();
}
