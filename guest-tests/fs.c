/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making and mounting file systems.
 *
 * A file system is made at the first use in a boot and stays mounted until the
 * machine goes. After a power cut it is mounted as it was left: that mount
 * runs log recovery, and if it fails, the drive or the file system has lost
 * what was promised, so the failure is a verdict and no error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"

#define MKFS_ARGUMENTS_MAX 20

static void set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        return;                 /* not in this kernel */
    }
    if (write(fd, value, strlen(value)) < 0) {
        fprintf(stderr, "lab-guest: %s: %s: %s\n", path, value,
                strerror(errno));
    }
    close(fd);
}

void fs_quiet_kernel(void)
{
    /* No periodic write-back of the page cache. */
    set("/proc/sys/vm/dirty_writeback_centisecs", "0");
    set("/proc/sys/vm/dirty_expire_centisecs", "360000");
    /* The largest periods that XFS takes (fs/xfs/xfs_globals.c, 6.12). */
    set("/proc/sys/fs/xfs/xfssyncd_centisecs", "720000");
    set("/proc/sys/fs/xfs/speculative_prealloc_lifetime", "86400");
}

static int is_mounted(const struct target *target)
{
    struct stat here;
    struct stat above;

    return stat(target->type->mount_point, &here) == 0 &&
           stat("/mnt", &above) == 0 && here.st_dev != above.st_dev;
}

/* Runs a program; its last words go into the error. */
static void run_program(struct run *run, char *const *argv)
{
    char words[512];
    size_t used = 0;
    int pipe_fds[2];
    int status;
    ssize_t n;
    pid_t pid;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        run_error(run, "%s: %s", argv[0], strerror(errno));
    }
    if (pid == 0) {
        dup2(pipe_fds[1], STDOUT_FILENO);
        dup2(pipe_fds[1], STDERR_FILENO);
        execv(argv[0], argv);
        dprintf(STDERR_FILENO, "%s", strerror(errno));
        _exit(127);
    }
    close(pipe_fds[1]);
    while ((n = read(pipe_fds[0], words + used,
                     sizeof(words) - 1 - used)) > 0) {
        used += (size_t)n;
    }
    words[used] = '\0';
    close(pipe_fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        run_error(run, "%s ended with %s %d: %s", argv[0],
                  WIFSIGNALED(status) ? "signal" : "status",
                  WIFSIGNALED(status) ? WTERMSIG(status)
                                      : WEXITSTATUS(status), words);
    }
}

static void make(struct run *run, const struct target *target)
{
    char *argv[MKFS_ARGUMENTS_MAX];
    size_t count = 0;

    for (; target->type->mkfs[count]; count++) {
        argv[count] = (char *)target->type->mkfs[count];
    }
    argv[count++] = (char *)target->ns.node;
    argv[count] = NULL;
    run_program(run, argv);
}

static int mount_it(const struct target *target)
{
    return mount(target->ns.node, target->type->mount_point, target->type->fs,
                 MS_NOATIME, target->type->mount_options);
}

static void wait_for_modules(void)
{
    int fd = open(FS_MODULE_LIST, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        flock(fd, LOCK_SH);
        close(fd);
    }
}

void fs_get(struct run *run, const struct target *target,
            enum target_state state)
{
    if (is_mounted(target)) {
        return;
    }
    wait_for_modules();
    switch (state) {
    case TARGET_MOUNTED:
        run_error(run, "%s is not mounted: base has not run in this boot",
                  target->type->mount_point);
    case TARGET_AS_LEFT:
        if (mount_it(target) < 0 && errno == ENODEV) {
            run_error(run, "this kernel has no %s", target->type->fs);
        }
        if (!is_mounted(target)) {
            run_fail(run, "%s on %s does not mount after the cut: %s",
                     target->type->fs, target->ns.node, strerror(errno));
        }
        return;
    case TARGET_FRESH_OR_MOUNTED:
        make(run, target);
        if (mount_it(target) < 0) {
            run_error(run, "mount -t %s %s: %s", target->type->fs,
                      target->ns.node, strerror(errno));
        }
    }
}
