/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims about media/powercut.c: the choice is pure, fair and within P4-P6. */
#include <glib.h>

#include "powercut.h"

#define WRITES 3000

static struct powercut_write write_make(uint64_t id, uint32_t blocks,
                                        uint32_t atomic)
{
    return (struct powercut_write) {
        .medium = 1, .id = id, .block_count = blocks,
        .is_atomic = blocks <= atomic,
        .first_stamp = id * 10, .visible_stamp = id * 10 + 4,
        .last_stamp = id * 10 + 9,
    };
}

static void test_policies(void)
{
    struct powercut drop = { POWERCUT_DROP_ALL, 7 };
    struct powercut keep = { POWERCUT_KEEP_ALL, 7 };
    struct powercut_write write = write_make(3, 8, 1);
    uint32_t block;

    g_assert_cmpint(powercut_outcome(&drop, &write), ==, POWERCUT_DROPPED);
    g_assert_cmpint(powercut_outcome(&keep, &write), ==, POWERCUT_KEPT);
    for (block = 0; block < 8; block++) {
        g_assert_false(powercut_keeps(&drop, &write, block));
        g_assert_true(powercut_keeps(&keep, &write, block));
    }
    g_assert_cmpuint(powercut_effect(&keep, &write), ==, write.visible_stamp);
}

/* About half, a third each above the limit; nothing is always chosen. */
static void test_fair(void)
{
    struct powercut cut = { POWERCUT_RANDOM, 12 };
    uint32_t within[3] = { 0 };
    uint32_t above[3] = { 0 };
    uint64_t id;

    for (id = 0; id < WRITES; id++) {
        struct powercut_write atomic = write_make(id, 4, 4);
        struct powercut_write big = write_make(id, 5, 4);

        within[powercut_outcome(&cut, &atomic)]++;
        above[powercut_outcome(&cut, &big)]++;
    }
    g_assert_cmpuint(within[POWERCUT_TORN], ==, 0);
    g_assert_cmpuint(within[POWERCUT_KEPT], >, WRITES * 45 / 100);
    g_assert_cmpuint(within[POWERCUT_DROPPED], >, WRITES * 45 / 100);
    g_assert_cmpuint(above[POWERCUT_KEPT], >, WRITES * 30 / 100);
    g_assert_cmpuint(above[POWERCUT_DROPPED], >, WRITES * 30 / 100);
    g_assert_cmpuint(above[POWERCUT_TORN], >, WRITES * 30 / 100);
}

static void test_blocks_agree(void)
{
    struct powercut cut = { POWERCUT_RANDOM, 5 };
    uint64_t id;

    for (id = 0; id < WRITES; id++) {
        struct powercut_write write = write_make(id, 6, 2);
        enum powercut_outcome outcome = powercut_outcome(&cut, &write);
        uint32_t block;

        for (block = 0; block < 6 && outcome != POWERCUT_TORN; block++) {
            g_assert_cmpint(powercut_keeps(&cut, &write, block), ==,
                            outcome == POWERCUT_KEPT);
        }
    }
}

static void test_pure(void)
{
    struct powercut cut = { POWERCUT_RANDOM, 99 };
    struct powercut other = { POWERCUT_RANDOM, 100 };
    uint32_t differences = 0;
    uint64_t id;

    for (id = 0; id < 200; id++) {
        struct powercut_write write = write_make(id, 9, 1);
        struct powercut_write elsewhere = write;
        uint32_t block;

        /* Stamps settle order only, never who survives. */
        elsewhere.first_stamp += 1000;
        elsewhere.visible_stamp += 1000;
        elsewhere.last_stamp += 1000;
        for (block = 0; block < 9; block++) {
            g_assert_cmpint(powercut_keeps(&cut, &write, block), ==,
                            powercut_keeps(&cut, &elsewhere, block));
            differences += powercut_keeps(&cut, &write, block) !=
                           powercut_keeps(&other, &write, block);
        }
        elsewhere.medium = 2;
        differences += powercut_outcome(&cut, &write) !=
                       powercut_outcome(&cut, &elsewhere);
    }
    g_assert_cmpuint(differences, >, 100);
}

static void test_effect_within_life(void)
{
    struct powercut cut = { POWERCUT_RANDOM, 3 };
    bool is_ever_before = false;
    bool is_ever_behind = false;
    uint64_t id;

    for (id = 0; id < WRITES; id++) {
        struct powercut_write write = write_make(id, 1, 1);
        uint64_t effect = powercut_effect(&cut, &write);

        g_assert_cmpuint(effect, >=, write.first_stamp);
        g_assert_cmpuint(effect, <=, write.last_stamp);
        is_ever_before |= effect < write.visible_stamp;
        is_ever_behind |= effect > write.visible_stamp;
    }
    g_assert_true(is_ever_before && is_ever_behind);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/powercut/P4/drop-all-and-keep-all", test_policies);
    g_test_add_func("/powercut/P5/random-tears-above-the-limit-only",
                    test_fair);
    g_test_add_func("/powercut/P5/blocks-agree-with-the-outcome",
                    test_blocks_agree);
    g_test_add_func("/powercut/P6/effect-lies-within-the-life",
                    test_effect_within_life);
    g_test_add_func("/powercut/choice-depends-on-seed-and-name-only",
                    test_pure);
    return g_test_run();
}
