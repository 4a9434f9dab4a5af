/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held commands through QEMU: the guest's commands and the host's properties,
 * against each other. The model is tested in hw/tests/test_hold*.c.
 */
#include <string.h>

#include "drive.h"
#include "vendor.h"

static struct drive *start(const char *properties)
{
    char *image = drive_image("hold.img", 4 << 20);
    struct drive *d = drive_start(image, properties);

    g_free(image);
    return d;
}

static char *arguments(const char *property, const char *value)
{
    return g_strdup_printf("{\"path\":\"/machine/peripheral/lab0\","
                           "\"property\":\"%s\",\"value\":\"%s\"}", property,
                           value);
}

static void host(struct drive *d, const char *property, const char *value)
{
    char *text = arguments(property, value);

    client_qmp_ok(d->client, "qom-set", text);
    g_free(text);
}

static void assert_host_refused(struct drive *d, const char *property,
                                const char *value, const char *want)
{
    char *text = arguments(property, value);
    char *error = client_qmp_error(d->client, "qom-set", text);

    g_assert_cmpstr(error, ==, want);
    g_free(error);
    g_free(text);
}

/* How many entries "rules" or "commands" has. */
static guint held(struct drive *d, const char *list)
{
    JsonNode *answer = client_qmp(d->client, "qom-get",
        "{\"path\":\"/machine/peripheral/lab0\",\"property\":\"held\"}");
    JsonParser *parser = json_parser_new();
    JsonObject *object;
    guint count;

    g_assert_true(json_parser_load_from_data(
        parser, json_node_get_string(answer), -1, NULL));
    object = json_node_get_object(json_parser_get_root(parser));
    count = json_array_get_length(json_object_get_array_member(object, list));
    g_object_unref(parser);
    json_node_unref(answer);
    return count;
}

static uint32_t guest_hold(struct drive *d, uint32_t stage)
{
    struct lab_hold spec = { .stage = stage };
    struct nvme_command cmd = {
        .opcode = LAB_OP_HOLD, .prp1 = drive_alloc(d, sizeof(spec)),
        .cdw10 = sizeof(spec) / 4,
    };
    struct nvme_completion cqe;

    client_write(d->client, cmd.prp1, &spec, sizeof(spec));
    cqe = drive_command(d, 0, cmd);
    g_assert_cmphex(drive_status(cqe), ==, NVME_SUCCESS);
    return cqe.dw0;
}

static uint16_t send_write(struct drive *d, uint64_t slba, uint64_t generation)
{
    uint64_t data = drive_alloc(d, DRIVE_BLOCK_BYTES);
    uint16_t cid;

    drive_fill(d, data, slba, 1, generation);
    cid = drive_submit(d, 1, drive_rw(NVME_IO_WRITE, slba, 1, data, true));
    drive_ring(d, 1);
    return cid;
}

static void assert_done(struct drive *d, uint16_t cid)
{
    struct nvme_completion cqe = drive_next(d, 1);

    g_assert_cmpuint(cqe.cid, ==, cid);
    g_assert_cmphex(drive_status(cqe), ==, NVME_SUCCESS);
}

/* Armed by the guest, seen and released by the host, at each polled stage. */
static void the_guest_holds_and_the_host_releases(void)
{
    struct drive *d = start("");
    uint32_t stage;

    for (stage = LAB_HOLD_FETCH; stage < LAB_HOLD_IRQ; stage++) {
        uint32_t rule = guest_hold(d, stage);
        uint16_t cid = send_write(d, stage, 1);

        g_assert_cmpuint(rule, ==, 1);
        drive_assert_silent(d, 1);
        g_assert_cmpuint(held(d, "rules"), ==, 1);
        g_assert_cmpuint(held(d, "commands"), ==, 1);
        host(d, "release", "rule 1");
        assert_done(d, cid);
        g_assert_cmpuint(held(d, "rules"), ==, 0);
        g_assert_cmpuint(drive_generation(d, stage), ==, 1);
    }
    drive_quit(d);
}

/* Armed by the host; the guest waits for it, sees it, releases it. */
static void the_host_holds_and_the_guest_releases(void)
{
    struct drive *d = start("");
    struct nvme_command wait = {
        .opcode = LAB_OP_WAIT, .prp1 = drive_alloc(d, 4096),
        .cdw10 = sizeof(struct lab_held) / 4, .cdw12 = 1, .cdw13 = 1000,
    };
    struct nvme_command release = {
        .opcode = LAB_OP_RELEASE, .cdw10 = LAB_RELEASE_ALL,
    };
    struct nvme_completion cqe;
    struct lab_held one;
    uint16_t cid;

    host(d, "hold", "stage=visible opcode=write lba=7;stage=cqe opcode=flush");
    cqe = drive_command(d, 0, wait);
    g_assert_cmphex(drive_status(cqe), ==, LAB_STATUS_WAIT_OVER);
    cid = send_write(d, 7, 1);
    cqe = drive_command(d, 0, wait);
    g_assert_cmphex(drive_status(cqe), ==, NVME_SUCCESS);
    g_assert_cmpuint(cqe.dw0, ==, 1);
    client_read(d->client, wait.prp1, &one, sizeof(one));
    g_assert_cmpuint(one.cid, ==, cid);
    g_assert_cmpuint(one.slba, ==, 7);
    g_assert_cmpuint(drive_generation(d, 7), ==, 0);
    cqe = drive_command(d, 0, release);
    g_assert_cmpuint(cqe.dw0, ==, 1);
    assert_done(d, cid);
    g_assert_cmpuint(drive_generation(d, 7), ==, 1);
    drive_quit(d);
}

/* Time, in guest time. */
static void a_rule_of_the_command_line_holds_for_its_time(void)
{
    struct drive *d = start(",holds='stage=cqe opcode=write count=1 "
                            "after=100000000'");
    uint16_t cid = send_write(d, 3, 1);

    while (!held(d, "commands")) {
        g_usleep(1000);                 /* the main loop gets at it */
    }
    client_clock_step(d->client, 99000000);
    g_assert_cmpuint(held(d, "commands"), ==, 1);
    client_clock_step(d->client, 1000000);
    assert_done(d, cid);
    drive_write_block(d, 3, 2, false);
    drive_quit(d);
}

/* What is released while the machine stands still goes on with it. */
static void a_stopped_machine_stays_stopped(void)
{
    struct drive *d = start("");
    uint16_t cid;

    guest_hold(d, LAB_HOLD_CQE);
    cid = send_write(d, 1, 1);
    client_qmp_ok(d->client, "stop", NULL);
    host(d, "release", "all");
    drive_assert_silent(d, 1);
    client_qmp_ok(d->client, "cont", NULL);
    assert_done(d, cid);
    drive_quit(d);
}

static void rules_end_with_the_power(void)
{
    struct drive *d = start(",on-power-cut=pause,holds='stage=visible "
                            "opcode=write'");

    send_write(d, 1, 1);
    drive_assert_silent(d, 1);
    host(d, "power-cut", "keep-all");
    client_wait_event(d->client, "STOP");
    g_assert_cmpuint(held(d, "rules"), ==, 0);
    assert_host_refused(d, "hold", "stage=cqe",
                        "hold: drive lab0 has no power");
    assert_host_refused(d, "release", "all",
                        "release: drive lab0 has no power");
    client_qmp_ok(d->client, "cont", NULL);
    client_qmp_ok(d->client, "system_reset", NULL);
    client_wait_event(d->client, "RESET");
    drive_map(d);
    drive_enable(d);
    drive_create_queue(d, 1, 16);
    g_assert_cmpuint(held(d, "rules"), ==, 0);
    g_assert_cmpuint(drive_generation(d, 1), ==, 0);
    drive_write_block(d, 1, 2, true);
    drive_quit(d);
}

static void rules_outlive_a_reset(void)
{
    struct drive *d = start("");
    uint16_t cid;

    guest_hold(d, LAB_HOLD_CQE);
    send_write(d, 1, 1);
    drive_assert_silent(d, 1);
    drive_disable(d);
    g_assert_cmpuint(held(d, "commands"), ==, 0);
    drive_enable(d);
    drive_create_queue(d, 1, 16);
    cid = send_write(d, 2, 1);
    drive_assert_silent(d, 1);
    host(d, "release", "all");
    assert_done(d, cid);
    drive_quit(d);
}

static void bad_words_are_named(void)
{
    struct drive *d = start("");
    char *text;

    assert_host_refused(d, "hold", "stage=cqe opcode=wrote",
                        "hold: 'opcode=wrote': must be write, read, flush, "
                        "write-zeroes, dsm, compare or 0x00 to 0xff");
    assert_host_refused(d, "release", "rule 3",
                        "release: 'rule 3': nothing of that number is held");
    assert_host_refused(d, "release", "some",
                        "release: 'some': must be 'all', 'rule N [COUNT] "
                        "[oldest|newest]' or 'command ID [lost]'");
    drive_quit(d);
    text = client_refused("-device nvmelab,id=lab0,serial=X,holds=stage=now");
    g_assert_nonnull(strstr(text, "holds: 'stage=now': must be fetch"));
    g_free(text);
}

static void add_tests(void)
{
    g_test_add_func("/hold/guest-arms-host-releases",
                    the_guest_holds_and_the_host_releases);
    g_test_add_func("/hold/host-arms-guest-releases",
                    the_host_holds_and_the_guest_releases);
    g_test_add_func("/hold/command-line-and-time",
                    a_rule_of_the_command_line_holds_for_its_time);
    g_test_add_func("/hold/stopped-machine", a_stopped_machine_stays_stopped);
    g_test_add_func("/hold/power-cut", rules_end_with_the_power);
    g_test_add_func("/hold/reset", rules_outlive_a_reset);
    g_test_add_func("/hold/bad-words", bad_words_are_named);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
