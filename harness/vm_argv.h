/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm_argv.h: the QEMU command line of one lab machine.
 */
#ifndef HARNESS_VM_ARGV_H
#define HARNESS_VM_ARGV_H

#include <glib.h>
#include <stdbool.h>

#include "drive_sets.h"

#define VM_NAMESPACE_COUNT 3
#define VM_NAMESPACE_BYTES (512ull << 20)
#define VM_META_BYTES (1ull << 20)
#define VM_DRIVE_ID "lab0"

/* Where the three lines of talk go. */
enum vm_wiring {
    VM_WIRING_HARNESS,          /* descriptors of the harness */
    VM_WIRING_HAND,             /* console on stdio, guest line on a socket */
    VM_WIRING_SHELL,            /* console on stdio, the rest as HARNESS */
};

struct vm_config {
    const char *qemu;
    const char *accel;          /* "kvm" or "tcg" */
    const char *kernel_image;
    const char *initramfs;
    const struct drive_set *drive;
    const char *lie;            /* NULL: none */
    const char *holds;          /* rules of the drive; NULL: none */
    const char *directory;      /* of the images */
    const char *trace;          /* path of the trace file to write */
    const char *append;         /* more kernel parameters, or NULL */
    enum vm_wiring wiring;
    int console_fd, serial_fd, qmp_fd;  /* HARNESS and SHELL */
};

/* Free with g_strfreev(). */
char **vm_argv(const struct vm_config *config);
/* Fit for pasting into a shell, one option per line. */
char *vm_argv_quote(char **argv);
/* Path of the image of namespace nsid; free with g_free(). */
char *vm_argv_image(const char *directory, unsigned nsid);
/* Path of its metadata, whether the drive has such or not. */
char *vm_argv_meta(const char *directory, unsigned nsid);
/* The properties of controller and namespaces; free with g_free(). */
char *vm_argv_drive(const struct vm_config *config);

#endif
