/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive.h: a small NVMe driver for tests, over a qtest client.
 *
 * One drive in slot 4 of the root bus, at most DRIVE_QUEUES_MAX I/O queue pairs
 * (plus the admin pair, 0). Submitting, ringing and waiting are separate calls,
 * so that a test can stop between any two of them. Unless told otherwise
 * everything succeeds or ends the test.
 *
 * A test block carries its number and a generation in every 16 bytes, so that
 * what is read tells which write it is from.
 */
#ifndef LAB_QTEST_DRIVE_H
#define LAB_QTEST_DRIVE_H

#include "client.h"
#include "nvme_spec.h"

#define DRIVE_SLOT "4"
#define DRIVE_BAR0 0xe0000000ull
#define DRIVE_BAR4 0xe1000000ull
#define DRIVE_QUEUES_MAX 8
#define DRIVE_BLOCK_BYTES 512u

struct queue {
    uint64_t sq;                /* guest addresses */
    uint64_t cq;
    uint16_t entries;
    uint16_t tail;
    uint16_t head;
    bool phase;
};

struct drive {
    struct client *client;
    unsigned slot;
    uint64_t bar0;
    uint64_t bar4;
    uint64_t memory_next;       /* the next free guest page */
    uint64_t page;              /* for single blocks */
    uint16_t cid_next;
    struct queue queues[DRIVE_QUEUES_MAX + 1];
};

/* An image of so many bytes, all zero, in the scratch directory; the path. */
char *drive_image(const char *name, uint64_t size_bytes);
/*
 * Start QEMU with one drive lab0 that has these further properties ("" or
 * ",name=value…") and namespace 1 on this image; find it, enable it, make I/O
 * queue pair 1.
 */
struct drive *drive_start(const char *image, const char *properties);
/* The same, stopping before the controller is enabled. */
struct drive *drive_start_disabled(const char *image, const char *properties);
/* A drive in this slot of a client that runs already, not enabled. */
struct drive *drive_attach(struct client *client, unsigned slot);
/* Forget the drive, not the client. */
void drive_detach(struct drive *d);
/* Forget the drive, and QMP quit or SIGKILL. */
void drive_quit(struct drive *d);
void drive_kill(struct drive *d);

uint32_t drive_config_read(struct drive *d, unsigned offset);
void drive_config_write(struct drive *d, unsigned offset, uint32_t value);
/* Map the BARs, allow memory accesses and bus mastering. */
void drive_map(struct drive *d);
/* Offset of a PCI capability in configuration space, 0: none. */
unsigned drive_find_capability(struct drive *d, uint8_t id);

uint32_t drive_reg32(struct drive *d, unsigned offset);
uint64_t drive_reg64(struct drive *d, unsigned offset);
void drive_set_reg32(struct drive *d, unsigned offset, uint32_t value);
void drive_set_reg64(struct drive *d, unsigned offset, uint64_t value);

/* Guest memory of whole pages, zeroed, never freed. */
uint64_t drive_alloc(struct drive *d, size_t bytes);
/* Also after a disable or reset: fresh admin queues, CC.EN, wait for RDY. */
void drive_enable(struct drive *d);
/* CC.EN = 0, wait for RDY to fall. */
void drive_disable(struct drive *d);
void drive_wait_csts(struct drive *d, uint32_t mask, uint32_t value);
/* An I/O queue pair without interrupts. */
void drive_create_queue(struct drive *d, unsigned qid, unsigned entries);

/* Into the next slot; the command id. */
uint16_t drive_submit(struct drive *d, unsigned qid, struct nvme_command cmd);
void drive_ring(struct drive *d, unsigned qid);
/* The next completion, moving the virtual clock on while there is none. */
struct nvme_completion drive_next(struct drive *d, unsigned qid);
/* There is none, and the drive had every chance. */
void drive_assert_silent(struct drive *d, unsigned qid);
/* SCT << 8 | SC. */
unsigned drive_status(struct nvme_completion cqe);
/* Submit, ring, wait; the answer must be this command's. */
struct nvme_completion drive_command(struct drive *d, unsigned qid,
                                     struct nvme_command cmd);
/* The same; the status must be 0. */
void drive_ok(struct drive *d, unsigned qid, struct nvme_command cmd);

struct nvme_command drive_rw(uint8_t opcode, uint64_t slba, unsigned blocks,
                             uint64_t address, bool has_fua);
struct nvme_command drive_flush(void);

/* Test blocks: on queue pair 1, and one block at a time. */
void drive_fill(struct drive *d, uint64_t address, uint64_t slba,
                unsigned blocks, uint64_t generation);
void drive_write_block(struct drive *d, uint64_t slba, uint64_t generation,
                       bool has_fua);
void drive_sync(struct drive *d);
/* The generation that is in the block; 0: never written. */
uint64_t drive_generation(struct drive *d, uint64_t slba);

#endif
