/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vendor commands (abi/vendor.h): the guest talks about the experiment. */
#include "nvme.h"

static uint64_t qword(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

static uint16_t exec_mark(struct req *req)
{
    uint64_t bytes = req->cmd.cdw10 * 4ull;
    char text[LAB_MARK_TEXT_MAX + 1] = "";
    uint16_t status;

    if (bytes > LAB_MARK_TEXT_MAX) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (bytes) {
        status = dptr_from_guest(req, text, bytes);
        if (status) {
            return status;
        }
    }
    trace_mark(req, text);
    hold_mark(req->ctrl, qword(req->cmd.cdw12, req->cmd.cdw13));
    return NVME_SUCCESS;
}

static void collect(struct lab_ctrl *ctrl, struct lab_stat *stat)
{
    uint32_t nsid;

    *stat = ctrl->stat;
    stat->version = LAB_STAT_VERSION;
    stat->size_bytes = sizeof(*stat);
    stat->unpromised_bytes = 0;
    stat->cached_bytes = 0;
    stat->destaged_bytes = 0;
    stat->trace_records = ctrl->trace_number;
    for (nsid = 1; nsid <= LAB_NSID_MAX; nsid++) {
        const struct ns *ns = ctrl->ns[nsid];

        if (ns) {
            stat->unpromised_bytes += wcache_unpromised_bytes(ns->cache);
            stat->cached_bytes += wcache_cached_bytes(ns->cache);
            stat->destaged_bytes += wcache_destaged_bytes(ns->cache);
        }
    }
}

static uint16_t exec_stat(struct req *req)
{
    uint64_t bytes = req->cmd.cdw10 * 4ull;
    struct lab_stat stat;
    uint64_t *words = (uint64_t *)&stat;
    size_t i;

    if (!bytes || bytes > sizeof(stat)) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    collect(req->ctrl, &stat);
    stat.version = htole32(stat.version);
    stat.size_bytes = htole32(stat.size_bytes);
    for (i = 1; i < sizeof(stat) / sizeof(*words); i++) {
        words[i] = htole64(words[i]);
    }
    return dptr_to_guest(req, &stat, bytes);
}

static void exec_cut(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    struct lab_cut cut = {
        .policy = req->cmd.cdw11,
        .seed = qword(req->cmd.cdw12, req->cmd.cdw13),
    };

    if (req->cmd.cdw10 || req->cmd.cdw11 > LAB_POLICY_RANDOM) {
        req_finish(req, NVME_INVALID_FIELD | NVME_DNR);
        return;
    }
    /* It never ends: the drive is dark before it could be answered. */
    req->is_at_media = true;
    ctrl_freeze(ctrl);
    ctrl->ops->cut_requested(ctrl->opaque, cut);
}

static void exec_finishing(struct req *req)
{
    static uint16_t (*const table[256])(struct req *req) = {
        [LAB_OP_MARK] = exec_mark,
        [LAB_OP_STAT] = exec_stat,
        [LAB_OP_HOLD] = hold_exec_hold,
        [LAB_OP_RELEASE] = hold_exec_release,
    };

    req_finish(req, table[req->cmd.opcode](req));
}

static void (*const commands[256])(struct req *req) = {
    [LAB_OP_MARK] = exec_finishing,
    [LAB_OP_STAT] = exec_finishing,
    [LAB_OP_CUT] = exec_cut,
    [LAB_OP_HOLD] = exec_finishing,
    [LAB_OP_WAIT] = hold_exec_wait,
    [LAB_OP_RELEASE] = exec_finishing,
};

bool vendor_is_command(const struct lab_ctrl *ctrl, uint8_t opcode)
{
    return ctrl->config.has_vendor_commands && commands[opcode];
}

void vendor_execute(struct req *req)
{
    commands[req->cmd.opcode](req);
}

char *lab_stats_json(struct lab_ctrl *ctrl)
{
    static const char *const names[] = {
        "power-cuts", "resets", "commands-submitted", "commands-completed",
        "writes", "writes-fua", "reads", "flushes", "unpromised-bytes",
        "cached-bytes", "destaged-bytes", "trace-records",
        "trace-records-lost", "guest-errors", "doorbell-writes",
        "shadow-doorbells", "holds-armed", "commands-held", "commands-parked",
    };
    GString *json = g_string_new("{");
    struct lab_stat stat;
    const uint64_t *words = (const uint64_t *)&stat + 1;
    size_t i;

    _Static_assert(sizeof(stat) == (G_N_ELEMENTS(names) + 1) * 8,
                   "a name per counter");
    collect(ctrl, &stat);
    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        g_string_append_printf(json, "%s\"%s\": %" PRIu64, i ? ", " : "",
                               names[i], words[i]);
    }
    g_string_append_c(json, '}');
    return g_string_free(json, FALSE);
}
