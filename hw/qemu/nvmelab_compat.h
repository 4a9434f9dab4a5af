/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_compat.h: what differs between the QEMU releases that the device is
 * built in (10.0 and 10.2), and nothing else.
 */
#ifndef NVMELAB_COMPAT_H
#define NVMELAB_COMPAT_H

#include "hw/qdev-core.h"
#include "system/runstate.h"

#define NVMELAB_QEMU_AT_LEAST(major, minor) \
    (QEMU_VERSION_MAJOR > (major) || \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

/* The data of a class_init function is const from 10.1 on. */
#if NVMELAB_QEMU_AT_LEAST(10, 1)
typedef const void NvmelabClassData;
#else
typedef void NvmelabClassData;
#endif

/* 10.2 has a second callback, which may fail; the drive has none. */
static inline VMChangeStateEntry *
nvmelab_add_vm_state(DeviceState *dev, VMChangeStateHandler *changed,
                     void *opaque)
{
#if NVMELAB_QEMU_AT_LEAST(10, 2)
    return qdev_add_vm_change_state_handler(dev, changed, NULL, opaque);
#else
    return qdev_add_vm_change_state_handler(dev, changed, opaque);
#endif
}

#endif
