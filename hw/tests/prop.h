/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties over many seeds.
 *
 * LAB_PROP_SEEDS=N    how many seeds (default: the test's own number)
 * LAB_PROP_SEED=S     the first of them (default 1)
 * LAB_PROP_SECONDS=T  stop starting new ones after T seconds (default 15)
 *
 * A seed that fails is printed together with the command that repeats it.
 */
#ifndef LAB_PROP_H
#define LAB_PROP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct prop_rng {
    uint64_t seed;
    uint64_t draws;
};

uint64_t prop_draw(struct prop_rng *rng);
/* 0 … limit - 1. */
uint32_t prop_below(struct prop_rng *rng, uint32_t limit);
/* One time in n. */
bool prop_one_in(struct prop_rng *rng, uint32_t n);

/* As a GLib test: run each seed until all are done or time is up. */
struct prop {
    const char *path;
    void (*run)(struct prop_rng *rng);
    uint32_t seeds;
};

int prop_main(int argc, char **argv, const struct prop *props, uint32_t count);

#endif
