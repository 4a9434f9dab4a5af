/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_control.c: power cut, counters and holds, for the guest and for QMP.
 *
 *   guest: CUT ─► core frozen ─► FROZEN ─┐ bottom half
 *   QMP:   qom-set power-cut ────────────┴► RUNNING ─► DONE ─► action
 *
 * A cut starts in a bottom half or in the monitor, never in an I/O callback.
 * The machine is reset, paused or ended after the last cut of several: a guest
 * that cuts the power of the whole machine sends CUT to one drive after
 * the other, so the action waits until every drive is dark, or until no cut has
 * been asked for during NVMELAB_CUT_GRACE_NS of guest time. A drive without a
 * cut of its own loses nothing by the machine's reset (docs/loss-model.md, P8).
 *
 * A dark drive stays dark until the machine is reset.
 */
#include "qemu/osdep.h"
#include "block/aio-wait.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"

#include "nvmelab_device.h"
#include "trace.h"

#define NVMELAB_CUT_GRACE_NS (50 * SCALE_MS)

const char *const nvmelab_cut_action_names[NVMELAB_CUT_COUNT] = {
    [NVMELAB_CUT_RESET] = "reset",
    [NVMELAB_CUT_PAUSE] = "pause",
    [NVMELAB_CUT_QUIT] = "quit",
};

/* All drives of this process: the machine is reset once for all of them. */
static QLIST_HEAD(, NvmelabState) nvmelab_drives =
    QLIST_HEAD_INITIALIZER(nvmelab_drives);
static QEMUTimer *nvmelab_action_timer;
static unsigned nvmelab_actions;        /* bits: NvmelabCutAction */
static bool nvmelab_is_powering_on;     /* a machine reset is under way */

static bool nvmelab_any_cut_under_way(void)
{
    NvmelabState *s;

    QLIST_FOREACH(s, &nvmelab_drives, next) {
        if (s->cut_stage == NVMELAB_CUT_FROZEN ||
            s->cut_stage == NVMELAB_CUT_RUNNING) {
            return true;
        }
    }
    return false;
}

static bool nvmelab_all_dark(void)
{
    NvmelabState *s;

    QLIST_FOREACH(s, &nvmelab_drives, next) {
        if (s->cut_stage != NVMELAB_CUT_DONE) {
            return false;
        }
    }
    return true;
}

/* Drives may ask for different things: the most final one wins. */
static void nvmelab_act(void *opaque)
{
    unsigned actions = nvmelab_actions;

    if (!actions || nvmelab_is_powering_on || nvmelab_any_cut_under_way()) {
        return;
    }
    nvmelab_actions = 0;
    timer_del(nvmelab_action_timer);
    trace_nvmelab_cut_action(actions);
    if (actions & BIT(NVMELAB_CUT_QUIT)) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    } else if (actions & BIT(NVMELAB_CUT_RESET)) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    } else {
        vm_stop(RUN_STATE_PAUSED);
    }
}

/* In a stopped VM no guest can ask for more, and no guest time passes. */
static void nvmelab_action_consider(void)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (nvmelab_all_dark() || !runstate_is_running()) {
        nvmelab_act(NULL);
    } else {
        timer_mod_ns(nvmelab_action_timer, now + NVMELAB_CUT_GRACE_NS);
    }
}

static void nvmelab_cut_done(void *opaque)
{
    NvmelabState *s = opaque;

    trace_nvmelab_cut_done(nvmelab_name(s));
    s->cut_stage = NVMELAB_CUT_DONE;
    nvmelab_actions |= BIT(s->on_power_cut);
    qemu_bh_schedule(s->cut_bh);
}

static void nvmelab_cut_start(NvmelabState *s)
{
    s->cut_stage = NVMELAB_CUT_RUNNING;
    lab_power_cut(s->core, s->cut, nvmelab_cut_done);
    nvmelab_schedule(s);
}

/* The next step of whichever stage the cut has reached. */
static void nvmelab_cut_step(void *opaque)
{
    NvmelabState *s = opaque;

    if (s->cut_stage == NVMELAB_CUT_FROZEN) {
        nvmelab_cut_start(s);
    } else if (s->cut_stage == NVMELAB_CUT_DONE) {
        nvmelab_action_consider();
    }
}

static void nvmelab_cut_request(NvmelabState *s, struct lab_cut cut)
{
    trace_nvmelab_cut_requested(nvmelab_name(s), cut.policy, cut.seed);
    s->cut = cut;
    s->cut_stage = NVMELAB_CUT_FROZEN;
}

void nvmelab_control_cut_requested(void *opaque, struct lab_cut cut)
{
    NvmelabState *s = opaque;

    if (s->cut_stage == NVMELAB_CUT_NONE) {
        nvmelab_cut_request(s, cut);
        qemu_bh_schedule(s->cut_bh);
    }
}

void nvmelab_control_power_on(NvmelabState *s)
{
    if (s->cut_stage == NVMELAB_CUT_NONE) {
        return;
    }
    if (s->cut_stage == NVMELAB_CUT_FROZEN) {
        nvmelab_cut_start(s);
    }
    nvmelab_is_powering_on = true;
    AIO_WAIT_WHILE(NULL, s->cut_stage != NVMELAB_CUT_DONE);
    nvmelab_is_powering_on = false;
    /* This reset settles it, whatever the cuts so far asked for. */
    qemu_bh_cancel(s->cut_bh);
    timer_del(nvmelab_action_timer);
    nvmelab_actions = 0;
    s->cut_stage = NVMELAB_CUT_NONE;
    trace_nvmelab_power_on(nvmelab_name(s));
    lab_power_on(s->core);
}

/* Can the host ask the drive for something? */
static bool nvmelab_has_power(NvmelabState *s, const char *name, Error **errp)
{
    if (!s->core || !s->is_started) {
        error_setg(errp, "%s: drive %s is not running", name, nvmelab_name(s));
        return false;
    }
    if (s->cut_stage != NVMELAB_CUT_NONE) {
        error_setg(errp, "%s: drive %s has no power", name, nvmelab_name(s));
        return false;
    }
    return true;
}

static void nvmelab_set_power_cut(Object *obj, const char *text, Error **errp)
{
    NvmelabState *s = NVMELAB(obj);
    struct lab_cut cut;

    if (!lab_cut_parse(text, &cut)) {
        error_setg(errp, "power-cut: '%s' is none of drop-all, keep-all, "
                   "random:SEED", text);
        return;
    }
    if (!nvmelab_has_power(s, "power-cut", errp)) {
        return;
    }
    nvmelab_cut_request(s, cut);
    nvmelab_cut_start(s);
}

static char *nvmelab_get_stats(Object *obj, Error **errp)
{
    NvmelabState *s = NVMELAB(obj);
    char *json, *copy;

    if (!s->core) {
        error_setg(errp, "stats: drive %s is not running", nvmelab_name(s));
        return NULL;
    }
    json = lab_stats_json(s->core);
    copy = g_strdup(json);
    free(json);
    return copy;
}

static void nvmelab_set_hold(Object *obj, const char *text, Error **errp)
{
    NvmelabState *s = NVMELAB(obj);
    char *error = NULL;

    if (nvmelab_has_power(s, "hold", errp) &&
        !lab_hold(s->core, text, &error)) {
        error_setg(errp, "hold: %s", error);
        free(error);
    }
}

static void nvmelab_set_release(Object *obj, const char *text, Error **errp)
{
    NvmelabState *s = NVMELAB(obj);
    char *error = NULL;

    if (nvmelab_has_power(s, "release", errp) &&
        !lab_release(s->core, text, &error)) {
        error_setg(errp, "release: %s", error);
        free(error);
    }
}

static char *nvmelab_get_held(Object *obj, Error **errp)
{
    NvmelabState *s = NVMELAB(obj);
    char *json, *copy;

    if (!s->core) {
        error_setg(errp, "held: drive %s is not running", nvmelab_name(s));
        return NULL;
    }
    json = lab_held_json(s->core);
    copy = g_strdup(json);
    free(json);
    return copy;
}

void nvmelab_control_class_init(ObjectClass *oc)
{
    object_class_property_add_str(oc, "hold", NULL, nvmelab_set_hold);
    object_class_property_set_description(oc, "hold",
        "QMP only: arm rules that park I/O commands: "
        "stage=STAGE [PREDICATE=VALUE ...][;...]");
    object_class_property_add_str(oc, "release", NULL, nvmelab_set_release);
    object_class_property_set_description(oc, "release",
        "QMP only: let parked commands go on: all, "
        "rule N [COUNT] [oldest|newest], command ID [lost]");
    object_class_property_add_str(oc, "held", nvmelab_get_held, NULL);
    object_class_property_set_description(oc, "held",
        "QMP only: rules and parked commands, one JSON object");
    object_class_property_add_str(oc, "power-cut", NULL,
                                  nvmelab_set_power_cut);
    object_class_property_set_description(oc, "power-cut",
        "QMP only: cut the drive's power; what becomes of unpromised writes: "
        "drop-all, keep-all, random:SEED");
    object_class_property_add_str(oc, "stats", nvmelab_get_stats, NULL);
    object_class_property_set_description(oc, "stats",
        "QMP only: counters of the drive, one JSON object");
}

void nvmelab_control_init(NvmelabState *s)
{
    if (!nvmelab_action_timer) {
        nvmelab_action_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, nvmelab_act,
                                            NULL);
    }
    s->cut_bh = qemu_bh_new(nvmelab_cut_step, s);
    QLIST_INSERT_HEAD(&nvmelab_drives, s, next);
}

void nvmelab_control_cleanup(NvmelabState *s)
{
    QLIST_REMOVE(s, next);
    qemu_bh_delete(s->cut_bh);
}
