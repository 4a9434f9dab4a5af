/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vendor commands (abi/vendor.h): MARK, STAT, CUT. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void no_vendor(struct fake_config *config)
{
    config->drive.has_vendor_commands = false;
}

static void slow(struct fake_config *config)
{
    config->drive.floor_latency_ns = 1000000;
}

static const struct lab_trace_mark *last_mark(struct fixture *f)
{
    const struct lab_trace_mark *mark;
    const struct lab_trace_mark *last = NULL;
    uint32_t index = 0;

    while ((mark = fake_trace_next(f->host, LAB_TRACE_MARK, &index))) {
        last = mark;
    }
    return last;
}

static void test_mark(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = cmd_mark(f->driver, 0x123456789abcdef0ull,
                                       LAB_MARK_BEGIN, "flush.raw.overwrite");
    const struct lab_trace_mark *mark;

    (void)data;
    cmd.cdw14 = 0x55667788;
    cmd.cdw15 = 0x11223344;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    mark = last_mark(f);
    g_assert_cmphex(mark->id, ==, 0x123456789abcdef0ull);
    g_assert_cmphex(mark->guest_ns, ==, 0x1122334455667788ull);
    g_assert_cmpuint(mark->kind, ==, LAB_MARK_BEGIN);
    g_assert_cmpstr((const char *)(mark + 1), ==, "flush.raw.overwrite");
    cmd = cmd_mark(f->driver, 1, LAB_MARK_END, "");
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpstr((const char *)(last_mark(f) + 1), ==, "");
}

static void test_mark_text(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = { .opcode = LAB_OP_MARK, .cdw10 = 64,
                                .prp1 = f->driver->buffer };
    char *text = fake_at(f->host, f->driver->buffer);

    (void)data;
    memset(text, 'x', 300);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpuint(strlen((const char *)(last_mark(f) + 1)), ==, 256);
    text[3] = '\0';
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmpstr((const char *)(last_mark(f) + 1), ==, "xxx");
    cmd.cdw10 = 65;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw10 = 0xFFFFFFFF;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw10 = 1;
    cmd.prp1 = FAKE_BAR;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_DATA_TRANSFER_ERROR);
}

/* A mark's place is its doorbell, between the commands around it. */
static void test_mark_place(struct fixture *f, gconstpointer data)
{
    struct nvme_command mark = cmd_mark(f->driver, 7, LAB_MARK_ACK, "");
    const struct lab_trace_command *command;
    uint64_t before;

    (void)data;
    driver_write(f->driver, 1, 0, 1, 1, false);
    before = fake_trace_io(f->host, NVME_IO_WRITE)->completed_stamp;
    driver_send_write(f->driver, 1, 1, 1, 1, false);
    driver_send(f->driver, 0, &mark);
    driver_send_write(f->driver, 1, 2, 1, 1, false);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    command = fake_trace_io(f->host, NVME_IO_WRITE);
    g_assert_cmpuint(command->slba, ==, 2);
    g_assert_cmpuint(last_mark(f)->submitted_stamp, >, before);
    g_assert_cmpuint(last_mark(f)->submitted_stamp, <,
                     command->submitted_stamp);
}

static void test_stat(struct fixture *f, gconstpointer data)
{
    struct lab_stat stat;

    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    driver_write(f->driver, 1, 8, 1, 1, true);
    driver_read_tag(f->driver, 1, 0, false);
    stat = driver_stat(f->driver);
    g_assert_cmpuint(stat.version, ==, LAB_STAT_VERSION);
    g_assert_cmpuint(stat.size_bytes, ==, sizeof(stat));
    g_assert_cmpuint(stat.writes, ==, 2);
    g_assert_cmpuint(stat.writes_fua, ==, 1);
    g_assert_cmpuint(stat.reads, ==, 1);
    g_assert_cmpuint(stat.flushes, ==, 0);
    g_assert_cmpuint(stat.commands_submitted, ==, 3);
    g_assert_cmpuint(stat.commands_completed, ==, 3);
    g_assert_cmpuint(stat.unpromised_bytes, ==, 4 * 512);
    g_assert_cmpuint(stat.cached_bytes, ==, 4 * 512);
    g_assert_cmpuint(stat.power_cuts, ==, 0);
    /* Counted before the record of STAT itself. */
    g_assert_cmpuint(stat.trace_records, ==, f->host->trace_number - 1);
    driver_flush(f->driver, 1);
    stat = driver_stat(f->driver);
    g_assert_cmpuint(stat.flushes, ==, 1);
    g_assert_cmpuint(stat.unpromised_bytes, ==, 0);
    g_assert_cmpuint(stat.cached_bytes, ==, 0);
    g_assert_cmpuint(stat.guest_errors, ==, 0);
    reg_write(f->host, NVME_REG_VS, 0);
    g_assert_cmpuint(driver_stat(f->driver).guest_errors, ==, 1);
}

static void test_stat_length(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = { .opcode = LAB_OP_STAT, .cdw10 = 2,
                                .prp1 = f->driver->buffer };
    uint8_t *page = fake_at(f->host, f->driver->buffer);

    (void)data;
    memset(page, 0xA5, 64);
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    g_assert_cmphex(page[0], ==, LAB_STAT_VERSION);
    g_assert_cmphex(page[8], ==, 0xA5);
    cmd.cdw10 = 0;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw10 = sizeof(struct lab_stat) / 4 + 1;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
}

static void test_stats_json(struct fixture *f, gconstpointer data)
{
    char *json;

    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    json = lab_stats_json(f->host->ctrl);
    g_assert_cmpint(json[0], ==, '{');
    g_assert_cmpint(json[strlen(json) - 1], ==, '}');
    g_assert_nonnull(strstr(json, "\"writes\": 1"));
    g_assert_nonnull(strstr(json, "\"unpromised-bytes\": 2048"));
    g_assert_nonnull(strstr(json, "\"power-cuts\": 0"));
    free(json);
}

static void send_cut(struct fixture *f, uint32_t policy, uint64_t seed)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_CUT, .cdw11 = policy, .cdw12 = seed,
        .cdw13 = seed >> 32,
    };

    driver_send(f->driver, 0, &cmd);
    fake_run(f->host);
}

static void test_cut(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_write(f->driver, 1, 0, 4, 1, false);
    driver_send_write(f->driver, 1, 8, 1, 2, false);
    send_cut(f, 2, 0x1122334455667788ull);
    g_assert_true(f->host->has_cut_request);
    g_assert_cmpint(f->host->cut_request.policy, ==, LAB_POLICY_RANDOM);
    g_assert_cmphex(f->host->cut_request.seed, ==, 0x1122334455667788ull);
    /* Dark before the carrier comes round to it; nothing is answered. */
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS), ==, 0xFFFFFFFF);
    fake_finish(f->host);
    fake_cut_and_boot(f->host, LAB_POLICY_KEEP_ALL, 0);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 1);
    g_assert_cmpuint(driver_stat(f->driver).power_cuts, ==, 1);
}

/* What was rung behind the CUT is not fetched any more. */
static void test_cut_stops(struct fixture *f, gconstpointer data)
{
    struct nvme_command cut = { .opcode = LAB_OP_CUT };

    (void)data;
    driver_send(f->driver, 0, &cut);
    driver_send_write(f->driver, 1, 0, 1, 1, true);
    fake_run(f->host);
    fake_finish(f->host);
    fake_cut_and_boot(f->host, LAB_POLICY_KEEP_ALL, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, 0);
}

static void test_cut_refused(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd = { .opcode = LAB_OP_CUT, .cdw10 = 1 };

    (void)data;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    cmd.cdw10 = 0;
    cmd.cdw11 = 3;
    assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_FIELD);
    g_assert_false(lab_is_dark(f->host->ctrl));
}

static void test_off(struct fixture *f, gconstpointer data)
{
    static const uint8_t opcodes[] = { LAB_OP_MARK, LAB_OP_STAT, LAB_OP_CUT };
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        struct nvme_command cmd = { .opcode = opcodes[i] };

        assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_OPCODE);
    }
    g_assert_false(lab_is_dark(f->host->ctrl));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/vendor/mark", NULL, test_mark);
    FIXTURE_TEST("/vendor/mark-text", NULL, test_mark_text);
    FIXTURE_TEST("/vendor/mark-has-the-place-of-its-doorbell", slow,
                 test_mark_place);
    FIXTURE_TEST("/vendor/stat", NULL, test_stat);
    FIXTURE_TEST("/vendor/stat-length", NULL, test_stat_length);
    FIXTURE_TEST("/vendor/stat-as-json", NULL, test_stats_json);
    FIXTURE_TEST("/vendor/cut-is-never-answered", slow, test_cut);
    FIXTURE_TEST("/vendor/cut-stops-fetching", NULL, test_cut_stops);
    FIXTURE_TEST("/vendor/cut-refused", NULL, test_cut_refused);
    FIXTURE_TEST("/vendor/off-means-invalid-opcode", no_vendor, test_off);
    return g_test_run();
}
