/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm.h: one QEMU process: start, listen, stop.
 */
#ifndef HARNESS_VM_H
#define HARNESS_VM_H

#include <glib.h>
#include <stdbool.h>

#include "vm_argv.h"

struct vm;

/*
 * Start QEMU. Images are made in config->directory when missing; console.log,
 * protocol.log, qemu.log and qemu.cmd go to log_directory (appended to). The
 * descriptors and the wiring of config are filled in here.
 */
struct vm *vm_start(struct vm_config config, const char *log_directory,
                    GError **error);
/* Ask QEMU to quit, insist, and free; true: it exited by itself with 0. */
bool vm_stop(struct vm *vm);
/* Kill at once and free. */
void vm_kill(struct vm *vm);

/*
 * Sparse images of all namespaces, where they are missing. Metadata of a drive
 * that had it goes with the first one that has not: what it knows of the images
 * is no longer true.
 */
gboolean vm_images_make(const char *directory, const struct drive_set *drive,
                        GError **error);

/*
 * Let things happen until one has, or until the deadline (monotonic, in µs).
 * false: the deadline has passed.
 */
bool vm_step(struct vm *vm, gint64 deadline_us);
gint64 vm_deadline(double seconds);

/* The next line that the guest said with "@lab ", without it; NULL: none. */
char *vm_take_line(struct vm *vm);
gboolean vm_say(struct vm *vm, const char *line, GError **error);

/* Why nothing more will come from this guest; NULL: it may still speak. */
const char *vm_death(const struct vm *vm);
/* The line by which the kernel broke since it booted; NULL: it has not. */
const char *vm_broken(const struct vm *vm);
/* The death was a kernel panic. */
bool vm_is_panicked(const struct vm *vm);
/* How often the machine was reset. */
unsigned vm_resets(const struct vm *vm);
/*
 * Splats since the last call, each with the lines that followed it; free with
 * g_ptr_array_unref().
 */
GPtrArray *vm_take_splats(struct vm *vm);
const char *vm_qemu_version(const struct vm *vm);
GPid vm_pid(const struct vm *vm);

/* SIGINT, SIGTERM and SIGHUP end every wait from now on. */
void vm_catch_signals(void);
bool vm_is_interrupted(void);

#endif
