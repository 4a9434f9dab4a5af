/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c: the QEMU processes of one suite; see session.h.
 */
#include "session.h"

#include <glib/gstdio.h>
#include <string.h>

#include "failure.h"

void session_init(struct session *session, const struct machine *machine,
                  const struct plan *plan, const char *directory)
{
    memset(session, 0, sizeof(*session));
    session->machine = machine;
    session->plan = plan;
    session->directory = directory;
    session->clean = g_array_new(FALSE, TRUE, sizeof(bool));
}

char *session_trace(const char *directory, unsigned number)
{
    g_autofree char *name = g_strdup_printf("trace-%u.labtrace", number);

    return g_build_filename(directory, name, NULL);
}

void session_remove_images(const char *directory)
{
    for (unsigned nsid = 1; nsid <= VM_NAMESPACE_COUNT; nsid++) {
        g_autofree char *path = vm_argv_image(directory, nsid);
        g_autofree char *meta = vm_argv_meta(directory, nsid);

        g_unlink(path);
        g_unlink(meta);
    }
}

struct vm_config session_config(const struct machine *machine,
                                const struct plan *plan,
                                const char *directory, const char *trace)
{
    return (struct vm_config){
        .qemu = machine->qemu, .accel = machine->accel,
        .kernel_image = machine->kernel->image,
        .initramfs = machine->initramfs, .drive = machine->drive,
        .lie = plan->lie, .holds = plan->holds, .append = plan->append,
        .directory = directory, .trace = trace,
    };
}

gboolean session_need(struct session *session, GError **error)
{
    g_autofree char *trace = NULL;
    g_autoptr(GError) cause = NULL;
    struct vm_config config;
    bool is_clean = false;

    if (session->guest.vm) {
        return TRUE;
    }
    session->number++;
    g_array_append_val(session->clean, is_clean);
    session_remove_images(session->directory);
    trace = session_trace(session->directory, session->number);
    config = session_config(session->machine, session->plan,
                            session->directory, trace);
    session->guest.timeout_s = session->plan->timeout_s;
    session->guest.resets_expected = 0;
    session->guest.vm = vm_start(config, session->directory, error);
    if (!session->guest.vm) {
        return FALSE;
    }
    if (!guest_wait_hello(&session->guest, &cause)) {
        /* A kernel that does not boot has not been tested. */
        cause->code = FAILURE_INFRA;
        g_propagate_error(error, g_steal_pointer(&cause));
        session_end(session, true);
        return FALSE;
    }
    return TRUE;
}

void session_end(struct session *session, bool is_lost)
{
    if (!session->guest.vm) {
        return;
    }
    if (is_lost) {
        vm_kill(session->guest.vm);
    } else {
        g_array_index(session->clean, bool, session->number - 1) =
            vm_stop(session->guest.vm);
    }
    session->guest.vm = NULL;
}

void session_clear(struct session *session)
{
    session_end(session, true);
    guest_clear(&session->guest);
    g_array_unref(session->clean);
}
