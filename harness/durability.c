/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durability.c: rounds of base, prepare, power cut, verify.
 *
 * Round 0 drops everything that has no promise; rounds 1…N keep a random part
 * of it, by seed. All cases share a round, and so a power cut. A case that
 * fails leaves the later rounds, because its blocks no longer mean anything.
 */
#include "durability.h"

#include "failure.h"
#include "holds.h"
#include "never.h"
#include "outcome.h"
#include "progress.h"

struct round {
    struct session *session;
    GPtrArray *live;            /* struct case_result, still in the game */
    unsigned number;
    char *policy;
    char *parameters;
};

static void round_init(struct round *round, struct session *session,
                       GPtrArray *live, unsigned number)
{
    const struct plan *plan = session->plan;

    round->session = session;
    round->live = live;
    round->number = number;
    round->policy = number == 0
        ? g_strdup("drop-all")
        : g_strdup_printf("random:%" G_GUINT64_FORMAT,
                          plan->seed + number - 1);
    round->parameters =
        g_strdup_printf("policy=%s round=%u vwc=%s", round->policy, number,
                        session->machine->drive->has_vwc ? "on" : "off");
}

static void round_clear(struct round *round)
{
    g_free(round->policy);
    g_free(round->parameters);
}

/* Put what one step said into the case; true: the case is out. */
static bool take_step(struct round *round, struct case_result *result,
                      struct case_result *step)
{
    bool is_good = step->verdict == VERDICT_PASS;

    result->rounds = round->number + 1;
    if (!is_good || round->number == 0) {
        for (guint i = 0; i < step->notes->len; i++) {
            case_result_note(result, "%s: %s", round->policy,
                             (char *)step->notes->pdata[i]);
        }
    }
    if (!is_good && step->verdict != VERDICT_SKIP) {
        g_free(result->failed_policy);
        result->failed_policy = g_strdup(round->policy);
    }
    if (step->reason && !is_good && step->verdict != VERDICT_SKIP) {
        case_result_set(result, step->verdict, "%s: %s", round->policy,
                        step->reason);
    } else {
        case_result_set(result, step->verdict, "%s",
                        step->reason ? step->reason : "");
    }
    result->is_infra |= step->is_infra;
    return !is_good;
}

/*
 * Send one verb to every live case. FALSE: the guest is lost, and the case
 * that lost it is out.
 */
static gboolean round_verb(struct round *round, const char *verb)
{
    struct guest *guest = &round->session->guest;
    bool is_last = g_str_equal(verb, "verify");

    for (guint i = 0; i < round->live->len;) {
        struct case_result *result = round->live->pdata[i];
        struct case_result *step = case_result_new(result->name);
        g_autoptr(GError) cause = NULL;
        bool is_over = false;
        bool is_out = false;
        bool is_lost = !guest_step(guest, verb, result->name,
                                   round->parameters, step, &is_over, &cause);

        if (is_lost) {
            outcome_lost(step, cause);
        }
        never_judge(step);
        holds_judge_notes(step);
        outcome_splats(step, guest->vm);
        if (is_over || is_lost || step->verdict > VERDICT_PASS) {
            is_out = take_step(round, result, step) || !is_last;
        }
        case_result_free(step);
        if (is_out) {
            g_ptr_array_remove_index(round->live, i);
        } else {
            i++;
        }
        if (is_lost) {
            session_end(round->session, true);
            return FALSE;
        }
    }
    return TRUE;
}

/* A guest that does not come back takes all cases of the round with it. */
static gboolean round_cut(struct round *round)
{
    struct guest *guest = &round->session->guest;
    struct case_result *step = case_result_new("cut");
    g_autoptr(GError) cause = NULL;
    bool is_back = guest_cut(guest, round->policy, &cause);

    if (!is_back) {
        outcome_lost(step, cause);
    }
    outcome_splats(step, guest->vm);
    if (step->verdict > VERDICT_PASS) {
        for (guint i = 0; i < round->live->len; i++) {
            take_step(round, round->live->pdata[i], step);
        }
        g_ptr_array_set_size(round->live, 0);
    }
    case_result_free(step);
    if (!is_back) {
        session_end(round->session, true);
    }
    return is_back;
}

/* FALSE: the guest is lost, and the round is to be repeated without a case. */
static gboolean round_run(struct round *round)
{
    if (!round_verb(round, "base")) {
        return FALSE;
    }
    if (!round->live->len) {
        return TRUE;
    }
    if (!round_verb(round, "prepare")) {
        return FALSE;
    }
    if (!round->live->len) {
        return TRUE;
    }
    return round_cut(round) && round_verb(round, "verify");
}

gboolean durability_run(struct session *session, const char *suite,
                        GPtrArray *cases, GError **error)
{
    g_autoptr(GPtrArray) live = g_ptr_array_new();
    unsigned rounds = session->plan->seeds + 1;

    for (guint i = 0; i < cases->len; i++) {
        g_ptr_array_add(live, cases->pdata[i]);
    }
    for (unsigned i = 0; i < rounds && live->len;) {
        struct round round;

        if (!session_need(session, error)) {
            return FALSE;
        }
        round_init(&round, session, live, i);
        if (round_run(&round)) {
            i++;
            progress_step(suite, round.policy, i, rounds);
        }
        round_clear(&round);
        if (vm_is_interrupted()) {
            g_set_error_literal(error, FAILURE, FAILURE_INFRA, "interrupted");
            return FALSE;
        }
    }
    return TRUE;
}
