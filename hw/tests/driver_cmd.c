/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and data of the test driver; see driver.h. */
#include <string.h>

#include "bytes.h"
#include "driver.h"

#define ENTRIES_PER_PAGE (DRIVER_PAGE / 8)

/* -- Data pointers -------------------------------------------------------- */

static void build_list(struct driver *driver, uint64_t page, uint64_t count)
{
    uint64_t list = driver->list;
    uint32_t i = 0;

    while (count) {
        if (i == ENTRIES_PER_PAGE - 1 && count > 1) {
            le64_put(fake_at(driver->host, list + i * 8), list + DRIVER_PAGE);
            list += DRIVER_PAGE;
            i = 0;
        }
        le64_put(fake_at(driver->host, list + i * 8), page);
        page += DRIVER_PAGE;
        count--;
        i++;
    }
}

void driver_prps(struct driver *driver, struct nvme_command *cmd,
                 uint64_t address, uint64_t length)
{
    uint64_t first = DRIVER_PAGE - address % DRIVER_PAGE;
    uint64_t pages;

    cmd->prp1 = address;
    if (length <= first) {
        return;
    }
    pages = (length - first + DRIVER_PAGE - 1) / DRIVER_PAGE;
    if (pages == 1) {
        cmd->prp2 = address + first;
        return;
    }
    cmd->prp2 = driver->list;
    build_list(driver, address + first, pages);
}

/* -- Commands ------------------------------------------------------------- */

struct nvme_command cmd_rw(struct driver *driver, uint8_t opcode, uint32_t nsid,
                           uint64_t slba, uint32_t blocks, bool has_fua)
{
    struct nvme_command cmd = {
        .opcode = opcode, .nsid = nsid,
        .cdw10 = slba, .cdw11 = slba >> 32,
        .cdw12 = (blocks - 1) | (has_fua ? NVME_RW_FUA : 0),
    };

    driver_prps(driver, &cmd, driver->buffer,
                (uint64_t)blocks * driver->host->config.block_size_bytes);
    return cmd;
}

struct nvme_command cmd_flush(uint32_t nsid)
{
    return (struct nvme_command) { .opcode = NVME_IO_FLUSH, .nsid = nsid };
}

struct nvme_command cmd_identify(struct driver *driver, uint8_t cns,
                                 uint32_t nsid)
{
    return (struct nvme_command) {
        .opcode = NVME_ADMIN_IDENTIFY, .nsid = nsid, .cdw10 = cns,
        .prp1 = driver->buffer,
    };
}

struct nvme_command cmd_get_log(struct driver *driver, uint8_t lid,
                                uint32_t bytes)
{
    uint32_t dwords_0based = bytes / 4 - 1;

    return (struct nvme_command) {
        .opcode = NVME_ADMIN_GET_LOG,
        .cdw10 = (dwords_0based & 0xFFFF) << 16 | lid,
        .cdw11 = dwords_0based >> 16,
        .prp1 = driver->buffer,
    };
}

struct nvme_command cmd_set_features(uint8_t fid, uint32_t value)
{
    return (struct nvme_command) {
        .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = fid, .cdw11 = value,
    };
}

struct nvme_command cmd_get_features(uint8_t fid)
{
    return (struct nvme_command) {
        .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = fid,
    };
}

struct nvme_command cmd_mark(struct driver *driver, uint64_t id, uint32_t kind,
                             const char *text)
{
    uint32_t dwords = (strlen(text) + 3) / 4;

    memset(fake_at(driver->host, driver->buffer), 0, dwords * 4);
    memcpy(fake_at(driver->host, driver->buffer), text, strlen(text));
    return (struct nvme_command) {
        .opcode = LAB_OP_MARK, .prp1 = driver->buffer,
        .cdw10 = dwords, .cdw11 = kind, .cdw12 = id, .cdw13 = id >> 32,
    };
}

/* -- Contents ------------------------------------------------------------- */

void tag_fill(void *data, uint64_t bytes, uint64_t tag)
{
    uint64_t i;

    for (i = 0; i < bytes; i += 8) {
        le64_put((uint8_t *)data + i, tag);
    }
}

uint64_t tag_of(const void *block, uint32_t block_size_bytes)
{
    uint64_t tag = le64_get(block);
    uint32_t i;

    for (i = 8; i < block_size_bytes; i += 8) {
        g_assert_cmpuint(le64_get((const uint8_t *)block + i), ==, tag);
    }
    return tag;
}

uint64_t medium_tag(struct fake_host *host, uint32_t nsid, uint64_t block)
{
    return tag_of(fake_block(host, nsid, block), host->config.block_size_bytes);
}

/* -- Whole operations ----------------------------------------------------- */

void driver_write(struct driver *driver, uint32_t nsid, uint64_t slba,
                  uint32_t blocks, uint64_t tag, bool has_fua)
{
    struct nvme_command cmd = cmd_rw(driver, NVME_IO_WRITE, nsid, slba, blocks,
                                     has_fua);

    tag_fill(fake_at(driver->host, driver->buffer),
             (uint64_t)blocks * driver->host->config.block_size_bytes, tag);
    assert_status(driver_exec(driver, 1, &cmd), NVME_SUCCESS);
}

uint64_t driver_read_tag(struct driver *driver, uint32_t nsid, uint64_t block,
                         bool has_fua)
{
    struct nvme_command cmd = cmd_rw(driver, NVME_IO_READ, nsid, block, 1,
                                     has_fua);

    assert_status(driver_exec(driver, 1, &cmd), NVME_SUCCESS);
    return tag_of(fake_at(driver->host, driver->buffer),
                  driver->host->config.block_size_bytes);
}

void driver_flush(struct driver *driver, uint32_t nsid)
{
    struct nvme_command cmd = cmd_flush(nsid);

    assert_status(driver_exec(driver, 1, &cmd), NVME_SUCCESS);
}

uint16_t driver_send_write(struct driver *driver, uint32_t nsid, uint64_t slba,
                           uint32_t blocks, uint64_t tag, bool has_fua)
{
    uint64_t bytes = (uint64_t)blocks * driver->host->config.block_size_bytes;
    struct nvme_command cmd = cmd_rw(driver, NVME_IO_WRITE, nsid, slba, blocks,
                                     has_fua);
    uint64_t page = driver_pages(driver, 2);

    g_assert_cmpuint(bytes, <=, 2 * DRIVER_PAGE);
    tag_fill(fake_at(driver->host, page), bytes, tag);
    driver_prps(driver, &cmd, page, bytes);
    return driver_send(driver, 1, &cmd);
}

struct lab_stat driver_stat(struct driver *driver)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_STAT, .prp1 = driver->buffer,
        .cdw10 = sizeof(struct lab_stat) / 4,
    };
    struct lab_stat stat;

    assert_status(driver_exec(driver, 0, &cmd), NVME_SUCCESS);
    memcpy(&stat, fake_at(driver->host, driver->buffer), sizeof(stat));
    return stat;
}
