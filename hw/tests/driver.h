/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest NVMe driver that a test can think in: it enables the fake
 * host's drive, creates queues, builds PRPs, submits and reaps.
 *
 * driver_submit() writes the SQE, driver_ring() the doorbell; neither runs the
 * drive. driver_exec() does everything and returns the status. A completion
 * must be for a command in flight, with the right phase and queue: anything
 * else aborts the test.
 *
 * With shadow doorbells (driver_shadow_on) the I/O queues' doorbells go to the
 * shadow page, and to the register when EventIdx asks for it, as Linux does it
 * (drivers/nvme/host/pci.c, nvme_dbbuf_update_and_check_event, 6.12).
 */
#ifndef LAB_DRIVER_H
#define LAB_DRIVER_H

#include "host_fake.h"
#include "nvme_spec.h"
#include "vendor.h"

#define DRIVER_QUEUES 5
#define DRIVER_POLLED (-1)
#define DRIVER_CIDS 1024
#define DRIVER_PAGE 4096u

struct driver_queue {
    uint16_t id;
    uint16_t cqid;              /* of the SQ with this id */
    uint32_t sq_entries;
    uint32_t cq_entries;
    uint64_t sq_address;
    uint64_t cq_address;
    uint32_t sq_tail;
    uint32_t cq_head;
    bool phase;
};

enum driver_command_state { CID_FREE, CID_SUBMITTED, CID_COMPLETED };

struct driver {
    struct fake_host *host;
    uint64_t page_next;         /* a bump allocator over guest RAM */
    struct driver_queue queues[DRIVER_QUEUES];
    uint8_t cid_state[DRIVER_QUEUES][DRIVER_CIDS]; /* by SQ */
    struct nvme_completion cqe[DRIVER_QUEUES][DRIVER_CIDS];
    uint16_t cid_next;
    uint32_t submitted[DRIVER_QUEUES][DRIVER_CIDS]; /* how often, ever */
    uint64_t submitted_total;
    uint64_t buffer;            /* 1 MiB, for the helpers below */
    uint64_t list;              /* PRP list pages, filled by driver_prps() */
    uint64_t shadow;            /* doorbell page; 0: registers only */
    uint64_t events;            /* EventIdx page */
    uint64_t rings[2 * DRIVER_QUEUES]; /* register writes, by doorbell */
    bool is_drive_busy;         /* register writes have to wait */
    bool has_to_ring[2 * DRIVER_QUEUES];
};

/* Registers. */
uint32_t reg_read(struct fake_host *host, uint64_t offset);
uint64_t reg_read64(struct fake_host *host, uint64_t offset);
void reg_write(struct fake_host *host, uint64_t offset, uint32_t value);
void reg_write64(struct fake_host *host, uint64_t offset, uint64_t value);

#define DRIVER_CC (NVME_CC_EN | 6u << 16 | 4u << 20)

/* Knows the host; nothing has been written to the drive. */
struct driver *driver_new(struct fake_host *host);
/* Enabled, with one I/O queue pair (id 1, interrupt vector 1, 32 entries). */
struct driver *driver_up(struct fake_host *host);
void driver_free(struct driver *driver);

/* Guest pages, zeroed; never given back. */
uint64_t driver_pages(struct driver *driver, uint32_t count);

/* Admin queues of this many entries, CC.EN = 1, CSTS.RDY awaited. */
void driver_enable(struct driver *driver, uint32_t entries);
/* CC.EN = 0; everything submitted is forgotten. */
void driver_disable(struct driver *driver);
uint16_t driver_create_cq(struct driver *driver, uint16_t id, uint32_t entries,
                          int vector);
uint16_t driver_create_sq(struct driver *driver, uint16_t id, uint16_t cqid,
                          uint32_t entries);
/* Both, which must succeed. */
void driver_create_pair(struct driver *driver, uint16_t id, uint32_t entries,
                        int vector);

/* Returns the command id. */
uint16_t driver_submit(struct driver *driver, uint16_t qid,
                       const struct nvme_command *cmd);
void driver_ring(struct driver *driver, uint16_t qid);
/* Both. */
uint16_t driver_send(struct driver *driver, uint16_t qid,
                     const struct nvme_command *cmd);

/* Doorbell Buffer Config; returns its status. driver_enable() forgets it. */
uint16_t driver_shadow_on(struct driver *driver);
/* Doorbell number index (2 * id, CQ heads + 1), wherever it has to go. */
void driver_doorbell(struct driver *driver, uint32_t index, uint32_t value);
/* Register writes that had to wait (is_drive_busy). */
void driver_ring_late(struct driver *driver);

/* Take one completion off this CQ and ring its head; false: none. */
bool driver_poll(struct driver *driver, uint16_t cqid);
/* All of all queues; how many. */
uint32_t driver_poll_all(struct driver *driver);
bool driver_is_done(const struct driver *driver, uint16_t qid, uint16_t cid);
/* Status (SCT << 8 | SC) of a completed command, whose id is free again. */
uint16_t driver_reap(struct driver *driver, uint16_t qid, uint16_t cid);
/* Send, run until it is done, reap. */
uint16_t driver_exec(struct driver *driver, uint16_t qid,
                     const struct nvme_command *cmd);
/* DW0 and the whole status word of the last driver_reap(). */
uint32_t driver_result(void);
uint16_t driver_status_word(void);

/* PRP1 and PRP2 for length bytes at address, with list pages of the driver. */
void driver_prps(struct driver *driver, struct nvme_command *cmd,
                 uint64_t address, uint64_t length);

/* Ready-made commands, data at driver->buffer unless said otherwise. */
struct nvme_command cmd_rw(struct driver *driver, uint8_t opcode, uint32_t nsid,
                           uint64_t slba, uint32_t blocks, bool has_fua);
struct nvme_command cmd_flush(uint32_t nsid);
struct nvme_command cmd_identify(struct driver *driver, uint8_t cns,
                                 uint32_t nsid);
struct nvme_command cmd_get_log(struct driver *driver, uint8_t lid,
                                uint32_t bytes);
struct nvme_command cmd_set_features(uint8_t fid, uint32_t value);
struct nvme_command cmd_get_features(uint8_t fid);
struct nvme_command cmd_mark(struct driver *driver, uint64_t id, uint32_t kind,
                             const char *text);

/*
 * Block contents: a tag in every 8 bytes. 0 is what an empty medium has;
 * tag_of() aborts on a block that does not hold one tag throughout.
 */
void tag_fill(void *data, uint64_t bytes, uint64_t tag);
uint64_t tag_of(const void *block, uint32_t block_size_bytes);
/* On the medium of the fake host. */
uint64_t medium_tag(struct fake_host *host, uint32_t nsid, uint64_t block);

/* One range, one tag, queue 1; must succeed. */
void driver_write(struct driver *driver, uint32_t nsid, uint64_t slba,
                  uint32_t blocks, uint64_t tag, bool has_fua);
uint64_t driver_read_tag(struct driver *driver, uint32_t nsid, uint64_t block,
                         bool has_fua);
void driver_flush(struct driver *driver, uint32_t nsid);
/* Send a write and leave it; the buffer is copied to pages of its own. */
uint16_t driver_send_write(struct driver *driver, uint32_t nsid, uint64_t slba,
                           uint32_t blocks, uint64_t tag, bool has_fua);
/* STAT through the admin queue. */
struct lab_stat driver_stat(struct driver *driver);

#define assert_status(actual, expected) \
    g_assert_cmphex((actual) & NVME_STATUS_MASK, ==, (expected))

#endif
