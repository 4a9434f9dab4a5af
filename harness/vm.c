/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm.c: one QEMU process.
 *
 * The harness hands QEMU one end of a socket pair each for console, guest line
 * and QMP, so there are no paths to collide or to clean up. Whatever ends the
 * harness ends QEMU: the kernel sends it SIGKILL (PR_SET_PDEATHSIG), and
 * vm_stop() and vm_kill() return only when the process is gone.
 *
 * Everything happens in the main context of the calling thread, inside
 * vm_step(); QEMU dies with that thread at the latest.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <guest_proto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "dmesg.h"
#include "failure.h"
#include "qmp.h"

#define CONSOLE_LINE_MAX 4096
#define QUIT_TIMEOUT_S 20
#define SPLAT_LINES 40
/* An interrupt is for another thread: look up from waiting now and then. */
#define STEP_MAX_US (G_USEC_PER_SEC / 4)

/* Descriptor numbers inside QEMU. */
enum { CHILD_CONSOLE_FD = 20, CHILD_SERIAL_FD, CHILD_QMP_FD };

struct vm {
    GMainContext *context;      /* of the thread that owns the machine */
    GSubprocess *process;
    GCancellable *cancellable;
    GPid pid;
    bool is_exited;
    char *exit_reason;
    bool is_exit_clean;

    struct channel *console;
    struct channel *serial;
    struct qmp *qmp;
    FILE *console_log;
    FILE *protocol_log;
    char *qemu_log;
    gint64 start_us;

    GQueue lines;               /* char *, from the guest */
    GPtrArray *splats;
    unsigned splat_lines_left;  /* what follows a splat belongs to it */
    char *panic;
    char *broken;
    unsigned resets;
    bool is_stopped;            /* the virtual CPUs; nobody here does that */
};

static gint interrupted;        /* atomic: set by the main thread */

static gboolean on_signal(gpointer data)
{
    (void)data;
    g_atomic_int_set(&interrupted, 1);
    return G_SOURCE_CONTINUE;
}

void vm_catch_signals(void)
{
    g_unix_signal_add(SIGINT, on_signal, NULL);
    g_unix_signal_add(SIGTERM, on_signal, NULL);
    g_unix_signal_add(SIGHUP, on_signal, NULL);
}

bool vm_is_interrupted(void)
{
    return g_atomic_int_get(&interrupted);
}

static void log_line(struct vm *vm, FILE *log, const char *prefix,
                     const char *line)
{
    double seconds = (double)(g_get_monotonic_time() - vm->start_us) / 1e6;

    fprintf(log, "[%9.3f] %s%s\n", seconds, prefix, line);
    fflush(log);
}

static void on_console_line(void *opaque, const char *line)
{
    struct vm *vm = opaque;
    enum dmesg_class class = dmesg_classify(line);

    log_line(vm, vm->console_log, "", line);
    if (class != DMESG_QUIET) {
        vm->splat_lines_left = SPLAT_LINES;
    }
    if (!vm->splat_lines_left) {
        return;
    }
    vm->splat_lines_left--;
    g_ptr_array_add(vm->splats, g_strdup(line));
    if (class == DMESG_BROKEN && !vm->broken) {
        vm->broken = g_strdup(line);
    }
    if (class == DMESG_PANIC && !vm->panic) {
        vm->panic = g_strdup_printf("guest panic: %s",
                                    strstr(line, "Kernel panic"));
    }
}

static void on_serial_line(void *opaque, const char *line)
{
    struct vm *vm = opaque;

    log_line(vm, vm->protocol_log, "< ", line);
    if (g_str_has_prefix(line, LAB_PROTO_PREFIX)) {
        g_queue_push_tail(&vm->lines,
                          g_strdup(line + strlen(LAB_PROTO_PREFIX)));
    }
}

static void on_qmp_event(void *opaque, const char *event, JsonObject *data)
{
    struct vm *vm = opaque;

    (void)data;
    log_line(vm, vm->protocol_log, "! ", event);
    if (g_str_equal(event, "RESET")) {
        vm->resets++;
        g_clear_pointer(&vm->broken, g_free);
    }
    vm->is_stopped |= g_str_equal(event, "STOP");
}

/* The last line QEMU wrote to stderr. */
static char *last_words(const struct vm *vm)
{
    g_autofree char *text = NULL;
    char *newline;

    if (!g_file_get_contents(vm->qemu_log, &text, NULL, NULL)) {
        return g_strdup("");
    }
    g_strchomp(text);
    newline = strrchr(text, '\n');
    return g_strdup(newline ? newline + 1 : text);
}

static void on_exited(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *words = NULL;
    struct vm *vm = data;

    g_subprocess_wait_finish(G_SUBPROCESS(source), result, &cause);
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    vm->is_exited = true;
    words = last_words(vm);
    if (g_subprocess_get_if_exited(vm->process)) {
        int status = g_subprocess_get_exit_status(vm->process);

        vm->is_exit_clean = status == 0;
        vm->exit_reason = g_strdup_printf("QEMU exited with %d%s%s", status,
                                          *words ? ": " : "", words);
    } else {
        vm->exit_reason =
            g_strdup_printf("QEMU was killed by signal %d",
                            g_subprocess_get_term_sig(vm->process));
    }
}

static void child_setup(gpointer parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != GPOINTER_TO_INT(parent)) {
        _exit(127);
    }
}

static gboolean image_make(const char *path, guint64 bytes, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    gboolean is_made = fd >= 0 && ftruncate(fd, (off_t)bytes) == 0;

    if (!is_made) {
        g_set_error(error, FAILURE, FAILURE_INFRA, "%s: %s", path,
                    g_strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_made;
}

gboolean vm_images_make(const char *directory, const struct drive_set *drive,
                        GError **error)
{
    for (unsigned nsid = 1; nsid <= VM_NAMESPACE_COUNT; nsid++) {
        g_autofree char *path = vm_argv_image(directory, nsid);
        g_autofree char *meta = vm_argv_meta(directory, nsid);

        if (!drive->has_meta) {
            unlink(meta);
        }
        if (!image_make(path, VM_NAMESPACE_BYTES, error) ||
            (drive->has_meta && !image_make(meta, VM_META_BYTES, error))) {
            return FALSE;
        }
    }
    return TRUE;
}

static FILE *log_open(const char *directory, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    FILE *log = fopen(path, "ae");

    if (!log) {
        g_set_error(error, FAILURE, FAILURE_INFRA, "%s: %s", path,
                    g_strerror(errno));
    }
    return log;
}

static gboolean logs_open(struct vm *vm, const char *directory, GError **error)
{
    vm->qemu_log = g_build_filename(directory, "qemu.log", NULL);
    vm->console_log = log_open(directory, "console.log", error);
    if (!vm->console_log) {
        return FALSE;
    }
    vm->protocol_log = log_open(directory, "protocol.log", error);
    return vm->protocol_log != NULL;
}

/* One end for us, the other as target_fd in QEMU. */
static int pair(GSubprocessLauncher *launcher, int target_fd, GError **error)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        g_set_error(error, FAILURE, FAILURE_INFRA, "socketpair: %s",
                    g_strerror(errno));
        return -1;
    }
    g_subprocess_launcher_take_fd(launcher, fds[1], target_fd);
    return fds[0];
}

static gboolean wire(struct vm *vm, GSubprocessLauncher *launcher,
                     const struct vm_config *config, GError **error)
{
    int fd;

    if (config->wiring == VM_WIRING_HARNESS) {
        fd = pair(launcher, CHILD_CONSOLE_FD, error);
        if (fd < 0) {
            return FALSE;
        }
        vm->console = channel_new(fd, CONSOLE_LINE_MAX, on_console_line, vm);
    }
    fd = pair(launcher, CHILD_SERIAL_FD, error);
    if (fd < 0) {
        return FALSE;
    }
    vm->serial = channel_new(fd, LAB_PROTO_LINE_MAX, on_serial_line, vm);
    fd = pair(launcher, CHILD_QMP_FD, error);
    if (fd < 0) {
        return FALSE;
    }
    vm->qmp = qmp_new(fd, on_qmp_event, vm);
    return TRUE;
}

static gboolean record_command(char **argv, const char *directory,
                               GError **error)
{
    g_autofree char *path = g_build_filename(directory, "qemu.cmd", NULL);
    g_autofree char *quoted = vm_argv_quote(argv);
    g_autofree char *text = g_strconcat(quoted, "\n", NULL);

    return g_file_set_contents(path, text, -1, error);
}

static gboolean spawn(struct vm *vm, const struct vm_config *config,
                      const char *log_directory, GError **error)
{
    bool is_shell = config->wiring == VM_WIRING_SHELL;
    GSubprocessFlags flags = is_shell ? G_SUBPROCESS_FLAGS_STDIN_INHERIT
                                      : G_SUBPROCESS_FLAGS_STDOUT_SILENCE;
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(flags);
    g_auto(GStrv) argv = vm_argv(config);

    if (!is_shell) {
        g_subprocess_launcher_set_stderr_file_path(launcher, vm->qemu_log);
    }
    g_subprocess_launcher_set_child_setup(launcher, child_setup,
                                          GINT_TO_POINTER(getpid()), NULL);
    if (!wire(vm, launcher, config, error) ||
        !record_command(argv, log_directory, error)) {
        return FALSE;
    }
    vm->process = g_subprocess_launcher_spawnv(
        launcher, (const char *const *)argv, error);
    if (!vm->process) {
        return FALSE;
    }
    vm->pid = atoi(g_subprocess_get_identifier(vm->process));
    vm->cancellable = g_cancellable_new();
    g_subprocess_wait_async(vm->process, vm->cancellable, on_exited, vm);
    return TRUE;
}

static void vm_free(struct vm *vm)
{
    if (vm->process && !vm->is_exited) {
        g_subprocess_force_exit(vm->process);
        while (!vm->is_exited) {
            g_main_context_iteration(vm->context, TRUE);
        }
    }
    channel_free(vm->console);
    channel_free(vm->serial);
    qmp_free(vm->qmp);
    g_clear_object(&vm->process);
    g_clear_object(&vm->cancellable);
    g_clear_pointer(&vm->console_log, fclose);
    g_clear_pointer(&vm->protocol_log, fclose);
    g_queue_clear_full(&vm->lines, g_free);
    g_ptr_array_unref(vm->splats);
    g_free(vm->exit_reason);
    g_free(vm->qemu_log);
    g_free(vm->panic);
    g_free(vm->broken);
    g_free(vm);
}

struct vm *vm_start(struct vm_config config, const char *log_directory,
                    GError **error)
{
    struct vm *vm = g_new0(struct vm, 1);

    config.console_fd = CHILD_CONSOLE_FD;
    config.serial_fd = CHILD_SERIAL_FD;
    config.qmp_fd = CHILD_QMP_FD;
    vm->context = g_main_context_get_thread_default();
    vm->start_us = g_get_monotonic_time();
    vm->splats = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&vm->lines);
    if (!vm_images_make(config.directory, config.drive, error) ||
        !logs_open(vm, log_directory, error) ||
        !spawn(vm, &config, log_directory, error)) {
        vm_free(vm);
        return NULL;
    }
    return vm;
}

static gboolean on_timeout(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_REMOVE;
}

bool vm_step(struct vm *vm, gint64 deadline_us)
{
    gint64 left_us = deadline_us - g_get_monotonic_time();
    bool is_fired = false;
    GSource *timer;

    if (left_us <= 0) {
        g_main_context_iteration(vm->context, FALSE);
        return false;
    }
    left_us = MIN(left_us, STEP_MAX_US);
    timer = g_timeout_source_new((guint)(left_us / 1000 + 1));
    g_source_set_callback(timer, on_timeout, &is_fired, NULL);
    g_source_attach(timer, vm->context);
    g_main_context_iteration(vm->context, TRUE);
    if (!is_fired) {
        g_source_destroy(timer);
    }
    g_source_unref(timer);
    return g_get_monotonic_time() < deadline_us;
}

gint64 vm_deadline(double seconds)
{
    return g_get_monotonic_time() + (gint64)(seconds * 1e6);
}

bool vm_stop(struct vm *vm)
{
    gint64 deadline = vm_deadline(QUIT_TIMEOUT_S);
    bool is_clean;

    while (!vm->is_exited && !qmp_is_ready(vm->qmp) &&
           vm_step(vm, deadline)) {
        continue;
    }
    if (!vm->is_exited && qmp_is_ready(vm->qmp)) {
        qmp_send(vm->qmp, "quit", NULL, NULL);
    }
    while (!vm->is_exited && vm_step(vm, deadline)) {
        continue;
    }
    is_clean = vm->is_exited && vm->is_exit_clean;
    vm_free(vm);
    return is_clean;
}

void vm_kill(struct vm *vm)
{
    vm_free(vm);
}

char *vm_take_line(struct vm *vm)
{
    return g_queue_pop_head(&vm->lines);
}

gboolean vm_say(struct vm *vm, const char *line, GError **error)
{
    log_line(vm, vm->protocol_log, "> ", line);
    return channel_send(vm->serial, line, error);
}

const char *vm_death(const struct vm *vm)
{
    if (vm->panic) {
        return vm->panic;
    }
    if (vm->is_stopped && !vm->exit_reason) {
        return "QEMU has stopped the machine (internal error of the "
               "accelerator?)";
    }
    return vm->exit_reason;
}

const char *vm_broken(const struct vm *vm)
{
    return vm->broken;
}

bool vm_is_panicked(const struct vm *vm)
{
    return vm->panic != NULL;
}

unsigned vm_resets(const struct vm *vm)
{
    return vm->resets;
}

GPtrArray *vm_take_splats(struct vm *vm)
{
    GPtrArray *splats;

    /* The console may have more to say than has been read. */
    while (g_main_context_iteration(vm->context, FALSE)) {
        continue;
    }
    splats = vm->splats;
    vm->splat_lines_left = 0;
    vm->splats = g_ptr_array_new_with_free_func(g_free);
    return splats;
}

const char *vm_qemu_version(const struct vm *vm)
{
    return qmp_version(vm->qmp);
}

GPid vm_pid(const struct vm *vm)
{
    return vm->pid;
}
