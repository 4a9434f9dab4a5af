/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.c: all suites of a run, a few at a time.
 *
 * Everything that can be refused without booting is refused first: a word
 * that is wrong in the last of three kernels must not cost the first two.
 */
#include "run.h"

#include <stdio.h>

#include "accel.h"
#include "context.h"
#include "exclusion.h"
#include "failure.h"
#include "paths.h"
#include "progress.h"
#include "results.h"
#include "suite.h"

gboolean run_machine_init(struct run_machine *machine, const char *kernel,
                          const char *drive, GError **error)
{
    const struct drive_set *set = drive_sets_find(drive, error);
    struct accel accel;

    *machine = (struct run_machine){ 0 };
    if (!set) {
        return FALSE;
    }
    machine->kernel = kernel_find(kernel, error);
    if (!machine->kernel) {
        return FALSE;
    }
    machine->qemu = paths_qemu(error);
    if (!machine->qemu) {
        return FALSE;
    }
    machine->initramfs = kernel_initramfs(machine->kernel, error);
    if (!machine->initramfs) {
        return FALSE;
    }
    accel_choose(machine->qemu, machine->kernel, machine->initramfs, &accel);
    machine->accel_why = accel.why;
    machine->machine = (struct machine){
        .qemu = machine->qemu, .accel = accel.name,
        .kernel = machine->kernel, .initramfs = machine->initramfs,
        .drive = set,
    };
    return TRUE;
}

void run_machine_clear(struct run_machine *machine)
{
    g_clear_pointer(&machine->kernel, kernel_free);
    g_clear_pointer(&machine->qemu, g_free);
    g_clear_pointer(&machine->initramfs, g_free);
    g_clear_pointer(&machine->accel_why, g_free);
}

gboolean run_check(const struct run_request *request, GError **error)
{
    for (char **drive = request->drives; *drive; drive++) {
        if (!drive_sets_find(*drive, error)) {
            return FALSE;
        }
    }
    for (char **word = request->kernels; *word; word++) {
        struct kernel *kernel = kernel_find(*word, error);

        bool is_good = kernel && (!plan_may_watch(&request->plan) ||
                                  kernel_check_watchable(kernel, error));

        kernel_free(kernel);
        if (!is_good) {
            return FALSE;
        }
    }
    if (!*request->kernels || !*request->drives) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "no %s given",
                    *request->kernels ? "drive" : "kernel");
        return FALSE;
    }
    return plan_check(&request->plan, error);
}

static gboolean load_expectations(struct suite_expect *expect, GError **error)
{
    g_autofree char *flush = paths_in_root("harness/expect/flush.expect");
    g_autofree char *context = paths_in_root("harness/expect/context.expect");
    g_autofree char *exclusion =
        paths_in_root("harness/expect/exclusion.expect");

    expect->flush = expect_load(flush, NULL, error);
    if (!expect->flush) {
        return FALSE;
    }
    expect->context = expect_load(context, context_pattern_check, error);
    if (!expect->context) {
        return FALSE;
    }
    expect->exclusion = expect_load(exclusion, exclusion_pattern_check, error);
    return expect->exclusion != NULL;
}

/*
 * A suite runs in a thread with a main context of its own; the main thread
 * resolves, watches for signals, and takes the results in order.
 */
struct job {
    struct run_machine machine;
    const struct plan *plan;
    const struct suite_expect *expect;
    char *directory;
    GThread *thread;
    gint is_over;               /* atomic */
    struct suite_result *result;
    GError *error;
};

static void job_free(gpointer data)
{
    struct job *job = data;

    run_machine_clear(&job->machine);
    g_free(job->directory);
    g_clear_error(&job->error);
    g_free(job);
}

static gboolean job_add(GPtrArray *jobs, const struct run_result *run,
                        const struct run_request *request,
                        const struct suite_expect *expect, const char *kernel,
                        const char *drive, GError **error)
{
    struct job *job = g_new0(struct job, 1);
    g_autofree char *name = NULL;

    g_ptr_array_add(jobs, job);
    job->plan = &request->plan;
    job->expect = expect;
    if (!run_machine_init(&job->machine, kernel, drive, error)) {
        return FALSE;
    }
    name = g_strdup_printf("%s.%s", job->machine.kernel->name, drive);
    job->directory = g_build_filename(run->directory, name, NULL);
    progress_say("%s: kernel %s, %s (%s)", name, job->machine.kernel->version,
                 job->machine.machine.accel, job->machine.accel_why);
    return paths_make(job->directory, error);
}

static gpointer job_main(gpointer data)
{
    struct job *job = data;
    GMainContext *context = g_main_context_new();

    g_main_context_push_thread_default(context);
    job->result = suite_run(&job->machine.machine, job->plan, job->expect,
                            job->directory, &job->error);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
    g_atomic_int_set(&job->is_over, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

/* Start what may run, the first ones first. */
static void jobs_start(GPtrArray *jobs, unsigned jobs_max)
{
    unsigned at_work = 0;

    for (guint i = 0; i < jobs->len; i++) {
        struct job *job = jobs->pdata[i];

        if (job->thread && !g_atomic_int_get(&job->is_over)) {
            at_work++;
        } else if (!job->thread && at_work < jobs_max &&
                   !vm_is_interrupted()) {
            job->thread = g_thread_new("suite", job_main, job);
            at_work++;
        }
    }
}

static void job_wait(GPtrArray *jobs, struct job *job, unsigned jobs_max)
{
    jobs_start(jobs, jobs_max);
    while (job->thread && !g_atomic_int_get(&job->is_over)) {
        g_main_context_iteration(NULL, TRUE);
        jobs_start(jobs, jobs_max);
    }
    if (job->thread) {
        g_thread_join(job->thread);
    }
}

static gboolean jobs_run(GPtrArray *jobs, struct run_result *run,
                         unsigned jobs_max, run_suite_fn *on_suite,
                         GError **error)
{
    gboolean is_good = TRUE;

    for (guint i = 0; i < jobs->len; i++) {
        struct job *job = jobs->pdata[i];

        job_wait(jobs, job, jobs_max);
        if (!job->result) {
            continue;           /* interrupted before its turn */
        }
        if (job->error) {
            suite_result_free(job->result);
            if (is_good) {
                g_propagate_error(error, g_steal_pointer(&job->error));
            }
            is_good = FALSE;
            continue;
        }
        g_ptr_array_add(run->suites, job->result);
        is_good = is_good && results_write_suite(run, job->result, error);
        if (is_good && on_suite) {
            on_suite(job->result, run->suites->len);
        }
    }
    return is_good;
}

static gboolean run_suites(struct run_result *run,
                           const struct run_request *request,
                           run_suite_fn *on_suite, GError **error)
{
    unsigned jobs_max = request->jobs ? request->jobs : g_get_num_processors();
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);
    struct suite_expect expect = { 0 };
    gboolean is_good = load_expectations(&expect, error);

    for (char **kernel = request->kernels; is_good && *kernel; kernel++) {
        for (char **drive = request->drives; is_good && *drive; drive++) {
            is_good = job_add(jobs, run, request, &expect, *kernel, *drive,
                              error);
        }
    }
    is_good = is_good && jobs_run(jobs, run, jobs_max, on_suite, error);
    expect_free(expect.flush);
    expect_free(expect.context);
    expect_free(expect.exclusion);
    return is_good;
}

static char *results_directory(const struct run_request *request,
                               GError **error)
{
    g_autofree char *given = NULL;

    if (!request->results) {
        return paths_results_new(error);
    }
    given = g_canonicalize_filename(request->results, NULL);
    return paths_make(given, error) ? g_steal_pointer(&given) : NULL;
}

struct run_result *run_all(const struct run_request *request,
                           run_suite_fn *on_suite, GError **error)
{
    struct run_result *run;

    if (!run_check(request, error)) {
        return NULL;
    }
    vm_catch_signals();
    run = run_result_new();
    run->seed = request->plan.seed;
    run->seeds = request->plan.seeds;
    run->commit = results_commit();
    run->directory = results_directory(request, error);
    if (!run->directory || !run_suites(run, request, on_suite, error) ||
        !results_write_run(run, error)) {
        run_result_free(run);
        return NULL;
    }
    return run;
}

gboolean run_list(const struct run_request *request, GError **error)
{
    g_autofree char *directory = NULL;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GPtrArray) selected = NULL;
    struct run_machine machine;

    if (!run_check(request, error) ||
        !run_machine_init(&machine, request->kernels[0], request->drives[0],
                          error)) {
        return FALSE;
    }
    vm_catch_signals();
    directory = g_dir_make_tmp("nvmelab-list-XXXXXX", error);
    if (directory) {
        names = suite_list(&machine.machine, &request->plan, directory, error);
        results_remove(directory);
    }
    run_machine_clear(&machine);
    if (!names) {
        return FALSE;
    }
    selected = plan_select(&request->plan, names, error);
    for (guint i = 0; selected && i < selected->len; i++) {
        const char *name = selected->pdata[i];
        const char *why = plan_why(&request->plan, name);

        if (why) {
            printf("%-40s %s\n", name, why);
        } else {
            puts(name);
        }
    }
    return selected != NULL;
}
