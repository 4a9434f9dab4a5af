/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_punt.h: why io_uring handed an operation to io-wq.
 */
#ifndef HARNESS_CONTEXT_PUNT_H
#define HARNESS_CONTEXT_PUNT_H

#include "context_event.h"

/*
 * timestamp  kiocb_modified() returned -EAGAIN: updating the inode's time
 *            needs a transaction
 * mapping    iomap_dio_rw() returned -EAGAIN: blocks have to be allocated or
 *            looked up, or cached pages to be written or dropped
 * lock       the file system's write returned -EAGAIN before it came to
 *            either: it needs a lock for which it would have to wait
 * ?          none of these was seen
 */
const char *context_punt_reason(const struct context_repeat *repeat);
bool context_punt_is_reason(const char *word);

#endif
