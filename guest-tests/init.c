/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1 of the guest: brings the machine up, says hello, and serves the line
 * protocol until the power goes.
 *
 * PID 1 never exits, opens no file on the drive and issues no I/O to it except
 * STAT before hello: what the drive sees is the work of cases. Whatever goes
 * wrong before hello is told as "@lab error" and ends with power off, so that
 * the host does not wait for nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cut.h"
#include "drive.h"
#include "fs.h"
#include "never.h"
#include "processors.h"
#include "proto.h"
#include "registry.h"
#include "runner.h"
#include "target.h"

#define CONSOLE "/dev/ttyS0"
#define DRIVE_TIMEOUT_MS 20000

static struct proto proto;
static uint64_t next_mark_id = 1;
/* Highest rank prepared since boot, per target: see prepare_in_order(). */
static int ranks[TARGET_TYPE_COUNT];

static _Noreturn void power_off(void)
{
    proto_drain(&proto);
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}

static _Noreturn void give_up(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static _Noreturn void give_up(const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fprintf(stderr, "lab-guest: %s\n", text);
    if (proto.fd > 0) {
        proto_send(&proto, "error %s", text);
    }
    power_off();
}

static void mount_all(void)
{
    static const struct {
        const char *type;
        const char *where;
    } mounts[] = {
        { "proc", "/proc" },
        { "sysfs", "/sys" },
        { "devtmpfs", "/dev" },
        { "tracefs", "/sys/kernel/tracing" },
    };

    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i].where, 0755);
        if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0,
                  NULL) < 0 && errno != EBUSY) {
            fprintf(stderr, "lab-guest: mount %s: %s\n", mounts[i].where,
                    strerror(errno));
        }
    }
    mkdir("/mnt", 0755);
    for (size_t i = 0; i < TARGET_TYPE_COUNT; i++) {
        if (target_types[i].mount_point) {
            mkdir(target_types[i].mount_point, 0755);
        }
    }
}

static void open_console(void)
{
    int fd = open("/dev/console", O_RDWR);

    for (int i = 0; fd >= 0 && i < 3; i++) {
        dup2(fd, i);
    }
    if (fd > 2) {
        close(fd);
    }
}

static void load_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 &&
                   errno != EEXIST)) {
        fprintf(stderr, "lab-guest: module %s: %s\n", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void load_modules(FILE *list)
{
    char path[512];

    while (fgets(path, sizeof(path), list)) {
        path[strcspn(path, "\n")] = '\0';
        if (*path) {
            load_module(path);
        }
    }
    /* XFS has its settings only now. */
    fs_quiet_kernel();
}

/*
 * Loading XFS takes as long as the rest of the boot under TCG, and many cases
 * do not need it: a process of its own loads, holding a lock for which fs_get()
 * waits. A kernel with everything built in comes without the list.
 */
static void start_loading_modules(void)
{
    FILE *list = fopen(FS_MODULE_LIST, "re");
    pid_t pid;

    if (!list) {
        return;
    }
    flock(fileno(list), LOCK_EX);
    pid = fork();
    if (pid <= 0) {
        /* Both take the kernel's locks around code, and this is longer. */
        never_await();
        load_modules(list);
    }
    if (pid == 0) {
        _exit(0);
    }
    fclose(list);
}

static void start_processors(void)
{
    char path[64];
    int error = processors_start(path, sizeof(path));

    if (error) {
        give_up("%s: %s", path, strerror(-error));
    }
}

static void tell_unwatched(const char *text)
{
    proto_send(&proto, "note boot never unwatched %s", text);
}

static void hello(void)
{
    struct lab_stat stat = { 0 };
    struct drive_ns ns;
    struct utsname system;
    int error = drive_find_ns(DRIVE_SERIAL_DEFAULT, target_types[0].nsid,
                              DRIVE_TIMEOUT_MS, &ns);

    if (error) {
        give_up("no namespace %u on a drive with serial %s after %u s",
                target_types[0].nsid, DRIVE_SERIAL_DEFAULT,
                DRIVE_TIMEOUT_MS / 1000);
    }
    if (!guest_has_no_drive()) {
        error = drive_stat(&ns.drive, &stat);
    }
    if (error) {
        give_up("STAT on %s (model %s): %s", ns.drive.node, ns.drive.model,
                strerror(-error));
    }
    /* A request of one boot never has the mark id of another. */
    next_mark_id = (stat.power_cuts << 32) + (stat.resets << 16) + 1;
    if (never_wait(tell_unwatched)) {
        proto_send(&proto, "note boot never untraceable");
    }
    uname(&system);
    proto_send(&proto, "hello %d %s %llu", LAB_PROTO_VERSION, system.release,
               (unsigned long long)stat.power_cuts);
    proto_drain(&proto);
}

static void list_cases(void)
{
    for (size_t i = 0; i < registry_count(); i++) {
        proto_send(&proto, "case %s", registry_at(i)->name);
    }
    proto_send(&proto, "ready");
    proto_drain(&proto);
}

static void tell_shell(void *opaque, const char *text)
{
    (void)opaque;
    proto_send(&proto, "note shell %s", text);
}

static void shell(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int fd;

        setsid();
        fd = open(CONSOLE, O_RDWR);
        ioctl(fd, TIOCSCTTY, 1);
        dup2(fd, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        execl("/bin/busybox", "sh", (char *)NULL);
        fprintf(stderr, "lab-guest: /bin/busybox: %s\n", strerror(errno));
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    never_look(pid, tell_shell, NULL);
    proto_send(&proto, "ready");
    proto_drain(&proto);
}

/* So that a splat in the kernel log can be told by its case. */
static void log_request(const struct proto_request *request)
{
    char line[128];

    snprintf(line, sizeof(line), "%s %s", request->verb, request->name);
    guest_log(line);
}

/*
 * A claim without a sync is void if one with a Flush prepares after it on the
 * same target: the Flush would cover its writes.
 */
static bool prepare_in_order(const struct guest_case *c)
{
    const char *word = strchr(c->name, '.');
    const struct target_type *type;

    if (!word || c->rank == 0) {
        return true;
    }
    word++;
    type = target_type_find(word, strcspn(word, "."));
    if (!type) {
        return true;
    }
    if (c->rank < ranks[type - target_types]) {
        return false;
    }
    ranks[type - target_types] = c->rank;
    return true;
}

static void serve_case(enum runner_step step,
                       const struct proto_request *request)
{
    const struct guest_case *c = registry_find(request->name);

    if (!c) {
        proto_send(&proto, "error no case \"%s\"", request->name);
        return;
    }
    if (step == RUNNER_BASE) {
        memset(ranks, 0, sizeof(ranks));
    }
    if (step == RUNNER_PREPARE && !prepare_in_order(c)) {
        proto_send(&proto, "result %s error prepared after a case of a higher "
                   "rank: prepare in the order of list", c->name);
        return;
    }
    log_request(request);
    runner_serve(&proto, step, c, request->parameters, next_mark_id++);
}

static void serve(char *line)
{
    static const struct {
        const char *verb;
        enum runner_step step;
    } case_verbs[] = {
        { "run", RUNNER_RUN },
        { "base", RUNNER_BASE },
        { "prepare", RUNNER_PREPARE },
        { "verify", RUNNER_VERIFY },
    };
    struct proto_request request;

    if (!proto_parse(line, &request)) {
        return;
    }
    for (size_t i = 0; i < sizeof(case_verbs) / sizeof(case_verbs[0]); i++) {
        if (strcmp(request.verb, case_verbs[i].verb) == 0) {
            serve_case(case_verbs[i].step, &request);
            return;
        }
    }
    if (strcmp(request.verb, "list") == 0) {
        list_cases();
    } else if (strcmp(request.verb, "cut") == 0) {
        log_request(&request);
        cut_serve(&proto, request.name);
    } else if (strcmp(request.verb, "shell") == 0) {
        shell();
    } else if (strcmp(request.verb, "off") == 0) {
        power_off();
    } else {
        proto_send(&proto, "error no request \"%s\"", request.verb);
    }
}

static _Noreturn void converse(void)
{
    char line[LAB_PROTO_LINE_MAX];
    struct pollfd poll_fd = { .fd = proto.fd, .events = POLLIN };

    for (;;) {
        switch (proto_read(&proto, line)) {
        case PROTO_LINE:
            serve(line);
            break;
        case PROTO_OVERLONG:
            proto_send(&proto, "error a request of %d bytes or more",
                       LAB_PROTO_LINE_MAX);
            break;
        case PROTO_CLOSED:
            give_up("%s: %s", LAB_PROTO_DEVICE, strerror(errno));
        case PROTO_NOTHING:
            while (waitpid(-1, NULL, WNOHANG) > 0) {
            }
            poll(&poll_fd, 1, 1000);
        }
    }
}

int main(void)
{
    int error;

    if (getpid() != 1) {
        fprintf(stderr, "lab-guest: to be started as PID 1 of a guest\n");
        return 2;
    }
    mount_all();
    open_console();
    setenv("PATH", "/bin:/sbin", 1);
    fs_quiet_kernel();
    never_start();
    start_loading_modules();
    registry_init();
    error = proto_open(&proto, LAB_PROTO_DEVICE);
    if (error) {
        give_up("%s: %s", LAB_PROTO_DEVICE, strerror(-error));
    }
    /* The watch changes code, which is better done on one processor. */
    never_await();
    start_processors();
    hello();
    converse();
}
