/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_never.c: each never-event from its evidence, and the same evidence in
 * places where it is legal.
 */
#include "never.h"

#include <string.h>

#include "place.h"

#define DIO "iomap_dio_complete<iomap_dio_bio_end_io<bio_endio<"
#define IRQ "nvme_irq<__handle_irq_event_percpu<asm_common_interrupt"
#define POLL "nvme_poll<blk_mq_poll<bio_poll<io_do_iopoll<io_uring_enter"
#define WORK "iomap_dio_complete_work<process_one_work<worker_thread"
#define TASK "io_req_rw_complete<io_handle_tw_list<task_work_run"

static void judge(const char *note, enum verdict verdict, const char *reason)
{
    struct case_result *result = case_result_new("flush.raw.x.sync");

    case_result_set(result, VERDICT_PASS, NULL);
    case_result_note(result, "range nsid=1 slba=0 blocks=8");
    case_result_note(result, "%s", note);
    never_judge(result);
    g_test_message("%s: %s", note, result->reason ? result->reason : "-");
    g_assert_cmpint(result->verdict, ==, verdict);
    g_assert_cmpstr(result->notes->pdata[0], ==,
                    "range nsid=1 slba=0 blocks=8");
    if (reason) {
        g_assert_nonnull(strstr(result->reason, reason));
    }
    case_result_free(result);
}

/* The first one is the reason, the others are notes; or all are. */
static void test_several(void)
{
    struct case_result *result = case_result_new("flush.raw.x.sync");

    case_result_note(result, "never page a");
    case_result_note(result, "range");
    case_result_note(result, "never page b");
    never_judge(result);
    g_assert_cmpstr(result->reason, ==, "never: a");
    g_assert_cmpuint(result->notes->len, ==, 2);
    g_assert_cmpstr(result->notes->pdata[1], ==, "never: b");
    case_result_free(result);

    result = case_result_new("flush.raw.x.sync");
    case_result_set(result, VERDICT_FAIL, "short");
    case_result_note(result, "never page a");
    never_judge(result);
    g_assert_cmpstr(result->reason, ==, "short");
    g_assert_cmpstr(result->notes->pdata[0], ==, "never: a");
    case_result_free(result);
}

static void test_calls(void)
{
    judge("never call vfs_fsync_range 1 0x9 77 fio vfs_fsync_range<" DIO IRQ,
          VERDICT_FAIL, "never: vfs_fsync_range in hardirq, 1 times, "
          "interrupting fio-77: vfs_fsync_range<" DIO);
    judge("never call vfs_fsync_range 1 0x10 0 swapper vfs_fsync_range<" DIO
          "blk_done_softirq<handle_softirqs<__irq_exit_rcu<" IRQ,
          VERDICT_FAIL, "in softirq");
    judge("never call blkdev_issue_flush 2 0x0 77 case blkdev_issue_flush<"
          "blkdev_fsync<vfs_fsync_range<" DIO POLL,
          VERDICT_FAIL, "never: blkdev_issue_flush in polled, 2 times, "
          "process case-77");
    judge("never call iomap_dio_complete 1 0x0 77 case " TASK, VERDICT_FAIL,
          "never: iomap_dio_complete with a result >= 0 in task_work");
}

static void test_legal_calls(void)
{
    judge("never call vfs_fsync_range 1 0x0 9 kworker vfs_fsync_range<" DIO
          WORK, VERDICT_PASS, NULL);
    /* A request that is tried again, and a drive that was faster. */
    judge("never call iomap_dio_complete 1 0x0 77 case __iomap_dio_rw<"
          "iomap_dio_rw<io_write<io_issue_sqe<" TASK, VERDICT_PASS, NULL);
    judge("never call vfs_fsync_range 1 0x0 77 case vfs_fsync_range<io_write<"
          "io_issue_sqe<io_iopoll_check<io_do_iopoll", VERDICT_PASS, NULL);
    /* A poll in a worker is a poll. */
    judge("never call vfs_fsync_range 1 0x0 9 kworker vfs_fsync_range<" DIO
          "nvme_poll<nvme_timeout<process_one_work", VERDICT_FAIL, "polled");
}

static void test_places(void)
{
    const char *const none[] = { "vfs_fsync_range", "do_fsync", NULL };
    const char *const worker[] = { "f", "process_one_work", NULL };
    const char *const timer[] = { "f", "sysvec_apic_timer_interrupt",
                                  "io_do_iopoll", NULL };

    g_assert_null(place_of(none, 0));
    g_assert_cmpstr(place_of(none, 0x09), ==, "hardirq");
    g_assert_cmpstr(place_of(none, 0x31), ==, "softirq");
    /* A breakpoint is no interrupt, as far as the caller is concerned. */
    g_assert_null(place_of(none, 0x49));
    g_assert_cmpstr(place_of(worker, 0), ==, "workqueue");
    g_assert_cmpstr(place_of(worker, 0x08), ==, "hardirq");
    g_assert_cmpstr(place_of(timer, 0), ==, "hardirq");
}

static void test_completions(void)
{
    judge("never completions CQE ffff8880 3 2 77", VERDICT_FAIL,
          "never: more than one CQE per request: the request at 0xffff8880 "
          "was started 2 times and completed 3 times, "
          "as of process 77");
    judge("never completions io_event ffff8880 2 2 77", VERDICT_PASS, NULL);
    judge("never extra CQE of request 4", VERDICT_FAIL,
          "never: more than one completion per request: a second CQE of "
          "request 4");
}

static void test_page(void)
{
    judge("never page /mnt/xfs/a offset 4096: the clean cached page is older",
          VERDICT_FAIL, "never: /mnt/xfs/a offset 4096: the clean");
}

static void test_gaps(void)
{
    judge("never lost vfs_fsync_range: probe missed (1)", VERDICT_ERROR,
          "never-events lost: vfs_fsync_range: probe missed (1)");
    judge("never unwatched clean stale pages: x", VERDICT_PASS, NULL);
    judge("never call vfs_fsync_range 1", VERDICT_ERROR, NULL);
    judge("never call printk 1 0x9 77 fio a<" IRQ, VERDICT_ERROR, NULL);
    judge("never completions CQE 1 many 1 7", VERDICT_ERROR, NULL);
    judge("never mind", VERDICT_ERROR, NULL);
    g_assert_cmpstr(never_unwatched("never unwatched x: y"), ==, "x: y");
    g_assert_null(never_unwatched("range nsid=1"));
    g_assert_true(never_is_untraceable("never untraceable"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/never/calls", test_calls);
    g_test_add_func("/never/legal-calls", test_legal_calls);
    g_test_add_func("/never/places", test_places);
    g_test_add_func("/never/completions", test_completions);
    g_test_add_func("/never/page", test_page);
    g_test_add_func("/never/gaps", test_gaps);
    g_test_add_func("/never/several", test_several);
    return g_test_run();
}
