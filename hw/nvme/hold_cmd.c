/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vendor commands HOLD and RELEASE, as the guest sends them. */
#include "nvme.h"

static void hold_to_host_order(struct lab_hold *spec)
{
    spec->stage = le32toh(spec->stage);
    spec->flags = le32toh(spec->flags);
    spec->sqid = le16toh(spec->sqid);
    spec->nsid = le32toh(spec->nsid);
    spec->first_lba = le64toh(spec->first_lba);
    spec->last_lba = le64toh(spec->last_lba);
    spec->mark_id = le64toh(spec->mark_id);
    spec->skip = le32toh(spec->skip);
    spec->count = le32toh(spec->count);
    spec->release_after_ns = le64toh(spec->release_after_ns);
    spec->reserved2 = le64toh(spec->reserved2);
}

uint16_t hold_exec_hold(struct req *req)
{
    struct lab_hold spec;
    uint16_t status;

    if (req->cmd.cdw10 != sizeof(spec) / 4) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    status = dptr_from_guest(req, &spec, sizeof(spec));
    if (status) {
        return status;
    }
    hold_to_host_order(&spec);
    if (hold_refusal(req->ctrl, &spec)) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    req->result = hold_arm(req->ctrl, &spec);
    return req->result ? NVME_SUCCESS : LAB_STATUS_HOLDS_FULL | NVME_DNR;
}

static uint16_t release(struct req *req)
{
    const struct nvme_command *cmd = &req->cmd;
    uint64_t command_id = (uint64_t)cmd->cdw15 << 32 | cmd->cdw14;

    switch (cmd->cdw10) {
    case LAB_RELEASE_ALL:
        return hold_release_all(req->ctrl, &req->result);
    case LAB_RELEASE_RULE:
        return hold_release_rule(req->ctrl, cmd->cdw11, &req->result);
    case LAB_RELEASE_SOME:
        if (cmd->cdw13 > 1) {
            return NVME_INVALID_FIELD;
        }
        return hold_release_some(req->ctrl, cmd->cdw11, cmd->cdw12, cmd->cdw13,
                                 &req->result);
    case LAB_RELEASE_ONE:
    case LAB_RELEASE_LOST:
        return hold_release_one(req->ctrl, command_id,
                                cmd->cdw10 == LAB_RELEASE_LOST, &req->result);
    default:
        return NVME_INVALID_FIELD;
    }
}

uint16_t hold_exec_release(struct req *req)
{
    uint16_t status = release(req);

    return status ? status | NVME_DNR : NVME_SUCCESS;
}
