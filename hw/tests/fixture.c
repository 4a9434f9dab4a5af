/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fixture.h. */
#include "fixture.h"

#include <string.h>

void fixture_up(struct fixture *f, gconstpointer data)
{
    void (*configure)(struct fake_config *config) =
        (void (*)(struct fake_config *))data;
    struct fake_config config = fake_config_default();

    if (configure) {
        configure(&config);
    }
    f->host = fake_new(&config);
    f->driver = driver_up(f->host);
}

void fixture_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    driver_free(f->driver);
    fake_free(f->host);
}

uint32_t fixture_errors(struct fixture *f, struct nvme_error_entry *entries,
                        uint32_t room)
{
    uint32_t bytes = room * sizeof(*entries);
    struct nvme_command cmd = cmd_get_log(f->driver, NVME_LOG_ERROR, bytes);
    uint32_t count = 0;

    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    memcpy(entries, fake_at(f->host, f->driver->buffer), bytes);
    while (count < room && entries[count].error_count) {
        count++;
    }
    return count;
}
