/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admin commands that manage queues, Abort, and what is not supported. */
#include <string.h>

#include "fixture.h"

static uint16_t create(struct fixture *f, uint8_t opcode, uint32_t cdw10,
                       uint32_t cdw11, uint64_t prp1)
{
    struct nvme_command cmd = {
        .opcode = opcode, .cdw10 = cdw10, .cdw11 = cdw11, .prp1 = prp1,
    };

    return driver_exec(f->driver, 0, &cmd);
}

static void test_create_refused(struct fixture *f, gconstpointer data)
{
    static const struct {
        uint8_t opcode;
        uint32_t cdw10;
        uint32_t cdw11;
        uint64_t offset;
        uint16_t status;
    } wrong[] = {
        { NVME_ADMIN_CREATE_CQ, 7 << 16 | 0, 1, 0, NVME_INVALID_QUEUE_ID },
        { NVME_ADMIN_CREATE_CQ, 7 << 16 | 5, 1, 0, NVME_INVALID_QUEUE_ID },
        { NVME_ADMIN_CREATE_CQ, 7 << 16 | 1, 1, 0, NVME_INVALID_QUEUE_ID },
        { NVME_ADMIN_CREATE_CQ, 0 << 16 | 2, 1, 0, NVME_INVALID_QUEUE_SIZE },
        { NVME_ADMIN_CREATE_CQ, 1024u << 16 | 2, 1, 0,
          NVME_INVALID_QUEUE_SIZE },
        { NVME_ADMIN_CREATE_CQ, 7 << 16 | 2, 0, 0, NVME_INVALID_FIELD },
        { NVME_ADMIN_CREATE_CQ, 7 << 16 | 2, 1, 64, NVME_INVALID_PRP_OFFSET },
        { NVME_ADMIN_CREATE_CQ, 7 << 16 | 2, 5 << 16 | 3, 0,
          NVME_INVALID_VECTOR },
        { NVME_ADMIN_CREATE_SQ, 7 << 16 | 0, 1 << 16 | 1, 0,
          NVME_INVALID_QUEUE_ID },
        { NVME_ADMIN_CREATE_SQ, 7 << 16 | 1, 1 << 16 | 1, 0,
          NVME_INVALID_QUEUE_ID },
        { NVME_ADMIN_CREATE_SQ, 0 << 16 | 2, 1 << 16 | 1, 0,
          NVME_INVALID_QUEUE_SIZE },
        { NVME_ADMIN_CREATE_SQ, 7 << 16 | 2, 0 << 16 | 1, 0, NVME_INVALID_CQ },
        { NVME_ADMIN_CREATE_SQ, 7 << 16 | 2, 3 << 16 | 1, 0, NVME_INVALID_CQ },
        { NVME_ADMIN_CREATE_SQ, 7 << 16 | 2, 99 << 16 | 1, 0,
          NVME_INVALID_CQ },
        { NVME_ADMIN_CREATE_SQ, 7 << 16 | 2, 1 << 16, 0, NVME_INVALID_FIELD },
    };
    uint64_t page = driver_pages(f->driver, 1);
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_status(create(f, wrong[i].opcode, wrong[i].cdw10,
                             wrong[i].cdw11, page + wrong[i].offset),
                      wrong[i].status);
        g_assert_cmphex(driver_status_word() & NVME_DNR, ==, NVME_DNR);
    }
}

static void test_entry_sizes(struct fixture *f, gconstpointer data)
{
    struct fake_host *host = f->host;
    uint64_t page = driver_pages(f->driver, 1);

    (void)data;
    reg_write(host, NVME_REG_CC, NVME_CC_EN | 5u << 16 | 4u << 20);
    assert_status(create(f, NVME_ADMIN_CREATE_CQ, 7 << 16 | 2, 1, page),
                  NVME_SUCCESS);
    assert_status(create(f, NVME_ADMIN_CREATE_SQ, 7 << 16 | 2, 2 << 16 | 1,
                         page), NVME_INVALID_QUEUE_SIZE);
    reg_write(host, NVME_REG_CC, NVME_CC_EN | 6u << 16 | 3u << 20);
    assert_status(create(f, NVME_ADMIN_CREATE_CQ, 7 << 16 | 3, 1, page),
                  NVME_INVALID_QUEUE_SIZE);
}

static uint16_t delete(struct fixture *f, uint8_t opcode, uint16_t id)
{
    struct nvme_command cmd = { .opcode = opcode, .cdw10 = id };

    return driver_exec(f->driver, 0, &cmd);
}

static void test_delete(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_status(delete(f, NVME_ADMIN_DELETE_CQ, 1),
                  NVME_INVALID_QUEUE_DELETION);
    assert_status(delete(f, NVME_ADMIN_DELETE_SQ, 2), NVME_INVALID_QUEUE_ID);
    assert_status(delete(f, NVME_ADMIN_DELETE_SQ, 0), NVME_INVALID_QUEUE_ID);
    assert_status(delete(f, NVME_ADMIN_DELETE_CQ, 0), NVME_INVALID_QUEUE_ID);
    assert_status(delete(f, NVME_ADMIN_DELETE_SQ, 1), NVME_SUCCESS);
    assert_status(delete(f, NVME_ADMIN_DELETE_SQ, 1), NVME_INVALID_QUEUE_ID);
    assert_status(delete(f, NVME_ADMIN_DELETE_CQ, 1), NVME_SUCCESS);
    assert_status(delete(f, NVME_ADMIN_DELETE_CQ, 1), NVME_INVALID_QUEUE_ID);
    driver_create_pair(f->driver, 1, 8, 1);
    driver_write(f->driver, 1, 0, 1, 1, false);
}

/* A write that became visible stays; its completion never comes. */
static void test_delete_in_flight(struct fixture *f, gconstpointer data)
{
    uint32_t index = 0;
    const struct lab_trace_command *command;
    uint32_t unanswered = 0;

    (void)data;
    driver_send_write(f->driver, 1, 0, 1, 7, true);
    driver_send_write(f->driver, 1, 1, 1, 8, true);
    fake_run(f->host);
    g_assert_cmpuint(fake_waiting(f->host), ==, 2);
    assert_status(delete(f, NVME_ADMIN_DELETE_SQ, 1), NVME_SUCCESS);
    g_assert_false(driver_poll(f->driver, 1));
    while ((command = fake_trace_next(f->host, LAB_TRACE_COMMAND, &index))) {
        unanswered += !!(command->flags & LAB_TRACE_NO_CQE);
    }
    g_assert_cmpuint(unanswered, ==, 2);
    assert_status(driver_create_sq(f->driver, 1, 1, 8), NVME_SUCCESS);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 0, false), ==, 7);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==, 8);
}

static void test_unknown(struct fixture *f, gconstpointer data)
{
    static const uint8_t opcodes[] = {
        0x03, 0x07, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x18, 0x7D, 0x80, 0x81, 0x84,
        0xC0, 0xC3, 0xC9, 0xFF,
    };
    uint32_t i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        struct nvme_command cmd = { .opcode = opcodes[i] };

        assert_status(driver_exec(f->driver, 0, &cmd), NVME_INVALID_OPCODE);
        g_assert_cmphex(driver_status_word() & NVME_DNR, ==, NVME_DNR);
    }
}

/* The effects log names exactly what is not an invalid opcode. */
static void test_effects_agree(struct fixture *f, gconstpointer data)
{
    static uint32_t effects[512];
    struct nvme_command log = cmd_get_log(f->driver, NVME_LOG_EFFECTS, 4096);
    uint32_t opcode;

    (void)data;
    assert_status(driver_exec(f->driver, 0, &log), NVME_SUCCESS);
    memcpy(effects, fake_at(f->host, f->driver->buffer), sizeof(effects));
    for (opcode = 0; opcode < 256; opcode++) {
        struct nvme_command cmd = { .opcode = opcode, .prp1 = 2 };

        /* What would wait, cut, or take the driver's queue away. */
        if (opcode == NVME_ADMIN_ASYNC_EVENT || opcode == LAB_OP_CUT) {
            g_assert_cmphex(effects[opcode], ==, NVME_EFFECT_SUPPORTED);
            continue;
        }
        g_assert_cmpint(driver_exec(f->driver, 0, &cmd) == NVME_INVALID_OPCODE,
                        ==, !effects[opcode]);
        g_assert_cmphex(effects[opcode] & ~NVME_EFFECT_SUPPORTED, ==, 0);
        cmd.nsid = 1;
        g_assert_cmpint(driver_exec(f->driver, 1, &cmd) == NVME_INVALID_OPCODE,
                        ==, !effects[256 + opcode]);
    }
}

static uint16_t exec_abort(struct fixture *f, uint16_t sqid, uint16_t cid)
{
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)cid << 16 | sqid,
    };

    return driver_exec(f->driver, 0, &cmd);
}

static void test_abort(struct fixture *f, gconstpointer data)
{
    struct nvme_command aer = { .opcode = NVME_ADMIN_ASYNC_EVENT };
    uint16_t cid = driver_send(f->driver, 0, &aer);
    uint16_t write;

    (void)data;
    fake_finish(f->host);
    assert_status(exec_abort(f, 0, cid), NVME_SUCCESS);
    g_assert_cmpuint(driver_result() & 1, ==, 0);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 0, cid), NVME_ABORT_REQUESTED);
    assert_status(exec_abort(f, 0, cid), NVME_SUCCESS);
    g_assert_cmpuint(driver_result() & 1, ==, 1);
    assert_status(exec_abort(f, 4, 0), NVME_INVALID_FIELD);
    assert_status(exec_abort(f, 999, 0), NVME_INVALID_FIELD);
    /* A command on its way is not aborted and ends by itself. */
    write = driver_send_write(f->driver, 1, 0, 1, 1, true);
    fake_run(f->host);
    assert_status(exec_abort(f, 1, write), NVME_SUCCESS);
    g_assert_cmpuint(driver_result() & 1, ==, 1);
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, 1, write), NVME_SUCCESS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/admin/create-queue-refuses", NULL, test_create_refused);
    FIXTURE_TEST("/admin/entry-sizes-of-cc", NULL, test_entry_sizes);
    FIXTURE_TEST("/admin/delete-queue", NULL, test_delete);
    FIXTURE_TEST("/admin/delete-queue-in-flight", NULL, test_delete_in_flight);
    FIXTURE_TEST("/admin/unknown-opcodes", NULL, test_unknown);
    FIXTURE_TEST("/admin/effects-log-agrees-with-behaviour", NULL,
                 test_effects_agree);
    FIXTURE_TEST("/admin/abort", NULL, test_abort);
    return g_test_run();
}
