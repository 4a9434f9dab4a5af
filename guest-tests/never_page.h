/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * never_page.h: a clean cached page must not be older than a direct write that
 * was acknowledged.
 *
 * Every direct write of this program comes here when it is acknowledged. Is
 * its range in the page cache, and does a page there, neither dirty nor being
 * written back, not have what was written? Then whoever reads through the page
 * cache gets what the write has replaced, for good. A dirty page is legal, and
 * so is a clean one with what the drive has: somebody else's later write.
 *
 * Looking brings nothing into the page cache, and nothing to the drive unless
 * there is a suspicion: then it reads.
 */
#ifndef NEVER_PAGE_H
#define NEVER_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* fd stays open until the look, buffer may change. */
void never_page_written(int fd, const void *buffer, size_t length,
                        off_t offset);
/* Between two marks the drive's work is measured: look behind them. */
void never_page_hold(bool is_held);

/*
 * One look at length bytes at offset, which are to be as in buffer. A finding
 * is a note of the step; so is, once, that this guest cannot look.
 */
void never_page_look(int fd, const void *buffer, size_t length, off_t offset);

#endif
