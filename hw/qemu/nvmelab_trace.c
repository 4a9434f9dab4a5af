/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvmelab_trace.c: the command trace file (abi/trace_file.h).
 *
 * Records are written into a shared mapping, so that they belong to the host's
 * page cache at once and outlive a kill -9 of this process. One window of the
 * file is mapped at a time; a record never straddles two. Space is allocated
 * before it is mapped: a store into a hole of a full file system would end the
 * process with SIGBUS. When there is no more space the trace stops, counts what
 * it loses, and says so in its END record, for which room is always kept.
 *
 * The first eight bytes of a record (type and size) are stored last: whoever
 * reads the file of a killed process finds whole records, then zeros.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/units.h"

#include "nvmelab_device.h"
#include "trace_file.h"

#define NVMELAB_TRACE_WINDOW_BYTES (4 * MiB)

struct NvmelabTrace {
    char *path;
    int fd;
    uint8_t *window;
    uint64_t window_offset;     /* of the window in the file */
    uint64_t position;          /* where the next record goes */
    uint64_t next_number;
    uint64_t lost;
    bool is_stopped;
};

static uint64_t nvmelab_trace_room(const NvmelabTrace *trace)
{
    uint64_t end = trace->window_offset + NVMELAB_TRACE_WINDOW_BYTES;

    return trace->window ? end - trace->position : 0;
}

/* Map the window that starts with the page of the next record. */
static int nvmelab_trace_advance(NvmelabTrace *trace)
{
    uint64_t offset = QEMU_ALIGN_DOWN(trace->position,
                                      qemu_real_host_page_size());
    void *window;
    int ret;

    do {
        ret = posix_fallocate(trace->fd, offset, NVMELAB_TRACE_WINDOW_BYTES);
    } while (ret == EINTR);
    if (ret) {
        return -ret;
    }
    window = mmap(NULL, NVMELAB_TRACE_WINDOW_BYTES, PROT_READ | PROT_WRITE,
                  MAP_SHARED, trace->fd, offset);
    if (window == MAP_FAILED) {
        return -errno;
    }
    if (trace->window) {
        munmap(trace->window, NVMELAB_TRACE_WINDOW_BYTES);
    }
    trace->window = window;
    trace->window_offset = offset;
    return 0;
}

static void nvmelab_trace_put(NvmelabTrace *trace, const void *record,
                              size_t length)
{
    uint8_t *to = trace->window + (trace->position - trace->window_offset);
    uint64_t head;

    memcpy(&head, record, sizeof(head));
    memcpy(to + sizeof(head), (const uint8_t *)record + sizeof(head),
           length - sizeof(head));
    qatomic_store_release((uint64_t *)to, head);
    trace->position += length;
}

bool nvmelab_trace_append(NvmelabTrace *trace, const void *record,
                          size_t length)
{
    const struct lab_trace_record *head = record;
    int ret;

    trace->next_number = le64_to_cpu(head->number) + 1;
    if (trace->is_stopped) {
        trace->lost++;
        return false;
    }
    if (nvmelab_trace_room(trace) < length + sizeof(struct lab_trace_end)) {
        ret = nvmelab_trace_advance(trace);
        if (ret < 0) {
            warn_report("trace '%s': %s; records are lost from number %" PRIu64,
                        trace->path, strerror(-ret),
                        (uint64_t)le64_to_cpu(head->number));
            trace->is_stopped = true;
            trace->lost++;
            return false;
        }
    }
    nvmelab_trace_put(trace, record, length);
    return true;
}

static void nvmelab_trace_end(NvmelabTrace *trace, uint64_t now_ns)
{
    struct lab_trace_end end = {
        .record.type = cpu_to_le16(LAB_TRACE_END),
        .record.size_bytes = cpu_to_le16(sizeof(end)),
        .record.number = cpu_to_le64(trace->next_number),
        .record.time_ns = cpu_to_le64(now_ns),
        .lost = cpu_to_le64(trace->lost),
    };

    nvmelab_trace_put(trace, &end, sizeof(end));
}

static void nvmelab_trace_free(NvmelabTrace *trace)
{
    if (trace->window) {
        munmap(trace->window, NVMELAB_TRACE_WINDOW_BYTES);
    }
    if (trace->fd >= 0) {
        qemu_close(trace->fd);
    }
    g_free(trace->path);
    g_free(trace);
}

void nvmelab_trace_close(NvmelabTrace *trace, uint64_t now_ns)
{
    if (!trace) {
        return;
    }
    nvmelab_trace_end(trace, now_ns);
    if (ftruncate(trace->fd, trace->position) < 0) {
        warn_report("trace '%s': cannot cut it to its length: %s",
                    trace->path, strerror(errno));
    }
    nvmelab_trace_free(trace);
}

static void nvmelab_trace_header(NvmelabTrace *trace, const char *serial,
                                 const char *drive)
{
    struct lab_trace_header header = {
        .version = cpu_to_le32(LAB_TRACE_VERSION),
        .header_bytes = cpu_to_le32(sizeof(header)),
        .realtime_ns = cpu_to_le64(g_get_real_time() * 1000),
    };

    memcpy(header.magic, LAB_TRACE_MAGIC, sizeof(header.magic));
    pstrcpy(header.serial, sizeof(header.serial), serial);
    pstrcpy(header.drive, sizeof(header.drive), drive);
    nvmelab_trace_put(trace, &header, sizeof(header));
}

/* The lock comes before the truncation: the trace of a running VM is safe. */
static int nvmelab_trace_create(const char *path, Error **errp)
{
    struct stat st;
    int fd = qemu_create(path, O_RDWR, 0644, errp);

    if (fd < 0) {
        error_prepend(errp, "property 'trace': ");
        return -1;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_setg(errp, "property 'trace': '%s' is not a regular file", path);
        goto fail;
    }
    if (qemu_lock_fd(fd, 0, 0, true) < 0) {
        error_setg(errp, "property 'trace': '%s' is in use by another drive",
                   path);
        goto fail;
    }
    if (ftruncate(fd, 0) < 0) {
        error_setg_errno(errp, errno, "property 'trace': cannot empty '%s'",
                         path);
        goto fail;
    }
    return fd;

fail:
    qemu_close(fd);
    return -1;
}

NvmelabTrace *nvmelab_trace_open(const char *path, const char *serial,
                                 const char *drive, Error **errp)
{
    NvmelabTrace *trace;
    int fd = nvmelab_trace_create(path, errp);
    int ret;

    if (fd < 0) {
        return NULL;
    }
    trace = g_new0(NvmelabTrace, 1);
    trace->fd = fd;
    trace->path = g_strdup(path);
    ret = nvmelab_trace_advance(trace);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "property 'trace': no space in '%s'",
                         path);
        nvmelab_trace_free(trace);
        return NULL;
    }
    nvmelab_trace_header(trace, serial, drive);
    return trace;
}
