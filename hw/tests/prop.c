/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seeds, time and the rerun line of property tests; see prop.h. */
#include "prop.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mix.h"

static struct {
    const char *program;
    const char *path;
    uint64_t seed;
} now;

uint64_t prop_draw(struct prop_rng *rng)
{
    return mix64_of(rng->seed, ++rng->draws, 0x70726f70);
}

uint32_t prop_below(struct prop_rng *rng, uint32_t limit)
{
    return prop_draw(rng) % limit;
}

bool prop_one_in(struct prop_rng *rng, uint32_t n)
{
    return !prop_below(rng, n);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value ? g_ascii_strtoull(value, NULL, 0) : otherwise;
}

/* Every failed assertion and every sanitizer report ends here. */
static void say_seed(int signal_number)
{
    char line[256];
    int length = snprintf(line, sizeof(line),
                          "# seed %" PRIu64 " failed\n"
                          "# rerun: LAB_PROP_SEED=%" PRIu64
                          " LAB_PROP_SEEDS=1 %s -p %s\n", now.seed, now.seed,
                          now.program, now.path);

    if (write(STDERR_FILENO, line, length) < 0) {
        _exit(1);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void run_prop(const void *data)
{
    const struct prop *prop = data;
    uint64_t first = from_environment("LAB_PROP_SEED", 1);
    uint64_t count = from_environment("LAB_PROP_SEEDS", prop->seeds);
    int64_t limit_us = from_environment("LAB_PROP_SECONDS", 15) * 1000000;
    int64_t start_us = g_get_monotonic_time();
    uint64_t i;

    now.path = prop->path;
    for (i = 0; i < count && g_get_monotonic_time() - start_us < limit_us;
         i++) {
        struct prop_rng rng = { .seed = first + i };

        now.seed = rng.seed;
        prop->run(&rng);
    }
    g_test_message("%s: %" PRIu64 " of %" PRIu64 " seeds from %" PRIu64,
                   prop->path, i, count, first);
    g_assert_cmpuint(i, >, 0);
}

int prop_main(int argc, char **argv, const struct prop *props, uint32_t count)
{
    uint32_t i;

    g_test_init(&argc, &argv, NULL);
    now.program = argv[0];
    signal(SIGABRT, say_seed);
    signal(SIGSEGV, say_seed);
    signal(SIGTRAP, say_seed);
    for (i = 0; i < count; i++) {
        g_test_add_data_func(props[i].path, &props[i], run_prop);
    }
    return g_test_run();
}
