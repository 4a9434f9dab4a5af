/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_run.c: when the core runs, in which thread, and when the interrupts
 * that it asks for are sent.
 *
 *      doorbell ─┬─ the cache answers ──► at the end of the register write
 *                └─ reads of images ────► bottom half ──► polls, then rests
 *      storage done ────────────────────► bottom half        │
 *      deadline ────────────────────────► timer              ▼
 *                                         interrupts, several rounds' at once
 *
 * All of them with the device's re-entrancy guard taken: a command whose data
 * pointer aims at a device can make that device call back, and QEMU refuses
 * MMIO to a device whose guard is taken. While the VM is stopped nothing that
 * the guest could see may happen, so the core rests, unless it is dark or its
 * storage is being waited for (settling).
 */
#include "qemu/osdep.h"
#include "block/aio-wait.h"
#include "hw/pci/msix.h"
#include "qemu/main-loop.h"

#include "nvmelab_device.h"

#define NVMELAB_POLLS 4         /* rounds of the main loop, 5 µs or so each */
#define NVMELAB_LATE 4          /* rounds that an interrupt may be late */
#define NVMELAB_CALM 8          /* doorbells */

static bool nvmelab_may_run(const NvmelabState *s)
{
    if (!s->core) {
        return false;
    }
    return runstate_is_running() || s->settling || !s->is_started ||
           lab_is_dark(s->core);
}

static void nvmelab_send_late_irqs(NvmelabState *s)
{
    unsigned i;

    for (i = 0; i < s->late_irqs && !lab_is_dark(s->core); i++) {
        msix_notify(PCI_DEVICE(s), s->late_vectors[i]);
    }
    s->late_irqs = 0;
    s->late_rounds = 0;
}

static void nvmelab_irq_late(NvmelabState *s, uint16_t vector)
{
    unsigned i;

    for (i = 0; i < s->late_irqs; i++) {
        if (s->late_vectors[i] == vector) {
            return;
        }
    }
    if (s->late_irqs == ARRAY_SIZE(s->late_vectors)) {
        nvmelab_send_late_irqs(s);
    }
    s->late_vectors[s->late_irqs++] = vector;
}

void nvmelab_irq(void *opaque, uint16_t vector)
{
    NvmelabState *s = opaque;

    if (s->are_irqs_late) {
        nvmelab_irq_late(s, vector);
    } else {
        msix_notify(PCI_DEVICE(s), vector);
    }
}

static void nvmelab_run(void *opaque)
{
    NvmelabState *s = opaque;

    if (!nvmelab_may_run(s)) {
        return;
    }
    nvmelab_store_reap(s);
    lab_run(s->core);
}

/*
 * A doorbell seldom comes alone, and each that is heard costs the vCPU an exit:
 * while reads are out anyway, drivers stay silent until NVMELAB_POLLS rounds of
 * the main loop brought no command. Interrupts cost the vCPU even more, for it
 * waits for the lock that we hold: these rounds send theirs together.
 */
static bool nvmelab_poll(NvmelabState *s)
{
    if (lab_poll(s->core)) {
        s->polls_left = NVMELAB_POLLS;
    }
    if (!s->reads_out || !s->polls_left) {
        s->polls_left = 0;
        return false;
    }
    s->polls_left--;
    return true;
}

static void nvmelab_run_bh(void *opaque)
{
    NvmelabState *s = opaque;

    if (!nvmelab_may_run(s)) {
        return;
    }
    nvmelab_store_reap(s);
    s->are_irqs_late = true;
    if (nvmelab_poll(s)) {
        nvmelab_schedule(s);
    } else {
        lab_run(s->core);
    }
    s->are_irqs_late = false;
    s->late_rounds += s->late_irqs > 0;
    if (!s->polls_left || s->late_rounds == NVMELAB_LATE) {
        nvmelab_send_late_irqs(s);
    }
}

/*
 * Straight into the core, not through the bottom half: under -icount only the
 * timer itself runs in step with the vCPU.
 */
static void nvmelab_timer_fired(void *opaque)
{
    MemReentrancyGuard *guard = &DEVICE(opaque)->mem_reentrancy_guard;
    bool was_engaged = guard->engaged_in_io;

    guard->engaged_in_io = true;
    nvmelab_run(opaque);
    guard->engaged_in_io = was_engaged;
}

static void nvmelab_vm_state(void *opaque, bool running, RunState state)
{
    if (running) {
        nvmelab_schedule(opaque);
    }
}

void nvmelab_schedule(NvmelabState *s)
{
    qemu_bh_schedule(s->run_bh);
}

void nvmelab_kick(void *opaque)
{
    NvmelabState *s = opaque;

    if (s->is_in_mmio) {
        s->must_run = true;
    } else {
        nvmelab_schedule(s);
    }
}

void nvmelab_enter_mmio(NvmelabState *s)
{
    s->is_in_mmio = true;
    s->must_run = false;
}

/* Did the last doorbells bring nothing that had to be read from an image? */
static bool nvmelab_is_calm(NvmelabState *s)
{
    if (s->reads != s->reads_seen) {
        s->reads_seen = s->reads;
        s->calm_doorbells = 0;
    } else if (s->calm_doorbells < NVMELAB_CALM) {
        s->calm_doorbells++;
    }
    return s->calm_doorbells == NVMELAB_CALM;
}

/*
 * While the cache answers, the thread that rang the doorbell runs the core:
 * waking the main loop would cost more than the command. Reads of the images
 * are better off in the main loop, beside the vCPU and several at once. The
 * access itself has taken the guard.
 */
void nvmelab_leave_mmio(NvmelabState *s)
{
    s->is_in_mmio = false;
    if (!s->must_run) {
        return;
    }
    if (nvmelab_is_calm(s) && nvmelab_may_run(s)) {
        nvmelab_run(s);
    } else {
        nvmelab_schedule(s);
    }
}

void nvmelab_settle(NvmelabState *s)
{
    s->settling++;
    nvmelab_schedule(s);
    AIO_WAIT_WHILE(NULL, !lab_is_idle(s->core));
    s->settling--;
}

void nvmelab_run_init(NvmelabState *s)
{
    DeviceState *dev = DEVICE(s);

    QSIMPLEQ_INIT(&s->finished);
    s->run_bh = qemu_bh_new_guarded(nvmelab_run_bh, s,
                                    &dev->mem_reentrancy_guard);
    s->run_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, nvmelab_timer_fired, s);
    s->vm_state = nvmelab_add_vm_state(dev, nvmelab_vm_state, s);
}

void nvmelab_run_cleanup(NvmelabState *s)
{
    qemu_del_vm_change_state_handler(s->vm_state);
    timer_free(s->run_timer);
    qemu_bh_delete(s->run_bh);
}
