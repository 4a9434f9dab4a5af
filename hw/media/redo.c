/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The redo record; see redo.h. On the metadata, little-endian:
 *
 *      0      superblock, SECTOR_BYTES
 *      4096   record header, SECTOR_BYTES
 *      8192   the bytes of the segments, one after the other
 *
 * Both checksums are SHA-256 over header (with the checksum zero) and bytes.
 */
#include "redo.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "bytes.h"

#define SECTOR_BYTES 4096u
#define RECORD_OFFSET SECTOR_BYTES
#define DATA_OFFSET (2 * SECTOR_BYTES)
#define SUPERBLOCK_MAGIC "LABMETA"
#define RECORD_MAGIC "LABREDO"
#define META_VERSION 1u
#define DIGEST_BYTES 32

struct superblock {
    char magic[8];
    uint32_t version;
    uint32_t block_size_bytes;
    uint64_t block_count;
    uint8_t owner[16];
    uint8_t rest[SECTOR_BYTES - 40];
};
_Static_assert(sizeof(struct superblock) == SECTOR_BYTES, "superblock");

struct range {
    uint64_t start;
    uint64_t count;
};

struct record {
    char magic[8];
    uint32_t version;
    uint32_t range_count;
    uint64_t data_bytes;
    uint8_t digest[DIGEST_BYTES];
    struct range ranges[REDO_BLOCKS_MAX];
    uint8_t rest[SECTOR_BYTES - 56 - REDO_BLOCKS_MAX * 16];
};
_Static_assert(sizeof(struct record) == SECTOR_BYTES, "record header");

struct redo {
    struct redo_config config;
    struct store *meta;
    struct store *medium;
    uint8_t *sectors;           /* the metadata, as it is or shall be */
    size_t size_bytes;
    struct store_req req;
    struct iovec iov;
    void (*step)(struct redo *redo, int error);
    uint32_t replayed;          /* ranges */
    uint8_t *replay_from;
    bool has_record;

    void (*started)(void *opaque, int error, const char *why);
    void (*done)(void *opaque, int error);
    void *opaque;
};

uint64_t redo_size(uint32_t block_size_bytes)
{
    return DATA_OFFSET + (uint64_t)block_size_bytes * REDO_BLOCKS_MAX;
}

struct redo *redo_new(const struct redo_config *config, struct store *meta,
                      struct store *medium)
{
    struct redo *redo = g_new0(struct redo, 1);

    redo->config = *config;
    redo->meta = meta;
    redo->medium = medium;
    redo->size_bytes = redo_size(config->block_size_bytes);
    redo->sectors = g_malloc0(redo->size_bytes);
    return redo;
}

void redo_free(struct redo *redo)
{
    g_free(redo->sectors);
    g_free(redo);
}

static struct record *record_of(struct redo *redo)
{
    return (struct record *)(redo->sectors + RECORD_OFFSET);
}

/* -- One request at a time ------------------------------------------------ */

static void req_done(struct store_req *req, int error)
{
    struct redo *redo = (struct redo *)((char *)req -
                                        offsetof(struct redo, req));

    redo->step(redo, error);
}

static void transfer(struct redo *redo, struct store *store, enum store_op op,
                     uint64_t offset, void *bytes, size_t length,
                     void (*step)(struct redo *redo, int error))
{
    redo->iov = (struct iovec) { bytes, length };
    redo->req = (struct store_req) {
        .op = op, .has_fua = op == STORE_WRITE, .offset_bytes = offset,
        .length_bytes = length, .iov = &redo->iov, .iov_count = 1,
        .done = req_done,
    };
    redo->step = step;
    store->submit(store, &redo->req);
}

static void finish(struct redo *redo, int error)
{
    redo->done(redo->opaque, error);
}

/* -- Checksums ------------------------------------------------------------ */

static void digest_record(struct redo *redo, uint8_t digest[DIGEST_BYTES])
{
    struct record header = *record_of(redo);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = DIGEST_BYTES;

    memset(header.digest, 0, sizeof(header.digest));
    g_checksum_update(sum, (const uint8_t *)&header, sizeof(header));
    g_checksum_update(sum, redo->sectors + DATA_OFFSET,
                      le64toh(header.data_bytes));
    g_checksum_get_digest(sum, digest, &length);
    g_checksum_free(sum);
}

static bool is_within_medium(const struct redo *redo, const struct range *range)
{
    uint64_t start = le64toh(range->start);
    uint64_t count = le64toh(range->count);

    return count && start < redo->config.block_count &&
           count <= redo->config.block_count - start;
}

/* The lengths that a foreign header claims are checked before they are used. */
static bool is_record_valid(struct redo *redo)
{
    struct record *record = record_of(redo);
    uint32_t range_count = le32toh(record->range_count);
    uint64_t room = redo->size_bytes - DATA_OFFSET;
    uint8_t digest[DIGEST_BYTES];
    uint64_t bytes = 0;
    uint32_t i;

    if (memcmp(record->magic, RECORD_MAGIC, sizeof(record->magic)) ||
        le32toh(record->version) != META_VERSION ||
        range_count > REDO_BLOCKS_MAX || le64toh(record->data_bytes) > room) {
        return false;
    }
    digest_record(redo, digest);
    if (memcmp(digest, record->digest, DIGEST_BYTES)) {
        return false;
    }
    for (i = 0; i < range_count; i++) {
        if (!is_within_medium(redo, &record->ranges[i])) {
            return false;
        }
        bytes += le64toh(record->ranges[i].count) *
                 redo->config.block_size_bytes;
    }
    return bytes == le64toh(record->data_bytes);
}

/* -- Start ---------------------------------------------------------------- */

static void start_over(struct redo *redo, int error)
{
    redo->started(redo->opaque, error, NULL);
}

static void clear_header(struct redo *redo,
                         void (*step)(struct redo *redo, int error))
{
    memset(record_of(redo), 0, sizeof(struct record));
    transfer(redo, redo->meta, STORE_WRITE, RECORD_OFFSET, record_of(redo),
             sizeof(struct record), step);
}

static void replay_next(struct redo *redo, int error)
{
    struct record *record = record_of(redo);
    uint64_t start;
    uint64_t length;
    uint8_t *from = redo->replay_from;

    if (error) {
        start_over(redo, error);
        return;
    }
    if (redo->replayed == le32toh(record->range_count)) {
        clear_header(redo, start_over);
        return;
    }
    start = le64toh(record->ranges[redo->replayed].start);
    length = le64toh(record->ranges[redo->replayed].count) *
             redo->config.block_size_bytes;
    redo->replayed++;
    redo->replay_from += length;
    transfer(redo, redo->medium, STORE_WRITE,
             start * redo->config.block_size_bytes, from, length, replay_next);
}

static void start_replay(struct redo *redo)
{
    if (!is_record_valid(redo)) {
        start_over(redo, 0);
        return;
    }
    redo->replayed = 0;
    redo->replay_from = redo->sectors + DATA_OFFSET;
    replay_next(redo, 0);
}

static void write_superblock(struct redo *redo)
{
    struct superblock *super = (struct superblock *)redo->sectors;

    memcpy(super->magic, SUPERBLOCK_MAGIC, sizeof(super->magic));
    super->version = htole32(META_VERSION);
    super->block_size_bytes = htole32(redo->config.block_size_bytes);
    super->block_count = htole64(redo->config.block_count);
    memcpy(super->owner, redo->config.owner, sizeof(super->owner));
    transfer(redo, redo->meta, STORE_WRITE, 0, super, sizeof(*super),
             start_over);
}

static bool is_blank(const struct redo *redo)
{
    size_t i;

    for (i = 0; i < DATA_OFFSET; i++) {
        if (redo->sectors[i]) {
            return false;
        }
    }
    return true;
}

static const char *superblock_refusal(const struct redo *redo)
{
    const struct superblock *super = (const struct superblock *)redo->sectors;

    if (memcmp(super->magic, SUPERBLOCK_MAGIC, sizeof(super->magic))) {
        return "not metadata of this drive, and not blank";
    }
    if (le32toh(super->version) != META_VERSION) {
        return "metadata of another version";
    }
    if (memcmp(super->owner, redo->config.owner, sizeof(super->owner))) {
        return "metadata of another namespace";
    }
    if (le32toh(super->block_size_bytes) != redo->config.block_size_bytes ||
        le64toh(super->block_count) != redo->config.block_count) {
        return "metadata of another geometry";
    }
    return NULL;
}

static void start_read(struct redo *redo, int error)
{
    const char *refusal;

    if (error) {
        start_over(redo, error);
        return;
    }
    if (is_blank(redo)) {
        write_superblock(redo);
        return;
    }
    refusal = superblock_refusal(redo);
    if (refusal) {
        redo->started(redo->opaque, -EINVAL, refusal);
        return;
    }
    start_replay(redo);
}

void redo_start(struct redo *redo,
                void (*done)(void *opaque, int error, const char *why),
                void *opaque)
{
    redo->started = done;
    redo->opaque = opaque;
    transfer(redo, redo->meta, STORE_READ, 0, redo->sectors, redo->size_bytes,
             start_read);
}

/* -- Transactions --------------------------------------------------------- */

void redo_record(struct redo *redo, const struct redo_segment *segments,
                 uint32_t count, void (*done)(void *opaque, int error),
                 void *opaque)
{
    struct record *record = record_of(redo);
    uint8_t *to = redo->sectors + DATA_OFFSET;
    uint32_t i;

    memset(record, 0, sizeof(*record));
    memcpy(record->magic, RECORD_MAGIC, sizeof(record->magic));
    record->version = htole32(META_VERSION);
    record->range_count = htole32(count);
    for (i = 0; i < count; i++) {
        size_t length = segments[i].count * redo->config.block_size_bytes;

        record->ranges[i].start = htole64(segments[i].start);
        record->ranges[i].count = htole64(segments[i].count);
        if (segments[i].data) {
            memcpy(to, segments[i].data, length);
        } else {
            memset(to, 0, length);
        }
        to += length;
    }
    record->data_bytes = htole64(to - (redo->sectors + DATA_OFFSET));
    digest_record(redo, record->digest);
    redo->done = done;
    redo->opaque = opaque;
    redo->has_record = true;
    transfer(redo, redo->meta, STORE_WRITE, RECORD_OFFSET, record,
             to - (uint8_t *)record, finish);
}

bool redo_has_record(const struct redo *redo)
{
    return redo->has_record;
}

static void cleared(struct redo *redo, int error)
{
    if (!error) {
        redo->has_record = false;
    }
    finish(redo, error);
}

void redo_clear(struct redo *redo, void (*done)(void *opaque, int error),
                void *opaque)
{
    redo->done = done;
    redo->opaque = opaque;
    clear_header(redo, cleared);
}
