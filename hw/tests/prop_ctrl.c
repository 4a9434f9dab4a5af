/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole drive, nothing held; what is judged stands in ctrl_steps.c. */
#include "ctrl_world.h"

static void run(struct prop_rng *rng)
{
    world_run(rng, false);
}

int main(int argc, char **argv)
{
    static const struct prop props[] = {
        { "/prop/ctrl/every-command-is-answered-once-and-no-promise-broken",
          run, 8000 },
    };

    return prop_main(argc, argv, props, G_N_ELEMENTS(props));
}
