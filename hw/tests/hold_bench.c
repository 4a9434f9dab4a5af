/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See hold_bench.h. */
#include "hold_bench.h"

#include <string.h>

#include "bytes.h"

uint16_t hold_arm_raw(struct fixture *f, const struct lab_hold *spec)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_HOLD, .cdw10 = sizeof(*spec) / 4,
    };

    driver_prps(f->driver, &cmd, f->driver->buffer, sizeof(*spec));
    memcpy(fake_at(f->host, f->driver->buffer), spec, sizeof(*spec));
    return driver_exec(f->driver, 0, &cmd);
}

uint32_t hold_arm_ok(struct fixture *f, const struct lab_hold *spec)
{
    assert_status(hold_arm_raw(f, spec), NVME_SUCCESS);
    return driver_result();
}

uint32_t hold_at(struct fixture *f, enum lab_hold_stage stage)
{
    struct lab_hold spec = { .stage = stage };

    return hold_arm_ok(f, &spec);
}

uint32_t hold_opcode_at(struct fixture *f, enum lab_hold_stage stage,
                        uint8_t opcode)
{
    struct lab_hold spec = { .stage = stage, .flags = LAB_HOLD_BY_OPCODE,
                             .opcode = opcode };

    return hold_arm_ok(f, &spec);
}

uint32_t hold_release(struct fixture *f, enum lab_release kind, uint32_t rule,
                      uint32_t limit, uint32_t order)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_RELEASE, .cdw10 = kind, .cdw11 = rule,
        .cdw12 = limit, .cdw13 = order,
    };

    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    return driver_result();
}

void hold_end(struct fixture *f, uint32_t rule, uint32_t held)
{
    g_assert_cmpuint(hold_release(f, LAB_RELEASE_RULE, rule, 0, 0), ==, held);
}

uint16_t hold_send(struct fixture *f, uint16_t qid, uint8_t opcode,
                   uint64_t slba, bool has_fua)
{
    struct nvme_command cmd = cmd_rw(f->driver, opcode, 1, slba, 1, has_fua);

    return driver_send(f->driver, qid, &cmd);
}

struct nvme_command hold_dsm(struct fixture *f, uint64_t slba, uint32_t count,
                             uint64_t slba2, uint32_t count2)
{
    uint64_t address = f->driver->buffer + 64 * 1024;
    struct nvme_dsm_range *list = fake_at(f->host, address);
    struct nvme_command cmd = {
        .opcode = NVME_IO_DSM, .nsid = 1, .cdw10 = 1,
        .cdw11 = NVME_DSM_DEALLOCATE,
    };

    memset(list, 0, 2 * sizeof(list[0]));
    list[0].slba = htole64(slba);
    list[0].block_count = htole32(count);
    list[1].slba = htole64(slba2);
    list[1].block_count = htole32(count2);
    driver_prps(f->driver, &cmd, address, 2 * sizeof(list[0]));
    return cmd;
}

void hold_expect(struct fixture *f, uint16_t qid, uint16_t cid, uint16_t status)
{
    fake_finish(f->host);
    driver_poll_all(f->driver);
    assert_status(driver_reap(f->driver, qid, cid), status);
}

const struct lab_trace_event *hold_event(struct fixture *f,
                                         enum lab_trace_event_kind kind,
                                         uint32_t index)
{
    const struct lab_trace_event *event;
    uint32_t at = 0;

    while ((event = fake_trace_next(f->host, LAB_TRACE_EVENT, &at))) {
        if (event->kind == kind && index-- == 0) {
            return event;
        }
    }
    g_assert_not_reached();
}

uint32_t hold_irqs(struct fixture *f, uint16_t vector)
{
    uint32_t count = 0;
    guint i;

    for (i = 0; i < f->host->irqs->len; i++) {
        count += g_array_index(f->host->irqs, uint16_t, i) == vector;
    }
    return count;
}
