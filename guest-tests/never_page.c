/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at cached pages; see never_page.h.
 *
 * mincore() says whether a page is there (preadv2(RWF_NOWAIT) will not do: it
 * starts a readahead when the page is not, filemap_get_pages() in
 * mm/filemap.c, 6.1 to 7.2). One that is there is read through a mapping;
 * /proc/self/pagemap says which frame it is, and /proc/kpageflags in which
 * state. A clean page that is also what a direct read brings was a later write,
 * and is on the drive by now.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "never_page.h"

#define PAGE_BYTES 4096
/* Most writes between two marks. */
#define HELD_MAX 64
/* /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)

struct write {
    int fd;
    void *copy;
    size_t length;
    off_t offset;
};

static struct write held[HELD_MAX];
static size_t held_count;
static bool is_holding;

static void cannot_look(const char *what)
{
    static bool is_said;

    if (!is_said) {
        run_note(run_self(), "never unwatched clean stale pages: %s: %s",
                 what, strerror(errno));
        is_said = true;
    }
}

/* A word of a file of 64-bit words; false: errno says why. */
static bool read_word(const char *path, uint64_t index, uint64_t *word)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        return false;
    }
    errno = EIO;
    n = pread(fd, word, sizeof(*word), (off_t)(index * sizeof(*word)));
    close(fd);
    return n == sizeof(*word);
}

/* The state of a mapped page; that of a large folio is its first page's. */
static bool page_flags(const volatile char *page, uint64_t *flags)
{
    uint64_t entry;
    uint64_t frame;

    if (!read_word("/proc/self/pagemap", (uintptr_t)page / PAGE_BYTES,
                   &entry)) {
        return false;
    }
    frame = entry & PAGEMAP_FRAME;
    if (!(entry & PAGEMAP_PRESENT) || !frame) {
        errno = EPERM;          /* frames are hidden from this process */
        return false;
    }
    do {
        if (!read_word("/proc/kpageflags", frame--, flags)) {
            return false;
        }
    } while (*flags & (UINT64_C(1) << KPF_COMPOUND_TAIL));
    return true;
}

static bool is_clean(uint64_t flags)
{
    return !(flags & (UINT64_C(1) << KPF_DIRTY |
                      UINT64_C(1) << KPF_WRITEBACK));
}

/* What a direct read brings; if it fails, so does the suspicion. */
static bool is_on_drive(int fd, off_t page_offset, size_t from,
                        const char *found, size_t length)
{
    void *direct;
    bool is_same;

    if (posix_memalign(&direct, PAGE_BYTES, PAGE_BYTES) != 0) {
        return true;
    }
    is_same = pread(fd, direct, PAGE_BYTES, page_offset) <
                  (ssize_t)(from + length) ||
              memcmp((char *)direct + from, found, length) == 0;
    free(direct);
    return is_same;
}

static void report(int fd, off_t offset, const char *want, const char *found,
                   size_t length)
{
    char link[32];
    char path[128] = "";
    size_t at = 0;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    (void)!readlink(link, path, sizeof(path) - 1);
    while (at < length - 1 && want[at] == found[at]) {
        at++;
    }
    run_note(run_self(), "never page %s offset %jd: the clean cached page is "
             "older than the direct write that was acknowledged (byte %zu: "
             "0x%02x, written 0x%02x; process %d)", path, (intmax_t)offset,
             at, (unsigned char)found[at], (unsigned char)want[at],
             (int)getpid());
}

/* The page's part of what was written: want, length bytes, at page + from. */
static void look_at_page(int fd, const char *page, size_t from,
                         const char *want, size_t length, off_t offset)
{
    char found[PAGE_BYTES];
    uint64_t flags;

    memcpy(found, page + from, length);
    if (memcmp(found, want, length) == 0) {
        return;
    }
    if (!page_flags(page, &flags)) {
        cannot_look("/proc/kpageflags");
    } else if (is_clean(flags) &&
               !is_on_drive(fd, offset - (off_t)from, from, found, length)) {
        report(fd, offset, want, found, length);
    }
}

static void look_at_map(int fd, const char *map, size_t pages,
                        const char *buffer, size_t length, off_t offset)
{
    unsigned char *in_memory = calloc(pages, 1);
    size_t from = (size_t)(offset % PAGE_BYTES);
    size_t done = 0;

    if (!in_memory ||
        mincore((void *)map, pages * PAGE_BYTES, in_memory) < 0) {
        cannot_look("mincore");
        free(in_memory);
        return;
    }
    for (size_t i = 0; i < pages; i++) {
        size_t part = PAGE_BYTES - from;

        part = part < length - done ? part : length - done;
        if (in_memory[i] & 1) {
            look_at_page(fd, map + i * PAGE_BYTES, from, buffer + done, part,
                         offset + (off_t)done);
        }
        done += part;
        from = 0;
    }
    free(in_memory);
}

void never_page_look(int fd, const void *buffer, size_t length, off_t offset)
{
    off_t start = offset - offset % PAGE_BYTES;
    size_t pages = ((size_t)(offset - start) + length + PAGE_BYTES - 1) /
                   PAGE_BYTES;
    char *map = mmap(NULL, pages * PAGE_BYTES, PROT_READ, MAP_SHARED, fd,
                     start);

    if (map == MAP_FAILED) {
        cannot_look("mmap");
        return;
    }
    /* No readahead when a page is touched. */
    madvise(map, pages * PAGE_BYTES, MADV_RANDOM);
    look_at_map(fd, map, pages, buffer, length, offset);
    munmap(map, pages * PAGE_BYTES);
}

/* The writes of which newer has overwritten something: no longer right. */
static void drop_overwritten(const struct write *newer)
{
    size_t kept = 0;

    for (size_t i = 0; i < held_count; i++) {
        const struct write *older = &held[i];

        if (older->fd == newer->fd &&
            older->offset < newer->offset + (off_t)newer->length &&
            newer->offset < older->offset + (off_t)older->length) {
            free(older->copy);
        } else {
            held[kept++] = *older;
        }
    }
    held_count = kept;
}

static void hold(int fd, const void *buffer, size_t length, off_t offset)
{
    struct write write = { fd, malloc(length), length, offset };

    drop_overwritten(&write);
    if (held_count == HELD_MAX || !write.copy) {
        errno = ENOSPC;
        cannot_look("writes between two marks");
        free(write.copy);
        return;
    }
    memcpy(write.copy, buffer, length);
    held[held_count++] = write;
}

void never_page_written(int fd, const void *buffer, size_t length,
                        off_t offset)
{
    if (!(fcntl(fd, F_GETFL) & O_DIRECT) || length == 0) {
        return;
    }
    if (is_holding) {
        hold(fd, buffer, length, offset);
        return;
    }
    never_page_look(fd, buffer, length, offset);
}

void never_page_hold(bool is_held)
{
    is_holding = is_held;
    while (!is_held && held_count) {
        struct write *write = &held[--held_count];

        never_page_look(write->fd, write->copy, write->length,
                        write->offset);
        free(write->copy);
    }
}
