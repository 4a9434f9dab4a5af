/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all durability claims share: rounds, writing, and judging what is there
 * after the cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "durability.h"
#include "fs.h"
#include "issue.h"

#define MIB (1 << 20)

static void take_stat(struct claim *claim, struct lab_stat *stat)
{
    int error;

    memset(stat, 0, sizeof(*stat));
    if (guest_has_no_drive()) {
        return;
    }
    error = drive_stat(&claim->target.ns.drive, stat);
    if (error) {
        run_error(claim->run, "STAT on %s: %s", claim->target.ns.drive.node,
                  strerror(-error));
    }
}

/* The host may say what it gave the drive; it must be what the kernel sees. */
static void check_vwc(struct claim *claim)
{
    const char *told = run_parameter(claim->run, "vwc", NULL);
    bool has_vwc = claim->target.ns.has_vwc;

    if (told && strcmp(told, has_vwc ? "on" : "off") != 0) {
        run_error(claim->run, "vwc=%s, but write_cache of %s says \"%s\"",
                  told, claim->target.ns.name,
                  has_vwc ? "write back" : "write through");
    }
}

struct claim claim_open(struct run *run, enum target_state state)
{
    uint64_t round = run_number(run, "round", 0);
    struct claim claim = { .run = run };

    if (round > UINT32_MAX / 2 - 1) {
        run_error(run, "round=%" PRIu64 " is too large", round);
    }
    claim.older = (uint32_t)round * 2 + 1;
    claim.newer = claim.older + 1;
    claim.target = target_get(run, state);
    if (state == TARGET_FRESH_OR_MOUNTED) {
        fs_empty_log(run, &claim.target);
    }
    check_vwc(&claim);
    take_stat(&claim, &claim.stat_before);
    return claim;
}

static uint64_t file_id(struct claim *claim, const struct durable_file *file)
{
    char name[128];

    snprintf(name, sizeof(name), "durability/%s/%s", claim->target.type->name,
             file->name);
    return block_file_id(name);
}

off_t claim_start(const struct claim *claim, const struct durable_file *file)
{
    return claim->target.type->mount_point ? 0
                                           : (off_t)file->raw_number * MIB;
}

int claim_open_file(struct claim *claim, const struct durable_file *file,
                    int flags)
{
    return target_open(claim->run, &claim->target, file->name,
                       O_RDWR | flags);
}

/*
 * The state before the claim must not depend on what the claim is about: a
 * drive that lies about Flush would lose it too, and every case with it.
 */
static void make_durable(struct claim *claim)
{
    int error;

    if (guest_has_no_drive() || !claim->target.ns.has_vwc) {
        return;
    }
    error = drive_destage(&claim->target.ns.drive);
    if (error) {
        run_error(claim->run, "Set Features, volatile write cache, on %s: %s",
                  claim->target.ns.drive.node, strerror(-error));
    }
}

void claim_base(struct claim *claim, const struct durable_file *file)
{
    int fd = claim_open_file(claim, file, O_CREAT | O_DIRECT);
    void *buffer = target_buffer(claim->run, DURABLE_BYTES);

    if (claim->target.type->mount_point && ftruncate(fd, DURABLE_BYTES) < 0) {
        run_error(claim->run, "ftruncate %s: %s", file->name,
                  strerror(errno));
    }
    block_fill(buffer, DURABLE_BYTES, file_id(claim, file), 0, claim->older);
    target_write(claim->run, fd, buffer, DURABLE_BYTES,
                 claim_start(claim, file));
    target_settle(claim->run, &claim->target, fd);
    close(fd);
    make_durable(claim);
}

/* 16 different blocks of 64, no two of them neighbours, not in order. */
static unsigned scattered(unsigned i)
{
    return (i * 37 + 3) % DURABLE_BLOCKS;
}

static bool is_scattered(unsigned block)
{
    for (unsigned i = 0; i < DURABLE_SCATTERED; i++) {
        if (scattered(i) == block) {
            return true;
        }
    }
    return false;
}

void claim_write_piece(struct claim *claim, const struct durable_file *file,
                       int fd, claim_writer *writer, size_t offset,
                       size_t length)
{
    void *buffer = target_buffer(claim->run, length);
    ssize_t n;

    block_fill(buffer, length, file_id(claim, file), offset, claim->newer);
    n = writer(fd, buffer, length, claim_start(claim, file) + (off_t)offset);
    if (n != (ssize_t)length) {
        run_error(claim->run, "%s block %zu: write of %zu bytes: %s",
                  file->name, offset / TARGET_BLOCK_BYTES, length,
                  n < 0 ? strerror((int)-n) : "short");
    }
    free(buffer);
}

void claim_write(struct claim *claim, const struct durable_file *file, int fd,
                 claim_writer *writer, unsigned first_block,
                 unsigned block_count)
{
    for (unsigned i = first_block; i < first_block + block_count; i++) {
        claim_write_piece(claim, file, fd, writer,
                          (size_t)i * TARGET_BLOCK_BYTES, TARGET_BLOCK_BYTES);
    }
}

void claim_write_scattered(struct claim *claim,
                           const struct durable_file *file, int fd,
                           claim_writer *writer)
{
    for (unsigned i = 0; i < DURABLE_SCATTERED; i++) {
        claim_write(claim, file, fd, writer, scattered(i), 1);
    }
}

uint64_t claim_note_cost(struct claim *claim)
{
    struct lab_stat after;

    take_stat(claim, &after);
    if (guest_has_no_drive()) {
        return 0;
    }
    run_note(claim->run, "cost writes=%" PRIu64 " fua=%" PRIu64
             " flushes=%" PRIu64,
             after.writes - claim->stat_before.writes,
             after.writes_fua - claim->stat_before.writes_fua,
             after.flushes - claim->stat_before.flushes);
    return after.writes - claim->stat_before.writes;
}

enum durable_want claim_unpromised(struct claim *claim)
{
    const char *policy = run_parameter(claim->run, "policy", "");

    if (strcmp(policy, "drop-all") != 0 && strcmp(policy, "keep-all") != 0 &&
        strcmp(policy, "random") != 0 && strncmp(policy, "random:", 7) != 0) {
        run_error(claim->run, "policy=%s is none of drop-all, keep-all, "
                  "random:SEED", policy);
    }
    if (!claim->target.ns.has_vwc || strcmp(policy, "keep-all") == 0) {
        return DURABLE_NEWER;
    }
    return strcmp(policy, "drop-all") == 0 ? DURABLE_OLDER : DURABLE_EITHER;
}

/*
 * What is wrong with a block that is not as wanted. Zeros are what was there
 * before the first write, so they are older than any generation.
 */
static const char *diagnosis(const struct claim *claim,
                             const struct block_found *found,
                             enum durable_want want, bool is_promised)
{
    bool is_good = found->kind == BLOCK_GOOD;

    if (found->kind == BLOCK_ZERO ||
        (is_good && found->generation < claim->older)) {
        return "lost durability";   /* base has promised at least the older */
    }
    if (is_good && found->generation == claim->older) {
        return is_promised ? "lost durability"
                           : "lost, although this cut keeps it";
    }
    if (is_good && found->generation == claim->newer &&
        want == DURABLE_OLDER && !is_promised) {
        return "not lost: nothing was asked to make it durable";
    }
    return "corruption";
}

static bool is_wanted(const struct claim *claim,
                      const struct block_found *found,
                      enum durable_want want)
{
    if (found->kind != BLOCK_GOOD) {
        return false;
    }
    if (want != DURABLE_OLDER && found->generation == claim->newer) {
        return true;
    }
    return want != DURABLE_NEWER && found->generation == claim->older;
}

static _Noreturn void fail_at(struct claim *claim,
                              const struct durable_file *file, off_t offset,
                              const struct block_found *found,
                              enum durable_want want, bool is_promised)
{
    char wanted[64];
    char seen[128];

    if (want == DURABLE_EITHER) {
        snprintf(wanted, sizeof(wanted), "%" PRIu32 " or %" PRIu32,
                 claim->older, claim->newer);
    } else {
        snprintf(wanted, sizeof(wanted), "%" PRIu32,
                 want == DURABLE_NEWER ? claim->newer : claim->older);
    }
    block_describe(found, seen, sizeof(seen));
    run_fail(claim->run, "%s block %jd (offset %jd): wanted generation %s, "
             "found %s: %s", file->name,
             (intmax_t)(offset / TARGET_BLOCK_BYTES), (intmax_t)offset,
             wanted, seen, diagnosis(claim, found, want, is_promised));
}

static void count(struct claim *claim, const struct block_found *found,
                  bool is_promised, bool is_touched, unsigned blocks)
{
    if (!is_touched) {
        claim->untouched += blocks;
    } else if (is_promised) {
        claim->promised += blocks;
    } else if (found->generation == claim->newer) {
        claim->unpromised_kept += blocks;
    } else {
        claim->unpromised_lost += blocks;
    }
}

char *claim_read(struct claim *claim, const struct durable_file *file,
                 off_t first, size_t length)
{
    char *buffer = target_buffer(claim->run, length);
    int fd = target_try_open(&claim->target, file->name, O_RDWR | O_DIRECT);
    size_t read;

    if (fd < 0) {
        run_fail(claim->run, "%s does not open: %s: lost durability",
                 file->name, strerror(-fd));
    }
    read = target_read(claim->run, fd, buffer, length,
                       claim_start(claim, file) + first);
    close(fd);
    if (read != length) {
        run_fail(claim->run, "%s ends at offset %jd, wanted at least %jd: "
                 "lost durability", file->name,
                 (intmax_t)first + (intmax_t)read,
                 (intmax_t)first + (intmax_t)length);
    }
    return buffer;
}

/* One block of 4096 bytes, by the logical blocks of the drive. */
static void judge_block(struct claim *claim, const struct durable_file *file,
                        unsigned block, const char *bytes,
                        enum durable_want want, bool is_promised,
                        bool is_touched)
{
    const size_t grain = claim->target.ns.block_size_bytes;
    const off_t offset = (off_t)block * TARGET_BLOCK_BYTES;
    const uint64_t id = file_id(claim, file);

    for (size_t at = 0; at < TARGET_BLOCK_BYTES; at += grain) {
        struct block_found found = block_inspect(bytes + at, grain, id,
                                                 (uint64_t)offset + at);

        if (!is_wanted(claim, &found, want)) {
            fail_at(claim, file, offset + (off_t)at, &found, want,
                    is_promised);
        }
        count(claim, &found, is_promised, is_touched, 1);
    }
}

void claim_expect_piece(struct claim *claim, const struct durable_file *file,
                        size_t offset, size_t length, const char *bytes,
                        enum durable_want want, bool is_touched)
{
    const size_t grain = claim->target.ns.block_size_bytes;
    struct block_found found = block_inspect(bytes, length,
                                             file_id(claim, file), offset);

    if (found.kind == BLOCK_TORN) {
        run_fail(claim->run, "%s block %zu (offset %zu): of a write of %zu "
                 "bytes the cut left a part: torn", file->name,
                 offset / TARGET_BLOCK_BYTES, offset, length);
    }
    if (!is_wanted(claim, &found, want)) {
        fail_at(claim, file, (off_t)offset, &found, want, !is_touched);
    }
    count(claim, &found, false, is_touched, (unsigned)(length / grain));
}

void claim_expect(struct claim *claim, const struct durable_file *file,
                  unsigned first_block, unsigned block_count,
                  enum durable_want want, bool is_promised)
{
    char *buffer = claim_read(claim, file,
                              (off_t)first_block * TARGET_BLOCK_BYTES,
                              (size_t)block_count * TARGET_BLOCK_BYTES);

    for (unsigned i = 0; i < block_count; i++) {
        judge_block(claim, file, first_block + i,
                    buffer + i * TARGET_BLOCK_BYTES, want, is_promised, true);
    }
}

void claim_expect_scattered(struct claim *claim,
                            const struct durable_file *file,
                            enum durable_want want, bool is_promised)
{
    char *buffer = claim_read(claim, file, 0, DURABLE_BYTES);

    for (unsigned block = 0; block < DURABLE_BLOCKS; block++) {
        bool is_touched = is_scattered(block);

        /* base has promised the others. */
        judge_block(claim, file, block, buffer + block * TARGET_BLOCK_BYTES,
                    is_touched ? want : DURABLE_OLDER,
                    is_promised || !is_touched, is_touched);
    }
}

void claim_pass(struct claim *claim)
{
    run_pass(claim->run, "logical blocks of %" PRIu32 " bytes: promised and "
             "kept %u, unpromised kept %u lost %u, untouched %u",
             claim->target.ns.block_size_bytes, claim->promised,
             claim->unpromised_kept, claim->unpromised_lost,
             claim->untouched);
}
