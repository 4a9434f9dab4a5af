/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WAIT: when it is answered, with what, and that it always is. */
#include <string.h>

#include "hold_bench.h"

#define MS 1000000ull

static struct nvme_command wait_for(struct fixture *f, uint32_t rule,
                                    uint32_t count, uint32_t limit_ms,
                                    uint32_t entries)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_WAIT, .cdw10 = entries * sizeof(struct lab_held) / 4,
        .cdw11 = rule, .cdw12 = count, .cdw13 = limit_ms,
    };

    if (entries) {
        driver_prps(f->driver, &cmd, f->driver->buffer + 64 * 1024,
                    entries * sizeof(struct lab_held));
    }
    return cmd;
}

static const struct lab_held *list_of(struct fixture *f)
{
    return fake_at(f->host, f->driver->buffer + 64 * 1024);
}

static bool is_answered(struct fixture *f, uint16_t cid)
{
    fake_settle(f->host);
    driver_poll_all(f->driver);
    return driver_is_done(f->driver, 0, cid);
}

static void test_answered_when_parked(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_VISIBLE);
    struct nvme_command cmd = wait_for(f, rule, 2, 10, 3);
    const struct lab_held *list = list_of(f);
    uint16_t wait = driver_send(f->driver, 0, &cmd);
    uint16_t first;
    uint16_t second;

    (void)data;
    g_assert_false(is_answered(f, wait));
    first = driver_send_write(f->driver, 1, 5, 2, 1, true);
    g_assert_false(is_answered(f, wait));
    fake_advance(f->host, MS);
    memset(fake_at(f->host, f->driver->buffer + 64 * 1024), 0xee, 3 * 48);
    second = hold_send(f, 1, NVME_IO_READ, 9, false);
    g_assert_true(is_answered(f, wait));
    assert_status(driver_reap(f->driver, 0, wait), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 2);
    g_assert_cmpuint(list[0].command_id, ==,
                     hold_event(f, LAB_TRACE_PARKED, 0)->value);
    g_assert_cmpuint(list[0].parked_ns, ==,
                     hold_event(f, LAB_TRACE_PARKED, 0)->record.time_ns);
    g_assert_cmpuint(list[0].slba, ==, 5);
    g_assert_cmpuint(list[0].block_count, ==, 2);
    g_assert_cmpuint(list[0].nsid, ==, 1);
    g_assert_cmpuint(list[0].rule, ==, rule);
    g_assert_cmpuint(list[0].sqid, ==, 1);
    g_assert_cmpuint(list[0].cid, ==, first);
    g_assert_cmpuint(list[0].opcode, ==, NVME_IO_WRITE);
    g_assert_cmpuint(list[0].stage, ==, LAB_HOLD_VISIBLE);
    g_assert_cmpuint(list[0].has_fua, ==, 1);
    g_assert_cmpuint(list[1].cid, ==, second);
    g_assert_cmpuint(list[1].slba, ==, 9);
    g_assert_cmpuint(list[2].command_id, ==, 0);
    hold_end(f, rule, 2);
}

static void test_parked_already(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_FETCH);
    struct nvme_command cmd = wait_for(f, 0, 1, 10, 0);
    uint16_t wait;

    (void)data;
    driver_send_write(f->driver, 1, 5, 2, 1, true);
    fake_settle(f->host);
    wait = driver_send(f->driver, 0, &cmd);
    g_assert_true(is_answered(f, wait));
    assert_status(driver_reap(f->driver, 0, wait), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 1);
    /* What is held at its fetch says where it goes, too. */
    cmd = wait_for(f, rule, 1, 10, 1);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpuint(list_of(f)->slba, ==, 5);
    g_assert_cmpuint(list_of(f)->has_fua, ==, 1);
}

static void test_limit(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_CQE);
    struct nvme_command cmd = wait_for(f, rule, 2, 3, 1);
    uint16_t wait;

    (void)data;
    hold_send(f, 1, NVME_IO_READ, 9, false);
    wait = driver_send(f->driver, 0, &cmd);
    g_assert_false(is_answered(f, wait));
    fake_advance(f->host, 3 * MS - 1);
    g_assert_false(is_answered(f, wait));
    fake_advance(f->host, 1);
    g_assert_true(is_answered(f, wait));
    assert_status(driver_reap(f->driver, 0, wait), LAB_STATUS_WAIT_OVER);
    g_assert_cmpuint(driver_result(), ==, 1);
    g_assert_cmpuint(list_of(f)->slba, ==, 9);
}

/* Every place of the admin queue waits, and RELEASE comes through. */
static void test_many(struct fixture *f, gconstpointer data)
{
    struct nvme_command release = { .opcode = LAB_OP_RELEASE };
    struct nvme_command cmd;
    uint16_t waits[18];
    uint32_t i;

    (void)data;
    driver_disable(f->driver);
    driver_enable(f->driver, 6);
    driver_create_pair(f->driver, 1, 32, 1);
    cmd = wait_for(f, hold_at(f, LAB_HOLD_CQE), 1, 20, 0);
    for (i = 0; i < G_N_ELEMENTS(waits); i++) {
        waits[i] = driver_send(f->driver, 0, &cmd);
        g_assert_cmpint(is_answered(f, waits[i]), ==, i >= 16);
    }
    assert_status(driver_reap(f->driver, 0, waits[16]), LAB_STATUS_HOLDS_FULL);
    i = driver_send(f->driver, 0, &release);
    fake_settle(f->host);
    driver_poll_all(f->driver);
    fake_settle(f->host);
    driver_poll_all(f->driver);
    fake_settle(f->host);
    driver_poll_all(f->driver);
    fake_settle(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 0, i), NVME_SUCCESS);
    for (i = 0; i < 16; i++) {
        /* Its rule has ended. */
        assert_status(driver_reap(f->driver, 0, waits[i]), LAB_STATUS_NO_RULE);
    }
}

static void test_any_outlives_a_rule(struct fixture *f, gconstpointer data)
{
    uint32_t rule = hold_at(f, LAB_HOLD_CQE);
    struct nvme_command cmd = wait_for(f, 0, 1, 20, 0);
    uint16_t wait = driver_send(f->driver, 0, &cmd);
    struct nvme_command release = {
        .opcode = LAB_OP_RELEASE, .cdw10 = LAB_RELEASE_RULE, .cdw11 = rule,
    };

    (void)data;
    driver_send(f->driver, 0, &release);
    g_assert_false(is_answered(f, wait));
    fake_finish(f->host);
    g_assert_true(is_answered(f, wait));
    assert_status(driver_reap(f->driver, 0, wait), LAB_STATUS_WAIT_OVER);
}

static void test_abort(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = wait_for(f, 0, 1, 20, 0);
    uint16_t wait = driver_send(f->driver, 0, &cmd);
    struct nvme_command abort = {
        .opcode = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)wait << 16,
    };

    (void)data;
    fake_settle(f->host);
    assert_status(driver_exec(f->driver, 0, &abort), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 0);
    assert_status(driver_reap(f->driver, 0, wait), NVME_ABORT_REQUESTED);
}

/* Reset and cut end it, and its deadline. */
static void test_reset(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = wait_for(f, 0, 1, 20, 1);
    uint64_t number;

    (void)data;
    driver_send(f->driver, 0, &cmd);
    fake_settle(f->host);
    driver_disable(f->driver);
    g_assert_cmpuint(f->host->trace_number, >, 0);
    number = f->host->trace_number;
    fake_finish(f->host);
    g_assert_cmpuint(f->host->trace_number, ==, number);
    driver_enable(f->driver, 8);
    driver_send(f->driver, 0, &cmd);
    fake_settle(f->host);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    fake_finish(f->host);
    driver_enable(f->driver, 8);
    g_assert_cmpuint(driver_stat(f->driver).power_cuts, ==, 1);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
    struct nvme_command good = wait_for(f, 0, 1, 1, 64);
    struct nvme_command cmd = good;

    (void)data;
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_WAIT_OVER);
    cmd.cdw10++;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd = good;
    cmd.cdw12 = 0;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd = good;
    cmd.cdw13 = 0;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw13 = LAB_WAIT_MS_MAX + 1;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd = good;
    cmd.cdw11 = 1;
    assert_status(driver_exec(f->driver, 0, &cmd), LAB_STATUS_NO_RULE);
    cmd = good;
    cmd.prp1 = 0x10;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_DATA_TRANSFER_ERROR);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/hold/wait/answered-when-enough-are-parked", NULL,
                 test_answered_when_parked);
    FIXTURE_TEST("/hold/wait/at-once-when-they-are", NULL, test_parked_already);
    FIXTURE_TEST("/hold/wait/limit", NULL, test_limit);
    FIXTURE_TEST("/hold/wait/many", NULL, test_many);
    FIXTURE_TEST("/hold/wait/for-any-rule", NULL, test_any_outlives_a_rule);
    FIXTURE_TEST("/hold/wait/aborted", NULL, test_abort);
    FIXTURE_TEST("/hold/wait/reset-and-cut", NULL, test_reset);
    FIXTURE_TEST("/hold/wait/refused", NULL, test_refused);
    return g_test_run();
}
