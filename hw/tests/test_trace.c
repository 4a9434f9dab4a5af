/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command trace, by its contents. That records are whole, numbered without
 * gaps and in order of their times is checked on every record of every test
 * (trace_check.c).
 */
#include <errno.h>

#include "fixture.h"

static void slow(struct fake_config *config)
{
    config->drive.floor_latency_ns = 5000;
}

static void big_blocks(struct fake_config *config)
{
    config->block_size_bytes = 4096;
}

static const struct lab_trace_command *io(struct fixture *f, uint8_t opcode)
{
    const struct lab_trace_command *command = fake_trace_io(f->host, opcode);

    g_assert_nonnull(command);
    return command;
}

static void test_write(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;

    (void)data;
    driver_write(f->driver, 1, 5, 3, 1, false);
    command = io(f, NVME_IO_WRITE);
    g_assert_cmpuint(command->sqid, ==, 1);
    g_assert_cmpuint(command->cqid, ==, 1);
    g_assert_cmpuint(command->nsid, ==, 1);
    g_assert_cmpuint(command->slba, ==, 5);
    g_assert_cmpuint(command->block_count, ==, 3);
    g_assert_cmpuint(command->block_size_bytes, ==, 4096);
    g_assert_cmphex(command->flags, ==, LAB_TRACE_DATA_VISIBLE);
    g_assert_cmphex(command->status, ==, 0);
    g_assert_cmpuint(command->unpromised_bytes, ==, 3 * 4096);
    g_assert_cmpuint(command->durable_ns, ==, 0);
}

static void test_fua(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 1, 5, 3, 1, true);
    command = io(f, NVME_IO_WRITE);
    g_assert_cmphex(command->flags, ==, LAB_TRACE_DATA_VISIBLE |
                    LAB_TRACE_DURABLE | LAB_TRACE_FUA);
    g_assert_cmpuint(command->unpromised_bytes, ==, 512);
    driver_read_tag(f->driver, 1, 0, true);
    g_assert_cmphex(io(f, NVME_IO_READ)->flags & LAB_TRACE_FUA, !=, 0);
}

/* Time moves between the stages, so that each of the six is its own. */
static void test_times(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;

    (void)data;
    f->host->now_ns = 100000;
    driver_send_write(f->driver, 1, 0, 1, 1, true);
    f->host->now_ns = 100100;
    fake_run(f->host);
    f->host->now_ns = 100300;
    g_assert_cmpuint(fake_waiting(f->host), ==, 1);
    fake_step(f->host, 1, 0);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    command = io(f, NVME_IO_WRITE);
    g_assert_cmpuint(command->submitted_ns, ==, 100000);
    g_assert_cmpuint(command->fetched_ns, ==, 100100);
    g_assert_cmpuint(command->visible_ns, ==, 100100);
    g_assert_cmpuint(command->durable_ns, ==, 100300);
    g_assert_cmpuint(command->completed_ns, ==, 105000);
    g_assert_cmpuint(command->irq_ns, ==, 105000);
}

static void test_flush(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    driver_send(f->driver, 1, &flush);
    driver_send_write(f->driver, 1, 8, 2, 2, false);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    command = io(f, NVME_IO_FLUSH);
    g_assert_cmpuint(command->nsid, ==, 1);
    g_assert_cmpuint(command->block_count, ==, 0);
    g_assert_cmphex(command->flags & LAB_TRACE_DATA_VISIBLE, ==, 0);
    g_assert_cmpuint(command->durable_ns, !=, 0);
    g_assert_cmpuint(command->unpromised_bytes, ==, 2 * 512);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(io(f, NVME_IO_FLUSH)->unpromised_bytes, ==, 0);
}

static void test_polled(struct fixture *f, gconstpointer data)
{
    struct nvme_command flush = cmd_flush(1);

    (void)data;
    driver_create_pair(f->driver, 2, 8, DRIVER_POLLED);
    assert_status(driver_exec(f->driver, 2, &flush), NVME_SUCCESS);
    g_assert_cmphex(io(f, NVME_IO_FLUSH)->flags & LAB_TRACE_POLLED, !=, 0);
    g_assert_cmpuint(io(f, NVME_IO_FLUSH)->irq_ns, ==, 0);
    g_assert_cmpuint(io(f, NVME_IO_FLUSH)->sqid, ==, 2);
}

static void test_failed(struct fixture *f, gconstpointer data)
{
    struct nvme_command bad = cmd_rw(f->driver, NVME_IO_WRITE, 1, 99, 1, false);

    (void)data;
    assert_status(driver_exec(f->driver, 1, &bad), NVME_LBA_OUT_OF_RANGE);
    g_assert_cmphex(io(f, NVME_IO_WRITE)->status, ==, NVME_LBA_OUT_OF_RANGE);
    g_assert_cmphex(io(f, NVME_IO_WRITE)->status_flags, ==, 1);
    g_assert_cmphex(io(f, NVME_IO_WRITE)->flags, ==, 0);
}

/* A FUA write that fails was visible and is not durable. */
static void test_failed_fua(struct fixture *f, gconstpointer data)
{
    struct nvme_command fua = cmd_rw(f->driver, NVME_IO_WRITE, 1, 0, 1, true);

    (void)data;
    f->host->stores[0].error = -EIO;
    assert_status(driver_exec(f->driver, 1, &fua), NVME_WRITE_FAULT);
    g_assert_cmphex(io(f, NVME_IO_WRITE)->flags, ==,
                    LAB_TRACE_FUA | LAB_TRACE_DATA_VISIBLE);
    f->host->stores[0].error = 0;
}

static void test_numbers(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_command *command;
    uint64_t last = 0;
    uint32_t index = 0;
    uint32_t i;

    (void)data;
    for (i = 0; i < 5; i++) {
        driver_write(f->driver, 1, 0, 1, i, false);
    }
    while ((command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &index))) {
        g_assert_cmpuint(command->command_id, ==, last + 1);
        last = command->command_id;
    }
    g_assert_cmpuint(last, ==, 2 + 5);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_ENABLE), ==, 1);
    driver_disable(f->driver);
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_DISABLE), ==, 1);
    driver_enable(f->driver, 8);
}

static void test_cut_event(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_event *event;
    uint32_t index = 0;

    (void)data;
    fake_cut_and_boot(f->host, LAB_POLICY_RANDOM, 1234);
    do {
        event = fake_trace_next(f->host, LAB_TRACE_EVENT, &index);
        g_assert_nonnull(event);
    } while (event->kind != LAB_TRACE_CUT);
    g_assert_cmpuint(event->value, ==, LAB_POLICY_RANDOM);
    g_assert_cmpuint(event->value2, ==, 1234);
}

/* P3: the reader has to know which namespace has a cache. */
static void two_kinds(struct fake_config *config)
{
    config->ns_count = 2;
    config->nsid_no_vwc = 2;
}

static void test_namespaces(struct fixture *f, gconstpointer data)
{
    const struct lab_trace_event *event;
    uint32_t index = 0;
    uint32_t nsid;

    (void)data;
    for (nsid = 1; nsid <= 2; nsid++) {
        event = fake_trace_next(f->host, LAB_TRACE_EVENT, &index);
        g_assert_cmpuint(event->kind, ==, LAB_TRACE_NAMESPACE);
        g_assert_cmpuint(event->value, ==, nsid);
        g_assert_cmpuint(event->value2, ==, nsid == 1);
    }
    g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_NAMESPACE), ==, 2);
}

static void no_trace(struct fake_config *config)
{
    config->has_no_trace = true;
}

static void test_lost(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->host->loses_trace = true;
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 1, 0, 1, 2, false);
    f->host->loses_trace = false;
    g_assert_cmpuint(driver_stat(f->driver).trace_records_lost, ==, 2);
}

static void test_none(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, true);
    fake_cut_and_boot(f->host, LAB_POLICY_KEEP_ALL, 0);
    driver_enable(f->driver, 8);
    g_assert_cmpuint(driver_stat(f->driver).trace_records, ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).trace_records_lost, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/trace/write", big_blocks, test_write);
    FIXTURE_TEST("/trace/fua-is-durable", NULL, test_fua);
    FIXTURE_TEST("/trace/six-times", slow, test_times);
    FIXTURE_TEST("/trace/flush-says-what-is-still-unpromised", NULL,
                 test_flush);
    FIXTURE_TEST("/trace/polled", NULL, test_polled);
    FIXTURE_TEST("/trace/failed-command", NULL, test_failed);
    FIXTURE_TEST("/trace/failed-fua-write-is-not-durable", NULL,
                 test_failed_fua);
    FIXTURE_TEST("/trace/commands-are-numbered-by-fetch", NULL, test_numbers);
    FIXTURE_TEST("/trace/cut-names-policy-and-seed", NULL, test_cut_event);
    FIXTURE_TEST("/trace/namespaces-and-their-caches", two_kinds,
                 test_namespaces);
    FIXTURE_TEST("/trace/lost-records-are-counted", NULL, test_lost);
    FIXTURE_TEST("/trace/carrier-without-trace", no_trace, test_none);
    return g_test_run();
}
