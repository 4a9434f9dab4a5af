/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data pointers: a command's PRP entries as a walk over guest memory.
 *
 *      PRP1 ─► first page, any dword offset
 *      PRP2 ─► second page, when two suffice, else a list of pages;
 *              the last entry of a full list page points to the next list
 *
 * Base 4.1.1, "Physical Region Page Entry and List". Every page but the first
 * starts at its beginning, and so does every list page but the first: each
 * holds at least one data entry, so that the walk is bounded by the length of
 * the transfer, and a list that points to itself ends like any other.
 */
#include "nvme.h"

#define ENTRIES_PER_PAGE (LAB_PAGE_BYTES / sizeof(uint64_t))

struct walk {
    struct lab_ctrl *ctrl;
    bool to_guest;
    uint8_t *data;
    size_t left;
};

static uint16_t move_page(struct walk *walk, uint64_t address)
{
    struct lab_ctrl *ctrl = walk->ctrl;
    size_t room = LAB_PAGE_BYTES - address % LAB_PAGE_BYTES;
    size_t length = MIN(room, walk->left);
    int error;

    error = walk->to_guest
        ? ctrl->ops->dma_write(ctrl->opaque, address, walk->data, length)
        : ctrl->ops->dma_read(ctrl->opaque, address, walk->data, length);
    if (error) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "PRP 0x%" PRIx64 ": no memory there",
                 address);
        return NVME_DATA_TRANSFER_ERROR | NVME_DNR;
    }
    walk->data += length;
    walk->left -= length;
    return NVME_SUCCESS;
}

static uint16_t move_whole_page(struct walk *walk, uint64_t address)
{
    if (address % LAB_PAGE_BYTES) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    return move_page(walk, address);
}

/* One page of the list; *next is the entry that chains, 0 at the end. */
static uint16_t move_list_page(struct walk *walk, uint64_t address,
                               uint64_t *next)
{
    uint64_t entries[ENTRIES_PER_PAGE];
    uint32_t room = (LAB_PAGE_BYTES - address % LAB_PAGE_BYTES) /
                    sizeof(uint64_t);
    uint32_t i;

    *next = 0;
    if (walk->ctrl->ops->dma_read(walk->ctrl->opaque, address, entries,
                                  room * sizeof(uint64_t))) {
        return NVME_DATA_TRANSFER_ERROR | NVME_DNR;
    }
    for (i = 0; i < room && walk->left; i++) {
        uint64_t entry = le64toh(entries[i]);
        uint16_t status;

        if (i == room - 1 && walk->left > LAB_PAGE_BYTES) {
            *next = entry;
            return entry % LAB_PAGE_BYTES
                ? NVME_INVALID_PRP_OFFSET | NVME_DNR : NVME_SUCCESS;
        }
        status = move_whole_page(walk, entry);
        if (status) {
            return status;
        }
    }
    return NVME_SUCCESS;
}

static uint16_t move_list(struct walk *walk, uint64_t address)
{
    if (address % sizeof(uint64_t)) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    while (walk->left) {
        uint64_t next;
        uint16_t status = move_list_page(walk, address, &next);

        if (status) {
            return status;
        }
        address = next;
    }
    return NVME_SUCCESS;
}

static uint16_t transfer(struct req *req, bool to_guest, void *data,
                         size_t length)
{
    struct walk walk = { req->ctrl, to_guest, data, length };
    uint16_t status;

    if (req->cmd.prp1 % 4) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    status = move_page(&walk, req->cmd.prp1);
    if (status || !walk.left) {
        return status;
    }
    if (walk.left <= LAB_PAGE_BYTES) {
        return move_whole_page(&walk, req->cmd.prp2);
    }
    return move_list(&walk, req->cmd.prp2);
}

uint16_t dptr_from_guest(struct req *req, void *data, size_t length)
{
    return transfer(req, false, data, length);
}

uint16_t dptr_to_guest(struct req *req, const void *data, size_t length)
{
    return transfer(req, true, (void *)data, length);
}
