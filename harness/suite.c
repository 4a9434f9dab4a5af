/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suite.c: one kernel on one drive: boot, run, judge.
 *
 * The context and the flush cases come first, on a drive that has not been cut
 * yet; then the durability rounds; then whatever else was asked for, because
 * the cases that must go wrong (meta) take the guest with them. A kernel that
 * has broken (harness/dmesg.c) serves no other case. Traces are judged when
 * their process has ended, because only then are they known to be whole.
 */
#include "suite.h"

#include <string.h>

#include "context.h"
#include "durability.h"
#include "exclusion.h"
#include "failure.h"
#include "flushes.h"
#include "holds.h"
#include "never.h"
#include "outcome.h"
#include "progress.h"

struct suite {
    struct suite_result *result;
    const struct plan *plan;
    const struct suite_expect *expect;
    struct session session;
    GHashTable *process_of;     /* case_result -> number of the process */
    const char *lost_in;        /* the first case that took its guest along */
};

static void suite_problem(struct suite *suite, const char *message,
                          bool is_panic)
{
    if (!suite->result->problem) {
        suite->result->problem = g_strdup(message);
        suite->result->is_problem_infra = !is_panic;
    }
}

static void suite_lost(struct suite *suite, const GError *cause)
{
    suite_problem(suite, cause->message,
                  g_error_matches(cause, FAILURE, FAILURE_PANIC));
}

/* What is only known once a guest has booted. */
static void suite_identify(struct suite *suite)
{
    const struct guest *guest = &suite->session.guest;
    struct suite_result *result = suite->result;
    struct case_result *boot;

    if (result->kernel_release || !guest->vm) {
        return;
    }
    result->kernel_release = g_strdup(guest->release);
    result->qemu_version = g_strdup(vm_qemu_version(guest->vm));
    result->unwatched = g_strdup(guest->unwatched);
    if (guest->unwatched) {
        progress_say("%s: never-events not watched: %s", result->name,
                     guest->unwatched);
    }
    boot = case_result_new("boot");
    outcome_splats(boot, guest->vm);
    for (guint i = 0; i < boot->notes->len; i++) {
        progress_say("%s: at boot: %s", result->name,
                     (char *)boot->notes->pdata[i]);
    }
    case_result_free(boot);
}

static GPtrArray *suite_names(struct suite *suite, GError **error)
{
    GPtrArray *names;

    if (!session_need(&suite->session, error)) {
        return NULL;
    }
    suite_identify(suite);
    names = guest_list(&suite->session.guest, error);
    if (!names) {
        session_end(&suite->session, true);
    }
    return names;
}

static char *rerun_command(const struct suite *suite,
                           const struct case_result *result)
{
    GString *text = g_string_new("nvmelab run");
    const struct suite_result *of = suite->result;

    g_string_append_printf(text, " -k %s -d %s",
                           suite->session.machine->kernel->given, of->drive);
    if (of->lie) {
        g_string_append_printf(text, " --lie %s", of->lie);
    }
    if (suite->plan->hold_file) {
        g_autofree char *quoted = g_shell_quote(suite->plan->hold_file);

        g_string_append_printf(text, " --hold %s", quoted);
    }
    if (suite->plan->append) {
        g_autofree char *quoted = g_shell_quote(suite->plan->append);

        g_string_append_printf(text, " --append %s", quoted);
    }
    g_string_append_printf(text, " %s", result->name);
    if (g_str_has_prefix(result->name, "context.")) {
        g_string_append_printf(text, " --repeats %u", suite->plan->repeats);
    }
    if (!plan_has_rounds(result->name)) {
        return g_string_free(text, FALSE);
    }
    if (result->failed_policy &&
        g_str_has_prefix(result->failed_policy, "random:")) {
        g_string_append_printf(text, " --seed %s --seeds 1",
                               result->failed_policy + strlen("random:"));
    } else {
        g_string_append_printf(text, " --seed %" G_GUINT64_FORMAT
                               " --seeds 0", suite->plan->seed);
    }
    return g_string_free(text, FALSE);
}

static void suite_run_case(struct suite *suite, struct case_result *result)
{
    struct guest *guest = &suite->session.guest;
    g_autofree char *parameters = NULL;
    g_autoptr(GError) cause = NULL;
    gint64 start = g_get_monotonic_time();
    bool is_over = false;
    bool is_lost;

    if (g_str_has_prefix(result->name, "context.")) {
        parameters = g_strdup_printf("repeats=%u", suite->plan->repeats);
    }
    if (g_str_has_prefix(result->name, "context.") && guest->is_untraceable) {
        case_result_set(result, VERDICT_ERROR, "a context case needs tracefs, "
                        "and this guest has none to use: %s",
                        guest->unwatched);
        result->is_infra = true;
        return;
    }
    if (!guest_step(guest, "run", result->name, parameters ? parameters : "",
                    result, &is_over, &cause)) {
        outcome_lost(result, cause);
    } else if (!is_over) {
        case_result_set(result, VERDICT_ERROR, "the guest gave no verdict");
    }
    never_judge(result);
    holds_judge_notes(result);
    outcome_splats(result, guest->vm);
    /* What comes after it on that kernel would be judged for its sake. */
    is_lost = cause || vm_broken(guest->vm);
    result->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    g_hash_table_insert(suite->process_of, result,
                        GUINT_TO_POINTER(suite->session.number));
    if (is_lost) {
        session_end(&suite->session, true);
        suite->lost_in = suite->lost_in ? suite->lost_in : result->name;
    }
}

/* The group quick has its answer with the first guest that it loses. */
static bool suite_is_decided(const struct suite *suite)
{
    return suite->lost_in && plan_is_quick(suite->plan);
}

static void suite_skip(const struct suite *suite, const GPtrArray *cases)
{
    for (guint i = 0; i < cases->len; i++) {
        struct case_result *result = cases->pdata[i];

        if (result->verdict == VERDICT_SKIP && !result->reason) {
            case_result_set(result, VERDICT_SKIP, "the guest was lost in %s",
                            suite->lost_in);
        }
    }
}

/* The cases of a list, one by one. FALSE: no guest can be had any more. */
static gboolean suite_run_cases(struct suite *suite, const GPtrArray *cases,
                                GError **error)
{
    for (guint i = 0; i < cases->len; i++) {
        struct case_result *result = cases->pdata[i];

        if (suite_is_decided(suite)) {
            suite_skip(suite, cases);
            break;
        }
        if (!session_need(&suite->session, error)) {
            return FALSE;
        }
        suite_run_case(suite, result);
        progress_step(suite->result->name, result->name, i + 1, cases->len);
        if (vm_is_interrupted()) {
            g_set_error_literal(error, FAILURE, FAILURE_INFRA, "interrupted");
            return FALSE;
        }
    }
    return TRUE;
}

enum turn { TURN_CONTEXT, TURN_FLUSH, TURN_ROUNDS, TURN_OTHER };

static enum turn turn_of(const struct case_result *result)
{
    if (g_str_has_prefix(result->name, "context.")) {
        return TURN_CONTEXT;
    }
    if (g_str_has_prefix(result->name, "flush.")) {
        return TURN_FLUSH;
    }
    return plan_has_rounds(result->name) ? TURN_ROUNDS : TURN_OTHER;
}

/* Cases of this suite whose turn it is. */
static GPtrArray *suite_turn(struct suite *suite, enum turn turn)
{
    GPtrArray *found = g_ptr_array_new();

    for (guint i = 0; i < suite->result->cases->len; i++) {
        if (turn_of(suite->result->cases->pdata[i]) == turn) {
            g_ptr_array_add(found, suite->result->cases->pdata[i]);
        }
    }
    return found;
}

static gboolean suite_run_groups(struct suite *suite, GError **error)
{
    g_autoptr(GPtrArray) context = suite_turn(suite, TURN_CONTEXT);
    g_autoptr(GPtrArray) flush = suite_turn(suite, TURN_FLUSH);
    g_autoptr(GPtrArray) rounds = suite_turn(suite, TURN_ROUNDS);
    g_autoptr(GPtrArray) others = suite_turn(suite, TURN_OTHER);

    if (!suite_run_cases(suite, context, error) ||
        !suite_run_cases(suite, flush, error)) {
        return FALSE;
    }
    if (suite_is_decided(suite)) {
        suite_skip(suite, rounds);
    } else if (!durability_run(&suite->session, suite->result->name,
                               rounds, error)) {
        return FALSE;
    }
    return suite_run_cases(suite, others, error);
}

/* A case that never got its turn is no skip. */
static void suite_settle_unrun(struct suite *suite)
{
    for (guint i = 0; i < suite->result->cases->len; i++) {
        struct case_result *result = suite->result->cases->pdata[i];

        if (result->verdict == VERDICT_SKIP && !result->reason) {
            case_result_set(result, VERDICT_ERROR, "not run: %s",
                            suite->result->problem ? suite->result->problem
                                                   : "no verdict");
            result->is_infra = true;
        }
    }
}

/* Cases whose verdict needs the trace. */
static bool needs_trace(const struct case_result *result)
{
    return g_str_has_prefix(result->name, "flush.") ||
           g_str_has_prefix(result->name, "context.");
}

static void void_traced_cases(struct suite *suite, unsigned number,
                              const char *why)
{
    for (guint i = 0; i < suite->result->cases->len; i++) {
        struct case_result *result = suite->result->cases->pdata[i];
        gpointer process = g_hash_table_lookup(suite->process_of, result);

        if (GPOINTER_TO_UINT(process) == number && needs_trace(result)) {
            case_result_set(result, VERDICT_ERROR, "%s", why);
            result->is_infra = true;
        }
    }
}

static struct cut_result *cut_of(struct suite_result *result, guint first,
                                 unsigned cut)
{
    return first + cut < result->cuts->len
           ? result->cuts->pdata[first + cut] : NULL;
}

static void suite_take_cuts(struct suite *suite, const struct trace *trace)
{
    GPtrArray *cuts = suite->result->cuts;
    guint first = cuts->len;

    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);
        struct cut_result *cut;

        if (event->kind != LAB_TRACE_CUT) {
            continue;
        }
        cut = g_new0(struct cut_result, 1);
        cut->policy = trace_policy(event);
        g_ptr_array_add(cuts, cut);
    }
    for (guint i = 0; i < trace->survivors->len; i++) {
        const struct trace_survivor *one = TRACE_SURVIVOR(trace, i);
        struct cut_result *cut = cut_of(suite->result, first, one->cut);

        if (cut) {
            cut->kept += one->survivor.outcome == LAB_TRACE_KEPT;
            cut->dropped += one->survivor.outcome == LAB_TRACE_DROPPED;
            cut->torn += one->survivor.outcome == LAB_TRACE_TORN;
        }
    }
}

/* NULL: the trace can be judged by. */
static char *trace_flaw(const struct trace *trace, bool is_clean)
{
    if (trace->lost) {
        return g_strdup_printf("%s lost %" G_GUINT64_FORMAT " records",
                               trace->path, trace->lost);
    }
    if (is_clean && !trace->has_end) {
        return g_strdup_printf("%s has no END record though QEMU ended by "
                               "itself", trace->path);
    }
    return NULL;
}

static void judge_cases(struct suite *suite, const struct trace *trace,
                        unsigned number)
{
    g_autoptr(GArray) promises = promise_simulate(trace);
    struct flushes_judge judge = {
        .trace = trace, .promises = promises, .expect = suite->expect->flush,
        .kernel_release = suite->result->kernel_release,
        .skips_unread = suite->plan->skips_unread,
    };
    struct context_judge contexts = {
        .trace = trace, .expect = suite->expect->context,
        .kernel_release = suite->result->kernel_release,
        .skips_unread = suite->plan->skips_unread,
    };

    struct exclusion_judge exclusions = {
        .expect = suite->expect->exclusion,
        .kernel_release = suite->result->kernel_release,
        .skips_unread = suite->plan->skips_unread,
    };

    for (guint i = 0; i < suite->result->cases->len; i++) {
        struct case_result *result = suite->result->cases->pdata[i];
        gpointer process = g_hash_table_lookup(suite->process_of, result);

        holds_judge_trace(trace, result);
        if (GPOINTER_TO_UINT(process) != number ||
            result->verdict != VERDICT_PASS) {
            continue;
        }
        if (g_str_has_prefix(result->name, "flush.")) {
            flushes_judge(&judge, result);
        } else if (g_str_has_prefix(result->name, "context.")) {
            context_judge(&contexts, result);
            flushes_judge(&judge, result);
        } else if (exclusion_is_case(result->name)) {
            exclusion_judge(&exclusions, result);
        }
        case_result_settle_unread(result);
    }
}

static void suite_judge_process(struct suite *suite, unsigned number)
{
    g_autofree char *path = session_trace(suite->session.directory, number);
    bool is_clean = g_array_index(suite->session.clean, bool, number - 1);
    g_autoptr(GError) cause = NULL;
    struct trace *trace = trace_read(path, &cause);
    g_autofree char *flaw = NULL;

    if (!trace) {
        flaw = g_strdup(cause->message);
    } else {
        flaw = trace_flaw(trace, is_clean);
    }
    if (flaw) {
        suite_problem(suite, flaw, false);
        void_traced_cases(suite, number, flaw);
    } else {
        judge_cases(suite, trace, number);
        suite_take_cuts(suite, trace);
    }
    trace_free(trace);
}

static void suite_finish(struct suite *suite)
{
    for (unsigned i = 1; i <= suite->session.number; i++) {
        /* A process that never said hello has nothing to be judged. */
        if (suite->result->kernel_release) {
            suite_judge_process(suite, i);
        }
    }
    suite_settle_unrun(suite);
    for (guint i = 0; i < suite->result->cases->len; i++) {
        struct case_result *result = suite->result->cases->pdata[i];

        if (!verdict_is_ok(result->verdict)) {
            result->rerun = rerun_command(suite, result);
        }
    }
    if (!suite->plan->keeps_images) {
        session_remove_images(suite->session.directory);
    }
}

static void suite_go(struct suite *suite, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GPtrArray) names = suite_names(suite, &cause);
    g_autoptr(GPtrArray) selected = NULL;

    if (!names) {
        suite_lost(suite, cause);
        return;
    }
    selected = plan_select(suite->plan, names, error);
    if (!selected) {
        session_end(&suite->session, true);
        return;
    }
    for (guint i = 0; i < selected->len; i++) {
        g_ptr_array_add(suite->result->cases,
                        case_result_new(selected->pdata[i]));
    }
    if (!suite_run_groups(suite, &cause)) {
        suite_lost(suite, cause);
    }
    session_end(&suite->session, false);
}

struct suite_result *suite_run(const struct machine *machine,
                               const struct plan *plan,
                               const struct suite_expect *expect,
                               const char *directory, GError **error)
{
    struct vm_config config = { .drive = machine->drive, .lie = plan->lie };
    struct suite suite = { .plan = plan, .expect = expect };
    gint64 start = g_get_monotonic_time();

    suite.result = suite_result_new(machine->kernel->name,
                                    machine->drive->name);
    suite.result->drive_properties = vm_argv_drive(&config);
    suite.result->lie = g_strdup(plan->lie);
    suite.result->accel = g_strdup(machine->accel);
    suite.result->directory = g_strdup(directory);
    suite.process_of = g_hash_table_new(NULL, NULL);
    session_init(&suite.session, machine, plan, directory);
    suite_go(&suite, error);
    suite_finish(&suite);
    session_clear(&suite.session);
    g_hash_table_unref(suite.process_of);
    suite.result->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    progress_clear();
    return suite.result;
}

GPtrArray *suite_list(const struct machine *machine, const struct plan *plan,
                      const char *directory, GError **error)
{
    struct session session;
    GPtrArray *names = NULL;

    session_init(&session, machine, plan, directory);
    if (session_need(&session, error)) {
        names = guest_list(&session.guest, error);
    }
    session_clear(&session);
    session_remove_images(directory);
    return names;
}
