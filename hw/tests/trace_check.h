/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold in every record of the command trace, whatever the test. */
#ifndef LAB_TRACE_CHECK_H
#define LAB_TRACE_CHECK_H

#include "host_fake.h"

/* Aborts, naming the record, when it contradicts itself or its place. */
void trace_check(struct fake_host *host, const void *record, size_t length);

#endif
