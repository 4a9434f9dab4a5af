/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake carrier; see host_fake.h. */
#include "host_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_store.h"
#include "trace_check.h"

/* A drive that wants to run for ever hangs the guest. */
#define RUNS_MAX 100000

/* -- Guest memory --------------------------------------------------------- */

static bool is_backed(const struct fake_host *host, uint64_t address,
                      size_t length)
{
    int i;

    if (address < FAKE_RAM_BASE || length > host->config.ram_bytes ||
        address - FAKE_RAM_BASE > host->config.ram_bytes - length) {
        return false;
    }
    for (i = 0; i < FAKE_HOLES; i++) {
        if (address < host->holes[i].end &&
            address + length > host->holes[i].start) {
            return false;
        }
    }
    return true;
}

void *fake_at(struct fake_host *host, uint64_t address)
{
    g_assert_cmpuint(address, >=, FAKE_RAM_BASE);
    g_assert_cmpuint(address, <, FAKE_RAM_BASE + host->config.ram_bytes);
    return host->ram + (address - FAKE_RAM_BASE);
}

void fake_hole(struct fake_host *host, uint32_t index, uint64_t start,
               uint64_t bytes)
{
    g_assert_cmpuint(index, <, FAKE_HOLES);
    host->holes[index].start = start;
    host->holes[index].end = start + bytes;
}

/* -- Host operations ------------------------------------------------------ */

static void check_light(const struct fake_host *host, const char *what)
{
    if (host->ctrl && lab_is_dark(host->ctrl)) {
        g_error("%s by a drive without power", what);
    }
}

static void run_guest(struct fake_host *host, uint64_t address, bool is_write)
{
    if (host->before_dma) {
        host->before_dma(host->before_dma_opaque, address, is_write);
    }
}

static int op_dma_read(void *opaque, uint64_t address, void *buf, size_t length)
{
    struct fake_host *host = opaque;

    check_light(host, "DMA read");
    run_guest(host, address, false);
    if (!is_backed(host, address, length)) {
        return -EFAULT;
    }
    memcpy(buf, fake_at(host, address), length);
    return 0;
}

static int op_dma_write(void *opaque, uint64_t address, const void *buf,
                        size_t length)
{
    struct fake_host *host = opaque;

    check_light(host, "DMA write");
    run_guest(host, address, true);
    if (!is_backed(host, address, length)) {
        return -EFAULT;
    }
    memcpy(fake_at(host, address), buf, length);
    return 0;
}

static uint64_t op_clock_ns(void *opaque)
{
    return ((struct fake_host *)opaque)->now_ns;
}

static void op_timer_set(void *opaque, uint64_t deadline_ns)
{
    struct fake_host *host = opaque;

    if (deadline_ns != LAB_TIME_NEVER) {
        check_light(host, "timer");
    }
    host->timer_ns = deadline_ns;
}

static void op_kick(void *opaque)
{
    ((struct fake_host *)opaque)->is_kicked = true;
}

static void op_irq(void *opaque, uint16_t vector)
{
    struct fake_host *host = opaque;

    check_light(host, "interrupt");
    g_assert_cmpuint(vector, <, host->config.drive.irq_vectors);
    g_array_append_val(host->irqs, vector);
}

static bool op_trace(void *opaque, const void *record, size_t length)
{
    struct fake_host *host = opaque;

    trace_check(host, record, length);
    if (host->loses_trace) {
        return false;
    }
    if (!host->drops_trace) {
        g_ptr_array_add(host->trace, g_memdup2(record, length));
    }
    return true;
}

static void op_cut_requested(void *opaque, struct lab_cut cut)
{
    struct fake_host *host = opaque;

    g_assert_true(lab_is_dark(host->ctrl));
    g_assert_false(host->has_cut_request);
    host->has_cut_request = true;
    host->cut_request = cut;
}

static void op_log(void *opaque, enum lab_log_class log_class, const char *text)
{
    struct fake_host *host = opaque;

    g_assert_cmpuint(log_class, <=, LAB_LOG_GUEST);
    host->log_lines[log_class]++;
    g_free(host->log_last);
    host->log_last = g_strdup(text);
}

#define HOST_OPS \
    .dma_read = op_dma_read, .dma_write = op_dma_write, \
    .clock_ns = op_clock_ns, .timer_set = op_timer_set, .kick = op_kick, \
    .irq = op_irq, .cut_requested = op_cut_requested, .log = op_log

static const struct lab_host_ops host_ops = { HOST_OPS, .trace = op_trace };
static const struct lab_host_ops host_ops_without_trace = { HOST_OPS };

/* -- Life ----------------------------------------------------------------- */

struct fake_config fake_config_default(void)
{
    struct fake_config config = {
        .drive = LAB_CONFIG_DEFAULT,
        .ns_count = 1,
        .block_size_bytes = 512,
        .block_count = 64,
        .ram_bytes = 8 << 20,
    };

    config.drive.serial = "FAKE0";
    config.drive.pci_vendor_id = 0x1b36;
    config.drive.pci_subsystem_vendor_id = 0x1af4;
    config.drive.io_queue_pairs_max = 4;
    config.drive.irq_vectors = 5;
    return config;
}

static void add_namespace(struct fake_host *host, uint32_t nsid)
{
    const struct fake_config *config = &host->config;
    struct lab_ns_config ns = {
        .nsid = nsid,
        .block_size_bytes = config->block_size_bytes,
        .size_bytes = config->block_count * config->block_size_bytes,
        .has_no_vwc = nsid == config->nsid_no_vwc,
        .atomic = config->atomic[nsid - 1],
        .store_ops = &fake_store_ops,
    };
    char *error = NULL;

    ns.store_opaque = fake_store_add(host, nsid - 1, ns.size_bytes,
                                     ns.block_size_bytes);
    if (config->drive.awupf_0based || ns.atomic.nawupf_0based) {
        ns.meta_ops = &fake_store_ops;
        ns.meta_size_bytes = lab_meta_size_min(&config->drive,
                                               ns.block_size_bytes);
        ns.meta_opaque = fake_store_add(host, FAKE_NS_MAX + nsid - 1,
                                        ns.meta_size_bytes, 512);
        memset(host->stores[FAKE_NS_MAX + nsid - 1].bytes, config->meta_fill,
               ns.meta_size_bytes);
    }
    if (!lab_ns_add(host->ctrl, &ns, &error)) {
        g_error("%s", error);
    }
}

static void start_done(void *opaque, int error)
{
    struct fake_host *host = opaque;

    g_assert_false(host->is_started);
    host->is_started = true;
    host->start_error = error;
}

struct fake_host *fake_new(const struct fake_config *config)
{
    struct fake_host *host = g_new0(struct fake_host, 1);
    char *error = NULL;
    uint32_t nsid;

    g_assert_cmpuint(config->ns_count, <=, FAKE_NS_MAX);
    host->config = *config;
    host->ram = g_malloc0(config->ram_bytes);
    host->now_ns = 1000;
    host->timer_ns = LAB_TIME_NEVER;
    host->irqs = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    host->trace = g_ptr_array_new_with_free_func(g_free);
    host->ctrl = lab_ctrl_new(&config->drive,
                              config->has_no_trace ? &host_ops_without_trace
                                                   : &host_ops,
                              host, &error);
    if (!host->ctrl) {
        g_error("%s", error);
    }
    for (nsid = 1; nsid <= config->ns_count; nsid++) {
        add_namespace(host, nsid);
    }
    lab_start(host->ctrl, start_done);
    fake_settle(host);
    g_assert_true(host->is_started);
    g_assert_true(!host->start_error || config->meta_fill);
    return host;
}

void fake_free(struct fake_host *host)
{
    uint32_t i;

    fake_settle(host);
    g_assert_true(lab_is_idle(host->ctrl));
    lab_ctrl_free(host->ctrl);
    for (i = 0; i < FAKE_STORES; i++) {
        if (host->stores[i].bytes) {
            g_ptr_array_free(host->stores[i].waiting, TRUE);
            g_free(host->stores[i].bytes);
        }
    }
    g_array_free(host->irqs, TRUE);
    g_ptr_array_free(host->trace, TRUE);
    g_free(host->log_last);
    g_free(host->ram);
    g_free(host);
}

/* -- Running -------------------------------------------------------------- */

void fake_run(struct fake_host *host)
{
    uint32_t runs = 0;

    while (host->is_kicked) {
        host->is_kicked = false;
        lab_run(host->ctrl);
        g_assert_cmpuint(++runs, <, RUNS_MAX);
    }
}

void fake_advance(struct fake_host *host, uint64_t ns)
{
    uint64_t end = host->now_ns + ns;
    uint32_t runs = 0;

    fake_run(host);
    while (host->timer_ns <= end) {
        host->now_ns = MAX(host->now_ns, host->timer_ns);
        host->timer_ns = LAB_TIME_NEVER;
        lab_run(host->ctrl);
        fake_run(host);
        g_assert_cmpuint(++runs, <, RUNS_MAX);
    }
    host->now_ns = end;
    fake_run(host);
}

static bool step_oldest(struct fake_host *host)
{
    bool has_waiting = fake_waiting(host);

    if (has_waiting) {
        fake_step_any(host, 0);
    }
    return has_waiting;
}

void fake_settle(struct fake_host *host)
{
    do {
        fake_run(host);
    } while (step_oldest(host));
}

void fake_finish(struct fake_host *host)
{
    fake_settle(host);
    while (host->timer_ns != LAB_TIME_NEVER) {
        fake_advance(host, host->timer_ns > host->now_ns
                               ? host->timer_ns - host->now_ns : 0);
        fake_settle(host);
    }
}

/* -- Power ---------------------------------------------------------------- */

static void cut_done(void *opaque)
{
    struct fake_host *host = opaque;

    g_assert_false(host->is_cut_done);
    host->is_cut_done = true;
}

void fake_cut(struct fake_host *host, struct lab_cut cut)
{
    host->is_cut_done = false;
    host->has_cut_request = false;
    lab_power_cut(host->ctrl, cut, cut_done);
    g_assert_false(host->is_cut_done);
    g_assert_true(lab_is_dark(host->ctrl));
    fake_settle(host);
    g_assert_true(host->is_cut_done);
    g_assert_true(lab_is_dark(host->ctrl));
}

void fake_cut_and_boot(struct fake_host *host, enum lab_policy policy,
                       uint64_t seed)
{
    fake_cut(host, (struct lab_cut) { policy, seed });
    lab_power_on(host->ctrl);
    fake_settle(host);
    g_assert_false(lab_is_dark(host->ctrl));
}

/* -- Trace ---------------------------------------------------------------- */

const void *fake_trace_next(const struct fake_host *host,
                            enum lab_trace_type type, uint32_t *index)
{
    while (*index < host->trace->len) {
        const struct lab_trace_record *record = host->trace->pdata[(*index)++];

        if (record->type == type) {
            return record;
        }
    }
    return NULL;
}

const struct lab_trace_command *fake_trace_io(const struct fake_host *host,
                                              uint8_t opcode)
{
    const struct lab_trace_command *command;
    const struct lab_trace_command *last = NULL;
    uint32_t index = 0;

    while ((command = fake_trace_next(host, LAB_TRACE_COMMAND, &index))) {
        if (command->sqid && command->opcode == opcode) {
            last = command;
        }
    }
    return last;
}

uint32_t fake_trace_events(const struct fake_host *host,
                           enum lab_trace_event_kind kind)
{
    const struct lab_trace_event *event;
    uint32_t count = 0;
    uint32_t index = 0;

    while ((event = fake_trace_next(host, LAB_TRACE_EVENT, &index))) {
        count += event->kind == kind;
    }
    return count;
}
