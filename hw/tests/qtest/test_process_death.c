/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the QEMU process is a power cut: what was promised is in the
 * image, what was not is gone, kill -9 or not (docs/loss-model.md, "The process
 * as a drive").
 */
#include <stdlib.h>

#include "drive.h"

static struct drive *restart(const char *image)
{
    return drive_start(image, "");
}

/* With a redo record in this metadata image, and these properties. */
static struct drive *start_atomic(const char *image, const char *meta,
                                  const char *controller, const char *ns)
{
    struct drive *d = drive_attach(client_start(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s' "
        "-blockdev raw,node-name=meta,file.driver=file,file.filename='%s' "
        "-device nvmelab,id=lab0,addr=" DRIVE_SLOT ",serial=QTEST%s "
        "-device nvmelab-ns,bus=lab0,drive=m0,meta=meta%s", image, meta,
        controller, ns),
        atoi(DRIVE_SLOT));

    drive_enable(d);
    drive_create_queue(d, 1, 16);
    return d;
}

/* Blocks 1 flushed, 2 FUA, 3 plain; 4 has an old flushed state below. */
static void write_all(struct drive *d)
{
    drive_write_block(d, 1, 1, false);
    drive_write_block(d, 4, 1, false);
    drive_sync(d);
    drive_write_block(d, 3, 2, false);
    drive_write_block(d, 4, 2, false);
    drive_write_block(d, 2, 2, true);
}

/* FUA is not a barrier (P2): older plain writes go though block 2 stays. */
static void assert_only_promised(const char *image)
{
    struct drive *d = restart(image);

    g_assert_cmpuint(drive_generation(d, 1), ==, 1);
    g_assert_cmpuint(drive_generation(d, 2), ==, 2);
    g_assert_cmpuint(drive_generation(d, 3), ==, 0);
    g_assert_cmpuint(drive_generation(d, 4), ==, 1);
    drive_quit(d);
}

static void kill_9_keeps_the_promised_and_only_that(void)
{
    char *image = drive_image("kill.img", 1 << 20);
    struct drive *d = drive_start(image, "");

    write_all(d);
    drive_kill(d);
    assert_only_promised(image);
    g_free(image);
}

static void quit_keeps_the_promised_and_only_that(void)
{
    char *image = drive_image("quit.img", 1 << 20);
    struct drive *d = drive_start(image, "");

    write_all(d);
    drive_quit(d);
    assert_only_promised(image);
    g_free(image);
}

static void without_a_cache_everything_completed_stays(void)
{
    char *image = drive_image("novwc.img", 1 << 20);
    struct drive *d = drive_start(image, ",vwc=off");

    drive_write_block(d, 3, 2, false);
    drive_kill(d);
    d = restart(image);
    g_assert_cmpuint(drive_generation(d, 3), ==, 2);
    drive_quit(d);
    g_free(image);
}

static void a_cache_of_4_kib_destages_and_still_reads_back(void)
{
    char *image = drive_image("small.img", 1 << 20);
    struct drive *d = drive_start(image, ",cache-size=4096");
    unsigned i;

    for (i = 0; i < 64; i++) {
        drive_write_block(d, i, i + 1, false);
    }
    for (i = 0; i < 64; i++) {
        g_assert_cmpuint(drive_generation(d, i), ==, i + 1);
    }
    drive_sync(d);
    drive_kill(d);
    d = restart(image);
    for (i = 0; i < 64; i++) {
        g_assert_cmpuint(drive_generation(d, i), ==, i + 1);
    }
    drive_quit(d);
    g_free(image);
}

static void kill_under_load_leaves_every_block_old_or_new(void)
{
    char *image = drive_image("load.img", 1 << 20);
    unsigned round, i;

    for (round = 1; round <= 5; round++) {
        struct drive *d = drive_start(image, "");
        uint64_t data = drive_alloc(d, 15 * 512);

        for (i = 0; i < 15; i++) {
            drive_fill(d, data + i * 512, i, 1, round);
            drive_submit(d, 1, drive_rw(NVME_IO_WRITE, i, 1, data + i * 512,
                                        true));
        }
        drive_ring(d, 1);
        drive_kill(d);
        d = restart(image);
        for (i = 0; i < 15; i++) {
            g_assert_cmpuint(drive_generation(d, i), <=, round);
        }
        drive_quit(d);
    }
    g_free(image);
}

/* Writes of eight blocks, atomic by these properties, under kill -9. */
static void assert_whole_after_kill_9(const char *controller, const char *ns)
{
    char *image = drive_image("atomic.img", 1 << 20);
    char *meta = drive_image("atomic.meta", 1 << 20);
    unsigned round, i, j;

    for (round = 1; round <= 8; round++) {
        struct drive *d = start_atomic(image, meta, controller, ns);
        uint64_t data = drive_alloc(d, 15 * 4096);

        for (i = 0; i < 15; i++) {
            drive_fill(d, data + i * 4096, i * 8, 8, round);
            drive_submit(d, 1, drive_rw(NVME_IO_WRITE, i * 8, 8,
                                        data + i * 4096, true));
        }
        drive_ring(d, 1);
        for (i = 0; i < round; i++) {
            drive_next(d, 1);
        }
        drive_kill(d);
        d = start_atomic(image, meta, controller, ns);
        for (i = 0; i < 15; i++) {
            uint64_t first = drive_generation(d, i * 8);

            g_assert_cmpuint(first, <=, round);
            for (j = 1; j < 8; j++) {
                g_assert_cmpuint(drive_generation(d, i * 8 + j), ==, first);
            }
        }
        drive_quit(d);
    }
    g_free(meta);
    g_free(image);
}

static void a_write_within_awupf_is_whole_after_kill_9(void)
{
    assert_whole_after_kill_9(",awupf=7", "");
}

/* The writes end at boundaries, and cross none. */
static void a_write_within_nawupf_is_whole_after_kill_9(void)
{
    assert_whole_after_kill_9("", ",nawupf=7,nabsn=15,nabspf=7");
}

/* What is left of a flushed, a FUA and an older plain write under a lie. */
static void assert_lie(const char *properties, uint64_t flushed, uint64_t fua,
                       uint64_t plain)
{
    char *image = drive_image("lie.img", 1 << 20);
    struct drive *d = drive_start(image, properties);

    drive_write_block(d, 1, 1, false);
    drive_sync(d);
    drive_write_block(d, 3, 1, false);
    drive_write_block(d, 2, 1, true);
    drive_kill(d);
    d = restart(image);
    g_assert_cmpuint(drive_generation(d, 1), ==, flushed);
    g_assert_cmpuint(drive_generation(d, 2), ==, fua);
    g_assert_cmpuint(drive_generation(d, 3), ==, plain);
    drive_quit(d);
    g_free(image);
}

static void every_lie_shows_where_it_should(void)
{
    assert_lie("", 1, 1, 0);
    assert_lie(",lie=flush", 0, 1, 0);
    assert_lie(",lie=flush-early", 0, 1, 0);
    assert_lie(",lie=fua", 1, 0, 0);
    assert_lie(",lie=fua-barrier", 1, 1, 1);
}

static void add_tests(void)
{
    g_test_add_func("/death/every-lie-shows-where-it-should",
                    every_lie_shows_where_it_should);
    g_test_add_func("/death/a-write-within-awupf-is-whole-after-kill-9",
                    a_write_within_awupf_is_whole_after_kill_9);
    g_test_add_func("/death/a-write-within-nawupf-is-whole-after-kill-9",
                    a_write_within_nawupf_is_whole_after_kill_9);
    g_test_add_func("/death/kill-9-keeps-the-promised-and-only-that",
                    kill_9_keeps_the_promised_and_only_that);
    g_test_add_func("/death/quit-keeps-the-promised-and-only-that",
                    quit_keeps_the_promised_and_only_that);
    g_test_add_func("/death/without-a-cache-everything-completed-stays",
                    without_a_cache_everything_completed_stays);
    g_test_add_func("/death/a-cache-of-4-kib-destages-and-still-reads-back",
                    a_cache_of_4_kib_destages_and_still_reads_back);
    g_test_add_func("/death/kill-under-load-leaves-every-block-old-or-new",
                    kill_under_load_leaves_every_block_old_or_new);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
