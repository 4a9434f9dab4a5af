/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_host.c: what the core borrows from QEMU besides storage and being run
 * (nvmelab_run.c): guest memory, the virtual clock and a log.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/range.h"

#include "nvmelab_device.h"
#include "trace.h"

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
