/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.h: where an I/O was issued and where it completed.
 *
 * A context case is one operation through one issuer on one target, done
 * several times (parameter repeats), each time from the same state. The guest
 * only watches (probe.h); the host names the contexts and judges.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "product.h"

/* All operations × targets × issuers. */
void context_add_cases(product_add_fn *add);

#endif
