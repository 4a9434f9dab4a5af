/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive.h: the drive as the stock driver shows it, and the vendor commands.
 *
 * A controller is found by its serial number and a namespace by controller and
 * nsid, both in sysfs; a name like nvme0n1 says nothing about either.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vendor.h>

#define DRIVE_SERIAL_DEFAULT "LAB0"
#define DRIVE_MODEL_PREFIX "nvmelab"

struct drive {
    char serial[24];
    char model[48];
    char node[40];              /* /dev/nvme0 */
};

struct drive_ns {
    struct drive drive;
    uint32_t nsid;
    char name[24];              /* nvme0n1, as in /sys/block */
    char node[40];              /* /dev/nvme0n1 */
    uint32_t block_size_bytes;
    uint64_t size_bytes;
    bool has_vwc;               /* queue/write_cache says "write back" */
};

struct nvme_passthru_cmd;

/* All functions: 0, or -errno. -ENODEV: no such drive or namespace. */
int drive_find(const char *serial, struct drive *drive);
/* Waits up to timeout_ms for the scan to find it. */
int drive_find_ns(const char *serial, uint32_t nsid, unsigned timeout_ms,
                  struct drive_ns *ns);
/* Calls each() for every controller whose model starts with the prefix. */
void drive_each(const char *model_prefix,
                void (*each)(const struct drive *drive, void *opaque),
                void *opaque);

/* An admin command by passthrough: also the NVMe status, positive. */
int drive_admin(const struct drive *drive, struct nvme_passthru_cmd *command);

int drive_mark(const struct drive *drive, enum lab_mark_kind kind,
               uint64_t id, const char *text);
int drive_stat(const struct drive *drive, struct lab_stat *stat);
/* Identify Controller, OACS bit 8. False also when it cannot be asked. */
bool drive_has_shadow_doorbells(const struct drive *drive);
/* Returns only if there was no power cut. */
int drive_cut(const struct drive *drive, uint32_t policy, uint64_t seed);

/*
 * Makes everything completed durable, on all namespaces, by switching the
 * volatile write cache off and on again (docs/loss-model.md, P3). Neither the
 * kernel nor a drive that lies about Flush or FUA has a say in it.
 */
int drive_destage(const struct drive *drive);

/* HOLD, WAIT, RELEASE; cases use them through hold.h. */
int drive_hold(const struct drive *drive, const struct lab_hold *hold,
               uint32_t *rule);
/* held has room for some of them. -ETIMEDOUT: fewer than count by then. */
int drive_wait(const struct drive *drive, uint32_t rule, uint32_t count,
               uint32_t limit_ms, struct lab_held *held, size_t room,
               uint32_t *parked);

struct drive_release {
    enum lab_release what;
    uint32_t rule;
    uint32_t count;             /* 0: all */
    bool is_newest_first;
    uint64_t command_id;
};

/* -ENOENT: no such rule, or no such parked command. */
int drive_release(const struct drive *drive,
                  const struct drive_release *release, uint32_t *released);

/* What the drive says it keeps whole over a power failure. */
struct drive_atomic {
    uint32_t unit_bytes;        /* NAWUPF; 0: nothing of this namespace's own */
    uint32_t boundary_bytes;    /* NABSPF; 0: none */
};

int drive_atomic(const struct drive_ns *ns, struct drive_atomic *atomic);

/* /sys/block/NAME/queue/ATTRIBUTE; false: this kernel has none. */
bool drive_queue_number(const struct drive_ns *ns, const char *attribute,
                        uint64_t *value);

/* Write it, too: -errno. */
int drive_set_queue_number(const struct drive_ns *ns, const char *attribute,
                           uint64_t value);
/* The driver's own reset of a controller; returns when that is over. */
int drive_reset(const struct drive *drive);

/* What the kernel's block layer has counted for one namespace. */
struct drive_block_stat {
    uint64_t reads;
    uint64_t writes;
    uint64_t in_flight;
    uint64_t flushes;
};

int drive_block_stat(const struct drive_ns *ns, struct drive_block_stat *stat);

/* "drop-all", "keep-all", "random:SEED" as the CUT command wants them. */
bool drive_policy_parse(const char *text, uint32_t *policy, uint64_t *seed);

#endif
