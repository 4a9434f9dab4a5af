/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_device.h: what the files of the QEMU device share.
 *
 *   nvmelab_pci.c      the controller: properties, PCI, reset, life
 *   nvmelab_ns.c       the namespace: properties, images
 *   nvmelab_host.c     what the core borrows: memory, clock, log
 *   nvmelab_run.c      when it runs, in which thread; interrupts
 *   nvmelab_store.c    what the core borrows: storage, on a BlockBackend
 *   nvmelab_trace.c    the command trace file
 *   nvmelab_control.c  power cut, counters and holds over QMP
 *
 * Invariants: everything runs under the BQL. The core is entered from the
 * guarded bottom half or timer, from MMIO, and from reset and control; never
 * from an AIO completion, which only queues.
 */
#ifndef NVMELAB_DEVICE_H
#define NVMELAB_DEVICE_H

#include "hw/pci/pci_device.h"
#include "hw/qdev-core.h"
#include "qemu/notify.h"
#include "qemu/queue.h"
#include "qemu/timer.h"
#include "qemu/uuid.h"
#include "qom/object.h"
#include "system/block-backend.h"
#include "system/runstate.h"

#include "nvmelab.h"
#include "nvmelab_compat.h"

/* Not registered with the PCI-SIG; docs/device.md, "PCI identity". */
#define NVMELAB_PCI_VENDOR_ID 0x4e4c
#define NVMELAB_PCI_DEVICE_ID 0x1ab0
#define NVMELAB_BAR_REGISTERS 0
#define NVMELAB_BAR_MSIX 4

#define TYPE_NVMELAB "nvmelab"
#define TYPE_NVMELAB_NS "nvmelab-ns"
#define TYPE_NVMELAB_BUS "nvmelab-bus"
OBJECT_DECLARE_SIMPLE_TYPE(NvmelabState, NVMELAB)
OBJECT_DECLARE_SIMPLE_TYPE(NvmelabNamespace, NVMELAB_NS)

typedef struct NvmelabTrace NvmelabTrace;
typedef struct NvmelabIo NvmelabIo;

/* What the machine does once a cut is complete. */
typedef enum NvmelabCutAction {
    NVMELAB_CUT_RESET,
    NVMELAB_CUT_PAUSE,
    NVMELAB_CUT_QUIT,
    NVMELAB_CUT_COUNT
} NvmelabCutAction;

typedef enum NvmelabCutStage {
    NVMELAB_CUT_NONE,
    NVMELAB_CUT_FROZEN,         /* asked for; the core waits for us */
    NVMELAB_CUT_RUNNING,        /* the core chooses and writes survivors */
    NVMELAB_CUT_DONE            /* dark until the machine is reset */
} NvmelabCutStage;

/* One image under one namespace. */
typedef struct NvmelabStore {
    NvmelabState *drive;
    BlockBackend *blk;
} NvmelabStore;

struct NvmelabNamespace {
    DeviceState parent_obj;

    BlockBackend *data_blk;     /* properties */
    BlockBackend *meta_blk;
    uint32_t logical_block_size;
    bool vwc_not_present;
    struct lab_atomic atomic;
    uint32_t nsid;
    QemuUUID uuid;

    NvmelabStore data;
    NvmelabStore meta;
};

struct NvmelabState {
    PCIDevice parent_obj;

    BusState bus;
    MemoryRegion registers;

    char *serial;               /* properties */
    bool has_vwc;
    uint64_t cache_size_bytes;
    uint16_t awun_0based;
    uint16_t awupf_0based;
    int lie;
    uint64_t floor_latency_ns;
    uint16_t io_queue_pairs_max;
    uint16_t queue_entries_max;
    uint8_t mdts;
    uint16_t irq_vectors;           /* 0 becomes io_queue_pairs_max + 1 */
    bool has_vendor_commands;
    bool has_shadow_doorbells;
    char *holds;
    char *trace_path;
    int on_power_cut;

    struct lab_ctrl *core;      /* NULL before realize and after stop */
    struct lab_config config;
    NvmelabTrace *trace;
    bool is_started;
    int start_error;
    unsigned settling;          /* the core may run though the VM does not */
    DECLARE_BITMAP(nsids, LAB_NSID_MAX + 1);

    bool is_in_mmio;            /* a kick is answered when it is left */
    bool must_run;              /* ... for there was one */
    QEMUBH *run_bh;
    QEMUTimer *run_timer;
    QSIMPLEQ_HEAD(, NvmelabIo) finished;
    unsigned polls_left;
    bool are_irqs_late;         /* put off for now */
    uint16_t late_vectors[4];   /* each once */
    unsigned late_irqs;
    unsigned late_rounds;       /* since the first of them */
    unsigned reads_out;         /* at the images */
    uint64_t reads;             /* that went there */
    uint64_t reads_seen;        /* of these, at the last doorbell */
    unsigned calm_doorbells;    /* since there was one */

    NvmelabCutStage cut_stage;
    struct lab_cut cut;
    QEMUBH *cut_bh;

    Notifier machine_done;
    Notifier exit;
    VMChangeStateEntry *vm_state;
    QLIST_ENTRY(NvmelabState) next;
};

/* The name in messages: the id on the command line, or the type. */
static inline const char *nvmelab_name(const NvmelabState *s)
{
    const DeviceState *dev = (const DeviceState *)s;

    return dev->id ? dev->id : TYPE_NVMELAB;
}

/* nvmelab_pci.c */
/* Let all storage requests finish, drop the core, close the trace. */
void nvmelab_stop(NvmelabState *s);

/* nvmelab_host.c */
extern const struct lab_host_ops nvmelab_host_ops;

/* nvmelab_run.c */
void nvmelab_run_init(NvmelabState *s);
void nvmelab_run_cleanup(NvmelabState *s);
void nvmelab_kick(void *opaque);
void nvmelab_irq(void *opaque, uint16_t vector);
void nvmelab_schedule(NvmelabState *s);
/* Around lab_mmio_write(): what it kicks runs before the vCPU goes on. */
void nvmelab_enter_mmio(NvmelabState *s);
void nvmelab_leave_mmio(NvmelabState *s);
/* Run the main loop until no storage request is out. */
void nvmelab_settle(NvmelabState *s);

/* nvmelab_store.c */
extern const struct lab_store_ops nvmelab_store_ops;
/* Take a block node for writing; its size in *size_bytes. */
bool nvmelab_store_init(NvmelabStore *store, NvmelabState *drive,
                        BlockBackend *blk, const char *property,
                        uint64_t *size_bytes, Error **errp);
/* Hand finished requests to the core. */
void nvmelab_store_reap(NvmelabState *s);

/* nvmelab_trace.c */
NvmelabTrace *nvmelab_trace_open(const char *path, const char *serial,
                                 const char *drive, Error **errp);
bool nvmelab_trace_append(NvmelabTrace *trace, const void *record,
                          size_t length);
/* Write the END record, cut the file to its length, free. NULL is fine. */
void nvmelab_trace_close(NvmelabTrace *trace, uint64_t now_ns);

/* nvmelab_control.c */
extern const char *const nvmelab_cut_action_names[NVMELAB_CUT_COUNT];
void nvmelab_control_class_init(ObjectClass *oc);
void nvmelab_control_init(NvmelabState *s);
void nvmelab_control_cleanup(NvmelabState *s);
/* The guest asked; called from inside the core. */
void nvmelab_control_cut_requested(void *opaque, struct lab_cut cut);
/* The machine is being reset: end a cut, switch the drive on again. */
void nvmelab_control_power_on(NvmelabState *s);

#endif
