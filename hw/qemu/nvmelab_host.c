/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_host.c: what the core borrows from QEMU besides storage: guest
 * memory, the virtual clock, MSI-X and a log.
 *
 * The core runs from a bottom half, from the timer or at the end of a register
 * write, all with the device's re-entrancy guard taken: a command whose data
 * pointer aims at a device can make that device call back, and QEMU refuses
 * MMIO to a device whose guard is taken. While the VM is stopped nothing that
 * the guest could see may happen, so the core rests, unless it is dark or its
 * storage is being waited for (settling).
 */
#include "qemu/osdep.h"
#include "block/aio-wait.h"
#include "hw/pci/msix.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/range.h"

#include "nvmelab_device.h"
#include "trace.h"

#define NVMELAB_POLLS 4         /* rounds of the main loop, 5 µs or so each */
#define NVMELAB_CALM 8          /* doorbells */

static bool nvmelab_may_run(const NvmelabState *s)
{
    if (!s->core) {
        return false;
    }
    return runstate_is_running() || s->settling || !s->is_started ||
           lab_is_dark(s->core);
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
 * the main loop brought no command.
 */
static void nvmelab_run_bh(void *opaque)
{
    NvmelabState *s = opaque;

    if (!nvmelab_may_run(s)) {
        return;
    }
    nvmelab_store_reap(s);
    if (lab_poll(s->core) && s->reads_out) {
        s->polls_left = NVMELAB_POLLS;
    }
    if (s->polls_left) {
        s->polls_left--;
        nvmelab_schedule(s);
    } else {
        lab_run(s->core);
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

void nvmelab_host_init(NvmelabState *s)
{
    DeviceState *dev = DEVICE(s);

    QSIMPLEQ_INIT(&s->finished);
    s->run_bh = qemu_bh_new_guarded(nvmelab_run_bh, s,
                                    &dev->mem_reentrancy_guard);
    s->run_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, nvmelab_timer_fired, s);
    s->vm_state = nvmelab_add_vm_state(dev, nvmelab_vm_state, s);
}

void nvmelab_host_cleanup(NvmelabState *s)
{
    qemu_del_vm_change_state_handler(s->vm_state);
    timer_free(s->run_timer);
    qemu_bh_delete(s->run_bh);
}

/* A drive that masters the bus into its own registers would talk to itself. */
static bool nvmelab_is_own_bar(PCIDevice *pci, uint64_t address, size_t length)
{
    static const int bars[] = { NVMELAB_BAR_REGISTERS, NVMELAB_BAR_MSIX };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bars); i++) {
        pcibus_t start = pci_get_bar_addr(pci, bars[i]);

        if (start != PCI_BAR_UNMAPPED &&
            ranges_overlap(start, pci->io_regions[bars[i]].size,
                           address, length)) {
            return true;
        }
    }
    return false;
}

static int nvmelab_dma(NvmelabState *s, uint64_t address, void *buf,
                       size_t length, DMADirection direction)
{
    PCIDevice *pci = PCI_DEVICE(s);

    if (!length) {
        return 0;
    }
    if (address + length - 1 < address ||
        nvmelab_is_own_bar(pci, address, length)) {
        return -EFAULT;
    }
    if (pci_dma_rw(pci, address, buf, length, direction,
                   MEMTXATTRS_UNSPECIFIED) != MEMTX_OK) {
        return -EFAULT;
    }
    return 0;
}

static int nvmelab_dma_read(void *opaque, uint64_t address, void *buf,
                            size_t length)
{
    return nvmelab_dma(opaque, address, buf, length, DMA_DIRECTION_TO_DEVICE);
}

static int nvmelab_dma_write(void *opaque, uint64_t address, const void *buf,
                             size_t length)
{
    return nvmelab_dma(opaque, address, (void *)buf, length,
                       DMA_DIRECTION_FROM_DEVICE);
}

static uint64_t nvmelab_clock_ns(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void nvmelab_timer_set(void *opaque, uint64_t deadline_ns)
{
    NvmelabState *s = opaque;

    if (deadline_ns > INT64_MAX) {
        timer_del(s->run_timer);
    } else {
        timer_mod_ns(s->run_timer, deadline_ns);
    }
}

static void nvmelab_kick(void *opaque)
{
    NvmelabState *s = opaque;

    if (s->is_in_mmio) {
        s->must_run = true;
    } else {
        nvmelab_schedule(s);
    }
}

static void nvmelab_irq(void *opaque, uint16_t vector)
{
    msix_notify(PCI_DEVICE(opaque), vector);
}

static bool nvmelab_trace_record(void *opaque, const void *record,
                                 size_t length)
{
    NvmelabState *s = opaque;

    return !s->trace || nvmelab_trace_append(s->trace, record, length);
}

static void nvmelab_log(void *opaque, enum lab_log_class log_class,
                        const char *text)
{
    const char *name = nvmelab_name(opaque);

    switch (log_class) {
    case LAB_LOG_EVENT:
        trace_nvmelab_event(name, text);
        break;
    case LAB_LOG_ERR:
        trace_nvmelab_err(name, text);
        warn_report("%s: %s", name, text);
        break;
    case LAB_LOG_GUEST:
        trace_nvmelab_guest(name, text);
        qemu_log_mask(LOG_GUEST_ERROR, "%s: %s\n", name, text);
        break;
    }
}

const struct lab_host_ops nvmelab_host_ops = {
    .dma_read = nvmelab_dma_read,
    .dma_write = nvmelab_dma_write,
    .clock_ns = nvmelab_clock_ns,
    .timer_set = nvmelab_timer_set,
    .kick = nvmelab_kick,
    .irq = nvmelab_irq,
    .trace = nvmelab_trace_record,
    .cut_requested = nvmelab_control_cut_requested,
    .log = nvmelab_log,
};
