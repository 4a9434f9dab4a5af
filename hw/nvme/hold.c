/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held commands: an I/O command is parked at a stage of its life, the host runs
 * into the race that this opens, and the command is released.
 *
 *      SQ ─F─► fetched ─V─► data seen ─D─► promised ─C─► CQE ─I─► interrupt
 *
 *      armed rules ──match──► parked ──RELEASE, time──► leaving ──run──► next
 *                               │                          │        stage
 *                               └── Abort, reset, cut ─────┴──► resolved
 *
 * A stage is the place *before* what it is named after. A rule has one stage
 * and any number of predicates; a command is parked by the first rule, in order
 * of arming, that matches and has let pass as many as it was told to.
 *
 * Invariant: a parked command is in one list here and nowhere else: no cache
 * operation, no completion queue, no heap knows it, but for the heap entry of
 * its own time limit. So nobody but this file can move it.
 *
 * Promises, as hw/tests/test_hold*.c cites them
 *   H1  fetch: the queue's head does not pass the command, so the later ones of
 *       that queue wait; other queues go on.
 *   H2  visible: the data of a write was copied from the guest and is seen by
 *       nobody, not by a cut either; a read or a flush has not begun.
 *   H3  durable: reads see the data of the write, nothing was done for its
 *       promise (P2, P3). A flush has not begun. Without a promise to come
 *       there is no such stage.
 *   H4  cqe: all is done, no entry is in the completion queue; P1 counts the
 *       command as not completed.
 *   H5  irq: the entry is there, no interrupt was sent for it. One that another
 *       command sends shows both. Without an interrupt there is no such stage.
 *   H6  Who was released is not parked again at that stage or an earlier one.
 *   H7  Releasing, by hand or by time, changes nothing but when: the drive goes
 *       on as if the command had just come to that place.
 *   H8  Abort ends a command at visible and durable (Command Abort Requested;
 *       at durable the data stays seen and is owed nothing). At fetch the drive
 *       has not taken it, at cqe and irq it is done: not aborted.
 *   H9  When its queue goes away (deletion, disable, reset, cut, removal) a
 *       command gets no answer. What is seen stays seen, nothing becomes so.
 *   H10 Rules outlive resets and end with a release or the power. A rule that
 *       has parked its count keeps its number until then.
 *   H11 Admin commands are never parked, so RELEASE always comes through.
 */
#include "hold.h"

#include "nvme.h"

#define AT(stage) (1u << LAB_HOLD_##stage)
#define AT_ANY (AT(FETCH) | AT(CQE) | AT(IRQ))
#define AT_READ (AT_ANY | AT(VISIBLE))
#define AT_WRITE (AT_READ | AT(DURABLE))

/* -- What a rule can ask for ---------------------------------------------- */

/* Other opcodes, which this drive refuses: AT_ANY, no range, no FUA. */
static const struct {
    uint8_t stages;
    bool has_range;
    bool has_fua;
} kinds[256] = {
    [NVME_IO_FLUSH] = { AT_WRITE, false, false },
    [NVME_IO_WRITE] = { AT_WRITE, true, true },
    [NVME_IO_READ] = { AT_READ, true, true },
    [NVME_IO_COMPARE] = { AT_READ, true, true },
    [NVME_IO_WRITE_ZEROES] = { AT_WRITE, true, true },
    [NVME_IO_DSM] = { AT_WRITE, true, false },
};

static bool has_stage(uint8_t opcode, uint32_t stage)
{
    uint8_t stages = kinds[opcode].stages ? kinds[opcode].stages : AT_ANY;

    return stages & 1u << stage;
}

static const char *opcode_refusal(const struct lab_hold *spec)
{
    if (!(spec->flags & LAB_HOLD_BY_OPCODE)) {
        return NULL;
    }
    if (!has_stage(spec->opcode, spec->stage)) {
        return "this opcode has no such stage";
    }
    if ((spec->flags & LAB_HOLD_BY_LBA) && !kinds[spec->opcode].has_range) {
        return "this opcode has no lba";
    }
    if ((spec->flags & LAB_HOLD_WITH_FUA) && !kinds[spec->opcode].has_fua) {
        return "this opcode has no fua";
    }
    return NULL;
}

const char *hold_refusal(const struct lab_ctrl *ctrl,
                         const struct lab_hold *spec)
{
    const uint32_t all_flags = (LAB_HOLD_AFTER_MARK << 1) - 1;
    const uint32_t both = LAB_HOLD_WITH_FUA | LAB_HOLD_WITHOUT_FUA;

    if (spec->stage >= LAB_HOLD_STAGES) {
        return "no such stage";
    }
    if (spec->flags & ~all_flags || spec->reserved || spec->reserved2) {
        return "reserved fields must be 0";
    }
    if ((spec->flags & both) == both) {
        return "fua is on or off, not both";
    }
    if ((spec->flags & LAB_HOLD_BY_LBA) && spec->first_lba > spec->last_lba) {
        return "the last lba is below the first";
    }
    if ((spec->flags & LAB_HOLD_BY_NSID) &&
        (!spec->nsid || (spec->nsid > LAB_NSID_MAX &&
                         spec->nsid != NVME_NSID_ALL))) {
        return "no such nsid is possible";
    }
    if ((spec->flags & LAB_HOLD_BY_QUEUE) &&
        (!spec->sqid || spec->sqid > ctrl->config.io_queue_pairs_max)) {
        return "no such I/O queue is possible";
    }
    return opcode_refusal(spec);
}

/* -- Rules ---------------------------------------------------------------- */

void hold_init(struct lab_ctrl *ctrl)
{
    TAILQ_INIT(&ctrl->holds.rules);
    TAILQ_INIT(&ctrl->holds.parked);
    TAILQ_INIT(&ctrl->holds.leaving);
    TAILQ_INIT(&ctrl->holds.waits);
}

struct hold_rule *hold_find(struct lab_ctrl *ctrl, uint32_t number)
{
    struct hold_rule *rule;

    TAILQ_FOREACH(rule, &ctrl->holds.rules, link) {
        if (rule->number == number) {
            break;
        }
    }
    return rule;
}

static bool can_park(const struct hold_rule *rule)
{
    const struct lab_hold *spec = &rule->spec;

    return (!(spec->flags & LAB_HOLD_AFTER_MARK) || rule->has_seen_mark) &&
           (!spec->count || rule->parked < spec->count);
}

/* The counters of live rules are all that commands see when there is none. */
static void set_live(struct lab_ctrl *ctrl, struct hold_rule *rule,
                     bool is_live)
{
    if (rule->is_live != is_live) {
        rule->is_live = is_live;
        ctrl->holds.live[rule->spec.stage] += is_live ? 1 : -1;
    }
}

static uint32_t free_number(struct lab_ctrl *ctrl)
{
    uint32_t number = 1;

    while (hold_find(ctrl, number)) {
        number++;
    }
    return number;
}

uint32_t hold_arm(struct lab_ctrl *ctrl, const struct lab_hold *spec)
{
    struct hold_rule *rule;

    if (ctrl->stat.holds_armed == LAB_HOLDS_MAX) {
        return 0;
    }
    rule = g_new0(struct hold_rule, 1);
    rule->number = free_number(ctrl);
    rule->spec = *spec;
    TAILQ_INSERT_TAIL(&ctrl->holds.rules, rule, link);
    ctrl->stat.holds_armed++;
    set_live(ctrl, rule, can_park(rule));
    trace_event(ctrl, LAB_TRACE_HOLD, rule->number, spec->stage);
    return rule->number;
}

/* Its commands have left already, or are gone. */
static void end_rule(struct lab_ctrl *ctrl, struct hold_rule *rule)
{
    set_live(ctrl, rule, false);
    TAILQ_REMOVE(&ctrl->holds.rules, rule, link);
    ctrl->stat.holds_armed--;
    trace_event(ctrl, LAB_TRACE_HOLD_ENDED, rule->number, rule->parked);
    hold_wait_look(ctrl, rule->number, true);
    g_free(rule);
}

void hold_end_rules(struct lab_ctrl *ctrl)
{
    struct hold_rule *rule;

    while ((rule = TAILQ_FIRST(&ctrl->holds.rules))) {
        end_rule(ctrl, rule);
    }
}

void hold_mark(struct lab_ctrl *ctrl, uint64_t mark_id)
{
    struct hold_rule *rule;

    TAILQ_FOREACH(rule, &ctrl->holds.rules, link) {
        if ((rule->spec.flags & LAB_HOLD_AFTER_MARK) &&
            rule->spec.mark_id == mark_id) {
            rule->has_seen_mark = true;
            set_live(ctrl, rule, can_park(rule));
        }
    }
}

/* -- Matching ------------------------------------------------------------- */

bool hold_range(const struct req *req, uint64_t *slba, uint32_t *block_count)
{
    const struct nvme_command *cmd = &req->cmd;

    if (!kinds[cmd->opcode].has_range) {
        *slba = 0;
        *block_count = 0;
        return false;
    }
    if (cmd->opcode == NVME_IO_DSM) {
        *slba = req->slba;
        *block_count = req->block_count;
        return true;
    }
    *slba = (uint64_t)cmd->cdw11 << 32 | cmd->cdw10;
    *block_count = (cmd->cdw12 & 0xFFFF) + 1;
    return true;
}

static bool touches(struct req *req, uint64_t first, uint64_t last)
{
    uint64_t slba;
    uint32_t count;

    if (!hold_range(req, &slba, &count)) {
        return false;
    }
    if (req->cmd.opcode == NVME_IO_DSM) {
        return dsm_touches(req, first, last);
    }
    return slba <= last && (slba >= first || first - slba < count);
}

static bool has_fua(const struct req *req)
{
    return kinds[req->cmd.opcode].has_fua && (req->cmd.cdw12 & NVME_RW_FUA);
}

/* A command for all namespaces is one for each of them. */
static bool is_for(const struct req *req, uint32_t nsid)
{
    return req->cmd.nsid == nsid || req->cmd.nsid == NVME_NSID_ALL;
}

static bool matches(const struct hold_rule *rule, struct req *req)
{
    const struct lab_hold *spec = &rule->spec;
    uint32_t flags = spec->flags;

    if ((flags & LAB_HOLD_BY_OPCODE) && req->cmd.opcode != spec->opcode) {
        return false;
    }
    if ((flags & LAB_HOLD_BY_QUEUE) && req->sq->id != spec->sqid) {
        return false;
    }
    if ((flags & LAB_HOLD_BY_NSID) && !is_for(req, spec->nsid)) {
        return false;
    }
    if ((flags & LAB_HOLD_WITH_FUA) && !has_fua(req)) {
        return false;
    }
    if ((flags & LAB_HOLD_WITHOUT_FUA) && has_fua(req)) {
        return false;
    }
    return !(flags & LAB_HOLD_BY_LBA) ||
           touches(req, spec->first_lba, spec->last_lba);
}

static struct hold_rule *first_match(struct req *req, enum lab_hold_stage stage)
{
    struct hold_rule *rule;

    TAILQ_FOREACH(rule, &req->ctrl->holds.rules, link) {
        if (rule->is_live && rule->spec.stage == stage && matches(rule, req) &&
            ++rule->matches > rule->spec.skip) {
            break;
        }
    }
    return rule;
}

/* -- Parking -------------------------------------------------------------- */

static uint64_t event_value(const struct parked *parked, uint32_t how)
{
    return (uint64_t)parked->rule << 16 | parked->stage << 8 | how;
}

static bool is_place(const struct req *req, enum lab_hold_stage stage)
{
    const struct lab_ctrl *ctrl = req->ctrl;

    if (!req->sq || !req->sq->id || stage < req->stage_next) {
        return false;
    }
    return stage != LAB_HOLD_IRQ || (ctrl->cq[req->sq->cqid]->has_irq &&
                                     ctrl->holds.ghosts < HOLD_GHOSTS_MAX);
}

/* Its entry is in the queue: it takes no place and no memory of others. */
static void become_ghost(struct req *req)
{
    req->ctrl->holds.ghosts++;
    req->sq->in_flight--;
    req_drop_data(req);
}

static void park(struct req *req, struct hold_rule *rule)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint64_t after_ns = rule->spec.release_after_ns;
    struct parked *parked = g_new0(struct parked, 1);

    parked->req = req;
    parked->rule = rule->number;
    parked->stage = rule->spec.stage;
    parked->since_ns = ctrl_now_ns(ctrl);
    req->parked = parked;
    req->is_at_media = false;
    TAILQ_INSERT_TAIL(&ctrl->holds.parked, parked, link);
    rule->parked++;
    rule->held++;
    ctrl->stat.commands_parked++;
    ctrl->stat.commands_held++;
    set_live(ctrl, rule, can_park(rule));
    if (after_ns) {
        heap_push(&ctrl->due, &req->due,
                  parked->since_ns + MIN(after_ns, INT64_MAX));
    }
    trace_event(ctrl, LAB_TRACE_PARKED, req->number, event_value(parked, 0));
}

bool hold_park(struct req *req, enum lab_hold_stage stage)
{
    struct hold_rule *rule = NULL;

    if (is_place(req, stage)) {
        rule = first_match(req, stage);
    }
    if (!rule) {
        return false;
    }
    if (stage == LAB_HOLD_FETCH) {
        io_peek(req);
    } else if (stage == LAB_HOLD_IRQ) {
        become_ghost(req);
    }
    park(req, rule);
    hold_wait_look(req->ctrl, rule->number, false);
    return true;
}

/* -- Leaving -------------------------------------------------------------- */

/* From now on it is released, and goes on in the next run. */
static void leave(struct parked *parked, enum lab_trace_resumed how)
{
    struct lab_ctrl *ctrl = parked->req->ctrl;

    if (heap_has(&parked->req->due)) {
        heap_remove(&ctrl->due, &parked->req->due);
    }
    hold_find(ctrl, parked->rule)->held--;
    ctrl->stat.commands_held--;
    parked->leaves = how;
    TAILQ_REMOVE(&ctrl->holds.parked, parked, link);
    TAILQ_INSERT_TAIL(&ctrl->holds.leaving, parked, link);
    ctrl_kick(ctrl);
}

/* The command is nobody's; it has to be put somewhere next. */
static enum lab_hold_stage unpark(struct req *req, enum lab_trace_resumed how)
{
    struct lab_ctrl *ctrl = req->ctrl;
    struct parked *parked = req->parked;
    enum lab_hold_stage stage = parked->stage;

    if (!parked->leaves) {
        leave(parked, how);
    }
    TAILQ_REMOVE(&ctrl->holds.leaving, parked, link);
    trace_event(ctrl, LAB_TRACE_RESUMED, req->number,
                event_value(parked, how));
    g_free(parked);
    req->parked = NULL;
    req->stage_next = stage + 1;
    if (stage == LAB_HOLD_IRQ) {
        ctrl->holds.ghosts--;
        req->sq->in_flight++;
    }
    return stage;
}

static void go_on(struct req *req, enum lab_trace_resumed how)
{
    switch (unpark(req, how)) {
    case LAB_HOLD_VISIBLE:
        io_begin(req);
        break;
    case LAB_HOLD_DURABLE:
        io_harden(req);
        break;
    case LAB_HOLD_CQE:
        req_complete(req);
        break;
    case LAB_HOLD_IRQ:
        req_interrupt(req, how == LAB_TRACE_LOST);
        break;
    default:
        break;                  /* fetch: the queue is open again */
    }
}

bool hold_can_step(const struct lab_ctrl *ctrl)
{
    return !TAILQ_EMPTY(&ctrl->holds.leaving) &&
           !(ctrl->csts & NVME_CSTS_CFS);
}

void hold_step(struct lab_ctrl *ctrl)
{
    while (hold_can_step(ctrl)) {
        struct parked *parked = TAILQ_FIRST(&ctrl->holds.leaving);

        go_on(parked->req, parked->leaves);
    }
}

void hold_due(struct req *req)
{
    if (req->parked) {
        leave(req->parked, LAB_TRACE_TIMED);
    } else {
        hold_wait_due(req);
    }
}

void hold_drop(struct req *req, enum lab_trace_resumed how)
{
    unpark(req, how);
}

/* -- Releasing and aborting ----------------------------------------------- */

/* rule 0: any; limit 0: all. */
static uint32_t leave_some(struct lab_ctrl *ctrl, uint32_t rule,
                           uint32_t limit, bool is_newest_first)
{
    struct parked_list *list = &ctrl->holds.parked;
    struct parked *parked = is_newest_first ? TAILQ_LAST(list, parked_list)
                                            : TAILQ_FIRST(list);
    uint32_t count = 0;

    while (parked && (!limit || count < limit)) {
        struct parked *next = is_newest_first
            ? TAILQ_PREV(parked, parked_list, link) : TAILQ_NEXT(parked, link);

        if (!rule || parked->rule == rule) {
            leave(parked, LAB_TRACE_RELEASED);
            count++;
        }
        parked = next;
    }
    return count;
}

uint16_t hold_release_all(struct lab_ctrl *ctrl, uint32_t *count)
{
    *count = leave_some(ctrl, 0, 0, false);
    hold_end_rules(ctrl);
    return NVME_SUCCESS;
}

uint16_t hold_release_rule(struct lab_ctrl *ctrl, uint32_t number,
                           uint32_t *count)
{
    struct hold_rule *rule = hold_find(ctrl, number);

    if (!rule) {
        return LAB_STATUS_NO_RULE;
    }
    *count = leave_some(ctrl, number, 0, false);
    end_rule(ctrl, rule);
    return NVME_SUCCESS;
}

uint16_t hold_release_some(struct lab_ctrl *ctrl, uint32_t number,
                           uint32_t limit, bool is_newest_first,
                           uint32_t *count)
{
    if (!hold_find(ctrl, number)) {
        return LAB_STATUS_NO_RULE;
    }
    *count = leave_some(ctrl, number, limit, is_newest_first);
    return NVME_SUCCESS;
}

uint16_t hold_release_one(struct lab_ctrl *ctrl, uint64_t command_id,
                          bool is_lost, uint32_t *count)
{
    struct parked *parked;

    TAILQ_FOREACH(parked, &ctrl->holds.parked, link) {
        if (parked->req->number == command_id &&
            (!is_lost || parked->stage == LAB_HOLD_IRQ)) {
            leave(parked, is_lost ? LAB_TRACE_LOST : LAB_TRACE_RELEASED);
            *count = 1;
            return NVME_SUCCESS;
        }
    }
    return LAB_STATUS_NO_RULE;
}

static bool is_abortable(const struct parked *parked)
{
    return parked->stage == LAB_HOLD_VISIBLE ||
           parked->stage == LAB_HOLD_DURABLE;
}

bool hold_abort(struct lab_ctrl *ctrl, uint16_t sqid, uint16_t cid)
{
    struct parked *parked;

    if (sqid == 0) {
        return hold_wait_abort(ctrl, cid);
    }
    TAILQ_FOREACH(parked, &ctrl->holds.parked, link) {
        struct req *req = parked->req;

        if (is_abortable(parked) && req->sq->id == sqid &&
            req->cmd.cid == cid) {
            unpark(req, LAB_TRACE_ABORTED);
            req_abort(req);
            return true;
        }
    }
    return false;
}
