/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test driver's doorbells, shadowed or not; see driver.h. */
#include "bytes.h"
#include "driver.h"

uint16_t driver_shadow_on(struct driver *driver)
{
    uint64_t pages = driver_pages(driver, 2);
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DOORBELL_BUFFERS,
        .prp1 = pages,
        .prp2 = pages + DRIVER_PAGE,
    };
    uint16_t status = driver_exec(driver, 0, &cmd);

    if (!status) {
        driver->shadow = pages;
        driver->events = pages + DRIVER_PAGE;
    }
    return status;
}

static bool is_shadowed(const struct driver *driver, uint32_t index)
{
    return driver->shadow && index >= 2;
}

/* In 16 bits, whatever the size of the queue. */
static bool is_event_passed(uint16_t event, uint16_t before, uint16_t value)
{
    return (uint16_t)(value - event - 1) < (uint16_t)(value - before);
}

/* Write the entry; true: the register, too. */
static bool update_shadow(struct driver *driver, uint32_t index,
                          uint32_t value)
{
    uint8_t *entry = fake_at(driver->host, driver->shadow + index * 4);
    const uint8_t *event = fake_at(driver->host, driver->events + index * 4);
    uint32_t before = le32_get(entry);

    le32_put(entry, value);
    return is_event_passed(le32_get(event), before, value);
}

static void ring(struct driver *driver, uint32_t index, uint32_t value)
{
    driver->rings[index]++;
    reg_write(driver->host, NVME_REG_DOORBELLS + index * 4, value);
}

void driver_doorbell(struct driver *driver, uint32_t index, uint32_t value)
{
    if (is_shadowed(driver, index) && !update_shadow(driver, index, value)) {
        return;
    }
    if (driver->is_drive_busy) {
        driver->has_to_ring[index] = true;
        return;
    }
    ring(driver, index, value);
}

void driver_ring_late(struct driver *driver)
{
    uint32_t index;

    for (index = 0; index < 2 * DRIVER_QUEUES; index++) {
        const struct driver_queue *queue = &driver->queues[index / 2];

        if (driver->has_to_ring[index]) {
            driver->has_to_ring[index] = false;
            ring(driver, index, index % 2 ? queue->cq_head : queue->sq_tail);
        }
    }
}
