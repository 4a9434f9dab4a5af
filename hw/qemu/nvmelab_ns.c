/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_ns.c: -device nvmelab-ns, one namespace of the drive on whose bus it
 * sits.
 *
 * It only carries properties and images; the core says what is wrong with them.
 * The namespace itself lives in the core, from realize until the drive stops;
 * namespaces join before the machine starts, so there is no hot-plug.
 */
#include "qemu/osdep.h"
#include "hw/qdev-properties-system.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "qemu/module.h"

#include "nvmelab_device.h"

static uint32_t nvmelab_ns_lowest_free(const NvmelabState *drive)
{
    return find_next_zero_bit(drive->nsids, LAB_NSID_MAX + 1, 1);
}

static void nvmelab_ns_realize(DeviceState *dev, Error **errp)
{
    NvmelabNamespace *ns = NVMELAB_NS(dev);
    NvmelabState *drive = NVMELAB(qdev_get_parent_bus(dev)->parent);
    struct lab_ns_config config = {
        .store_ops = &nvmelab_store_ops,
        .store_opaque = &ns->data,
    };
    char *error = NULL;

    if (!ns->data_blk) {
        error_setg(errp, "property 'drive' is required");
        return;
    }
    if (!nvmelab_store_init(&ns->data, drive, ns->data_blk, "drive",
                            &config.size_bytes, errp)) {
        return;
    }
    if (ns->meta_blk) {
        if (!nvmelab_store_init(&ns->meta, drive, ns->meta_blk, "meta",
                                &config.meta_size_bytes, errp)) {
            return;
        }
        config.meta_ops = &nvmelab_store_ops;
        config.meta_opaque = &ns->meta;
    }
    if (!ns->nsid) {
        ns->nsid = nvmelab_ns_lowest_free(drive);
    }
    config.has_no_vwc = ns->vwc_not_present;
    config.atomic = ns->atomic;
    config.nsid = ns->nsid;
    config.block_size_bytes = ns->logical_block_size;
    memcpy(config.uuid, ns->uuid.data, sizeof(config.uuid));
    if (!lab_ns_add(drive->core, &config, &error)) {
        error_setg(errp, "%s", error);
        free(error);
        return;
    }
    set_bit(ns->nsid, drive->nsids);
}

/* The images go away after this: the whole drive has to let go of them. */
static void nvmelab_ns_unrealize(DeviceState *dev)
{
    nvmelab_stop(NVMELAB(qdev_get_parent_bus(dev)->parent));
}

static const Property nvmelab_ns_properties[] = {
    DEFINE_PROP_DRIVE("drive", NvmelabNamespace, data_blk),
    DEFINE_PROP_DRIVE("meta", NvmelabNamespace, meta_blk),
    DEFINE_PROP_UINT32("logical_block_size", NvmelabNamespace,
                       logical_block_size, 512),
    DEFINE_PROP_UINT32("nsid", NvmelabNamespace, nsid, 0),
    DEFINE_PROP_BOOL("vwc-not-present", NvmelabNamespace, vwc_not_present,
                     false),
    DEFINE_PROP_UINT16("nawun", NvmelabNamespace, atomic.nawun_0based, 0),
    DEFINE_PROP_UINT16("nawupf", NvmelabNamespace, atomic.nawupf_0based, 0),
    DEFINE_PROP_UINT16("nabsn", NvmelabNamespace, atomic.nabsn_0based, 0),
    DEFINE_PROP_UINT16("nabspf", NvmelabNamespace, atomic.nabspf_0based, 0),
    DEFINE_PROP_UINT16("nabo", NvmelabNamespace, atomic.nabo, 0),
    DEFINE_PROP_UUID_NODEFAULT("uuid", NvmelabNamespace, uuid),
};

static void nvmelab_ns_describe(ObjectClass *oc)
{
    static const struct {
        const char *name;
        const char *text;
    } table[] = {
        { "drive", "Block node with the namespace's data, required" },
        { "meta", "Block node for the redo record that awupf or nawupf above 0 "
          "needs" },
        { "logical_block_size", "Bytes of a logical block, 512 or 4096" },
        { "nsid", "Namespace identifier, 1..256; 0: the lowest free one" },
        { "vwc-not-present", "This namespace has no volatile write cache" },
        { "nawun", "Atomic write unit, normal operation, blocks, 0's based; "
          "0: the controller's awun, or nawupf if that is larger" },
        { "nawupf", "Atomic write unit, power fail, blocks, 0's based, 0..127; "
          "above 0 needs meta; 0: the controller's awupf" },
        { "nabsn", "Atomic boundary, normal operation, blocks, 0's based; "
          "0: none" },
        { "nabspf", "Atomic boundary, power fail, blocks, 0's based; 0: none" },
        { "nabo", "First atomic boundary, blocks" },
        { "uuid", "Namespace UUID; unset: derived from serial and nsid" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(table); i++) {
        object_class_property_set_description(oc, table[i].name,
                                              table[i].text);
    }
}

static void nvmelab_ns_class_init(ObjectClass *oc, NvmelabClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "Namespace of an nvmelab drive";
    dc->bus_type = TYPE_NVMELAB_BUS;
    dc->realize = nvmelab_ns_realize;
    dc->unrealize = nvmelab_ns_unrealize;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    device_class_set_props(dc, nvmelab_ns_properties);
    nvmelab_ns_describe(oc);
}

static const TypeInfo nvmelab_ns_types[] = {
    {
        .name = TYPE_NVMELAB_NS,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(NvmelabNamespace),
        .class_init = nvmelab_ns_class_init,
    },
};

DEFINE_TYPES(nvmelab_ns_types)
