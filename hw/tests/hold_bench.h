/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, releases and what they leave in the trace, for tests of holds. */
#ifndef LAB_HOLD_BENCH_H
#define LAB_HOLD_BENCH_H

#include "fixture.h"

/* The rule as the guest sends it; the status, and the number as DW0. */
uint16_t hold_arm_raw(struct fixture *f, const struct lab_hold *spec);
/* Must succeed; the number. */
uint32_t hold_arm_ok(struct fixture *f, const struct lab_hold *spec);
uint32_t hold_at(struct fixture *f, enum lab_hold_stage stage);
uint32_t hold_opcode_at(struct fixture *f, enum lab_hold_stage stage,
                        uint8_t opcode);
/* RELEASE, run until nothing moves; how many. Must succeed. */
uint32_t hold_release(struct fixture *f, enum lab_release kind, uint32_t rule,
                      uint32_t limit, uint32_t order);
/* End this rule, of which so many commands are parked. */
void hold_end(struct fixture *f, uint32_t rule, uint32_t held);

/* One block at this LBA of namespace 1, at driver->buffer; the identifier. */
uint16_t hold_send(struct fixture *f, uint16_t qid, uint8_t opcode,
                   uint64_t slba, bool has_fua);
/* Deallocate two ranges of namespace 1. */
struct nvme_command hold_dsm(struct fixture *f, uint64_t slba, uint32_t count,
                             uint64_t slba2, uint32_t count2);
/* Finish, reap: done, with this status. */
void hold_expect(struct fixture *f, uint16_t qid, uint16_t cid,
                 uint16_t status);

/* The index-th event of this kind; there must be one. */
const struct lab_trace_event *hold_event(struct fixture *f,
                                         enum lab_trace_event_kind kind,
                                         uint32_t index);
/* Messages of this vector since the start. */
uint32_t hold_irqs(struct fixture *f, uint16_t vector);

#endif
