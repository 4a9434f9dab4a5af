/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive.c: the driver of drive.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY_AND_MASTER 0x06
#define PCI_BAR(n) (0x10 + 4 * (n))
#define PCI_CAPABILITIES 0x34
#define PAGE_BYTES 4096u
#define MEMORY_START (1u << 20)
/* What one drive may use, so that two in one guest do not meet. */
#define MEMORY_PER_SLOT (4u << 20)
#define ADMIN_ENTRIES 16
#define POLL_STEP_NS 100000
#define POLL_SECONDS 20
#define SILENT_POLLS 50

/* PCI */

static void drive_select(struct drive *d, unsigned offset)
{
    client_out32(d->client, 0xcf8,
                 1u << 31 | d->slot << 11 | (offset & 0xfc));
}

uint32_t drive_config_read(struct drive *d, unsigned offset)
{
    drive_select(d, offset);
    return client_in32(d->client, 0xcfc);
}

void drive_config_write(struct drive *d, unsigned offset, uint32_t value)
{
    drive_select(d, offset);
    client_out32(d->client, 0xcfc, value);
}

unsigned drive_find_capability(struct drive *d, uint8_t id)
{
    unsigned offset = drive_config_read(d, PCI_CAPABILITIES) & 0xfc;
    unsigned steps;

    for (steps = 0; offset && steps < 48; steps++) {
        uint32_t head = drive_config_read(d, offset);

        if ((head & 0xff) == id) {
            return offset;
        }
        offset = head >> 8 & 0xfc;
    }
    return 0;
}

void drive_map(struct drive *d)
{
    drive_config_write(d, PCI_BAR(0), d->bar0);
    drive_config_write(d, PCI_BAR(1), d->bar0 >> 32);
    drive_config_write(d, PCI_BAR(4), d->bar4);
    drive_config_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY_AND_MASTER);
}

/* Registers */

uint32_t drive_reg32(struct drive *d, unsigned offset)
{
    return client_read32(d->client, d->bar0 + offset);
}

uint64_t drive_reg64(struct drive *d, unsigned offset)
{
    return client_read64(d->client, d->bar0 + offset);
}

void drive_set_reg32(struct drive *d, unsigned offset, uint32_t value)
{
    client_write32(d->client, d->bar0 + offset, value);
}

void drive_set_reg64(struct drive *d, unsigned offset, uint64_t value)
{
    client_write64(d->client, d->bar0 + offset, value);
}

void drive_wait_csts(struct drive *d, uint32_t mask, uint32_t value)
{
    gint64 end = g_get_monotonic_time() + POLL_SECONDS * G_USEC_PER_SEC;

    while ((drive_reg32(d, NVME_REG_CSTS) & mask) != value) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        client_clock_step(d->client, POLL_STEP_NS);
    }
}

/* Life */

char *drive_image(const char *name, uint64_t size_bytes)
{
    char *path = client_path(name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, size_bytes), ==, 0);
    close(fd);
    return path;
}

struct drive *drive_attach(struct client *client, unsigned slot)
{
    struct drive *d = g_new0(struct drive, 1);

    d->client = client;
    d->slot = slot;
    d->bar0 = DRIVE_BAR0 + slot * 0x100000ull;
    d->bar4 = DRIVE_BAR4 + slot * 0x100000ull;
    d->memory_next = MEMORY_START + slot * MEMORY_PER_SLOT;
    drive_map(d);
    return d;
}

struct drive *drive_start_disabled(const char *image, const char *properties)
{
    return drive_attach(client_start(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s',"
        "cache.direct=off,cache.no-flush=on "
        "-device nvmelab,id=lab0,addr=" DRIVE_SLOT ",serial=QTEST%s "
        "-device nvmelab-ns,bus=lab0,drive=m0,nsid=1", image, properties),
        atoi(DRIVE_SLOT));
}

struct drive *drive_start(const char *image, const char *properties)
{
    struct drive *d = drive_start_disabled(image, properties);

    drive_enable(d);
    drive_create_queue(d, 1, 16);
    return d;
}

void drive_detach(struct drive *d)
{
    g_free(d);
}

void drive_quit(struct drive *d)
{
    client_quit(d->client);
    drive_detach(d);
}

void drive_kill(struct drive *d)
{
    client_kill(d->client);
    drive_detach(d);
}

/* Queues */

uint64_t drive_alloc(struct drive *d, size_t bytes)
{
    size_t length = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    uint64_t address = d->memory_next;
    uint8_t *zeros = g_malloc0(length);

    d->memory_next += length;
    g_assert_cmpuint(d->memory_next, <=,
                     MEMORY_START + (d->slot + 1ull) * MEMORY_PER_SLOT);
    client_write(d->client, address, zeros, length);
    g_free(zeros);
    return address;
}

static void queue_init(struct drive *d, unsigned qid, unsigned entries)
{
    d->queues[qid] = (struct queue) {
        .sq = drive_alloc(d, entries * sizeof(struct nvme_command)),
        .cq = drive_alloc(d, entries * sizeof(struct nvme_completion)),
        .entries = entries,
        .phase = true,
    };
}

void drive_enable(struct drive *d)
{
    queue_init(d, 0, ADMIN_ENTRIES);
    drive_set_reg32(d, NVME_REG_AQA,
                    (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
    drive_set_reg64(d, NVME_REG_ASQ, d->queues[0].sq);
    drive_set_reg64(d, NVME_REG_ACQ, d->queues[0].cq);
    drive_set_reg32(d, NVME_REG_CC, 4 << 20 | 6 << 16 | NVME_CC_EN);
    drive_wait_csts(d, NVME_CSTS_RDY | NVME_CSTS_CFS, NVME_CSTS_RDY);
}

void drive_disable(struct drive *d)
{
    drive_set_reg32(d, NVME_REG_CC, 4 << 20 | 6 << 16);
    drive_wait_csts(d, NVME_CSTS_RDY, 0);
}

void drive_create_queue(struct drive *d, unsigned qid, unsigned entries)
{
    struct nvme_command cmd = { 0 };

    g_assert_cmpuint(qid, <=, DRIVE_QUEUES_MAX);
    queue_init(d, qid, entries);
    cmd.opcode = NVME_ADMIN_CREATE_CQ;
    cmd.prp1 = d->queues[qid].cq;
    cmd.cdw10 = (entries - 1) << 16 | qid;
    cmd.cdw11 = 1;                          /* contiguous, no interrupt */
    drive_ok(d, 0, cmd);
    cmd.opcode = NVME_ADMIN_CREATE_SQ;
    cmd.prp1 = d->queues[qid].sq;
    cmd.cdw11 = qid << 16 | 1;
    drive_ok(d, 0, cmd);
}

/* Commands */

uint16_t drive_submit(struct drive *d, unsigned qid, struct nvme_command cmd)
{
    struct queue *q = &d->queues[qid];

    cmd.cid = d->cid_next++;
    client_write(d->client, q->sq + q->tail * sizeof(cmd), &cmd, sizeof(cmd));
    q->tail = (q->tail + 1) % q->entries;
    return cmd.cid;
}

void drive_ring(struct drive *d, unsigned qid)
{
    drive_set_reg32(d, NVME_REG_DOORBELLS + qid * 8, d->queues[qid].tail);
}

static bool drive_poll(struct drive *d, unsigned qid,
                       struct nvme_completion *cqe)
{
    struct queue *q = &d->queues[qid];

    client_read(d->client, q->cq + q->head * sizeof(*cqe), cqe, sizeof(*cqe));
    if ((cqe->status & 1) != q->phase) {
        return false;
    }
    q->head = (q->head + 1) % q->entries;
    q->phase ^= q->head == 0;
    drive_set_reg32(d, NVME_REG_DOORBELLS + qid * 8 + 4, q->head);
    return true;
}

struct nvme_completion drive_next(struct drive *d, unsigned qid)
{
    gint64 end = g_get_monotonic_time() + POLL_SECONDS * G_USEC_PER_SEC;
    struct nvme_completion cqe;

    while (!drive_poll(d, qid, &cqe)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        client_clock_step(d->client, POLL_STEP_NS);
    }
    return cqe;
}

void drive_assert_silent(struct drive *d, unsigned qid)
{
    struct nvme_completion cqe;
    unsigned i;

    for (i = 0; i < SILENT_POLLS; i++) {
        g_assert_false(drive_poll(d, qid, &cqe));
        client_clock_step(d->client, POLL_STEP_NS);
        g_usleep(1000);
    }
}

unsigned drive_status(struct nvme_completion cqe)
{
    return cqe.status >> 1 & NVME_STATUS_MASK;
}

struct nvme_completion drive_command(struct drive *d, unsigned qid,
                                     struct nvme_command cmd)
{
    uint16_t cid = drive_submit(d, qid, cmd);
    struct nvme_completion cqe;

    drive_ring(d, qid);
    cqe = drive_next(d, qid);
    g_assert_cmphex(cqe.cid, ==, cid);
    g_assert_cmphex(cqe.sq_id, ==, qid);
    return cqe;
}

void drive_ok(struct drive *d, unsigned qid, struct nvme_command cmd)
{
    g_assert_cmphex(drive_status(drive_command(d, qid, cmd)), ==, NVME_SUCCESS);
}

struct nvme_command drive_rw(uint8_t opcode, uint64_t slba, unsigned blocks,
                             uint64_t address, bool has_fua)
{
    return (struct nvme_command) {
        .opcode = opcode,
        .nsid = 1,
        .prp1 = address,
        .cdw10 = slba,
        .cdw11 = slba >> 32,
        .cdw12 = (blocks - 1) | (has_fua ? NVME_RW_FUA : 0),
    };
}

struct nvme_command drive_flush(void)
{
    return (struct nvme_command) { .opcode = NVME_IO_FLUSH, .nsid = 1 };
}

/* Test blocks */

static void block_fill(uint64_t *words, uint64_t slba, uint64_t generation)
{
    unsigned i;

    for (i = 0; i < DRIVE_BLOCK_BYTES / sizeof(*words); i += 2) {
        words[i] = slba;
        words[i + 1] = generation;
    }
}

void drive_fill(struct drive *d, uint64_t address, uint64_t slba,
                unsigned blocks, uint64_t generation)
{
    size_t words = DRIVE_BLOCK_BYTES / sizeof(uint64_t);
    uint64_t *data = g_new(uint64_t, blocks * words);
    unsigned i;

    for (i = 0; i < blocks; i++) {
        block_fill(data + i * words, slba + i, generation);
    }
    client_write(d->client, address, data, blocks * DRIVE_BLOCK_BYTES);
    g_free(data);
}

/* One page for the data of single blocks, taken the first time. */
static uint64_t drive_page(struct drive *d)
{
    if (!d->page) {
        d->page = drive_alloc(d, DRIVE_BLOCK_BYTES);
    }
    return d->page;
}

void drive_write_block(struct drive *d, uint64_t slba, uint64_t generation,
                       bool has_fua)
{
    uint64_t page = drive_page(d);

    drive_fill(d, page, slba, 1, generation);
    drive_ok(d, 1, drive_rw(NVME_IO_WRITE, slba, 1, page, has_fua));
}

void drive_sync(struct drive *d)
{
    drive_ok(d, 1, drive_flush());
}

uint64_t drive_generation(struct drive *d, uint64_t slba)
{
    uint64_t page = drive_page(d);
    uint64_t want[DRIVE_BLOCK_BYTES / sizeof(uint64_t)];
    uint64_t got[G_N_ELEMENTS(want)];

    drive_ok(d, 1, drive_rw(NVME_IO_READ, slba, 1, page, false));
    client_read(d->client, page, got, sizeof(got));
    if (got[1]) {
        block_fill(want, slba, got[1]);
    } else {
        memset(want, 0, sizeof(want));
    }
    g_assert_cmpmem(got, sizeof(got), want, sizeof(want));
    return got[1];
}
