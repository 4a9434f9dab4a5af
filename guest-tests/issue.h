/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * issue.h: ways to issue one I/O and wait for it.
 *
 * One operation at a time, from one process. Durability flags (O_DSYNC,
 * O_SYNC) are those of the file descriptor in all of them.
 */
#ifndef ISSUE_H
#define ISSUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A case must not see its own completion twice, or somebody else's: whatever
 * is in the queue before an operation is issued or when the step ends is a
 * never-event (never.h). Acknowledged writes go to never_page.h.
 */
struct issuer {
    const char *name;           /* as in case names */
    int (*start)(void);         /* 0 or -errno; before the first operation */
    /* Bytes, or -errno as the completion had it. */
    ssize_t (*read)(int fd, void *buffer, size_t length, off_t offset);
    ssize_t (*write)(int fd, const void *buffer, size_t length, off_t offset);
    /* 0 or -errno. */
    ssize_t (*fsync)(int fd);
    ssize_t (*fdatasync)(int fd);
};

extern const struct issuer issuer_io_uring;
extern const struct issuer issuer_libaio;
extern const struct issuer issuer_sync;
/* io_uring with other setups: they differ in where completions run. */
extern const struct issuer issuer_defer_taskrun;
extern const struct issuer issuer_iopoll;       /* no fsync, no fdatasync */

/* Those that differ in what they make a drive do. */
#define ISSUER_COUNT 3
extern const struct issuer *const issuers[ISSUER_COUNT];

/* For the issuers: a write that was acknowledged, or failed. Returns result. */
ssize_t issue_acknowledged(ssize_t result, int fd, const void *buffer,
                           off_t offset);
/* For the issuers: a completion that nobody waits for. */
void issue_extra(const char *what, uint64_t request, int64_t result);

/* The queues of this process, for cases that must fail. */
struct io_uring *issue_ring(void);
unsigned long issue_aio_context(void);

#endif
