/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_store.c: the storage that the core borrows, on a BlockBackend.
 *
 * A completion of the block layer comes from inside its own machinery, where
 * neither draining nor work that the guest can see is allowed. It is put on a
 * list, and the guarded bottom half hands the list to the core.
 *
 * The backend's own write cache is always on: the drive decides what is durable
 * and says so with FUA writes and flushes; a backend in write-through mode
 * would add a flush to every write and hide a lie.
 */
#include "qemu/osdep.h"
#include "hw/block/block.h"
#include "qapi/error.h"
#include "qemu/iov.h"

#include "nvmelab_device.h"
#include "trace.h"

struct NvmelabIo {
    NvmelabStore *store;
    struct lab_store_req *req;
    QEMUIOVector qiov;
    int error;
    QSIMPLEQ_ENTRY(NvmelabIo) next;
};

static void nvmelab_store_complete(void *opaque, int ret)
{
    NvmelabIo *io = opaque;
    NvmelabState *s = io->store->drive;

    io->error = ret < 0 ? ret : 0;
    QSIMPLEQ_INSERT_TAIL(&s->finished, io, next);
    nvmelab_schedule(s);
}

static void nvmelab_store_submit(void *opaque, struct lab_store_req *req)
{
    NvmelabStore *store = opaque;
    NvmelabIo *io = g_new0(NvmelabIo, 1);
    BdrvRequestFlags flags = req->has_fua ? BDRV_REQ_FUA : 0;

    io->store = store;
    io->req = req;
    trace_nvmelab_store_submit(nvmelab_name(store->drive), req->op,
                               req->offset_bytes, req->length_bytes,
                               req->has_fua);
    switch (req->op) {
    case LAB_STORE_FLUSH:
        blk_aio_flush(store->blk, nvmelab_store_complete, io);
        return;
    case LAB_STORE_READ:
        store->drive->reads++;
        store->drive->reads_out++;
        qemu_iovec_init_external(&io->qiov, (struct iovec *)req->iov,
                                 req->iov_count);
        blk_aio_preadv(store->blk, req->offset_bytes, &io->qiov, 0,
                       nvmelab_store_complete, io);
        return;
    case LAB_STORE_WRITE:
        qemu_iovec_init_external(&io->qiov, (struct iovec *)req->iov,
                                 req->iov_count);
        blk_aio_pwritev(store->blk, req->offset_bytes, &io->qiov, flags,
                        nvmelab_store_complete, io);
        return;
    case LAB_STORE_ZEROES:
    case LAB_STORE_DEALLOCATE:
        flags |= req->op == LAB_STORE_DEALLOCATE ? BDRV_REQ_MAY_UNMAP : 0;
        blk_aio_pwrite_zeroes(store->blk, req->offset_bytes, req->length_bytes,
                              flags, nvmelab_store_complete, io);
        return;
    }
    g_assert_not_reached();
}

const struct lab_store_ops nvmelab_store_ops = {
    .submit = nvmelab_store_submit,
};

void nvmelab_store_reap(NvmelabState *s)
{
    NvmelabIo *io;

    while ((io = QSIMPLEQ_FIRST(&s->finished))) {
        QSIMPLEQ_REMOVE_HEAD(&s->finished, next);
        s->reads_out -= io->req->op == LAB_STORE_READ;
        trace_nvmelab_store_done(nvmelab_name(s), io->req->op,
                                 io->req->offset_bytes, io->error);
        lab_store_done(io->req, io->error);
        g_free(io);
    }
}

bool nvmelab_store_init(NvmelabStore *store, NvmelabState *drive,
                        BlockBackend *blk, const char *property,
                        uint64_t *size_bytes, Error **errp)
{
    /* Nobody else may write or resize: that also takes the image's lock. */
    BlockConf conf = {
        .blk = blk,
        .wce = ON_OFF_AUTO_ON,
        .account_invalid = ON_OFF_AUTO_AUTO,
        .account_failed = ON_OFF_AUTO_AUTO,
        .rerror = BLOCKDEV_ON_ERROR_AUTO,
        .werror = BLOCKDEV_ON_ERROR_AUTO,
    };
    int64_t length;

    if (!blk_is_inserted(blk)) {
        error_setg(errp, "property '%s' names a drive without a medium",
                   property);
        return false;
    }
    if (!blkconf_apply_backend_options(&conf, false, false, errp)) {
        error_prepend(errp, "property '%s': ", property);
        return false;
    }
    length = blk_getlength(blk);
    if (length < 0) {
        error_setg_errno(errp, -length, "property '%s': size of the image",
                         property);
        return false;
    }
    store->drive = drive;
    store->blk = blk;
    *size_bytes = length;
    return true;
}
