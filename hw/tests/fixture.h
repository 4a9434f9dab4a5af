/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A drive that is up, and its driver, before each test; torn down after it. */
#ifndef LAB_FIXTURE_H
#define LAB_FIXTURE_H

#include "driver.h"

struct fixture {
    struct fake_host *host;
    struct driver *driver;
};

/* data: NULL, or void (*)(struct fake_config *) that changes the default. */
void fixture_up(struct fixture *f, gconstpointer data);
void fixture_down(struct fixture *f, gconstpointer data);

/* The error log, newest first; reading it (RAE = 0) lets events go on. */
uint32_t fixture_errors(struct fixture *f, struct nvme_error_entry *entries,
                        uint32_t room);

#define FIXTURE_TEST(path, configure, function) \
    g_test_add(path, struct fixture, configure, fixture_up, function, \
               fixture_down)

#endif
