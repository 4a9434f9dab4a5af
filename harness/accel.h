/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accel.h: can this machine's KVM really run the guest?
 */
#ifndef HARNESS_ACCEL_H
#define HARNESS_ACCEL_H

#include <glib.h>

#include "kernel.h"

struct accel {
    const char *name;           /* "kvm" or "tcg" */
    char *why;
};

/* Answered from the cache, or by booting a guest once. */
void accel_choose(const char *qemu, const struct kernel *kernel,
                  const char *initramfs, struct accel *accel);
void accel_clear(struct accel *accel);

#endif
