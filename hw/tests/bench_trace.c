/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command trace costs: nanoseconds per command with and without it;
 * and what rules of held commands cost that match nothing (docs/holds.md).
 *
 * The core alone, no QEMU, on a carrier of its own: host_fake checks whatever
 * passes it, and its checks would be what is measured. This one does what the
 * QEMU device does and no more: memory is copied, time is CLOCK_MONOTONIC,
 * storage answers after lab_run() has returned, and a trace record is copied
 * into a mapped window of a file that is allocated and moved on by 4 MiB
 * (hw/qemu/nvmelab_trace.c), page faults included.
 *
 * Two drives of the same making, one traced, or one with a rule that never
 * matches armed at each of the five stages, are measured in turns: off, on,
 * off. The cost is the middle one against the mean of the others, the noise
 * what these two differ by; medians over all turns. CPU time, not wall time: a
 * machine that is shared disturbs it less.
 *
 * usage: bench_trace [TURNS]     prints {"name","value","unit","aim"} as JSON
 *        bench_trace holds TURNS the same for held commands
 *        bench_trace count write|read DEPTH COMMANDS
 *                                one untraced job, for a tool that counts
 *                                instructions between the two calls of count()
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nvme_spec.h"
#include "nvmelab.h"

#define PAGE 4096u
#define BLOCK 512u
#define MEDIUM_BYTES (64u << 20)
/* Less than the medium: writes evict, as on a drive that has been used. */
#define CACHE_BYTES (16u << 20)
#define RAM_BYTES (1u << 20)
#define WINDOW_BYTES (4u << 20)
#define ENTRIES 64u
#define DEPTH_MAX 32u
#define COMMANDS 100000u        /* in one measurement */
#define STORE_REQS 1024u

/* Guest memory, by page number. */
enum { ASQ = 0, ACQ = 1, IOSQ = 2, IOCQ = 3, DATA = 4 };

struct sink {
    int fd;
    uint8_t *window;
    uint64_t offset;            /* of the window in the file */
    uint64_t used;              /* in the window */
    uint64_t records;
};

struct world {
    struct lab_ctrl *ctrl;
    uint8_t *ram;
    uint8_t *medium;
    struct lab_store_req *waiting[STORE_REQS];
    uint32_t waiting_first;
    uint32_t waiting_count;
    bool is_kicked;
    bool is_started;
    struct sink sink;
    bool is_traced;
    uint16_t sq_tail[2];
    uint16_t cq_head[2];
    uint16_t phase[2];
    uint64_t random;
};

/* -- The carrier ---------------------------------------------------------- */

static int op_dma_read(void *opaque, uint64_t address, void *buf,
                       size_t length)
{
    struct world *w = opaque;

    if (address > RAM_BYTES || length > RAM_BYTES - address) {
        return -EFAULT;
    }
    memcpy(buf, w->ram + address, length);
    return 0;
}

static int op_dma_write(void *opaque, uint64_t address, const void *buf,
                        size_t length)
{
    struct world *w = opaque;

    if (address > RAM_BYTES || length > RAM_BYTES - address) {
        return -EFAULT;
    }
    memcpy(w->ram + address, buf, length);
    return 0;
}

static uint64_t time_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t op_clock_ns(void *opaque)
{
    (void)opaque;
    return time_ns(CLOCK_MONOTONIC);
}

static void op_timer_set(void *opaque, uint64_t deadline_ns)
{
    (void)opaque;
    (void)deadline_ns;          /* no floor latency: never in the future */
}

static void op_kick(void *opaque)
{
    ((struct world *)opaque)->is_kicked = true;
}

static void op_irq(void *opaque, uint16_t vector)
{
    (void)opaque;
    (void)vector;
}

static void op_cut_requested(void *opaque, struct lab_cut cut)
{
    (void)opaque;
    (void)cut;
    g_assert_not_reached();
}

static void op_log(void *opaque, enum lab_log_class log_class,
                   const char *text)
{
    (void)opaque;
    g_printerr("bench_trace: drive says (%d): %s\n", log_class, text);
}

static void sink_advance(struct sink *sink)
{
    uint64_t next = (sink->offset + sink->used) & ~(uint64_t)(PAGE - 1);
    uint64_t used = sink->offset + sink->used - next;

    if (sink->window) {
        munmap(sink->window, WINDOW_BYTES);
    }
    if (posix_fallocate(sink->fd, next, WINDOW_BYTES)) {
        g_error("no space for the trace");
    }
    sink->window = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                        sink->fd, next);
    if (sink->window == MAP_FAILED) {
        g_error("mmap: %s", g_strerror(errno));
    }
    sink->offset = next;
    sink->used = used;
}

static bool op_trace(void *opaque, const void *record, size_t length)
{
    struct sink *sink = &((struct world *)opaque)->sink;
    uint8_t *to;
    uint64_t head;

    if (!sink->window || WINDOW_BYTES - sink->used < length + PAGE) {
        sink_advance(sink);
    }
    to = sink->window + sink->used;
    memcpy(&head, record, sizeof(head));
    memcpy(to + sizeof(head), (const uint8_t *)record + sizeof(head),
           length - sizeof(head));
    __atomic_store_n((uint64_t *)to, head, __ATOMIC_RELEASE);
    sink->used += length;
    sink->records++;
    return true;
}

/* Between measurements, so that the file does not fill the disk. */
static void sink_rewind(struct sink *sink)
{
    if (sink->window) {
        munmap(sink->window, WINDOW_BYTES);
    }
    if (ftruncate(sink->fd, 0)) {
        g_error("ftruncate: %s", g_strerror(errno));
    }
    sink->window = NULL;
    sink->offset = 0;
    sink->used = 0;
    sink->records = 0;
}

#define OPS                                                             \
    .dma_read = op_dma_read, .dma_write = op_dma_write,                 \
    .clock_ns = op_clock_ns, .timer_set = op_timer_set,                 \
    .kick = op_kick, .irq = op_irq,                                     \
    .cut_requested = op_cut_requested, .log = op_log

static const struct lab_host_ops ops_on = { OPS, .trace = op_trace };
static const struct lab_host_ops ops_off = { OPS };

static void store_submit(void *opaque, struct lab_store_req *req)
{
    struct world *w = opaque;

    g_assert_cmpuint(w->waiting_count, <, STORE_REQS);
    w->waiting[(w->waiting_first + w->waiting_count++) % STORE_REQS] = req;
}

static const struct lab_store_ops store_ops = { .submit = store_submit };

static void carry_out(struct world *w, const struct lab_store_req *req)
{
    uint8_t *at = w->medium + req->offset_bytes;
    int i;

    for (i = 0; i < req->iov_count; i++) {
        if (req->op == LAB_STORE_READ) {
            memcpy(req->iov[i].iov_base, at, req->iov[i].iov_len);
        } else if (req->op == LAB_STORE_WRITE) {
            memcpy(at, req->iov[i].iov_base, req->iov[i].iov_len);
        }
        at += req->iov[i].iov_len;
    }
}

/* Until the drive has nothing more to do. */
static void run(struct world *w)
{
    while (w->is_kicked || w->waiting_count) {
        while (w->waiting_count) {
            struct lab_store_req *req = w->waiting[w->waiting_first];

            w->waiting_first = (w->waiting_first + 1) % STORE_REQS;
            w->waiting_count--;
            carry_out(w, req);
            lab_store_done(req, 0);
        }
        w->is_kicked = false;
        lab_run(w->ctrl);
    }
}

/* -- The driver ----------------------------------------------------------- */

static void push(struct world *w, int qid, const struct nvme_command *cmd)
{
    uint32_t page = qid ? IOSQ : ASQ;

    memcpy(w->ram + page * PAGE + w->sq_tail[qid] * sizeof(*cmd), cmd,
           sizeof(*cmd));
    w->sq_tail[qid] = (w->sq_tail[qid] + 1) % ENTRIES;
}

static void ring(struct world *w, int qid)
{
    lab_mmio_write(w->ctrl, NVME_REG_DOORBELLS + qid * 8, w->sq_tail[qid], 4);
}

/* How many completions there were; each must be a success. */
static uint32_t reap(struct world *w, int qid)
{
    uint32_t page = qid ? IOCQ : ACQ;
    uint32_t count = 0;

    for (;;) {
        const struct nvme_completion *cqe = (const void *)
            (w->ram + page * PAGE + w->cq_head[qid] * sizeof(*cqe));

        if ((cqe->status & 1) != w->phase[qid]) {
            break;
        }
        if (cqe->status >> 1) {
            g_error("command failed with status 0x%x", cqe->status >> 1);
        }
        w->cq_head[qid] = (w->cq_head[qid] + 1) % ENTRIES;
        w->phase[qid] ^= w->cq_head[qid] == 0;
        count++;
    }
    if (count) {
        lab_mmio_write(w->ctrl, NVME_REG_DOORBELLS + qid * 8 + 4,
                       w->cq_head[qid], 4);
    }
    return count;
}

static void admin(struct world *w, const struct nvme_command *cmd)
{
    push(w, 0, cmd);
    ring(w, 0);
    run(w);
    if (reap(w, 0) != 1) {
        g_error("admin command 0x%x was not answered", cmd->opcode);
    }
}

static void bring_up(struct world *w)
{
    uint32_t size = (ENTRIES - 1) << 16 | 1;

    lab_mmio_write(w->ctrl, NVME_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1),
                   4);
    lab_mmio_write(w->ctrl, NVME_REG_ASQ, ASQ * PAGE, 8);
    lab_mmio_write(w->ctrl, NVME_REG_ACQ, ACQ * PAGE, 8);
    lab_mmio_write(w->ctrl, NVME_REG_CC, NVME_CC_EN | 6u << 16 | 4u << 20, 4);
    run(w);
    admin(w, &(struct nvme_command) {
        .opcode = NVME_ADMIN_CREATE_CQ, .prp1 = IOCQ * PAGE, .cdw10 = size,
        .cdw11 = 1 << 16 | 3,
    });
    admin(w, &(struct nvme_command) {
        .opcode = NVME_ADMIN_CREATE_SQ, .prp1 = IOSQ * PAGE, .cdw10 = size,
        .cdw11 = 1 << 16 | 1,
    });
}

static uint64_t random_next(struct world *w)
{
    w->random = w->random * 6364136223846793005ull + 1442695040888963407ull;
    return w->random >> 33;
}

/* 4 KiB commands at random places, depth at a time. */
static void work(struct world *w, uint8_t opcode, uint32_t depth,
                 uint32_t commands)
{
    uint32_t done = 0;

    while (done < commands) {
        uint32_t i;

        for (i = 0; i < depth; i++) {
            struct nvme_command cmd = {
                .opcode = opcode, .cid = i, .nsid = 1,
                .prp1 = (DATA + i) * PAGE,
                .cdw10 = random_next(w) % (MEDIUM_BYTES / PAGE) *
                         (PAGE / BLOCK),
                .cdw12 = PAGE / BLOCK - 1,
            };

            push(w, 1, &cmd);
        }
        ring(w, 1);
        run(w);
        if (reap(w, 1) != depth) {
            g_error("commands were not answered");
        }
        done += depth;
    }
}

/* -- Life ----------------------------------------------------------------- */

static void on_started(void *opaque, int error)
{
    ((struct world *)opaque)->is_started = error == 0;
}

static struct world *world_new(bool is_traced)
{
    struct world *w = g_new0(struct world, 1);
    struct lab_config config = LAB_CONFIG_DEFAULT;
    struct lab_ns_config ns = {
        .nsid = 1, .block_size_bytes = BLOCK, .size_bytes = MEDIUM_BYTES,
        .store_ops = &store_ops, .store_opaque = w,
    };
    g_autofree char *path = NULL;
    char *error = NULL;

    w->ram = g_malloc0(RAM_BYTES);
    w->medium = g_malloc(MEDIUM_BYTES);
    memset(w->medium, 1, MEDIUM_BYTES);
    w->is_traced = is_traced;
    w->phase[0] = w->phase[1] = 1;
    w->random = 1;
    w->sink.fd = g_file_open_tmp("bench_trace.XXXXXX", &path, NULL);
    if (w->sink.fd < 0) {
        g_error("no temporary file");
    }
    unlink(path);
    config.serial = "BENCH0";
    config.cache_size_bytes = CACHE_BYTES;
    w->ctrl = lab_ctrl_new(&config, is_traced ? &ops_on : &ops_off, w, &error);
    if (!w->ctrl || !lab_ns_add(w->ctrl, &ns, &error)) {
        g_error("%s", error);
    }
    lab_start(w->ctrl, on_started);
    run(w);
    g_assert_true(w->is_started);
    bring_up(w);
    /* Fill the cache, and touch all memory. */
    work(w, NVME_IO_WRITE, DEPTH_MAX, 4 * CACHE_BYTES / PAGE);
    return w;
}

static void world_free(struct world *w)
{
    run(w);
    sink_rewind(&w->sink);
    close(w->sink.fd);
    lab_ctrl_free(w->ctrl);
    g_free(w->medium);
    g_free(w->ram);
    g_free(w);
}

/* -- Measuring ------------------------------------------------------------ */

/* Nanoseconds of CPU time per command. */
static double measure(struct world *w, uint8_t opcode, uint32_t depth)
{
    uint64_t start, end;

    sink_rewind(&w->sink);
    start = time_ns(CLOCK_PROCESS_CPUTIME_ID);
    work(w, opcode, depth, COMMANDS);
    end = time_ns(CLOCK_PROCESS_CPUTIME_ID);
    /* One record per command, or what is compared is not trace on and off. */
    g_assert_cmpuint(w->sink.records, ==, w->is_traced ? COMMANDS : 0);
    return (double)(end - start) / COMMANDS;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void print(const char *at, const char *what, double value,
                  const char *end)
{
    printf("{\"name\":\"%s.%s\",\"value\":%.0f,"
           "\"unit\":\"ns/command\",\"aim\":null}%s\n", at, what, value, end);
}

static void compare_worlds(struct world *off, struct world *on,
                           const char *subject, uint8_t opcode,
                           uint32_t depth, uint32_t turns, bool is_last)
{
    g_autofree double *offs = g_new(double, turns);
    g_autofree double *ons = g_new(double, turns);
    g_autofree double *costs = g_new(double, turns);
    g_autofree double *noises = g_new(double, turns);
    g_autofree char *at =
        g_strdup_printf("%s.%s.qd%u", subject,
                        opcode == NVME_IO_WRITE ? "write" : "read", depth);
    uint32_t i;

    for (i = 0; i < turns; i++) {
        double first = measure(off, opcode, depth);
        double again;

        ons[i] = measure(on, opcode, depth);
        again = measure(off, opcode, depth);
        offs[i] = (first + again) / 2;
        costs[i] = ons[i] - offs[i];
        noises[i] = fabs(again - first);
    }
    print(at, "off", median(offs, turns), ",");
    print(at, "on", median(ons, turns), ",");
    print(at, "cost", median(costs, turns), ",");
    print(at, "noise", median(noises, turns), is_last ? "" : ",");
}

/* callgrind: --collect-atstart=no --toggle-collect=count */
static void G_GNUC_NO_INLINE count(struct world *w, uint8_t opcode,
                                   uint32_t depth, uint32_t commands)
{
    work(w, opcode, depth, commands);
}

static int count_main(char **argv)
{
    bool is_write = g_str_equal(argv[2], "write");
    uint32_t depth = strtoul(argv[3], NULL, 10);
    uint32_t commands = strtoul(argv[4], NULL, 10);
    struct world *w;

    if ((!is_write && !g_str_equal(argv[2], "read")) || !depth ||
        depth > DEPTH_MAX || !commands) {
        g_printerr("usage: bench_trace count write|read DEPTH COMMANDS\n");
        return 2;
    }
    w = world_new(false);
    count(w, is_write ? NVME_IO_WRITE : NVME_IO_READ, depth, commands);
    world_free(w);
    return 0;
}

static void compare_all(struct world *off, struct world *on,
                        const char *subject, uint32_t turns)
{
    printf("[");
    compare_worlds(off, on, subject, NVME_IO_WRITE, 1, turns, false);
    compare_worlds(off, on, subject, NVME_IO_WRITE, DEPTH_MAX, turns, false);
    compare_worlds(off, on, subject, NVME_IO_READ, 1, turns, false);
    compare_worlds(off, on, subject, NVME_IO_READ, DEPTH_MAX, turns, true);
    printf("]\n");
    world_free(off);
    world_free(on);
}

static struct world *world_with_rules(void)
{
    struct world *w = world_new(false);
    char *error = NULL;

    if (!lab_hold(w->ctrl, "stage=fetch nsid=2;stage=visible nsid=2;"
                  "stage=durable nsid=2;stage=cqe nsid=2;stage=irq nsid=2",
                  &error)) {
        g_error("%s", error);
    }
    return w;
}

int main(int argc, char **argv)
{
    bool is_holds = argc == 3 && g_str_equal(argv[1], "holds");
    uint32_t turns = argc > 1 ? strtoul(argv[argc - 1], NULL, 10) : 5;

    if (argc == 5 && g_str_equal(argv[1], "count")) {
        return count_main(argv);
    }
    if ((argc > 2 && !is_holds) || !turns || turns > 9999) {
        g_printerr("usage: bench_trace [[holds] TURNS]\n");
        return 2;
    }
    if (is_holds) {
        compare_all(world_new(false), world_with_rules(), "holds", turns);
    } else {
        compare_all(world_new(false), world_new(true), "trace", turns);
    }
    return 0;
}
