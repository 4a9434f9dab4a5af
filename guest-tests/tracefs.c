/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing to the kernel's tracing files; see tracefs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tracefs.h"

int tracefs_put(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (*text && write(fd, text, strlen(text)) < 0) {
        error = -errno;
    }
    close(fd);
    return error;
}

void tracefs_must_put(struct run *run, const char *path, const char *text)
{
    int error = tracefs_put(path, *text ? 0 : O_TRUNC, text);

    if (error) {
        run_error(run, "%s: %s: %s", path, text, strerror(-error));
    }
}
