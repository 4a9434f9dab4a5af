/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A power cut takes what may be lost, leaves the rest, and is seen by all. */
#include <string.h>

#include "drive.h"
#include "vendor.h"

#define POWER_CUT(id, policy) \
    "{\"path\":\"/machine/peripheral/" id "\",\"property\":\"power-cut\"," \
    "\"value\":\"" policy "\"}"

static struct drive *start(const char *properties)
{
    char *image = drive_image("cut.img", 4 << 20);
    struct drive *d = drive_start(image, properties);

    g_free(image);
    return d;
}

static void again(struct drive *d)
{
    drive_map(d);
    drive_enable(d);
    drive_create_queue(d, 1, 16);
}

static void write_all(struct drive *d)
{
    drive_write_block(d, 1, 1, false);
    drive_sync(d);
    drive_write_block(d, 1, 2, false);
    drive_write_block(d, 2, 2, false);
    drive_write_block(d, 3, 2, true);
}

static void assert_dark(struct drive *d)
{
    g_assert_cmphex(drive_reg32(d, NVME_REG_CSTS), ==, 0xffffffff);
    g_assert_cmphex(drive_reg64(d, NVME_REG_CAP), ==, 0xffffffffffffffff);
    g_assert_cmphex(drive_config_read(d, 0), ==, 0xffffffff);
}

static void drop_all_leaves_promises_only(void)
{
    struct drive *d = start("");

    write_all(d);
    client_qmp_ok(d->client, "qom-set", POWER_CUT("lab0", "drop-all"));
    client_wait_event(d->client, "RESET");
    again(d);
    g_assert_cmpuint(drive_generation(d, 1), ==, 1);
    g_assert_cmpuint(drive_generation(d, 2), ==, 0);
    g_assert_cmpuint(drive_generation(d, 3), ==, 2);
    drive_quit(d);
}

static void keep_all_leaves_everything(void)
{
    struct drive *d = start("");

    write_all(d);
    client_qmp_ok(d->client, "qom-set", POWER_CUT("lab0", "keep-all"));
    client_wait_event(d->client, "RESET");
    again(d);
    g_assert_cmpuint(drive_generation(d, 1), ==, 2);
    g_assert_cmpuint(drive_generation(d, 2), ==, 2);
    g_assert_cmpuint(drive_generation(d, 3), ==, 2);
    drive_quit(d);
}

/* The survivors of 64 unpromised blocks, as a bit mask. */
static uint64_t random_survivors(const char *arguments)
{
    struct drive *d = start("");
    uint64_t mask = 0;
    unsigned i;

    for (i = 0; i < 64; i++) {
        drive_write_block(d, i, 1, false);
    }
    client_qmp_ok(d->client, "qom-set", arguments);
    client_wait_event(d->client, "RESET");
    again(d);
    for (i = 0; i < 64; i++) {
        mask |= (uint64_t)(drive_generation(d, i) == 1) << i;
    }
    drive_quit(d);
    return mask;
}

static void a_seed_names_its_survivors(void)
{
    uint64_t first = random_survivors(POWER_CUT("lab0", "random:1"));
    uint64_t second = random_survivors(POWER_CUT("lab0", "random:2"));

    g_assert_cmphex(random_survivors(POWER_CUT("lab0", "random:1")), ==, first);
    g_assert_cmphex(first, !=, second);
    g_assert_cmphex(first, !=, 0);
    g_assert_cmphex(first, !=, UINT64_MAX);
}

static void pause_stops_the_machine_with_the_drive_dark(void)
{
    struct drive *d = start(",on-power-cut=pause");

    write_all(d);
    client_qmp_ok(d->client, "qom-set", POWER_CUT("lab0", "drop-all"));
    client_wait_event(d->client, "STOP");
    assert_dark(d);
    client_qmp_ok(d->client, "cont", NULL);
    assert_dark(d);
    client_qmp_ok(d->client, "system_reset", NULL);
    client_wait_event(d->client, "RESET");
    again(d);
    g_assert_cmpuint(drive_generation(d, 1), ==, 1);
    g_assert_cmpuint(drive_generation(d, 2), ==, 0);
    drive_quit(d);
}

static void quit_ends_the_process_with_the_survivors_written(void)
{
    char *image = drive_image("cut.img", 4 << 20);
    struct drive *d = drive_start(image, ",on-power-cut=quit");

    write_all(d);
    client_qmp_ok(d->client, "qom-set", POWER_CUT("lab0", "keep-all"));
    client_wait_exit(d->client);
    drive_detach(d);
    d = drive_start(image, "");
    g_assert_cmpuint(drive_generation(d, 1), ==, 2);
    g_assert_cmpuint(drive_generation(d, 2), ==, 2);
    drive_quit(d);
    g_free(image);
}

static void a_cut_with_commands_in_flight_answers_none(void)
{
    struct drive *d = start(",floor-latency=1000000,on-power-cut=pause");
    uint64_t data = drive_alloc(d, 8 * 512);
    unsigned i;

    drive_fill(d, data, 0, 8, 1);
    for (i = 0; i < 8; i++) {
        drive_submit(d, 1, drive_rw(NVME_IO_WRITE, i, 1, data + i * 512,
                                    true));
    }
    drive_ring(d, 1);
    client_qmp_ok(d->client, "qom-set", POWER_CUT("lab0", "drop-all"));
    client_wait_event(d->client, "STOP");
    client_clock_step(d->client, 10 * 1000 * 1000);
    for (i = 0; i < 8; i++) {
        struct nvme_completion cqe;

        client_read(d->client, d->queues[1].cq + i * sizeof(cqe), &cqe,
                    sizeof(cqe));
        g_assert_cmphex(cqe.status, ==, 0);
    }
    client_qmp_ok(d->client, "system_reset", NULL);
    client_wait_event(d->client, "RESET");
    client_qmp_ok(d->client, "cont", NULL);
    again(d);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(drive_generation(d, i), <=, 1);
    }
    drive_quit(d);
}

static struct nvme_command cut_command(uint32_t policy, uint64_t seed)
{
    return (struct nvme_command) {
        .opcode = LAB_OP_CUT, .cdw11 = policy, .cdw12 = seed,
        .cdw13 = seed >> 32,
    };
}

static void the_guest_can_cut_its_own_power(void)
{
    struct drive *d = start("");

    write_all(d);
    drive_submit(d, 0, cut_command(0, 0));
    drive_ring(d, 0);
    client_wait_event(d->client, "RESET");
    again(d);
    g_assert_cmpuint(drive_generation(d, 1), ==, 1);
    g_assert_cmpuint(drive_generation(d, 2), ==, 0);
    g_assert_cmpuint(drive_generation(d, 3), ==, 2);
    drive_quit(d);
}

static bool is_torn(struct drive *d, uint64_t slba, unsigned blocks)
{
    uint64_t first = drive_generation(d, slba);
    unsigned i;

    for (i = 1; i < blocks; i++) {
        if (drive_generation(d, slba + i) != first) {
            return true;
        }
    }
    return false;
}

/* Of eight writes of eight blocks each, in eight random cuts. */
static unsigned torn_with(const char *controller, const char *ns)
{
    char *image = drive_image("tear.img", 1 << 20);
    char *meta = drive_image("tear.meta", 1 << 20);
    struct drive *d = drive_attach(client_start(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s' "
        "-blockdev raw,node-name=meta,file.driver=file,file.filename='%s' "
        "-device nvmelab,id=lab0,addr=" DRIVE_SLOT ",serial=QTEST%s "
        "-device nvmelab-ns,bus=lab0,drive=m0,meta=meta%s", image, meta,
        controller, ns), 4);
    uint64_t data = drive_alloc(d, 4096);
    unsigned torn = 0;
    unsigned seed, i;

    again(d);
    for (seed = 1; seed <= 8; seed++) {
        for (i = 0; i < 8; i++) {
            drive_fill(d, data, i * 8, 8, seed);
            drive_ok(d, 1, drive_rw(NVME_IO_WRITE, i * 8, 8, data, false));
        }
        drive_submit(d, 0, cut_command(2, seed));
        drive_ring(d, 0);
        client_wait_event(d->client, "RESET");
        again(d);
        for (i = 0; i < 8; i++) {
            torn += is_torn(d, i * 8, 8);
        }
    }
    drive_quit(d);
    g_free(meta);
    g_free(image);
    return torn;
}

/* What crosses the boundaries at blocks 4, 12, …, or is told as a lie, may. */
static void a_write_within_nawupf_is_never_torn(void)
{
    g_assert_cmpuint(torn_with("", ",nawupf=7"), ==, 0);
    g_assert_cmpuint(torn_with("", ",nawupf=7,nabsn=7,nabspf=7"), ==, 0);
    g_assert_cmpuint(torn_with("", ",nawupf=7,nabsn=7,nabspf=7,nabo=4"), >, 0);
    g_assert_cmpuint(torn_with(",lie=atomic", ",nawupf=7"), >, 0);
}

struct pair {
    char *images[2];
    struct client *client;
    struct drive *drives[2];
};

/* Two drives of one machine, everything written. */
static struct pair pair_start(void)
{
    struct pair pair = { .images = { drive_image("one.img", 1 << 20),
                                     drive_image("two.img", 1 << 20) } };
    unsigned i;

    pair.client = client_start(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s' "
        "-blockdev raw,node-name=m1,file.driver=file,file.filename='%s' "
        "-device nvmelab,id=lab0,addr=4,serial=ONE "
        "-device nvmelab-ns,bus=lab0,drive=m0 "
        "-device nvmelab,id=lab1,addr=5,serial=TWO "
        "-device nvmelab-ns,bus=lab1,drive=m1", pair.images[0], pair.images[1]);
    for (i = 0; i < 2; i++) {
        pair.drives[i] = drive_attach(pair.client, 4 + i);
        drive_enable(pair.drives[i]);
        drive_create_queue(pair.drives[i], 1, 16);
        write_all(pair.drives[i]);
    }
    return pair;
}

static void pair_quit(struct pair *pair)
{
    drive_detach(pair->drives[1]);
    drive_quit(pair->drives[0]);
    g_free(pair->images[1]);
    g_free(pair->images[0]);
}

/* Two drives, the second cut while the first waits for it: one reset. */
static void a_second_drive_may_be_cut_before_the_machine_resets(void)
{
    struct pair pair = pair_start();
    struct drive **d = pair.drives;
    unsigned i;

    for (i = 0; i < 2; i++) {
        drive_submit(d[i], 0, cut_command(0, 0));
        drive_ring(d[i], 0);
        g_usleep(100000);
    }
    client_wait_event(pair.client, "RESET");
    for (i = 0; i < 2; i++) {
        again(d[i]);
        g_assert_cmpuint(drive_generation(d[i], 1), ==, 1);
        g_assert_cmpuint(drive_generation(d[i], 2), ==, 0);
        g_assert_cmpuint(drive_generation(d[i], 3), ==, 2);
    }
    pair_quit(&pair);
}

/* The other drive sees a machine reset, which takes nothing (P8). */
static void a_drive_without_a_cut_loses_nothing(void)
{
    struct pair pair = pair_start();
    struct drive **d = pair.drives;

    client_qmp_ok(pair.client, "qom-set", POWER_CUT("lab0", "drop-all"));
    client_clock_step(pair.client, 100 * 1000 * 1000);
    client_wait_event(pair.client, "RESET");
    again(d[0]);
    again(d[1]);
    g_assert_cmpuint(drive_generation(d[0], 2), ==, 0);
    g_assert_cmpuint(drive_generation(d[1], 2), ==, 2);
    pair_quit(&pair);
}

static void policies_nobody_knows_are_refused(void)
{
    struct drive *d = start(",on-power-cut=pause");
    char *text = client_qmp_error(d->client, "qom-set",
                                  POWER_CUT("lab0", "most"));

    g_assert_nonnull(strstr(text, "'most'"));
    g_free(text);
    client_qmp_ok(d->client, "qom-set", POWER_CUT("lab0", "random:0x12"));
    client_wait_event(d->client, "STOP");
    text = client_qmp_error(d->client, "qom-set",
                            POWER_CUT("lab0", "drop-all"));
    g_assert_nonnull(strstr(text, "no power"));
    g_free(text);
    drive_quit(d);
}

static void counters_are_read_over_qmp(void)
{
    struct drive *d = start("");
    JsonNode *answer;
    JsonParser *parser = json_parser_new();
    JsonObject *stats;

    write_all(d);
    answer = client_qmp(d->client, "qom-get",
                        "{\"path\":\"/machine/peripheral/lab0\","
                        "\"property\":\"stats\"}");
    g_assert_true(json_parser_load_from_data(
        parser, json_node_get_string(answer), -1, NULL));
    stats = json_node_get_object(json_parser_get_root(parser));
    g_assert_cmpint(json_object_get_int_member(stats, "writes"), ==, 4);
    g_assert_cmpint(json_object_get_int_member(stats, "writes-fua"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(stats, "flushes"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(stats, "unpromised-bytes"), ==,
                    2 * DRIVE_BLOCK_BYTES);
    g_object_unref(parser);
    json_node_unref(answer);
    drive_quit(d);
}

static void add_tests(void)
{
    g_test_add_func("/cut/a-write-within-nawupf-is-never-torn",
                    a_write_within_nawupf_is_never_torn);
    g_test_add_func("/cut/drop-all-leaves-promises-only",
                    drop_all_leaves_promises_only);
    g_test_add_func("/cut/keep-all-leaves-everything",
                    keep_all_leaves_everything);
    g_test_add_func("/cut/a-seed-names-its-survivors",
                    a_seed_names_its_survivors);
    g_test_add_func("/cut/pause-stops-the-machine-with-the-drive-dark",
                    pause_stops_the_machine_with_the_drive_dark);
    g_test_add_func("/cut/quit-ends-the-process-with-the-survivors-written",
                    quit_ends_the_process_with_the_survivors_written);
    g_test_add_func("/cut/a-cut-with-commands-in-flight-answers-none",
                    a_cut_with_commands_in_flight_answers_none);
    g_test_add_func("/cut/the-guest-can-cut-its-own-power",
                    the_guest_can_cut_its_own_power);
    g_test_add_func("/cut/a-second-drive-may-be-cut-before-the-machine-resets",
                    a_second_drive_may_be_cut_before_the_machine_resets);
    g_test_add_func("/cut/a-drive-without-a-cut-loses-nothing",
                    a_drive_without_a_cut_loses_nothing);
    g_test_add_func("/cut/policies-nobody-knows-are-refused",
                    policies_nobody_knows_are_refused);
    g_test_add_func("/cut/counters-are-read-over-qmp",
                    counters_are_read_over_qmp);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
