/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shell.c: a lab machine for use by hand.
 */
#include "shell.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"
#include "never.h"
#include "paths.h"
#include "results.h"

/* Where images and trace of a machine for use by hand lie. */
static char *hand_directory(const struct run_request *request, GError **error)
{
    g_autofree char *directory = request->results
        ? g_canonicalize_filename(request->results, NULL)
        : paths_in_root("build/hand");

    return paths_make(directory, error) ? g_steal_pointer(&directory) : NULL;
}

static int print_one(const struct run_request *request, const char *kernel,
                     const char *drive, GError **error)
{
    g_autofree char *directory = hand_directory(request, error);
    g_autofree char *trace = NULL;
    g_autofree char *text = NULL;
    struct run_machine machine;
    struct vm_config config;
    char **argv;

    if (!directory || !run_machine_init(&machine, kernel, drive, error)) {
        return EXIT_INFRA;
    }
    trace = session_trace(directory, 1);
    config = session_config(&machine.machine, &request->plan, directory,
                            trace);
    config.wiring = VM_WIRING_HAND;
    argv = vm_argv(&config);
    text = vm_argv_quote(argv);
    puts(text);
    g_strfreev(argv);
    run_machine_clear(&machine);
    return vm_images_make(directory, config.drive, error) ? EXIT_PASS
                                                          : EXIT_INFRA;
}

int shell_print(const struct run_request *request, GError **error)
{
    if (!run_check(request, error)) {
        return EXIT_USAGE;
    }
    for (char **kernel = request->kernels; *kernel; kernel++) {
        for (char **drive = request->drives; *drive; drive++) {
            int code = print_one(request, *kernel, *drive, error);

            if (code != EXIT_PASS) {
                return code;
            }
        }
    }
    return EXIT_PASS;
}

/* Until QEMU ends, by whatever the user does. */
static void wait_for_end(struct guest *guest)
{
    while (!vm_death(guest->vm) && !vm_is_interrupted()) {
        vm_step(guest->vm, vm_deadline(1));
    }
}

static gboolean talk(struct guest *guest, bool has_shell,
                     struct case_result *result, GError **error)
{
    if (!guest_wait_hello(guest, error)) {
        return FALSE;
    }
    if (!has_shell) {
        wait_for_end(guest);
        return TRUE;
    }
    return guest_shell(guest, result, error);
}

/* What must never be is said by hand, too. */
static int judge_by_hand(struct case_result *result)
{
    never_judge(result);
    if (result->reason) {
        fprintf(stderr, "nvmelab: %s\n", result->reason);
    }
    for (guint i = 0; i < result->notes->len; i++) {
        fprintf(stderr, "nvmelab: %s\n", (char *)result->notes->pdata[i]);
    }
    if (verdict_is_ok(result->verdict)) {
        return EXIT_PASS;
    }
    return result->is_infra ? EXIT_INFRA : EXIT_FAIL;
}

int shell_run(const struct run_request *request, bool has_shell,
              GError **error)
{
    g_autofree char *directory = NULL;
    g_autofree char *trace = NULL;
    struct guest guest = { .timeout_s = request->plan.timeout_s };
    struct run_machine machine;
    struct vm_config config;
    struct case_result *result;
    gboolean is_good;
    int code;

    if (!run_check(request, error)) {
        return EXIT_USAGE;
    }
    directory = hand_directory(request, error);
    if (!directory || !run_machine_init(&machine, request->kernels[0],
                                        request->drives[0], error)) {
        return EXIT_INFRA;
    }
    vm_catch_signals();
    trace = session_trace(directory, 1);
    config = session_config(&machine.machine, &request->plan, directory,
                            trace);
    config.wiring = VM_WIRING_SHELL;
    /* A reset is the user's business here. */
    guest.resets_expected = G_MAXUINT;
    guest.vm = vm_start(config, directory, error);
    result = case_result_new("shell");
    is_good = guest.vm && talk(&guest, has_shell, result, error);
    if (guest.vm) {
        vm_stop(guest.vm);
    }
    guest_clear(&guest);
    run_machine_clear(&machine);
    code = is_good ? judge_by_hand(result) : EXIT_INFRA;
    case_result_free(result);
    return code;
}
