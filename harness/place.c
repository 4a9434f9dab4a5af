/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place.c: frames that say where a call was made; see place.h.
 *
 * nvme_irq() is not among them: it runs in a thread, too (threadirqs).
 *
 * Names as of 6.1, 6.12, 7.2 and 7.3. iomap_dio_rw() and the functions that
 * issue a request stand for the submitter: what completes below them does so
 * because the drive was faster (fs/iomap/direct-io.c, 6.12: 733-746), even if
 * the submitter itself is in task work, as with a linked request or one that
 * is tried again.
 */
#include "place.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static const struct {
    const char *frame;
    const char *place;
} words[] = {
    { "__do_softirq", "softirq" },
    { "handle_softirqs", "softirq" },
    { "run_ksoftirqd", "softirq" },
    { "blk_done_softirq", "softirq" },
    { "__handle_irq_event_percpu", "hardirq" },
    { "handle_irq_event", "hardirq" },
    { "common_interrupt", "hardirq" },
    { "__common_interrupt", "hardirq" },
    { "asm_common_interrupt", "hardirq" },
    { "irq_thread_fn", "irq-thread" },
    { "irq_thread", "irq-thread" },
    { "io_do_iopoll", "polled" },
    { "iocb_bio_iopoll", "polled" },
    { "bio_poll", "polled" },
    { "blk_mq_poll", "polled" },
    { "nvme_poll", "polled" },
    { "iomap_dio_rw", "issue" },
    { "__iomap_dio_rw", "issue" },
    { "__iomap_dio_read_simple", "issue" },
    { "io_write", "issue" },
    { "io_read", "issue" },
    { "io_issue_sqe", "issue" },
    { "__io_issue_sqe", "issue" },
    { "io_submit_one", "issue" },
    /* Compilers inline the first one into the threads. */
    { "process_one_work", "workqueue" },
    { "worker_thread", "workqueue" },
    { "rescuer_thread", "workqueue" },
    { "task_work_run", "task_work" },
    { "tctx_task_work", "task_work" },
    { "tctx_task_work_run", "task_work" },
    { "io_handle_tw_list", "task_work" },
    { "io_run_local_work", "task_work" },
    { "__io_run_local_work", "task_work" },
    { "io_wq_submit_work", "io-wq" },
    { "io_sq_thread", "sqpoll" },
};

static const char *frame_place(const char *frame)
{
    if (g_str_has_prefix(frame, "asm_sysvec_") ||
        g_str_has_prefix(frame, "sysvec_")) {
        return "hardirq";
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_equal(words[i].frame, frame)) {
            return words[i].place;
        }
    }
    return NULL;
}

static const char *flags_place(unsigned flags)
{
    if (flags & PLACE_FLAG_NMI) {
        return NULL;
    }
    if (flags & PLACE_FLAG_HARDIRQ) {
        return "hardirq";
    }
    return flags & PLACE_FLAG_SOFTIRQ ? "softirq" : NULL;
}

static const char *find_place(const char *const *frames, unsigned flags,
                              const char *passed_over)
{
    const char *by_flags = flags_place(flags);

    for (; *frames; frames++) {
        const char *place = frame_place(*frames);

        if (place && g_strcmp0(place, passed_over) != 0) {
            bool is_irq = g_str_equal(place, "hardirq") ||
                          g_str_equal(place, "softirq");

            /* Nothing else is inside an interrupt: its frames are missing. */
            return is_irq || !by_flags ? place : by_flags;
        }
    }
    return by_flags;
}

const char *place_of(const char *const *frames, unsigned flags)
{
    return find_place(frames, flags, NULL);
}

const char *place_of_task(const char *const *frames, unsigned flags)
{
    return find_place(frames, flags, "issue");
}
