/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What host_fake.c needs of its storage; tests use host_fake.h. */
#ifndef LAB_FAKE_STORE_H
#define LAB_FAKE_STORE_H

#include "host_fake.h"

extern const struct lab_store_ops fake_store_ops;

struct fake_store *fake_store_add(struct fake_host *host, uint32_t index,
                                  uint64_t size_bytes,
                                  uint32_t block_size_bytes);

#endif
