/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading /dev/kmsg (Documentation/ABI/testing/dev-kmsg): a read is a record.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

#define LIMIT_MS 10000
/* By then the console has what the log has: the host reads it there. */
#define CONSOLE_MS 100

struct kmsg kmsg_open(struct run *run)
{
    struct kmsg kmsg = { run, open("/dev/kmsg", O_RDONLY | O_NONBLOCK |
                                   O_CLOEXEC) };

    if (kmsg.fd < 0 || lseek(kmsg.fd, 0, SEEK_END) < 0) {
        run_error(run, "/dev/kmsg: %s", strerror(errno));
    }
    return kmsg;
}

/* Through what is there; true: one of them has the text. */
static bool has_said(const struct kmsg *kmsg, const char *text)
{
    char record[8192];
    ssize_t n;

    for (;;) {
        n = read(kmsg->fd, record, sizeof(record) - 1);
        if (n < 0 && errno == EPIPE) {
            run_error(kmsg->run, "/dev/kmsg: records were overwritten");
        }
        if (n < 0 && errno != EAGAIN) {
            run_error(kmsg->run, "/dev/kmsg: %s", strerror(errno));
        }
        if (n <= 0) {
            return false;
        }
        record[n] = '\0';
        if (strstr(record, text)) {
            return true;
        }
    }
}

void kmsg_must_say(const struct kmsg *kmsg, const char *text)
{
    for (unsigned ms = 0; !has_said(kmsg, text); ms += 10) {
        if (ms >= LIMIT_MS) {
            run_fail(kmsg->run, "the kernel log has no \"%s\" after %d ms",
                     text, LIMIT_MS);
        }
        usleep(10 * 1000);
    }
}

void kmsg_must_not_say(const struct kmsg *kmsg, const char *text)
{
    if (has_said(kmsg, text)) {
        run_fail(kmsg->run, "the kernel log has \"%s\"", text);
    }
}

void kmsg_must_complain(const struct kmsg *kmsg, const char *text)
{
    run_note(kmsg->run, "expect dmesg %s", text);
    kmsg_must_say(kmsg, text);
    usleep(CONSOLE_MS * 1000);
}
