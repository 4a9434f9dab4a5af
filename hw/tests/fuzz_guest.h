/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share: the input as a stream of numbers, and a guest
 * that obeys nothing. Unlike driver.h it never checks what the drive answers;
 * the checks are host_fake's (dark drive, trace, storage, endless running).
 *
 * Guest memory, from FAKE_RAM_BASE:
 *
 *      0x00000 admin SQ, CQ; then an SQ and a CQ page per I/O queue
 *      0x08000 shadow doorbells, 0x09000 EventIdx
 *      0x10000 data and PRP lists; the rest of FUZZ_RAM_BYTES
 */
#ifndef LAB_FUZZ_GUEST_H
#define LAB_FUZZ_GUEST_H

#include "host_fake.h"
#include "nvme_spec.h"
#include "vendor.h"

#define FUZZ_RAM_BYTES (256u << 10)
#define FUZZ_SHADOW (FAKE_RAM_BASE + 0x8000)
#define FUZZ_DATA (FAKE_RAM_BASE + 0x10000)
#define FUZZ_QUEUES 3u
#define FUZZ_ENTRIES 16u
#define FUZZ_STEPS_MAX 400

struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

/* Zeros when the input has run out. */
uint8_t fuzz_u8(struct fuzz_input *input);
uint16_t fuzz_u16(struct fuzz_input *input);
uint32_t fuzz_u32(struct fuzz_input *input);
uint64_t fuzz_u64(struct fuzz_input *input);

struct fuzz_guest {
    struct fake_host *host;
    uint32_t tails[FUZZ_QUEUES];
    bool has_shadow;            /* sends Doorbell Buffer Config */
};

/* A drive whose configuration the input chooses. */
struct fuzz_guest *fuzz_guest_new(struct fuzz_input *input);
/* Lets everything end; the drive must become idle. */
void fuzz_guest_free(struct fuzz_guest *guest);

/* Enabled, with two I/O queue pairs, the second polled. */
void fuzz_guest_enable(struct fuzz_guest *guest);
/* Put an SQE into the queue and ring. */
void fuzz_guest_send(struct fuzz_guest *guest, uint32_t queue,
                     const struct nvme_command *cmd);
/*
 * Something around the commands: run, storage in any order, failing storage,
 * time, CQ heads, garbage in the shadow page, reset, power cut.
 */
void fuzz_guest_step(struct fuzz_guest *guest, struct fuzz_input *input);
/* A cut that the guest asked for is carried out. */
void fuzz_guest_power(struct fuzz_guest *guest);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
