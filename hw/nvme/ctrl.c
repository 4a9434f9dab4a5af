/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller's life: created, enabled, disabled, shut down, reset.
 *
 *              CC.EN = 1                     fatal
 *      off ───────────────► ready ─────────────────► CFS
 *       ▲                     │ CC.EN = 0, reset      │
 *       └─────────────────────┴───────────────────────┘
 *
 * None of these loses a byte (loss model P8): the caches of the namespaces
 * stay as they are, queues and requests go. Only cut.c forgets data.
 */
#include "nvme.h"

#include <stdio.h>
#include <stdlib.h>

/* -- Saying things -------------------------------------------------------- */

void ctrl_log(struct lab_ctrl *ctrl, enum lab_log_class log_class,
              const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (log_class == LAB_LOG_GUEST) {
        ctrl->stat.guest_errors++;
    }
    ctrl->ops->log(ctrl->opaque, log_class, text);
}

static bool G_GNUC_PRINTF(2, 3) refuse(char **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *error = g_strdup_vprintf(format, args);
    va_end(args);
    return false;
}

/* -- Created -------------------------------------------------------------- */

static bool is_serial_valid(const char *serial)
{
    size_t length = serial ? strlen(serial) : 0;
    size_t i;

    for (i = 0; i < length; i++) {
        if (serial[i] < 0x20 || serial[i] > 0x7e) {
            return false;
        }
    }
    return length >= 1 && length <= 20;
}

static bool is_in_range(const char *name, uint64_t value, uint64_t least,
                        uint64_t most, char **error)
{
    if (value >= least && value <= most) {
        return true;
    }
    return refuse(error, "%s=%" PRIu64 ": must be %" PRIu64 "..%" PRIu64, name,
                  value, least, most);
}

static bool is_config_valid(const struct lab_config *config, char **error)
{
    if (!is_serial_valid(config->serial)) {
        return refuse(error, "serial='%s': must be 1 to 20 printable ASCII "
                      "characters", config->serial ? config->serial : "");
    }
    if (config->lie >= LAB_LIE_COUNT) {
        return refuse(error, "lie=%d: unknown", config->lie);
    }
    if (config->awun_0based && config->awun_0based < config->awupf_0based) {
        return refuse(error, "awun=%u: below awupf=%u", config->awun_0based,
                      config->awupf_0based);
    }
    return is_in_range("cache-size", config->cache_size_bytes, 4096,
                       1ull << 40, error) &&
           is_in_range("max-ioqpairs", config->io_queue_pairs_max, 1, 1024,
                       error) &&
           is_in_range("max-queue-entries", config->queue_entries_max, 2, 32768,
                       error) &&
           is_in_range("awupf", config->awupf_0based, 0, REDO_BLOCKS_MAX - 1,
                       error) &&
           is_in_range("mdts", config->mdts, 1, 9, error) &&
           is_in_range("msix-vectors", config->irq_vectors, 1,
                       LAB_IRQ_VECTORS_MAX, error) &&
           is_in_range("floor-latency", config->floor_latency_ns, 0,
                       10ull * 1000 * 1000 * 1000, error);
}

static bool is_holds_valid(struct lab_ctrl *ctrl, char **error)
{
    char *why = NULL;

    if (!ctrl->config.holds || hold_check_rules(ctrl, ctrl->config.holds,
                                                &why)) {
        return true;
    }
    refuse(error, "holds: %s", why);
    g_free(why);
    return false;
}

struct lab_ctrl *lab_ctrl_new(const struct lab_config *config,
                              const struct lab_host_ops *ops, void *opaque,
                              char **error)
{
    struct lab_ctrl *ctrl;

    if (!is_config_valid(config, error)) {
        return NULL;
    }
    ctrl = g_new0(struct lab_ctrl, 1);
    ctrl->config = *config;
    ctrl->serial = g_strdup(config->serial);
    ctrl->config.serial = ctrl->serial;
    ctrl->holds_text = g_strdup(config->holds);
    ctrl->config.holds = ctrl->holds_text;
    /* What a power failure leaves whole nothing else tears (AWUPF ≤ AWUN). */
    ctrl->config.awun_0based = MAX(config->awun_0based, config->awupf_0based);
    ctrl->ops = ops;
    ctrl->opaque = opaque;
    ctrl->moments.clock_ns = ops->clock_ns;
    ctrl->moments.opaque = opaque;
    ctrl->sq = g_new0(struct sq *, config->io_queue_pairs_max + 1);
    ctrl->cq = g_new0(struct cq *, config->io_queue_pairs_max + 1);
    TAILQ_INIT(&ctrl->orphans);
    TAILQ_INIT(&ctrl->posted);
    TAILQ_INIT(&ctrl->aer);
    TAILQ_INIT(&ctrl->fanouts);
    hold_init(ctrl);
    ctrl->features[NVME_FEAT_VWC] = 1;
    feature_reset(ctrl);
    if (!is_holds_valid(ctrl, error)) {
        lab_ctrl_free(ctrl);
        return NULL;
    }
    return ctrl;
}

/* What the record is to keep whole needs a place for it. */
static bool is_atomic_valid(const struct lab_ctrl *ctrl,
                            const struct lab_ns_config *config, char **error)
{
    const struct lab_atomic *asked = &config->atomic;
    struct lab_atomic held;

    *error = atomic_refusal(&ctrl->config, asked);
    if (*error) {
        return false;
    }
    atomic_hold(&ctrl->config, asked, &held);
    if (held.nawupf_0based && !config->meta_ops) {
        return refuse(error, "%s=%u: above 0 needs a metadata node (meta=) "
                      "on namespace %u",
                      asked->nawupf_0based ? "nawupf" : "awupf",
                      held.nawupf_0based, config->nsid);
    }
    return true;
}

static bool is_ns_valid(const struct lab_ctrl *ctrl,
                        const struct lab_ns_config *config, char **error)
{
    if (!is_in_range("nsid", config->nsid, 1, LAB_NSID_MAX, error)) {
        return false;
    }
    if (ctrl->ns[config->nsid]) {
        return refuse(error, "nsid=%u: already taken", config->nsid);
    }
    if (config->block_size_bytes != 512 && config->block_size_bytes != 4096) {
        return refuse(error, "logical_block_size=%u: must be 512 or 4096",
                      config->block_size_bytes);
    }
    if (!config->size_bytes || config->size_bytes % config->block_size_bytes) {
        return refuse(error, "image of %" PRIu64 " bytes: must be a multiple "
                      "of the block size %u, and not empty",
                      config->size_bytes, config->block_size_bytes);
    }
    if (!is_atomic_valid(ctrl, config, error)) {
        return false;
    }
    if (config->meta_ops &&
        config->meta_size_bytes < redo_size(config->block_size_bytes)) {
        return refuse(error, "metadata node of %" PRIu64 " bytes: namespace %u "
                      "needs %" PRIu64, config->meta_size_bytes, config->nsid,
                      redo_size(config->block_size_bytes));
    }
    return true;
}

static void derive_uuid(const struct lab_ctrl *ctrl,
                        const struct lab_ns_config *config, uint8_t uuid[16])
{
    static const uint8_t none[16];
    uint64_t word = g_str_hash(ctrl->serial);

    memcpy(uuid, config->uuid, 16);
    if (memcmp(uuid, none, 16)) {
        return;
    }
    le64_put(uuid, word << 32 | config->nsid);
    le64_put(uuid + 8, word);
    uuid[6] = (uuid[6] & 0x0f) | 0x80;  /* version 8: our own derivation */
    uuid[8] = (uuid[8] & 0x3f) | 0x80;  /* variant of RFC 9562 */
}

static enum wcache_lie cache_lie(enum lab_lie lie)
{
    static const enum wcache_lie lies[LAB_LIE_COUNT] = {
        [LAB_LIE_NONE] = WCACHE_HONEST,
        [LAB_LIE_FLUSH] = WCACHE_FLUSH_LOST,
        [LAB_LIE_FLUSH_EARLY] = WCACHE_FLUSH_EARLY,
        [LAB_LIE_FUA] = WCACHE_FUA_LOST,
        [LAB_LIE_FUA_BARRIER] = WCACHE_FUA_BARRIER,
        [LAB_LIE_ATOMIC] = WCACHE_HONEST,   /* atomic.c tells this one */
    };

    return lies[lie];
}

uint64_t lab_meta_size_min(const struct lab_config *config,
                           uint32_t block_size_bytes)
{
    (void)config;
    return redo_size(block_size_bytes);
}

static void redo_add(struct ns *ns, const struct lab_ns_config *config)
{
    struct redo_config redo = {
        .block_size_bytes = ns->block_size_bytes,
        .block_count = ns->block_count,
    };

    memcpy(redo.owner, ns->uuid, sizeof(redo.owner));
    ns->meta = host_store_new(ns->ctrl, config->meta_ops, config->meta_opaque);
    ns->redo = redo_new(&redo, ns->meta, ns->store);
}

bool lab_ns_add(struct lab_ctrl *ctrl, const struct lab_ns_config *config,
                char **error)
{
    struct wcache_config cache = {
        .medium = config->nsid,
        .block_size_bytes = config->block_size_bytes,
        .limit_bytes = ctrl->config.cache_size_bytes,
        .is_enabled = ctrl->config.has_vwc && !config->has_no_vwc,
        .lie = cache_lie(ctrl->config.lie),
    };
    struct ns *ns;

    if (!is_ns_valid(ctrl, config, error)) {
        return false;
    }
    ns = g_new0(struct ns, 1);
    ns->ctrl = ctrl;
    ns->nsid = config->nsid;
    ns->block_size_bytes = config->block_size_bytes;
    ns->block_shift = __builtin_ctz(config->block_size_bytes);
    ns->block_count = config->size_bytes >> ns->block_shift;
    ns->has_vwc = !config->has_no_vwc;
    ns->has_own_atomic = atomic_is_given(&config->atomic);
    atomic_hold(&ctrl->config, &config->atomic, &ns->atomic);
    derive_uuid(ctrl, config, ns->uuid);
    ns->store = host_store_new(ctrl, config->store_ops, config->store_opaque);
    cache.block_count = ns->block_count;
    if (config->meta_ops) {
        redo_add(ns, config);
    }
    cache.atomicity = atomic_rule(&ctrl->config, &ns->atomic);
    cache.redo = cache.atomicity.blocks > 1 ? ns->redo : NULL;
    ns->cache = wcache_new(&cache, ns->store, &ctrl->moments);
    ctrl->ns[config->nsid] = ns;
    trace_event(ctrl, LAB_TRACE_NAMESPACE, ns->nsid, ns->has_vwc);
    return true;
}

struct ns *ctrl_ns(struct lab_ctrl *ctrl, uint32_t nsid)
{
    return nsid <= LAB_NSID_MAX ? ctrl->ns[nsid] : NULL;
}

bool lab_is_idle(const struct lab_ctrl *ctrl)
{
    uint32_t nsid;

    for (nsid = 1; nsid <= LAB_NSID_MAX; nsid++) {
        if (ctrl->ns[nsid] && !wcache_is_idle(ctrl->ns[nsid]->cache)) {
            return false;
        }
    }
    return true;
}

void lab_ctrl_free(struct lab_ctrl *ctrl)
{
    struct req *req;
    uint32_t nsid;

    ctrl_freeze_caches(ctrl);
    queue_free_all(ctrl, LAB_TRACE_BY_RESET);
    while ((req = TAILQ_FIRST(&ctrl->orphans))) {
        req_free(req);
    }
    fanout_forget(ctrl);
    hold_end_rules(ctrl);
    for (nsid = 1; nsid <= LAB_NSID_MAX; nsid++) {
        struct ns *ns = ctrl->ns[nsid];

        if (ns) {
            wcache_free(ns->cache);
            if (ns->redo) {
                redo_free(ns->redo);
                host_store_free(ns->meta);
            }
            host_store_free(ns->store);
            g_free(ns);
        }
    }
    heap_clear(&ctrl->due);
    g_free(ctrl->sq);
    g_free(ctrl->cq);
    g_free(ctrl->holds_text);
    g_free(ctrl->serial);
    g_free(ctrl);
}

/* -- Enabled, disabled, shut down, reset ---------------------------------- */

static const char *enable_refusal(const struct lab_ctrl *ctrl)
{
    if (NVME_CC_MPS(ctrl->cc)) {
        return "CC.MPS: only pages of 4 KiB";
    }
    if (NVME_CC_CSS(ctrl->cc) != NVME_CC_CSS_NVM &&
        NVME_CC_CSS(ctrl->cc) != NVME_CC_CSS_IOCS) {
        return "CC.CSS: not among CAP.CSS";
    }
    if (NVME_CC_AMS(ctrl->cc)) {
        return "CC.AMS: only round robin";
    }
    if (!(ctrl->aqa & 0xFFF) || !(ctrl->aqa >> 16)) {
        return "AQA: admin queues of fewer than two entries";
    }
    return NULL;
}

void ctrl_enable(struct lab_ctrl *ctrl)
{
    const char *refusal = enable_refusal(ctrl);

    if (refusal) {
        ctrl_fatal(ctrl, refusal);
        return;
    }
    feature_reset(ctrl);
    ctrl->aer_pending = 0;
    ctrl->aer_masked = 0;
    cq_new(ctrl, 0, (ctrl->aqa >> 16) + 1, ctrl->acq, true, 0);
    sq_new(ctrl, 0, 0, (ctrl->aqa & 0xFFF) + 1, ctrl->asq);
    ctrl->csts = NVME_CSTS_RDY;
    trace_event(ctrl, LAB_TRACE_ENABLE, 0, 0);
}

void ctrl_disable(struct lab_ctrl *ctrl)
{
    bool was_ready = ctrl->csts & NVME_CSTS_RDY;

    req_report_posted(ctrl);
    queue_free_all(ctrl, LAB_TRACE_BY_RESET);
    shadow_off(ctrl);
    ctrl->csts = 0;
    ctrl->cc = 0;
    ctrl->shutdown = 0;
    if (was_ready) {
        ctrl->stat.resets++;
        trace_event(ctrl, LAB_TRACE_DISABLE, 0, 0);
    }
}

static void shutdown_done(struct lab_ctrl *ctrl, void *opaque, int error)
{
    if (ctrl->shutdown != GPOINTER_TO_UINT(opaque)) {
        return;                         /* disabled or reset meanwhile */
    }
    if (error) {
        ctrl_fatal(ctrl, "shutdown: data could not be made durable");
        return;
    }
    ctrl->shutdown = 0;
    ctrl->csts = (ctrl->csts & ~NVME_CSTS_SHST_MASK) | NVME_CSTS_SHST_COMPLETE;
    trace_event(ctrl, LAB_TRACE_SHUTDOWN, 0, 0);
}

/* P8, for the normal and the abrupt notification alike. */
void ctrl_shutdown(struct lab_ctrl *ctrl)
{
    ctrl->shutdown = ++ctrl->shutdowns;
    ctrl->csts = (ctrl->csts & ~NVME_CSTS_SHST_MASK) | NVME_CSTS_SHST_OCCURRING;
    fanout_start(ctrl, FANOUT_SETTLE, NVME_NSID_ALL, 0, shutdown_done,
                 GUINT_TO_POINTER(ctrl->shutdown));
}

void ctrl_fatal(struct lab_ctrl *ctrl, const char *why)
{
    ctrl_log(ctrl, LAB_LOG_GUEST, "controller fatal status: %s", why);
    ctrl->csts |= NVME_CSTS_CFS;
}

void lab_reset(struct lab_ctrl *ctrl)
{
    if (ctrl_is_dark(ctrl)) {
        return;
    }
    ctrl_disable(ctrl);
    ctrl->aqa = 0;
    ctrl->asq = 0;
    ctrl->acq = 0;
    ctrl->intms = 0;
    trace_event(ctrl, LAB_TRACE_RESET, 0, 0);
}

/* -- Running -------------------------------------------------------------- */

uint64_t ctrl_now_ns(const struct lab_ctrl *ctrl)
{
    return ctrl->moments.clock_ns(ctrl->moments.opaque);
}

void ctrl_kick(struct lab_ctrl *ctrl)
{
    if (!ctrl->is_kicked) {
        ctrl->is_kicked = true;
        ctrl->ops->kick(ctrl->opaque);
    }
}

static void run_commands(struct lab_ctrl *ctrl)
{
    struct sq *sq;

    do {
        while ((sq = sq_next(ctrl))) {
            req_fetch(ctrl, sq);
        }
        if (ctrl_is_dark(ctrl)) {
            return;
        }
        hold_step(ctrl);
        req_post_due(ctrl);
        req_report_posted(ctrl);
    } while (sq_next(ctrl) || hold_can_step(ctrl));
}

static void arm_timer(struct lab_ctrl *ctrl)
{
    const struct heap_node *first = heap_first(&ctrl->due);
    bool is_waiting = first && !(ctrl->csts & NVME_CSTS_CFS);

    ctrl->ops->timer_set(ctrl->opaque,
                         is_waiting ? first->deadline_ns : LAB_TIME_NEVER);
}

static void run(struct lab_ctrl *ctrl, bool must_arm)
{
    /* What is done while running is seen below, without another kick. */
    ctrl->is_kicked = true;
    if (!ctrl_is_dark(ctrl)) {
        shadow_look(ctrl);
        run_commands(ctrl);
    }
    if (!ctrl_is_dark(ctrl)) {
        arm_timer(ctrl);
    }
    ctrl->is_kicked = false;
    if (must_arm) {
        shadow_arm(ctrl);
    }
    /* Last: who is interrupted wants the lock that the carrier may hold. */
    if (!ctrl_is_dark(ctrl)) {
        cq_raise_all(ctrl);
    }
    start_step(ctrl);
    cut_step(ctrl);
}

bool lab_poll(struct lab_ctrl *ctrl)
{
    uint64_t before = ctrl->commands;

    run(ctrl, false);
    return ctrl->commands != before;
}

void lab_run(struct lab_ctrl *ctrl)
{
    run(ctrl, true);
}
