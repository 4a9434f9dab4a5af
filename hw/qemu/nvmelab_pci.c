/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_pci.c: -device nvmelab, the controller as a PCI Express function.
 *
 *   realize      core made, BARs and interrupts registered
 *   (namespaces of the bus are realized)
 *   machine done core started: the redo record is read, errors end QEMU
 *   reset        FLR, bus or machine reset: lab_reset; a machine reset also
 *                switches a dark drive on
 *   exit         device_del, or the namespaces went first: core freed. As with
 *                kill -9, what was not promised is gone.
 *
 * A dark drive answers nothing: registers and configuration space read all
 * ones, as from an empty slot.
 */
#include "qemu/osdep.h"
#include "block/aio-wait.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "system/reset.h"
#include "system/system.h"

#include "nvmelab_device.h"
#include "trace.h"

#define NVMELAB_PM_OFFSET 0x60
#define NVMELAB_EXP_OFFSET 0x80
#define NVMELAB_PROG_IF 0x02            /* NVM Express I/O controller */

/* MMIO and configuration space */

static bool nvmelab_is_dark(const NvmelabState *s)
{
    return !s->core || !s->is_started || lab_is_dark(s->core);
}

static uint64_t nvmelab_mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    NvmelabState *s = opaque;

    if (nvmelab_is_dark(s)) {
        return MAKE_64BIT_MASK(0, size * 8);
    }
    return lab_mmio_read(s->core, offset, size);
}

static void nvmelab_mmio_write(void *opaque, hwaddr offset, uint64_t value,
                               unsigned size)
{
    NvmelabState *s = opaque;

    if (!nvmelab_is_dark(s)) {
        nvmelab_enter_mmio(s);
        lab_mmio_write(s->core, offset, value, size);
        nvmelab_leave_mmio(s);
    }
}

static const MemoryRegionOps nvmelab_mmio_ops = {
    .read = nvmelab_mmio_read,
    .write = nvmelab_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 2, .max_access_size = 8 },
    .impl = { .min_access_size = 2, .max_access_size = 8 },
};

static uint32_t nvmelab_config_read(PCIDevice *pci, uint32_t address, int len)
{
    NvmelabState *s = NVMELAB(pci);

    if (s->core && lab_is_dark(s->core)) {
        return MAKE_64BIT_MASK(0, len * 8);
    }
    return pci_default_read_config(pci, address, len);
}

static void nvmelab_config_write(PCIDevice *pci, uint32_t address,
                                 uint32_t value, int len)
{
    NvmelabState *s = NVMELAB(pci);

    if (s->core && lab_is_dark(s->core)) {
        return;
    }
    pci_default_write_config(pci, address, value, len);
    pcie_cap_flr_write_config(pci, address, value, len);
}

/* Reset and life */

static void nvmelab_reset_hold(Object *obj, ResetType type)
{
    NvmelabState *s = NVMELAB(obj);

    trace_nvmelab_reset(nvmelab_name(s), nvmelab_is_dark(s));
    if (!nvmelab_is_dark(s)) {
        lab_reset(s->core);
    }
}

/* Comes after the devices' own resets: it is registered last. */
static void nvmelab_machine_reset(void *opaque)
{
    NvmelabState *s = opaque;

    if (s->core) {
        nvmelab_control_power_on(s);
    }
}

static void nvmelab_start_done(void *opaque, int error)
{
    NvmelabState *s = opaque;

    trace_nvmelab_start(nvmelab_name(s), error);
    s->start_error = error;
    s->is_started = true;
}

static void nvmelab_machine_done(Notifier *notifier, void *data)
{
    NvmelabState *s = container_of(notifier, NvmelabState, machine_done);

    qemu_register_reset(nvmelab_machine_reset, s);
    lab_start(s->core, nvmelab_start_done);
    nvmelab_schedule(s);
    AIO_WAIT_WHILE(NULL, !s->is_started);
    if (s->start_error) {
        error_report("%s: cannot read the redo record of a namespace: %s",
                     nvmelab_name(s), strerror(-s->start_error));
        exit(1);
    }
}

static void nvmelab_end_trace(NvmelabState *s)
{
    nvmelab_trace_close(s->trace, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    s->trace = NULL;
}

static void nvmelab_process_exit(Notifier *notifier, void *data)
{
    nvmelab_end_trace(container_of(notifier, NvmelabState, exit));
}

void nvmelab_stop(NvmelabState *s)
{
    if (!s->core) {
        return;
    }
    if (!nvmelab_is_dark(s)) {
        lab_reset(s->core);
    }
    nvmelab_settle(s);
    lab_ctrl_free(s->core);
    s->core = NULL;
    nvmelab_end_trace(s);
}

/* Realize */

static void nvmelab_fill_config(NvmelabState *s)
{
    if (!s->irq_vectors) {
        s->irq_vectors = MIN(s->io_queue_pairs_max, 1024) + 1;
    }
    s->config = (struct lab_config) {
        .serial = s->serial,
        .pci_vendor_id = NVMELAB_PCI_VENDOR_ID,
        .pci_subsystem_vendor_id = NVMELAB_PCI_VENDOR_ID,
        .has_vwc = s->has_vwc,
        .cache_size_bytes = s->cache_size_bytes,
        .awun_0based = s->awun_0based,
        .awupf_0based = s->awupf_0based,
        .lie = s->lie,
        .floor_latency_ns = s->floor_latency_ns,
        .io_queue_pairs_max = s->io_queue_pairs_max,
        .queue_entries_max = s->queue_entries_max,
        .mdts = s->mdts,
        .irq_vectors = s->irq_vectors,
        .has_vendor_commands = s->has_vendor_commands,
        .has_shadow_doorbells = s->has_shadow_doorbells,
        .holds = s->holds,
    };
}

static bool nvmelab_make_core(NvmelabState *s, Error **errp)
{
    char *error = NULL;

    nvmelab_fill_config(s);
    s->core = lab_ctrl_new(&s->config, &nvmelab_host_ops, s, &error);
    if (!s->core) {
        error_setg(errp, "%s", error);
        free(error);
        return false;
    }
    return true;
}

static bool nvmelab_make_trace(NvmelabState *s, Error **errp)
{
    g_autofree char *drive = NULL;

    if (!s->trace_path) {
        return true;
    }
    drive = g_strdup_printf(
        "vwc=%s,cache-size=%" PRIu64 ",awun=%u,awupf=%u,lie=%s,"
        "floor-latency=%" PRIu64 ",max-ioqpairs=%u,max-queue-entries=%u,"
        "mdts=%u,vendor-commands=%s,shadow-doorbells=%s",
        s->has_vwc ? "on" : "off",
        s->cache_size_bytes, s->awun_0based, s->awupf_0based,
        lab_lie_name(s->lie), s->floor_latency_ns, s->io_queue_pairs_max,
        s->queue_entries_max, s->mdts, s->has_vendor_commands ? "on" : "off",
        s->has_shadow_doorbells ? "on" : "off");
    s->trace = nvmelab_trace_open(s->trace_path, s->serial, drive, errp);
    return s->trace != NULL;
}

static bool nvmelab_make_pci(NvmelabState *s, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(s);
    unsigned i;

    pci_config_set_prog_interface(pci->config, NVMELAB_PROG_IF);
    memory_region_init_io(&s->registers, OBJECT(s), &nvmelab_mmio_ops, s,
                          "nvmelab-registers",
                          pow2ceil(lab_bar_size(&s->config)));
    pci_register_bar(pci, NVMELAB_BAR_REGISTERS,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64, &s->registers);
    if (pci_pm_init(pci, NVMELAB_PM_OFFSET, errp) < 0) {
        return false;
    }
    pci_set_word(pci->config + NVMELAB_PM_OFFSET + PCI_PM_PMC,
                 PCI_PM_CAP_VER_1_2);
    pci_set_word(pci->config + NVMELAB_PM_OFFSET + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(pci->wmask + NVMELAB_PM_OFFSET + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK);
    if (pcie_endpoint_cap_init(pci, NVMELAB_EXP_OFFSET) < 0) {
        error_setg(errp, "no PCI Express capability on this bus");
        return false;
    }
    pcie_cap_flr_init(pci);
    if (msix_init_exclusive_bar(pci, s->irq_vectors, NVMELAB_BAR_MSIX,
                                errp) < 0) {
        pcie_cap_exit(pci);
        return false;
    }
    for (i = 0; i < s->irq_vectors; i++) {
        msix_vector_use(pci, i);
    }
    return true;
}

static void nvmelab_realize(PCIDevice *pci, Error **errp)
{
    NvmelabState *s = NVMELAB(pci);

    if (DEVICE(s)->hotplugged) {
        error_setg(errp, "nvmelab cannot be hot-plugged: its namespaces join "
                   "before the machine starts");
        return;
    }
    if (!nvmelab_make_core(s, errp)) {
        return;
    }
    nvmelab_run_init(s);
    nvmelab_control_init(s);
    if (!nvmelab_make_trace(s, errp)) {
        goto fail;
    }
    if (!nvmelab_make_pci(s, errp)) {
        goto fail;
    }
    qbus_init(&s->bus, sizeof(s->bus), TYPE_NVMELAB_BUS, DEVICE(s),
              DEVICE(s)->id);
    s->machine_done.notify = nvmelab_machine_done;
    qemu_add_machine_init_done_notifier(&s->machine_done);
    s->exit.notify = nvmelab_process_exit;
    qemu_add_exit_notifier(&s->exit);
    return;

fail:
    lab_ctrl_free(s->core);
    s->core = NULL;
    nvmelab_end_trace(s);
    nvmelab_control_cleanup(s);
    nvmelab_run_cleanup(s);
}

static void nvmelab_exit(PCIDevice *pci)
{
    NvmelabState *s = NVMELAB(pci);

    nvmelab_stop(s);
    qemu_unregister_reset(nvmelab_machine_reset, s);
    qemu_remove_machine_init_done_notifier(&s->machine_done);
    qemu_remove_exit_notifier(&s->exit);
    nvmelab_control_cleanup(s);
    nvmelab_run_cleanup(s);
    msix_uninit_exclusive_bar(pci);
    pcie_cap_exit(pci);
}

/* Properties */

static const Property nvmelab_properties[] = {
    DEFINE_PROP_STRING("serial", NvmelabState, serial),
    DEFINE_PROP_BOOL("vwc", NvmelabState, has_vwc, true),
    DEFINE_PROP_SIZE("cache-size", NvmelabState, cache_size_bytes, 64 * MiB),
    DEFINE_PROP_UINT16("awun", NvmelabState, awun_0based, 0),
    DEFINE_PROP_UINT16("awupf", NvmelabState, awupf_0based, 0),
    DEFINE_PROP_UINT64("floor-latency", NvmelabState, floor_latency_ns, 0),
    DEFINE_PROP_UINT16("max-ioqpairs", NvmelabState, io_queue_pairs_max, 64),
    DEFINE_PROP_UINT16("max-queue-entries", NvmelabState, queue_entries_max,
                       1024),
    DEFINE_PROP_UINT8("mdts", NvmelabState, mdts, 7),
    DEFINE_PROP_UINT16("msix-vectors", NvmelabState, irq_vectors, 0),
    DEFINE_PROP_BOOL("vendor-commands", NvmelabState, has_vendor_commands,
                     true),
    DEFINE_PROP_BOOL("shadow-doorbells", NvmelabState, has_shadow_doorbells,
                     true),
    DEFINE_PROP_STRING("holds", NvmelabState, holds),
    DEFINE_PROP_STRING("trace", NvmelabState, trace_path),
};

/* Unit and range of each; the default is appended by QEMU. */
static void nvmelab_describe(ObjectClass *oc)
{
    static const struct {
        const char *name;
        const char *text;
    } table[] = {
        { "serial", "Serial number, 1 to 20 printable ASCII characters, "
          "required" },
        { "vwc", "Volatile write cache present (Identify Controller, VWC)" },
        { "cache-size", "Volatile write cache of each namespace, bytes" },
        { "awun", "Atomic Write Unit Normal, blocks, 0's based" },
        { "awupf", "Atomic Write Unit Power Fail, blocks, 0's based; above 0 "
          "needs meta= in every namespace" },
        { "lie", "What the drive pretends: none, flush, flush-early, fua, "
          "fua-barrier, atomic" },
        { "floor-latency", "Least time from doorbell to completion of an I/O "
          "command, ns" },
        { "max-ioqpairs", "I/O queue pairs, 1..1024" },
        { "max-queue-entries", "Entries of the largest queue (CAP.MQES + 1), "
          "2..32768" },
        { "mdts", "Largest transfer, 4 KiB << mdts, 1..9" },
        { "msix-vectors", "MSI-X vectors, 1..2048; 0: max-ioqpairs + 1" },
        { "vendor-commands", "Vendor commands MARK, STAT, CUT, HOLD, WAIT and "
          "RELEASE" },
        { "shadow-doorbells", "Doorbell Buffer Config, with up to 511 queue "
          "pairs" },
        { "holds", "Rules that park I/O commands, armed once at start: "
          "stage=STAGE [PREDICATE=VALUE ...][;...]" },
        { "trace", "File for the command trace; replaced if it exists" },
        { "on-power-cut", "What the machine does after a power cut: reset, "
          "pause, quit" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(table); i++) {
        object_class_property_set_description(oc, table[i].name,
                                              table[i].text);
    }
}

static int nvmelab_get_lie(Object *obj, Error **errp)
{
    return NVMELAB(obj)->lie;
}

static void nvmelab_set_lie(Object *obj, int value, Error **errp)
{
    if (DEVICE(obj)->realized) {
        qdev_prop_set_after_realize(DEVICE(obj), "lie", errp);
        return;
    }
    NVMELAB(obj)->lie = value;
}

static int nvmelab_get_on_power_cut(Object *obj, Error **errp)
{
    return NVMELAB(obj)->on_power_cut;
}

static void nvmelab_set_on_power_cut(Object *obj, int value, Error **errp)
{
    NVMELAB(obj)->on_power_cut = value;
}

static void nvmelab_add_enums(ObjectClass *oc)
{
    static const char *lies[LAB_LIE_COUNT];
    static const QEnumLookup lie_lookup = {
        .array = lies, .size = LAB_LIE_COUNT,
    };
    static const QEnumLookup cut_lookup = {
        .array = nvmelab_cut_action_names, .size = NVMELAB_CUT_COUNT,
    };
    ObjectProperty *property;
    int lie;

    for (lie = 0; lie < LAB_LIE_COUNT; lie++) {
        lies[lie] = lab_lie_name(lie);
    }
    property = object_class_property_add_enum(oc, "lie", "NvmelabLie",
                                              &lie_lookup, nvmelab_get_lie,
                                              nvmelab_set_lie);
    object_property_set_default_str(property, lies[LAB_LIE_NONE]);
    property = object_class_property_add_enum(oc, "on-power-cut",
                                              "NvmelabCutAction", &cut_lookup,
                                              nvmelab_get_on_power_cut,
                                              nvmelab_set_on_power_cut);
    object_property_set_default_str(property, "reset");
}

static const VMStateDescription nvmelab_vmstate = {
    .name = TYPE_NVMELAB,
    .unmigratable = 1,
};

static void nvmelab_class_init(ObjectClass *oc, NvmelabClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "NVMe drive with an exact loss model";
    dc->vmsd = &nvmelab_vmstate;
    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    pc->realize = nvmelab_realize;
    pc->exit = nvmelab_exit;
    pc->config_read = nvmelab_config_read;
    pc->config_write = nvmelab_config_write;
    pc->vendor_id = NVMELAB_PCI_VENDOR_ID;
    pc->device_id = NVMELAB_PCI_DEVICE_ID;
    pc->class_id = PCI_CLASS_STORAGE_EXPRESS;
    pc->revision = 1;
    pc->subsystem_vendor_id = NVMELAB_PCI_VENDOR_ID;
    pc->subsystem_id = NVMELAB_PCI_DEVICE_ID;
    rc->phases.hold = nvmelab_reset_hold;
    device_class_set_props(dc, nvmelab_properties);
    nvmelab_add_enums(oc);
    nvmelab_control_class_init(oc);
    nvmelab_describe(oc);
}

static const TypeInfo nvmelab_types[] = {
    {
        .name = TYPE_NVMELAB_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(BusState),
    }, {
        .name = TYPE_NVMELAB,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(NvmelabState),
        .class_init = nvmelab_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { },
        },
    },
};

DEFINE_TYPES(nvmelab_types)
