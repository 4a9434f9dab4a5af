/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole drive while a guest and a host arm rules, release, wait and abort;
 * what is judged stands in ctrl_steps.c, and holds for parked commands as for
 * others. Under ASan: nothing leaks, nothing is used again.
 */
#include "ctrl_world.h"

static void run(struct prop_rng *rng)
{
    world_run(rng, true);
}

int main(int argc, char **argv)
{
    static const struct prop props[] = {
        { "/prop/hold/every-command-is-answered-once-and-no-promise-broken",
          run, 1000 },
    };

    return prop_main(argc, argv, props, G_N_ELEMENTS(props));
}
