/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power cut of a whole drive (P4-P6), with commands at every stage of their
 * life. That a dark drive touches no memory, sends no interrupt and arms no
 * timer is checked by host_fake in every one of these.
 */
#include <errno.h>
#include <string.h>

#include "fixture.h"

static void two_namespaces(struct fake_config *config)
{
    config->ns_count = 2;
}

static void slow(struct fake_config *config)
{
    config->drive.floor_latency_ns = 1000000;
}

static void slow_tiny(struct fake_config *config)
{
    config->drive.floor_latency_ns = 1000000;
    config->drive.cache_size_bytes = 4096;
}

static void atomic4(struct fake_config *config)
{
    config->drive.awupf_0based = 3;
}

static void up_again(struct fixture *f)
{
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

static void cut_done(void *opaque)
{
    ((struct fake_host *)opaque)->is_cut_done = true;
}

static void test_dark(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    fake_cut(f->host, (struct lab_cut) { LAB_POLICY_DROP_ALL, 0 });
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS), ==, 0xFFFFFFFF);
    g_assert_cmphex(reg_read64(f->host, NVME_REG_CAP), ==, UINT64_MAX);
    g_assert_cmphex(lab_mmio_read(f->host->ctrl, 1, 1), ==, 0xFF);
    g_assert_cmphex(lab_mmio_read(f->host->ctrl, 2, 2), ==, 0xFFFF);
    reg_write(f->host, NVME_REG_CC, 0);
    reg_write(f->host, NVME_REG_DOORBELLS + 8, 5);
    lab_reset(f->host->ctrl);
    fake_finish(f->host);
    g_assert_true(lab_is_dark(f->host->ctrl));
    lab_power_on(f->host->ctrl);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS), ==, 0);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CC), ==, 0);
    g_assert_cmphex(reg_read(f->host, NVME_REG_AQA), ==, 0);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).power_cuts, ==, 1);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_CUT), ==, 1);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_POWER_ON), ==, 1);
}

static void test_dark_at_once(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_send(f->driver, 1, &flush);
    fake_run(f->host);
    lab_power_cut(f->host->ctrl, (struct lab_cut) { LAB_POLICY_DROP_ALL, 0 },
                  cut_done);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS), ==, 0xFFFFFFFF);
    fake_run(f->host);
    g_assert_false(f->host->is_cut_done);   /* the store is still at it */
    fake_settle(f->host);
    g_assert_true(f->host->is_cut_done);
}

/* One command per stage of its life, then the cut. */
static void every_stage(struct fixture *f, uint32_t steps, uint64_t seed)
{
    struct nvme_command read = cmd_rw(f->driver, NVME_IO_READ, 1, 30, 8, false);
    struct nvme_command fua_read = cmd_rw(f->driver, NVME_IO_READ, 1, 0, 4,
                                          true);
    struct nvme_command flush = cmd_flush(NVME_NSID_ALL);
    struct nvme_command off = cmd_set_features(NVME_FEAT_VWC, 0);
    struct nvme_command aer = { .opcode = NVME_ADMIN_ASYNC_EVENT };
    uint32_t i;

    driver_write(f->driver, 1, 0, 8, 1, true);
    driver_send(f->driver, 0, &aer);
    driver_send_write(f->driver, 1, 0, 4, 2, false);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    driver_send_write(f->driver, 1, 8, 4, 3, true);
    driver_send_write(f->driver, 1, 2, 4, 4, false);
    driver_send(f->driver, 1, &read);
    driver_send(f->driver, 1, &fua_read);
    driver_send(f->driver, 1, &flush);
    if (seed % 2) {
        driver_send(f->driver, 0, &off);
    }
    fake_run(f->host);
    for (i = 0; i < steps && fake_waiting(f->host); i++) {
        fake_step_any(f->host, (seed + i) % fake_waiting(f->host));
        fake_run(f->host);
    }
    driver_send_write(f->driver, 1, 20, 2, 5, false);   /* not fetched */
    fake_cut_and_boot(f->host, LAB_POLICY_RANDOM, seed);
    up_again(f);
    for (i = 0; i < 12; i++) {
        uint64_t tag = driver_read_tag(f->driver, 1, i, false);

        if (i < 2) {
            g_assert_true(tag == 1 || tag == 2);
        } else if (i < 4) {
            g_assert_true(tag == 1 || tag == 2 || tag == 4);
        } else if (i < 6) {
            g_assert_true(tag == 1 || tag == 4);
        } else if (i < 8) {
            g_assert_cmpuint(tag, ==, 1);
        } else {
            g_assert_true(tag == 0 || tag == 3);
        }
    }
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 20, false), ==, 0);
}

static void test_every_stage(void)
{
    uint64_t seed;

    for (seed = 0; seed < 60; seed++) {
        struct fixture f;

        fixture_up(&f, seed % 3 ? NULL : (gconstpointer)slow);
        every_stage(&f, seed % 12, seed);
        fixture_down(&f, NULL);
    }
}

static void test_unanswered(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;
    uint32_t index = 0;
    uint32_t count = 0;

    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 1, false);
    driver_send_write(f->driver, 1, 1, 1, 2, true);
    fake_run(f->host);
    fake_cut_and_boot(f->host, LAB_POLICY_KEEP_ALL, 0);
    while ((command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &index))) {
        if (command->sqid) {
            g_assert_cmphex(command->flags & LAB_TRACE_NO_CQE, !=, 0);
            count++;
        }
    }
    g_assert_cmpuint(count, ==, 2);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 2);
}

/* Commands of 20 single blocks and some larger ones; who is on the medium? */
static void fill(struct fixture *f)
{
    uint32_t i;

    for (i = 0; i < 20; i++) {
        driver_write(f->driver, 1, i, 1, 100 + i, false);
    }
    driver_write(f->driver, 1, 24, 8, 200, false);
    driver_write(f->driver, 1, 32, 8, 201, false);
    driver_write(f->driver, 1, 40, 4, 202, false);
}

static const struct lab_trace_command *command_of(struct fixture *f,
                                                  uint64_t command_id)
{
    const struct lab_trace_command *command;
    uint32_t index = 0;

    while ((command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &index))) {
        if (command->command_id == command_id) {
            return command;
        }
    }
    g_assert_not_reached();
}

/* No write overlaps another here, so the record says what must be there. */
static uint32_t check_survivors(struct fixture *f)
{
    const struct lab_trace_survivor *survivor;
    uint32_t index = 0;
    uint32_t count = 0;

    while ((survivor = fake_trace_next(f->host, LAB_TRACE_SURVIVOR, &index))) {
        const struct lab_trace_command *command =
            command_of(f, survivor->command_id);
        uint32_t present = 0;
        uint32_t i;

        g_assert_cmpuint(survivor->slba, ==, command->slba);
        g_assert_cmpuint(survivor->block_count, ==, command->block_count);
        g_assert_cmpuint(survivor->nsid, ==, 1);
        for (i = 0; i < survivor->block_count; i++) {
            present += medium_tag(f->host, 1, survivor->slba + i) != 0;
        }
        g_assert_cmpuint(survivor->blocks_kept, ==, present);
        count++;
    }
    return count;
}

static void test_survivors(void)
{
    uint64_t seed;

    for (seed = 0; seed < 30; seed++) {
        struct fixture f;

        fixture_up(&f, seed % 2 ? NULL : (gconstpointer)atomic4);
        fill(&f);
        fake_cut(f.host, (struct lab_cut) { seed % 3, seed });
        g_assert_cmpuint(check_survivors(&f), ==, 23);
        fixture_down(&f, NULL);
    }
}

static void test_tears(void)
{
    uint32_t torn = 0;
    uint64_t seed;

    for (seed = 0; seed < 60; seed++) {
        const struct lab_trace_survivor *survivor;
        struct fixture f;
        uint32_t index = 0;

        fixture_up(&f, atomic4);
        fill(&f);
        fake_cut(f.host, (struct lab_cut) { LAB_POLICY_RANDOM, seed });
        while ((survivor = fake_trace_next(f.host, LAB_TRACE_SURVIVOR,
                                           &index))) {
            if (survivor->outcome == LAB_TRACE_TORN) {
                g_assert_cmpuint(survivor->block_count, >, 4);
                torn++;
            }
        }
        fixture_down(&f, NULL);
    }
    g_assert_cmpuint(torn, >, 10);
}

/* 1: four blocks, boundaries every eight from block 2 on; 2: eight; 3: one. */
static void atomic_by_namespace(struct fake_config *config)
{
    config->ns_count = 3;
    config->atomic[0] = (struct lab_atomic) {
        .nawupf_0based = 3, .nabsn_0based = 15, .nabspf_0based = 7, .nabo = 2,
    };
    config->atomic[1] = (struct lab_atomic) { .nawupf_0based = 7 };
}

/* The same writes to each; bit n: namespace n + 1 may tear it. */
static const struct {
    uint32_t slba;
    uint32_t count;
    uint32_t may_tear;
} ns_writes[] = {
    { 2, 4, 4 }, { 8, 4, 5 }, { 16, 8, 5 }, { 26, 3, 4 }, { 33, 2, 5 },
    { 40, 9, 7 }, { 50, 1, 0 },
};

static void tear_by_namespace(uint64_t seed,
                              uint32_t torn[G_N_ELEMENTS(ns_writes)])
{
    const struct lab_trace_survivor *survivor;
    struct fixture f;
    uint32_t index = 0;
    uint32_t nsid;
    uint32_t i;

    fixture_up(&f, atomic_by_namespace);
    for (nsid = 1; nsid <= 3; nsid++) {
        for (i = 0; i < G_N_ELEMENTS(ns_writes); i++) {
            driver_write(f.driver, nsid, ns_writes[i].slba, ns_writes[i].count,
                         nsid * 100 + i, false);
        }
    }
    fake_cut(f.host, (struct lab_cut) { LAB_POLICY_RANDOM, seed });
    while ((survivor = fake_trace_next(f.host, LAB_TRACE_SURVIVOR, &index))) {
        for (i = 0; survivor->slba != ns_writes[i].slba; i++) {
            continue;
        }
        torn[i] |= (survivor->outcome == LAB_TRACE_TORN)
                   << (survivor->nsid - 1);
    }
    fixture_down(&f, NULL);
}

static void test_by_namespace(void)
{
    uint32_t torn[G_N_ELEMENTS(ns_writes)] = { 0 };
    uint64_t seed;
    uint32_t i;

    for (seed = 0; seed < 40; seed++) {
        tear_by_namespace(seed, torn);
    }
    for (i = 0; i < G_N_ELEMENTS(ns_writes); i++) {
        g_assert_cmphex(torn[i], ==, ns_writes[i].may_tear);
    }
}

static void test_same_seed(void)
{
    uint64_t first[64] = { 0 };
    uint32_t pass;
    uint32_t differences = 0;

    for (pass = 0; pass < 3; pass++) {
        struct fixture f;
        uint32_t i;

        fixture_up(&f, NULL);
        fill(&f);
        fake_cut(f.host, (struct lab_cut) { LAB_POLICY_RANDOM, pass / 2 });
        for (i = 0; i < 64; i++) {
            uint64_t tag = medium_tag(f.host, 1, i);

            if (pass == 0) {
                first[i] = tag;
            } else if (pass == 1) {
                g_assert_cmpuint(tag, ==, first[i]);
            } else {
                differences += tag != first[i];
            }
        }
        fixture_down(&f, NULL);
    }
    g_assert_cmpuint(differences, >, 0);
}

/* The namespace is part of a write's name: two of them choose independently. */
static void test_namespaces(struct fixture *f, gconstpointer data)
{
    uint32_t differences = 0;
    uint32_t i;

    (void)data;
    for (i = 0; i < 40; i++) {
        driver_write(f->driver, 1, i, 1, 1, false);
        driver_write(f->driver, 2, i, 1, 1, false);
    }
    fake_cut(f->host, (struct lab_cut) { LAB_POLICY_RANDOM, 4 });
    for (i = 0; i < 40; i++) {
        differences += medium_tag(f->host, 1, i) != medium_tag(f->host, 2, i);
    }
    g_assert_cmpuint(differences, >, 5);
    g_assert_cmpuint(differences, <, 35);
}

/* Destaged before its CQE was due: on the medium without a promise. */
static void test_record_for_all(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_survivor *survivor;
    uint32_t index = 0;
    uint32_t kept = 0;
    uint32_t count = 0;

    (void)data;
    driver_send_write(f->driver, 1, 0, 8, 1, false);
    driver_send_write(f->driver, 1, 8, 8, 2, false);
    fake_settle(f->host);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
    fake_cut(f->host, (struct lab_cut) { LAB_POLICY_DROP_ALL, 0 });
    while ((survivor = fake_trace_next(f->host, LAB_TRACE_SURVIVOR, &index))) {
        kept += survivor->outcome == LAB_TRACE_KEPT;
        count++;
    }
    g_assert_cmpuint(count, ==, 2);
    g_assert_cmpuint(kept, ==, 1);
}

static void test_again(struct fixture *f, gconstpointer data)
{
    uint32_t round;

    (void)data;
    for (round = 1; round <= 10; round++) {
        driver_write(f->driver, 1, 0, 4, round * 2, true);
        driver_write(f->driver, 1, 2, 4, round * 2 + 1, false);
        fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
        up_again(f);
        g_assert_cmpuint(driver_read_tag(f->driver, 1, 3, false), ==,
                         round * 2);
    }
    g_assert_cmpuint(driver_stat(f->driver).power_cuts, ==, 10);
}

/* While the survivors of the first are being written the power is gone. */
static void test_mmio_while_cutting(struct fixture *f, gconstpointer data)
{
    (void)data;
    fill(f);
    lab_power_cut(f->host->ctrl, (struct lab_cut) { LAB_POLICY_KEEP_ALL, 0 },
                  cut_done);
    while (!f->host->is_cut_done) {
        reg_write(f->host, NVME_REG_CC, DRIVER_CC);
        g_assert_cmphex(reg_read(f->host, NVME_REG_CC), ==, 0xFFFFFFFF);
        fake_run(f->host);
        if (fake_waiting(f->host)) {
            fake_step_any(f->host, fake_waiting(f->host) - 1);
        }
    }
    lab_power_on(f->host->ctrl);
    up_again(f);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 19, false), ==, 119);
}

/* The host cannot write the survivors: the cut ends, and says so. */
static void test_store_error(void)
{
    uint32_t pass;

    for (pass = 0; pass < 2; pass++) {
        struct fixture f;

        fixture_up(&f, pass ? NULL : (gconstpointer)atomic4);
        driver_write(f.driver, 1, 0, 2, 1, false);
        f.host->stores[0].error = -EIO;
        f.host->log_lines[LAB_LOG_ERR] = 0;
        fake_cut(f.host, (struct lab_cut) { LAB_POLICY_KEEP_ALL, 0 });
        g_assert_cmpuint(f.host->log_lines[LAB_LOG_ERR], >=, 2);
        g_assert_nonnull(strstr(f.host->log_last, "survivors"));
        f.host->stores[0].error = 0;
        lab_power_on(f.host->ctrl);
        up_again(&f);
        driver_write(f.driver, 1, 0, 2, 2, true);
        fixture_down(&f, NULL);
    }
}

/* A write that waits for room has not been seen by anybody: it is gone. */
static void test_waiting_write(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 8, 1, false);
    driver_send_write(f->driver, 1, 20, 8, 2, false);
    fake_run(f->host);
    fake_cut_and_boot(f->host, LAB_POLICY_KEEP_ALL, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 20), ==, 0);
    up_again(f);
}

static void test_never_enabled(void)
{
    struct fake_config config = fake_config_default();
    struct fake_host *host = fake_new(&config);

    fake_cut_and_boot(host, LAB_POLICY_RANDOM, 3);
    fake_cut_and_boot(host, LAB_POLICY_DROP_ALL, 0);
    fake_free(host);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/cut/dark-drive-reads-as-ones", NULL, test_dark);
    FIXTURE_TEST("/cut/dark-at-once-done-after-the-store", NULL,
                 test_dark_at_once);
    FIXTURE_TEST("/cut/unanswered-commands-are-recorded", slow,
                 test_unanswered);
    FIXTURE_TEST("/cut/again-and-again", NULL, test_again);
    FIXTURE_TEST("/cut/mmio-during-the-cut-is-nothing", NULL,
                 test_mmio_while_cutting);
    FIXTURE_TEST("/cut/namespaces-choose-independently", two_namespaces,
                 test_namespaces);
    FIXTURE_TEST("/cut/every-unpromised-write-has-a-survivor-record",
                 slow_tiny, test_record_for_all);
    g_test_add_func("/cut/P4/commands-at-every-stage", test_every_stage);
    g_test_add_func("/cut/P4/survivor-records-match-the-medium",
                    test_survivors);
    g_test_add_func("/cut/P4/same-seed-same-survivors", test_same_seed);
    g_test_add_func("/cut/P5/tears-above-the-atomic-limit-only", test_tears);
    g_test_add_func("/cut/P5/each-namespace-by-its-own-unit-and-boundary",
                    test_by_namespace);
    g_test_add_func("/cut/drive-that-was-never-enabled", test_never_enabled);
    g_test_add_func("/cut/survivors-that-cannot-be-written-are-told",
                    test_store_error);
    FIXTURE_TEST("/cut/write-that-waits-for-room-is-gone", slow_tiny,
                 test_waiting_write);
    return g_test_run();
}
