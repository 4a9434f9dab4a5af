/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_doctor.c: nvmelab doctor: what this machine has and lacks, one line
 * each, with the fix.
 */
#include "verb.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accel.h"
#include "context.h"
#include "exclusion.h"
#include "expect.h"
#include "failure.h"
#include "paths.h"

static const GOptionEntry options[] = { G_OPTION_ENTRY_NULL };

static unsigned lacks;

G_GNUC_PRINTF(2, 3)
static void has(const char *what, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    printf("ok       %-12s %s\n", what, text);
}

static void is_missing(const char *what, const char *why, const char *fix)
{
    lacks++;
    printf("missing  %-12s %s%s%s\n", what, why, *fix ? "; fix: " : "", fix);
}

/* Everything the program prints, or NULL. */
static char *output_of(const char *program, const char *a, const char *b)
{
    const char *argv[] = { program, a, b, NULL };
    char *output = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, &output, NULL, &status, NULL) ||
        !g_spawn_check_wait_status(status, NULL)) {
        g_clear_pointer(&output, g_free);
    }
    return output;
}

static char *check_qemu(void)
{
    g_autoptr(GError) cause = NULL;
    char *qemu = paths_qemu(&cause);
    g_autofree char *version = NULL;
    g_autofree char *help = NULL;

    if (!qemu) {
        is_missing("qemu", cause->message, "");
        return NULL;
    }
    version = output_of(qemu, "--version", NULL);
    if (!version) {
        is_missing("qemu", qemu, "scripts/setup");
        return qemu;
    }
    version[strcspn(version, "\n")] = '\0';
    has("qemu", "%s, %s", version, qemu);
    help = output_of(qemu, "-device", "nvmelab,help");
    if (help && strstr(help, "vwc")) {
        has("device", "nvmelab");
    } else {
        is_missing("device", "this QEMU has no device nvmelab",
                   "scripts/setup");
    }
    return qemu;
}

static void check_firmware(void)
{
    g_auto(GStrv) paths = paths_firmware();

    for (char **path = paths; *path; path++) {
        g_autofree char *rom = g_build_filename(*path, "qboot.rom", NULL);

        if (g_file_test(rom, G_FILE_TEST_EXISTS)) {
            has("firmware", "%s", rom);
            return;
        }
    }
    is_missing("firmware", "no qboot.rom", "scripts/setup");
}

static void check_expectations(const char *name, expect_pattern_fn *check)
{
    g_autofree char *path = paths_in_root(name);
    g_autoptr(GError) cause = NULL;
    struct expect *expect = expect_load(path, check, &cause);

    if (!expect) {
        is_missing("expect", cause->message, "");
        return;
    }
    has("expect", "%u rows in %s", expect->rows->len, path);
    expect_free(expect);
}

static void check_accel(const char *qemu, const struct kernel *kernel,
                        const char *initramfs)
{
    struct accel accel;

    accel_choose(qemu, kernel, initramfs, &accel);
    has("accelerator", "%s (%s)", accel.name, accel.why);
    accel_clear(&accel);
}

/* What scripts/setup fetches; the first is the default of run. */
static const char *const wanted[] = { KERNEL_DEFAULT, "6.1", "newest" };

static bool is_cached(const GPtrArray *kernels, const char *series)
{
    for (guint i = 0; i < kernels->len; i++) {
        const struct kernel *kernel = kernels->pdata[i];

        if (g_strcmp0(kernel->series, series) == 0) {
            return true;
        }
    }
    return false;
}

static void check_series(const GPtrArray *kernels)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (!is_cached(kernels, wanted[i])) {
            g_autofree char *why = g_strdup_printf("no %s in the cache",
                                                   wanted[i]);
            g_autofree char *fix = g_strdup_printf("nvmelab kernel get %s",
                                                   wanted[i]);

            is_missing("kernel", why, fix);
        }
    }
}

static void check_kernels(const char *qemu)
{
    g_autoptr(GPtrArray) kernels = kernel_cached();
    g_autofree char *initramfs = NULL;
    g_autoptr(GError) cause = NULL;
    struct kernel *kernel;

    for (guint i = 0; i < kernels->len; i++) {
        const struct kernel *one = kernels->pdata[i];

        has("kernel", "%s: %s", one->series, one->version);
    }
    check_series(kernels);
    kernel = kernel_find(wanted[0], NULL);
    if (!kernel) {
        return;
    }
    initramfs = kernel_initramfs(kernel, &cause);
    if (!initramfs) {
        is_missing("initramfs", cause->message, "scripts/setup");
        kernel_free(kernel);
        return;
    }
    has("initramfs", "%s", initramfs);
    if (qemu) {
        check_accel(qemu, kernel, initramfs);
    }
    kernel_free(kernel);
}

static int run(int argc, char **argv)
{
    g_autofree char *qemu = NULL;

    if (argc > 1) {
        return verb_refuse(&verb_doctor, argv[1]);
    }
    has("repository", "%s", paths_root());
    has("cache", "%s", paths_cache());
    qemu = check_qemu();
    check_firmware();
    check_expectations("harness/expect/flush.expect", NULL);
    check_expectations("harness/expect/context.expect",
                       context_pattern_check);
    check_expectations("harness/expect/exclusion.expect",
                       exclusion_pattern_check);
    check_kernels(qemu);
    return lacks ? EXIT_INFRA : EXIT_PASS;
}

const struct verb verb_doctor = {
    "doctor", "", "what this machine has and lacks", options, run
};
