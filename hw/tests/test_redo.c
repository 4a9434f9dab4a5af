/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The redo record (media/redo.h): what it brings back, what it leaves alone and
 * what it refuses. prop_wcache has the death of the process at any moment.
 */
#include <errno.h>
#include <string.h>

#include "driver.h"
#include "redo.h"
#include "store_ram.h"

#define BLOCK 512u
#define BLOCKS 64u

struct scene {
    struct store_ram *meta;
    struct store_ram *medium;
    struct redo *redo;
    bool is_started;
    bool is_done;
    int error;
    char *why;
};

static struct redo_config config_make(uint8_t owner)
{
    struct redo_config config = {
        .block_size_bytes = BLOCK, .block_count = BLOCKS,
    };

    config.owner[0] = owner;
    return config;
}

static void started(void *opaque, int error, const char *why)
{
    struct scene *scene = opaque;

    scene->is_started = true;
    scene->error = error;
    scene->why = g_strdup(why);
}

static void settle(struct scene *scene)
{
    do {
        store_ram_run(scene->meta);
        store_ram_run(scene->medium);
    } while (store_ram_waiting(scene->meta));
}

/* A process that opens what is there. */
static int start(struct scene *scene, const struct redo_config *config)
{
    g_free(scene->why);
    scene->why = NULL;
    scene->is_started = false;
    scene->redo = redo_new(config, store_ram_store(scene->meta),
                           store_ram_store(scene->medium));
    redo_start(scene->redo, started, scene);
    settle(scene);
    g_assert_true(scene->is_started);
    return scene->error;
}

static void stop(struct scene *scene)
{
    redo_free(scene->redo);
    scene->redo = NULL;
}

static void restart(struct scene *scene)
{
    struct redo_config config = config_make(1);

    stop(scene);
    g_assert_cmpint(start(scene, &config), ==, 0);
}

static void scene_up(struct scene *scene, gconstpointer data)
{
    struct redo_config config = config_make(1);

    (void)data;
    scene->meta = store_ram_new(redo_size(BLOCK));
    scene->medium = store_ram_new(BLOCKS * BLOCK);
    g_assert_cmpint(start(scene, &config), ==, 0);
}

static void scene_down(struct scene *scene, gconstpointer data)
{
    (void)data;
    stop(scene);
    store_ram_free(scene->meta);
    store_ram_free(scene->medium);
    g_free(scene->why);
}

static void done(void *opaque, int error)
{
    struct scene *scene = opaque;

    scene->is_done = true;
    scene->error = error;
}

/* Blocks 3..4 with tag 7 and block 9 with tag 8. */
static int record(struct scene *scene)
{
    static uint8_t first[2 * BLOCK];
    static uint8_t second[BLOCK];
    const struct redo_segment segments[] = {
        { 3, 2, first }, { 9, 1, second },
    };

    tag_fill(first, sizeof(first), 7);
    tag_fill(second, sizeof(second), 8);
    scene->is_done = false;
    redo_record(scene->redo, segments, 2, done, scene);
    /* Copied at once. */
    memset(first, 0xFF, sizeof(first));
    settle(scene);
    g_assert_true(scene->is_done);
    return scene->error;
}

static uint64_t tag_at(struct scene *scene, uint64_t block)
{
    return tag_of(store_ram_bytes(scene->medium) + block * BLOCK, BLOCK);
}

static void test_replay(struct scene *scene, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(record(scene), ==, 0);
    g_assert_cmpuint(tag_at(scene, 3), ==, 0);
    restart(scene);
    g_assert_cmpuint(tag_at(scene, 2), ==, 0);
    g_assert_cmpuint(tag_at(scene, 3), ==, 7);
    g_assert_cmpuint(tag_at(scene, 4), ==, 7);
    g_assert_cmpuint(tag_at(scene, 5), ==, 0);
    g_assert_cmpuint(tag_at(scene, 9), ==, 8);
}

static void test_replayed_once(struct scene *scene, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(record(scene), ==, 0);
    restart(scene);
    memset(store_ram_bytes(scene->medium), 0, BLOCKS * BLOCK);
    restart(scene);
    g_assert_cmpuint(tag_at(scene, 3), ==, 0);
}

static void test_cleared(struct scene *scene, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(record(scene), ==, 0);
    scene->is_done = false;
    redo_clear(scene->redo, done, scene);
    settle(scene);
    g_assert_true(scene->is_done);
    restart(scene);
    g_assert_cmpuint(tag_at(scene, 3), ==, 0);
}

/* Any one bit: header, ranges or bytes. */
static void test_damaged(struct scene *scene, gconstpointer data)
{
    uint8_t *bytes = store_ram_bytes(scene->meta);
    uint32_t offset;

    (void)data;
    for (offset = 4096; offset < 8192 + 3 * BLOCK; offset += 37) {
        g_assert_cmpint(record(scene), ==, 0);
        bytes[offset] ^= 1 << offset % 8;
        restart(scene);
        g_assert_cmpuint(tag_at(scene, 3), ==, 0);
        g_assert_cmpuint(tag_at(scene, 9), ==, 0);
    }
}

static void test_torn(struct scene *scene, gconstpointer data)
{
    uint8_t *bytes = store_ram_bytes(scene->meta);

    (void)data;
    g_assert_cmpint(record(scene), ==, 0);
    memset(bytes + 8192 + 2 * BLOCK, 0, BLOCK);
    restart(scene);
    g_assert_cmpuint(tag_at(scene, 3), ==, 0);
}

static void test_interrupted_replay(struct scene *scene, gconstpointer data)
{
    struct redo_config config = config_make(1);

    (void)data;
    g_assert_cmpint(record(scene), ==, 0);
    stop(scene);
    /* Dies behind the first of two ranges. */
    scene->redo = redo_new(&config, store_ram_store(scene->meta),
                           store_ram_store(scene->medium));
    scene->is_started = false;
    redo_start(scene->redo, started, scene);
    store_ram_step(scene->meta, 0);
    store_ram_step(scene->medium, 0);
    g_assert_cmpuint(tag_at(scene, 3), ==, 7);
    g_assert_cmpuint(tag_at(scene, 9), ==, 0);
    settle(scene);
    g_assert_true(scene->is_started);
    g_assert_cmpuint(tag_at(scene, 9), ==, 8);
}

static void expect_refusal(struct scene *scene,
                           const struct redo_config *config)
{
    uint8_t *before = g_memdup2(store_ram_bytes(scene->meta), redo_size(BLOCK));

    stop(scene);
    g_assert_cmpint(start(scene, config), ==, -EINVAL);
    g_assert_nonnull(scene->why);
    g_assert_cmpmem(store_ram_bytes(scene->meta), redo_size(BLOCK), before,
                    redo_size(BLOCK));
    g_assert_cmpuint(tag_at(scene, 3), ==, 0);
    g_free(before);
}

/* Refused, and not a byte of it changed. */
static void test_foreign(struct scene *scene, gconstpointer data)
{
    struct redo_config config = config_make(2);
    uint8_t *bytes = store_ram_bytes(scene->meta);

    (void)data;
    g_assert_cmpint(record(scene), ==, 0);
    expect_refusal(scene, &config);
    config = config_make(1);
    config.block_count = BLOCKS / 2;
    expect_refusal(scene, &config);
    config = config_make(1);
    bytes[8] ^= 0xFF;                   /* version */
    expect_refusal(scene, &config);
    bytes[8] ^= 0xFF;
    memcpy(bytes, "QFI\xfb", 4);
    expect_refusal(scene, &config);
}

static void test_errors(struct scene *scene, gconstpointer data)
{
    struct redo_config config = config_make(1);

    (void)data;
    store_ram_fail(scene->meta, -EIO);
    g_assert_cmpint(record(scene), ==, -EIO);
    stop(scene);
    g_assert_cmpint(start(scene, &config), ==, -EIO);
    store_ram_fail(scene->meta, 0);
    g_assert_cmpint(record(scene), ==, 0);
    stop(scene);
    store_ram_fail(scene->medium, -ENOSPC);
    g_assert_cmpint(start(scene, &config), ==, -ENOSPC);
    /* The record is still there for the next try. */
    store_ram_fail(scene->medium, 0);
    restart(scene);
    g_assert_cmpuint(tag_at(scene, 3), ==, 7);
}

static void test_largest(struct scene *scene, gconstpointer data)
{
    struct redo_segment segments[REDO_BLOCKS_MAX];
    static uint8_t bytes[BLOCKS][BLOCK];
    uint32_t i;

    (void)data;
    for (i = 0; i < BLOCKS; i++) {
        tag_fill(bytes[i], BLOCK, i + 1);
        segments[i] = (struct redo_segment) { BLOCKS - 1 - i, 1, bytes[i] };
    }
    redo_record(scene->redo, segments, BLOCKS, done, scene);
    settle(scene);
    restart(scene);
    for (i = 0; i < BLOCKS; i++) {
        g_assert_cmpuint(tag_at(scene, BLOCKS - 1 - i), ==, i + 1);
    }
}

#define ADD(path, function) \
    g_test_add(path, struct scene, NULL, scene_up, function, scene_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/redo/record-is-written-again-at-start", test_replay);
    ADD("/redo/record-is-written-again-once", test_replayed_once);
    ADD("/redo/cleared-record-is-gone", test_cleared);
    ADD("/redo/damaged-record-is-ignored", test_damaged);
    ADD("/redo/torn-record-is-ignored", test_torn);
    ADD("/redo/start-that-is-interrupted-starts-over",
        test_interrupted_replay);
    ADD("/redo/foreign-metadata-is-refused-and-kept", test_foreign);
    ADD("/redo/errors-are-told", test_errors);
    ADD("/redo/as-many-ranges-as-blocks", test_largest);
    return g_test_run();
}
