/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry.h: the list of all cases, in the order of the answer to "list".
 *
 * Flush cases come first, then durability cases in the order in which a round
 * must prepare them, then the rest; within that, by name.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stddef.h>

#include "guest.h"

/* Once, before the first look. */
void registry_init(void);
size_t registry_count(void);
const struct guest_case *registry_at(size_t index);
const struct guest_case *registry_find(const char *name);

#endif
