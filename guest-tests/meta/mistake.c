/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistaking one function for another, and reading a block; see mistake.h.
 */
#include "mistake.h"

#include <fcntl.h>
#include <string.h>

#include "never.h"
#include "target.h"

void mistake_make(struct run *run, const char *watched, const char *function)
{
    int error = never_mistake(watched, function);

    if (error) {
        run_error(run, "%s watched as %s: %s", function, watched,
                  strerror(-error));
    }
}

int mistake_open_raw(struct run *run)
{
    struct target target = target_get(run, TARGET_FRESH_OR_MOUNTED);

    return target_open(run, &target, "", O_RDWR | O_DIRECT);
}

void mistake_read(struct run *run, const struct issuer *issuer, int fd)
{
    int error = issuer->start();
    ssize_t n;

    if (error) {
        run_error(run, "%s: %s", issuer->name, strerror(-error));
    }
    n = issuer->read(fd, target_buffer(run, TARGET_BLOCK_BYTES),
                     TARGET_BLOCK_BYTES, 0);
    if (n != TARGET_BLOCK_BYTES) {
        run_error(run, "read through %s: %zd", issuer->name, n);
    }
}
