/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one bridge from the host's errors to the guest's (Base 3.3.3.2.1). */
#include <errno.h>

#include "nvme.h"

uint16_t status_from_errno(int error, bool is_write)
{
    switch (error) {
    case 0:
        return NVME_SUCCESS;
    case -EIO:
    case -ENOSPC:
    case -EDQUOT:
    case -EROFS:
    case -EPERM:
        return is_write ? NVME_WRITE_FAULT : NVME_UNRECOVERED_READ;
    default:
        return NVME_INTERNAL_ERROR;
    }
}
