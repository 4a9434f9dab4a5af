/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accel.c: choosing the accelerator.
 *
 * /dev/kvm can exist, open and create a machine, and still not run a stock
 * kernel (nested virtualisation without hardware help). Only a guest that says
 * hello proves it. The answer is kept in the cache, one file per QEMU, kernel
 * and host kernel; whatever goes wrong means TCG, never an error.
 */
#include "accel.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"
#include "paths.h"
#include "progress.h"
#include "results.h"

#define KVM_DEVICE "/dev/kvm"
#define PROBE_TIMEOUT_S 15

static void answer(struct accel *accel, const char *name, const char *why)
{
    accel->name = g_str_equal(name, "kvm") ? "kvm" : "tcg";
    accel->why = g_strdup(why);
}

static char *answer_path(const char *qemu, const struct kernel *kernel)
{
    struct utsname host;
    GStatBuf status = { 0 };
    g_autofree char *identity = NULL;
    g_autofree char *key = NULL;

    uname(&host);
    g_stat(qemu, &status);
    identity = g_strdup_printf("%s\n%lld\n%s\n%s %s\n", qemu,
                               (long long)status.st_mtime, kernel->version,
                               host.release, host.version);
    key = g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    return g_build_filename(paths_cache(), "accel", key, NULL);
}

/* "kvm REASON" or "tcg REASON" */
static bool answer_load(const char *path, struct accel *accel)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return false;
    }
    words = g_strsplit(g_strstrip(text), " ", 2);
    if (g_strv_length(words) != 2) {
        return false;
    }
    answer(accel, words[0], words[1]);
    return true;
}

static void answer_save(const char *path, const struct accel *accel)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *text = g_strdup_printf("%s %s\n", accel->name,
                                            accel->why);

    /* Not being able to remember only costs time. */
    if (paths_make(directory, NULL)) {
        g_file_set_contents(path, text, -1, NULL);
    }
}

static gboolean probe(struct vm_config *config, const char *directory,
                      GError **error)
{
    struct guest guest = { .timeout_s = PROBE_TIMEOUT_S };
    gboolean is_alive;

    guest.vm = vm_start(*config, directory, error);
    if (!guest.vm) {
        return FALSE;
    }
    is_alive = guest_wait_hello(&guest, error);
    vm_kill(guest.vm);
    guest_clear(&guest);
    return is_alive;
}

static void probe_kvm(const char *qemu, const struct kernel *kernel,
                      const char *initramfs, struct accel *accel)
{
    g_autofree char *directory =
        g_dir_make_tmp("nvmelab-probe-XXXXXX", NULL);
    g_autofree char *trace = NULL;
    g_autoptr(GError) cause = NULL;
    struct vm_config config = {
        .qemu = qemu, .accel = "kvm", .kernel_image = kernel->image,
        .initramfs = initramfs, .drive = &drive_sets[0],
        .directory = directory,
    };

    if (!directory) {
        answer(accel, "tcg", "no directory for the probe");
        return;
    }
    progress_say("trying KVM with kernel %s", kernel->version);
    trace = g_build_filename(directory, "trace.labtrace", NULL);
    config.trace = trace;
    if (probe(&config, directory, &cause)) {
        answer(accel, "kvm", "a guest booted");
    } else {
        g_autofree char *why = g_strdup_printf(
            "KVM: %s", g_strdelimit(cause->message, "\n", ' '));

        answer(accel, "tcg", why);
    }
    results_remove(directory);
}

void accel_choose(const char *qemu, const struct kernel *kernel,
                  const char *initramfs, struct accel *accel)
{
    const char *given = g_getenv("NVMELAB_ACCEL");
    g_autofree char *path = NULL;

    if (given && *given) {
        answer(accel, given, "NVMELAB_ACCEL");
        return;
    }
    if (access(KVM_DEVICE, R_OK | W_OK) < 0) {
        g_autofree char *why = g_strdup_printf(KVM_DEVICE ": %m");

        answer(accel, "tcg", why);
        return;
    }
    path = answer_path(qemu, kernel);
    if (answer_load(path, accel)) {
        return;
    }
    probe_kvm(qemu, kernel, initramfs, accel);
    if (!vm_is_interrupted()) {
        answer_save(path, accel);
    }
}

void accel_clear(struct accel *accel)
{
    g_clear_pointer(&accel->why, g_free);
}
