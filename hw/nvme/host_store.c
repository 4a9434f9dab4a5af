/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The carrier's storage, seen as a medium: turns the media layer's requests
 * into those of nvmelab.h and back.
 */
#include "nvme.h"

struct host_store {
    struct store store;
    struct lab_ctrl *ctrl;
    const struct lab_store_ops *ops;
    void *opaque;
};

struct host_req {
    struct lab_store_req req;
    struct store_req *inner;
    struct lab_ctrl *ctrl;
};

static const enum lab_store_op ops_outside[] = {
    [STORE_READ] = LAB_STORE_READ,
    [STORE_WRITE] = LAB_STORE_WRITE,
    [STORE_ZEROES] = LAB_STORE_ZEROES,
    [STORE_DEALLOCATE] = LAB_STORE_DEALLOCATE,
    [STORE_FLUSH] = LAB_STORE_FLUSH,
};

static void host_submit(struct store *store, struct store_req *inner)
{
    struct host_store *host = (struct host_store *)store;
    struct host_req *outer = g_new0(struct host_req, 1);

    outer->inner = inner;
    outer->ctrl = host->ctrl;
    outer->req.op = ops_outside[inner->op];
    outer->req.has_fua = inner->has_fua;
    outer->req.offset_bytes = inner->offset_bytes;
    outer->req.length_bytes = inner->length_bytes;
    outer->req.iov = inner->iov;
    outer->req.iov_count = inner->iov_count;
    host->ops->submit(host->opaque, &outer->req);
}

void lab_store_done(struct lab_store_req *req, int error)
{
    struct host_req *outer = (struct host_req *)req;
    struct store_req *inner = outer->inner;
    struct lab_ctrl *ctrl = outer->ctrl;

    if (error) {
        ctrl_log(ctrl, LAB_LOG_ERR, "storage: offset %" PRIu64 ": %s",
                 req->offset_bytes, g_strerror(-error));
    }
    g_free(outer);
    inner->done(inner, error);
    ctrl_kick(ctrl);
}

struct store *host_store_new(struct lab_ctrl *ctrl,
                             const struct lab_store_ops *ops, void *opaque)
{
    struct host_store *host = g_new0(struct host_store, 1);

    host->store.submit = host_submit;
    host->ctrl = ctrl;
    host->ops = ops;
    host->opaque = opaque;
    return &host->store;
}

void host_store_free(struct store *store)
{
    g_free(store);
}
