/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's trace events of this folder, under the name QEMU's folders use. */
#include "trace/trace-hw_nvmelab_qemu.h"
