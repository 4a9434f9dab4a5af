/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_context.c: each word of the vocabulary from its evidence, and the judge
 * with repeats that fit, that differ, that race, and that must never be.
 */
#include "context.h"

#include <string.h>

#include "context_event.h"
#include "paths.h"
#include "trace_build.h"

#define NAME "context.xfs.overwrite.libaio"
#define PID "77"
#define WRITE_ARGS "nvme0: disk=nvme0n2, qid=1, cmdid=5, nsid=2, " \
    "cmd=(nvme_cmd_write slba=800, len=7, ctrl=0x0, dsmgmt=0, reftag=0)"
#define SETUP "event %u 100 0 ..... init-" PID " nvme_setup_cmd " \
    "nvme_setup_cmd<__x64_sys_io_submit " WRITE_ARGS
#define ANSWER "event %u 200 0 d.h1. x-1 nvme_complete_rq nvme_irq " \
    "nvme0: disk=nvme0n2, qid=1, cmdid=5, res=0x0"
#define WORKER "event %u 300 0 ..... kworker/0:1-9 "
#define IN_WORK " iomap_dio_complete_work<process_one_work (f) " \
    "workqueue=dio/nvme0n2"
#define DONE WORKER "iomap_dio_complete" IN_WORK

static const char rows[] =
    "6.12 | xfs | overwrite | libaio | * | submitter workqueue:dio - | f | "
    "a.c:1 | r\n";

struct fixture {
    struct trace_build build;
    struct case_result *result;
    unsigned repeats;
    const char *told;           /* first line of the story, if checked */
};

static void begin(struct fixture *f, const char *name)
{
    trace_build_init(&f->build, "vwc=on");
    f->result = case_result_new(name);
    case_result_set(f->result, VERDICT_PASS, NULL);
    f->repeats = 0;
    f->told = NULL;
}

/* cid, slba: of the command that the drive saw. */
static void add_repeat(struct fixture *f, uint16_t cid, uint64_t slba,
                       const char *const *events)
{
    unsigned number = ++f->repeats;
    struct lab_trace_command command;

    trace_build_mark(&f->build, LAB_MARK_BEGIN, 3, f->result->name);
    command = trace_build_submit(&f->build, 2, NVME_OP_WRITE, slba, 8);
    command.sqid = 1;
    command.cid = cid;
    trace_build_complete(&f->build, command);
    trace_build_mark(&f->build, LAB_MARK_END, 3, "");
    case_result_note(f->result, "op %u 90 400 " PID " 4096", number);
    for (; *events; events++) {
        g_autofree char *rest = g_strdup(strstr(*events, "%u") + 2);

        case_result_note(f->result, "event %u%s", number, rest);
    }
    case_result_note(f->result, "range nsid=2 slba=800 blocks=8");
}

static void end(struct fixture *f, enum verdict verdict, const char *reason)
{
    struct expect *expect = expect_parse("rows", rows, context_pattern_check,
                                         NULL);
    struct trace *trace = trace_build_read(&f->build);
    struct context_judge judge = { trace, expect, "6.12.107+deb13" };

    g_assert_nonnull(expect);
    context_judge(&judge, f->result);
    g_test_message("%s", f->result->reason ? f->result->reason : "-");
    g_assert_cmpint(f->result->verdict, ==, verdict);
    if (reason) {
        g_assert_nonnull(strstr(f->result->reason, reason));
    }
    if (f->told) {
        g_autofree char *story = NULL;

        g_ptr_array_add(f->result->notes, NULL);
        story = g_strjoinv("\n", (char **)f->result->notes->pdata);
        g_assert_true(g_str_has_prefix(story, f->told));
        g_assert_nonnull(strstr(story, "drive          command 2: write, "
                                "queue 1, id 5, LBA 800+8"));
        g_assert_nonnull(strstr(story, "hardirq        iomap_dio_complete"));
    }
    case_result_free(f->result);
    trace_free(trace);
    trace_build_clear(&f->build);
    expect_free(expect);
}

static const char *const good[] = { SETUP, ANSWER, DONE, NULL };
static const char *const inline_done[] = {
    SETUP, ANSWER, "event %u 200 0 d.h1. x-1 iomap_dio_complete "
    "iomap_dio_complete<nvme_irq (f)", NULL
};
static const char *const raced[] = {
    SETUP, ANSWER, "event %u 300 0 ..... init-" PID " iomap_dio_complete "
    "iomap_dio_complete<__x64_sys_io_submit (f)", NULL
};

static void one(const char *const *events, enum verdict verdict,
                const char *reason)
{
    struct fixture f;

    begin(&f, NAME);
    add_repeat(&f, 5, 800, events);
    end(&f, verdict, reason);
}

static void test_judge(void)
{
    static const char *const waited[] = {
        SETUP, ANSWER,
        "event %u 150 0 ..... init-" PID " blk_io_schedule x (f)",
        "event %u 300 0 ..... init-" PID " iomap_dio_complete "
        "iomap_dio_complete<__x64_sys_io_submit (f)", NULL
    };
    static const char *const twice[] = { SETUP, ANSWER, DONE, DONE, NULL };
    static const char *const unseen[] = { SETUP, ANSWER, NULL };
    /* A Flush is waited for in the same way as data. */
    static const char *const flushed[] = {
        SETUP, ANSWER, "event %u 300 0 ..... init-" PID
        " submit_bio_wait_returns __blkdev_direct_IO_simple (f) ret=0",
        "event %u 310 0 ..... init-" PID " vfs_fsync_range a (f)",
        "event %u 400 0 ..... init-" PID
        " submit_bio_wait_returns blkdev_issue_flush<blkdev_fsync (f) ret=0",
        NULL
    };
    static const char *const synced[] = {
        SETUP, ANSWER, DONE, WORKER "vfs_fsync_range" IN_WORK, NULL
    };

    one(good, VERDICT_PASS, NULL);
    one(inline_done, VERDICT_FAIL, "saw 'submitter hardirq -', expected "
        "'submitter workqueue:dio -': f, a.c:1, r");
    one(waited, VERDICT_FAIL, "saw 'submitter waiter -'");
    one(synced, VERDICT_FAIL, "saw 'submitter workqueue:dio workqueue:dio'");
    one(flushed, VERDICT_FAIL, "saw 'submitter waiter waiter'");
    one(twice, VERDICT_FAIL, "iomap_dio_complete ran 2 times");
    one(unseen, VERDICT_ERROR, "no probe saw it complete");
    one(good + 1, VERDICT_ERROR, "0 commands for its blocks");
}

static void test_never(void)
{
    static const char *const sync_in_irq[] = {
        SETUP, ANSWER, DONE,
        "event %u 210 0 d.h1. x-1 vfs_fsync_range a<nvme_irq (f)", NULL
    };
    static const char *const flush_polled[] = {
        SETUP, ANSWER, DONE, "event %u 210 0 ..... init-" PID
        " blkdev_issue_flush a<io_do_iopoll (f)", NULL
    };
    static const char *const task_work[] = {
        SETUP, ANSWER, "event %u 300 0 ..... init-" PID
        " iomap_dio_complete a<task_work_run (f)", NULL
    };

    one(sync_in_irq, VERDICT_FAIL, "never: vfs_fsync_range in hardirq");
    one(flush_polled, VERDICT_FAIL, "never: blkdev_issue_flush in polled");
    one(task_work, VERDICT_FAIL, "never: iomap_dio_complete in task_work");
}

static void test_repeats(void)
{
    struct fixture f;

    begin(&f, NAME);
    add_repeat(&f, 5, 800, good);
    add_repeat(&f, 5, 800, raced);
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_PASS, NULL);

    /* What is printed is the one that differs, with the drive's view. */
    begin(&f, NAME);
    add_repeat(&f, 5, 800, good);
    add_repeat(&f, 5, 800, inline_done);
    f.told = "repeat 2:";
    end(&f, VERDICT_FAIL, "flaky");

    begin(&f, NAME);
    add_repeat(&f, 5, 800, good);
    add_repeat(&f, 5, 800, inline_done);
    end(&f, VERDICT_FAIL, "flaky: 'submitter workqueue:dio -', but "
        "'submitter hardirq -' in repeat 2");

    one(raced, VERDICT_ERROR, "faster than its submitter in 1 of 1");
}

static void test_join(void)
{
    struct fixture f;

    begin(&f, NAME);
    add_repeat(&f, 5, 800, good);
    add_repeat(&f, 6, 800, good);
    end(&f, VERDICT_ERROR, "repeat 2 cannot be joined: 0 commands");

    begin(&f, NAME);
    add_repeat(&f, 5, 808, good);
    end(&f, VERDICT_ERROR, "cannot be joined");
}

static void test_unexplained(void)
{
    struct fixture f;

    begin(&f, "context.xfs.overwrite.sync");
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_ERROR, "unexplained: no row of rows");

    begin(&f, NAME);
    end(&f, VERDICT_ERROR, "no operation");

    begin(&f, NAME);
    case_result_note(f.result, "event 1 x");
    end(&f, VERDICT_ERROR, "note cannot be read: event 1 x");
}

static void place(const char *rest, const char *expected)
{
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) repeats = NULL;
    g_autofree char *why = NULL;
    g_autofree char *word = NULL;
    struct context_repeat *repeat;

    g_ptr_array_add(notes, g_strdup("op 1 0 9 " PID " 4096"));
    g_ptr_array_add(notes, g_strdup_printf("event 1 5 0 %s", rest));
    repeats = context_repeats_parse(notes, &why);
    g_assert_nonnull(repeats);
    repeat = repeats->pdata[0];
    word = context_event_place(repeat, repeat->events->pdata[0]);
    g_assert_cmpstr(word, ==, expected);
}

static void test_places(void)
{
    place("d.h1. x-" PID " f nvme_irq (f)", "hardirq");
    place("d.H1. x-" PID " f a<process_one_work (f)", "hardirq");
    place("..s1. x-" PID " f blk_done_softirq (f)", "softirq");
    place("..... irq/24-nvme0q1-8 f nvme_irq<irq_thread (f)", "irq-thread");
    place("..... x-" PID " f a<io_do_iopoll<b (f)", "polled");
    place("..... x-" PID " f a<task_work_run<b (f)", "task_work");
    place("..... k-9 f a<process_one_work (f) workqueue=dio/nvme0n2",
          "workqueue:dio");
    place("..... k-9 f a<worker_thread<kthread (f) workqueue=dio/nvme0n2",
          "workqueue:dio");
    place("..... k-9 f a<process_one_work (f) workqueue=kblockd",
          "workqueue:kblockd");
    place("..... k-9 f a<process_one_work (f)", NULL);
    place("..... iou-wrk-77-9 f a<io_wq_submit_work (f)", "io-wq");
    place("..... iou-sqp-77-9 f a<io_sq_thread (f)", "sqpoll");
    place("..... x-" PID " f a<io_submit_sqes (f)", "submitter");
    place("..... x-" PID " submit_bio_wait_returns a (f)", "waiter");
    place("..... x-78 f a<b (f)", NULL);
}

/* Every cell of the guest's table has a row for 6.12, and rows say words. */
static void test_rows(void)
{
    static const char *const ops[] = {
        "read", "overwrite", "overwrite-cached", "overwrite-dsync",
        "overwrite-sync", "unwritten", "extend",
    };
    static const char *const targets[] = { "raw", "xfs", "ext4" };
    static const char *const issuers[] = {
        "io_uring", "defer_taskrun", "iopoll", "libaio", "sync"
    };
    g_autofree char *path = paths_in_root("harness/expect/context.expect");
    g_autoptr(GError) error = NULL;
    struct expect *expect = expect_load(path, context_pattern_check, &error);

    g_assert_no_error(error);
    for (gsize t = 0; t < G_N_ELEMENTS(targets); t++) {
        for (gsize o = 0; o < (t ? 7 : 5); o++) {
            for (gsize i = 0; i < G_N_ELEMENTS(issuers); i++) {
                struct expect_key key = { "6.12.107", targets[t], ops[o],
                                          issuers[i], i % 2 };

                g_assert_nonnull(expect_find(expect, &key));
            }
        }
    }
    expect_free(expect);
    g_assert_false(context_pattern_check("submitter hardirq"));
    g_assert_false(context_pattern_check("submitter interrupt -"));
    g_assert_false(context_pattern_check("- hardirq -"));
    g_assert_false(context_pattern_check("submitter workqueue: -"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/context/places", test_places);
    g_test_add_func("/context/judge", test_judge);
    g_test_add_func("/context/never", test_never);
    g_test_add_func("/context/repeats", test_repeats);
    g_test_add_func("/context/join", test_join);
    g_test_add_func("/context/unexplained", test_unexplained);
    g_test_add_func("/context/rows", test_rows);
    return g_test_run();
}
