/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_config.h: what a kernel's configuration lacks of the fragment
 * images/kernel.config.d/nvmelab.config.
 */
#ifndef HARNESS_KERNEL_CONFIG_H
#define HARNESS_KERNEL_CONFIG_H

#include <glib.h>
#include <stdbool.h>

#define KERNEL_CONFIG_FRAGMENT "images/kernel.config.d/nvmelab.config"

enum kernel_config_need {
    KERNEL_CONFIG_GUEST,        /* for any case */
    KERNEL_CONFIG_CONTEXT,      /* only for cases that watch the kernel */
};

/* The fragment of this repository; NULL and an error when it cannot be read. */
char *kernel_config_fragment(GError **error);
/*
 * The options of fragment that config lacks for this need, "CONFIG_A=y
 * CONFIG_B=y", or NULL. has_modules: what may be a module has been built.
 */
char *kernel_config_lacks(const char *fragment, const char *config,
                          enum kernel_config_need need, bool has_modules);
bool kernel_config_is_yes(const char *config, const char *option);

#endif
