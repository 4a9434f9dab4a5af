/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_compat.h: what differs between the QEMU releases that the device is
 * built in (10.0 and 10.2), and nothing else.
 */
#ifndef NVMELAB_COMPAT_H
#define NVMELAB_COMPAT_H

/* The data of a class_init function is const from 10.1 on. */
#if QEMU_VERSION_MAJOR > 10 || \
    (QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR >= 1)
typedef const void NvmelabClassData;
#else
typedef void NvmelabClassData;
#endif

#endif
