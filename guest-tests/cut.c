/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A power cut of all nvmelab drives of the machine.
 *
 * CUT is never answered, so each drive gets a process of its own, and they set
 * out together: the first drive to be cut resets the machine soon. Nothing is
 * synced before.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cut.h"
#include "drive.h"
#include "guest.h"

#define DRIVES_MAX 16

struct drives {
    struct drive list[DRIVES_MAX];
    size_t count;
};

static void collect(const struct drive *drive, void *opaque)
{
    struct drives *drives = opaque;

    if (drives->count < DRIVES_MAX) {
        drives->list[drives->count++] = *drive;
    }
}

static void cut_one(const struct drive *drive, int start_fd, uint32_t policy,
                    uint64_t seed)
{
    char byte;

    /* End of file: all have been started. */
    while (read(start_fd, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(-drive_cut(drive, policy, seed));
}

void cut_serve(struct proto *proto, const char *policy_text)
{
    struct drives drives = { .count = 0 };
    uint32_t policy;
    uint64_t seed;
    pid_t pids[DRIVES_MAX];
    int pipe_fds[2];
    int status;

    if (!drive_policy_parse(policy_text, &policy, &seed)) {
        proto_send(proto, "error cut %s: none of drop-all, keep-all, "
                   "random:SEED", policy_text);
        return;
    }
    drive_each(DRIVE_MODEL_PREFIX, collect, &drives);
    if (drives.count == 0) {
        proto_send(proto, "error cut: no drive with a model %s...",
                   DRIVE_MODEL_PREFIX);
        return;
    }
    if (pipe(pipe_fds) < 0) {
        proto_send(proto, "error cut: %s", strerror(errno));
        return;
    }
    for (size_t i = 0; i < drives.count; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            close(pipe_fds[1]);
            cut_one(&drives.list[i], pipe_fds[0], policy, seed);
        }
        if (pids[i] < 0) {
            proto_send(proto, "error cut: %s", strerror(errno));
        }
    }
    close(pipe_fds[0]);
    proto_send(proto, "cut");
    proto_drain(proto);
    close(pipe_fds[1]);         /* go */
    for (size_t i = 0; i < drives.count; i++) {
        if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0) {
            continue;
        }
        proto_send(proto, "error cut: %s has answered CUT: %s",
                   drives.list[i].node, WIFEXITED(status)
                   ? strerror(WEXITSTATUS(status)) : "killed");
    }
}
