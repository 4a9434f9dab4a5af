/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers, queues and completions of the test driver; see driver.h. */
#include "driver.h"

#include <string.h>

#define BUFFER_PAGES 257        /* 1 MiB, and one for an offset */
#define LIST_PAGES 4

static uint32_t last_result;
static uint16_t last_status_word;

uint32_t reg_read(struct fake_host *host, uint64_t offset)
{
    return lab_mmio_read(host->ctrl, offset, 4);
}

uint64_t reg_read64(struct fake_host *host, uint64_t offset)
{
    return lab_mmio_read(host->ctrl, offset, 8);
}

void reg_write(struct fake_host *host, uint64_t offset, uint32_t value)
{
    lab_mmio_write(host->ctrl, offset, value, 4);
}

void reg_write64(struct fake_host *host, uint64_t offset, uint64_t value)
{
    lab_mmio_write(host->ctrl, offset, value, 8);
}

/* -- Life ----------------------------------------------------------------- */

uint64_t driver_pages(struct driver *driver, uint32_t count)
{
    uint64_t address = driver->page_next;

    driver->page_next += (uint64_t)count * DRIVER_PAGE;
    g_assert_cmpuint(driver->page_next, <=,
                     FAKE_RAM_BASE + driver->host->config.ram_bytes);
    memset(fake_at(driver->host, address), 0, (size_t)count * DRIVER_PAGE);
    return address;
}

struct driver *driver_new(struct fake_host *host)
{
    struct driver *driver = g_new0(struct driver, 1);

    driver->host = host;
    driver->page_next = FAKE_RAM_BASE;
    driver->buffer = driver_pages(driver, BUFFER_PAGES);
    driver->list = driver_pages(driver, LIST_PAGES);
    return driver;
}

struct driver *driver_up(struct fake_host *host)
{
    struct driver *driver = driver_new(host);

    driver_enable(driver, 32);
    driver_create_pair(driver, 1, 32, 1);
    return driver;
}

void driver_free(struct driver *driver)
{
    g_free(driver);
}

static uint32_t pages_for(uint32_t entries, size_t size)
{
    return (entries * size + DRIVER_PAGE - 1) / DRIVER_PAGE;
}

static void cq_init(struct driver *driver, uint16_t id, uint32_t entries)
{
    struct driver_queue *queue = &driver->queues[id];

    queue->cq_entries = entries;
    queue->cq_head = 0;
    queue->phase = true;
    queue->cq_address = driver_pages(
        driver, pages_for(entries, sizeof(struct nvme_completion)));
}

static void sq_init(struct driver *driver, uint16_t id, uint16_t cqid,
                    uint32_t entries)
{
    struct driver_queue *queue = &driver->queues[id];

    queue->id = id;
    queue->cqid = cqid;
    queue->sq_entries = entries;
    queue->sq_tail = 0;
    queue->sq_address = driver_pages(
        driver, pages_for(entries, sizeof(struct nvme_command)));
    memset(driver->cid_state[id], CID_FREE, DRIVER_CIDS);
}

void driver_enable(struct driver *driver, uint32_t entries)
{
    struct fake_host *host = driver->host;

    driver->shadow = 0;
    memset(driver->has_to_ring, 0, sizeof(driver->has_to_ring));
    cq_init(driver, 0, entries);
    sq_init(driver, 0, 0, entries);
    reg_write(host, NVME_REG_AQA, (entries - 1) << 16 | (entries - 1));
    reg_write64(host, NVME_REG_ASQ, driver->queues[0].sq_address);
    reg_write64(host, NVME_REG_ACQ, driver->queues[0].cq_address);
    reg_write(host, NVME_REG_CC, DRIVER_CC);
    fake_run(host);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS) &
                        (NVME_CSTS_RDY | NVME_CSTS_CFS), ==, NVME_CSTS_RDY);
}

void driver_disable(struct driver *driver)
{
    struct fake_host *host = driver->host;
    int i;

    reg_write(host, NVME_REG_CC, reg_read(host, NVME_REG_CC) & ~NVME_CC_EN);
    fake_run(host);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS) & NVME_CSTS_RDY, ==, 0);
    for (i = 0; i < DRIVER_QUEUES; i++) {
        driver->queues[i] = (struct driver_queue) { 0 };
        memset(driver->cid_state[i], CID_FREE, DRIVER_CIDS);
    }
}

uint16_t driver_create_cq(struct driver *driver, uint16_t id, uint32_t entries,
                          int vector)
{
    struct nvme_command cmd = { .opcode = NVME_ADMIN_CREATE_CQ };

    cq_init(driver, id, entries);
    cmd.prp1 = driver->queues[id].cq_address;
    cmd.cdw10 = (entries - 1) << 16 | id;
    cmd.cdw11 = vector == DRIVER_POLLED ? 1 : (uint32_t)vector << 16 | 3;
    return driver_exec(driver, 0, &cmd);
}

uint16_t driver_create_sq(struct driver *driver, uint16_t id, uint16_t cqid,
                          uint32_t entries)
{
    struct nvme_command cmd = { .opcode = NVME_ADMIN_CREATE_SQ };

    sq_init(driver, id, cqid, entries);
    cmd.prp1 = driver->queues[id].sq_address;
    cmd.cdw10 = (entries - 1) << 16 | id;
    cmd.cdw11 = (uint32_t)cqid << 16 | 1;
    return driver_exec(driver, 0, &cmd);
}

void driver_create_pair(struct driver *driver, uint16_t id, uint32_t entries,
                        int vector)
{
    assert_status(driver_create_cq(driver, id, entries, vector), NVME_SUCCESS);
    assert_status(driver_create_sq(driver, id, id, entries), NVME_SUCCESS);
}

/* -- Submitting ----------------------------------------------------------- */

static uint16_t cid_take(struct driver *driver, uint16_t qid)
{
    uint32_t i;

    for (i = 0; i < DRIVER_CIDS; i++) {
        uint16_t cid = driver->cid_next;

        driver->cid_next = (cid + 1) % DRIVER_CIDS;
        if (driver->cid_state[qid][cid] == CID_FREE) {
            driver->cid_state[qid][cid] = CID_SUBMITTED;
            return cid;
        }
    }
    g_error("no command identifier left on queue %u", qid);
}

static struct nvme_command to_wire(const struct nvme_command *cmd, uint16_t cid)
{
    struct nvme_command wire = *cmd;

    wire.cid = htole16(cid);
    wire.nsid = htole32(cmd->nsid);
    wire.prp1 = htole64(cmd->prp1);
    wire.prp2 = htole64(cmd->prp2);
    wire.cdw10 = htole32(cmd->cdw10);
    wire.cdw11 = htole32(cmd->cdw11);
    wire.cdw12 = htole32(cmd->cdw12);
    wire.cdw13 = htole32(cmd->cdw13);
    wire.cdw14 = htole32(cmd->cdw14);
    wire.cdw15 = htole32(cmd->cdw15);
    return wire;
}

uint16_t driver_submit(struct driver *driver, uint16_t qid,
                       const struct nvme_command *cmd)
{
    struct driver_queue *queue = &driver->queues[qid];
    uint16_t cid = cid_take(driver, qid);
    struct nvme_command wire = to_wire(cmd, cid);

    memcpy(fake_at(driver->host,
                   queue->sq_address + queue->sq_tail * sizeof(wire)),
           &wire, sizeof(wire));
    queue->sq_tail = (queue->sq_tail + 1) % queue->sq_entries;
    driver->submitted[qid][cid]++;
    driver->submitted_total++;
    return cid;
}

void driver_ring(struct driver *driver, uint16_t qid)
{
    driver_doorbell(driver, qid * 2u, driver->queues[qid].sq_tail);
}

uint16_t driver_send(struct driver *driver, uint16_t qid,
                     const struct nvme_command *cmd)
{
    uint16_t cid = driver_submit(driver, qid, cmd);

    driver_ring(driver, qid);
    return cid;
}

/* -- Completing ----------------------------------------------------------- */

bool driver_poll(struct driver *driver, uint16_t cqid)
{
    struct driver_queue *queue = &driver->queues[cqid];
    struct nvme_completion cqe;
    uint16_t sqid;
    uint16_t cid;

    if (!queue->cq_entries) {
        return false;
    }
    memcpy(&cqe, fake_at(driver->host,
                         queue->cq_address + queue->cq_head * sizeof(cqe)),
           sizeof(cqe));
    if ((le16toh(cqe.status) & 1) != queue->phase) {
        return false;
    }
    sqid = le16toh(cqe.sq_id);
    cid = le16toh(cqe.cid);
    g_assert_cmpuint(sqid, <, DRIVER_QUEUES);
    g_assert_cmpuint(driver->queues[sqid].cqid, ==, cqid);
    g_assert_cmpuint(cid, <, DRIVER_CIDS);
    g_assert_cmpuint(driver->cid_state[sqid][cid], ==, CID_SUBMITTED);
    g_assert_cmpuint(le16toh(cqe.sq_head), <, driver->queues[sqid].sq_entries);
    driver->cid_state[sqid][cid] = CID_COMPLETED;
    driver->cqe[sqid][cid] = cqe;
    queue->cq_head = (queue->cq_head + 1) % queue->cq_entries;
    queue->phase ^= queue->cq_head == 0;
    driver_doorbell(driver, cqid * 2u + 1, queue->cq_head);
    return true;
}

uint32_t driver_poll_all(struct driver *driver)
{
    uint32_t count = 0;
    uint16_t id;

    for (id = 0; id < DRIVER_QUEUES; id++) {
        while (driver_poll(driver, id)) {
            count++;
        }
    }
    return count;
}

bool driver_is_done(const struct driver *driver, uint16_t qid, uint16_t cid)
{
    return driver->cid_state[qid][cid] == CID_COMPLETED;
}

uint16_t driver_reap(struct driver *driver, uint16_t qid, uint16_t cid)
{
    const struct nvme_completion *cqe = &driver->cqe[qid][cid];

    g_assert_true(driver_is_done(driver, qid, cid));
    driver->cid_state[qid][cid] = CID_FREE;
    last_result = le32toh(cqe->dw0);
    last_status_word = le16toh(cqe->status) >> 1;
    return last_status_word & NVME_STATUS_MASK;
}

uint32_t driver_result(void)
{
    return last_result;
}

uint16_t driver_status_word(void)
{
    return last_status_word;
}

uint16_t driver_exec(struct driver *driver, uint16_t qid,
                     const struct nvme_command *cmd)
{
    uint16_t cid = driver_send(driver, qid, cmd);

    do {
        fake_finish(driver->host);
    } while (driver_poll_all(driver) && !driver_is_done(driver, qid, cid));
    return driver_reap(driver, qid, cid);
}
