/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.c: all suites of a run, one after the other.
 *
 * Everything that can be refused without booting is refused first: a word
 * that is wrong in the last of three kernels must not cost the first two.
 */
#include "run.h"

#include <stdio.h>

#include "accel.h"
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

        if (!kernel) {
            return FALSE;
        }
        kernel_free(kernel);
    }
    if (!*request->kernels || !*request->drives) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "no %s given",
                    *request->kernels ? "drive" : "kernel");
        return FALSE;
    }
    return plan_check(&request->plan, error);
}

static struct expect *load_expectations(GError **error)
{
    g_autofree char *path = paths_in_root("harness/expect/flush.expect");

    return expect_load(path, error);
}

static gboolean run_suite(struct run_result *run,
                          const struct run_request *request,
                          const struct expect *expect, const char *kernel,
                          const char *drive, GError **error)
{
    struct run_machine machine;
    g_autofree char *name = NULL;
    g_autofree char *directory = NULL;
    g_autoptr(GError) cause = NULL;
    struct suite_result *suite;

    if (!run_machine_init(&machine, kernel, drive, error)) {
        run_machine_clear(&machine);
        return FALSE;
    }
    name = g_strdup_printf("%s.%s", machine.kernel->name, drive);
    directory = g_build_filename(run->directory, name, NULL);
    progress_say("%s: kernel %s, %s (%s)", name, machine.kernel->version,
                 machine.machine.accel, machine.accel_why);
    if (!paths_make(directory, error)) {
        run_machine_clear(&machine);
        return FALSE;
    }
    suite = suite_run(&machine.machine, &request->plan, expect, directory,
                      &cause);
    run_machine_clear(&machine);
    if (cause) {
        suite_result_free(suite);
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_ptr_array_add(run->suites, suite);
    return results_write_suite(run, suite, error);
}

static gboolean run_suites(struct run_result *run,
                           const struct run_request *request,
                           run_suite_fn *on_suite, GError **error)
{
    struct expect *expect = load_expectations(error);
    gboolean is_good = expect != NULL;

    for (char **kernel = request->kernels; is_good && *kernel; kernel++) {
        for (char **drive = request->drives; is_good && *drive; drive++) {
            is_good = run_suite(run, request, expect, *kernel, *drive, error);
            if (is_good && on_suite) {
                on_suite(run->suites->pdata[run->suites->len - 1],
                         run->suites->len);
            }
            if (vm_is_interrupted()) {
                expect_free(expect);
                return is_good;
            }
        }
    }
    expect_free(expect);
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
        puts(selected->pdata[i]);
    }
    return selected != NULL;
}
