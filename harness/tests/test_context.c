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
    GPtrArray *stacks;          /* told so far */
    const char *release;        /* NULL: the one of the rows */
    uint64_t jump_ns;           /* of the guest's clock, before ACK */
    unsigned answered_step;     /* of the drive's CQE, in steps after BEGIN */
    const char *told;           /* in the notes at the end, if checked */
    unsigned told_command;      /* of the drive */
};

static void begin(struct fixture *f, const char *name)
{
    trace_build_init(&f->build, "vwc=on");
    f->result = case_result_new(name);
    case_result_set(f->result, VERDICT_PASS, NULL);
    f->repeats = 0;
    f->stacks = g_ptr_array_new_with_free_func(g_free);
    f->answered_step = 19;
    f->jump_ns = 0;
    f->release = NULL;
    f->told = NULL;
}

static unsigned stack_number(struct fixture *f, const char *stack)
{
    guint found;

    if (g_ptr_array_find_with_equal_func(f->stacks, stack, g_str_equal,
                                         &found)) {
        return found + 1;
    }
    g_ptr_array_add(f->stacks, g_strdup(stack));
    case_result_note(f->result, "stack %u %s", f->stacks->len, stack);
    return f->stacks->len;
}

/* "event %u TIME CPU FLAGS TASK NAME STACK …" as the guest would tell it. */
static void add_event(struct fixture *f, unsigned number, guint64 base_ns,
                      const char *event)
{
    g_auto(GStrv) words = g_strsplit(event, " ", 9);
    guint64 time_ns = base_ns + 100 * g_ascii_strtoull(words[2], NULL, 10);

    case_result_note(f->result, "event %u %" G_GUINT64_FORMAT
                     " %s %s %s %s %u %s", number, time_ns, words[3],
                     words[4], words[5], words[6],
                     stack_number(f, words[7]), words[8] ? words[8] : "");
}

/* Commands on queue 1, from step 10 after BEGIN. */
static GArray *submit_all(struct fixture *f, guint64 base,
                          const guint64 (*commands)[3], unsigned count)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct lab_trace_command));

    f->build.stamp = base + 9;
    for (unsigned i = 0; i < count; i++) {
        struct lab_trace_command command =
            trace_build_submit(&f->build, 2, NVME_OP_WRITE, commands[i][1],
                               (uint32_t)commands[i][2]);

        command.sqid = 1;
        command.cid = (uint16_t)commands[i][0];
        g_array_append_val(all, command);
    }
    return all;
}

static void complete_all(struct fixture *f, guint64 base, const GArray *all)
{
    f->build.stamp = MAX(f->build.stamp, base + f->answered_step - 2);
    for (guint i = 0; i < all->len; i++) {
        trace_build_complete(&f->build,
                             g_array_index(all, struct lab_trace_command, i));
    }
}

/*
 * One repeat of 40 steps; an event's TIME counts tenths of them. Of each
 * command that the drive saw: cid, slba, blocks.
 */
static void add_repeat_of(struct fixture *f, const guint64 (*commands)[3],
                          unsigned count, const char *const *events)
{
    g_autoptr(GArray) all = NULL;
    unsigned number = ++f->repeats;
    guint64 base;

    trace_build_mark(&f->build, LAB_MARK_BEGIN, 3, f->result->name);
    base = f->build.stamp;
    all = submit_all(f, base, commands, count);
    if (f->answered_step < 40) {
        complete_all(f, base, all);
    }
    f->build.stamp = base + 39;
    f->build.guest_ahead_ns = f->jump_ns;
    trace_build_mark(&f->build, LAB_MARK_ACK, 3, "");
    if (f->answered_step >= 40) {
        complete_all(f, base, all);
    }
    trace_build_mark(&f->build, LAB_MARK_END, 3, "");
    case_result_note(f->result, "op %u %" G_GUINT64_FORMAT " %"
                     G_GUINT64_FORMAT " " PID " 4096", number,
                     (base + 9) * 1000, (base + 40) * 1000);
    for (; *events; events++) {
        add_event(f, number, base * 1000, *events);
    }
    case_result_note(f->result, "range nsid=2 slba=800 blocks=8");
}

static void add_repeat(struct fixture *f, uint16_t cid, uint64_t slba,
                       const char *const *events)
{
    const guint64 command[][3] = { { cid, slba, 8 } };

    add_repeat_of(f, command, 1, events);
}

static void end(struct fixture *f, enum verdict verdict, const char *reason)
{
    struct expect *expect = expect_parse("rows", rows, context_pattern_check,
                                         NULL);
    struct trace *trace = trace_build_read(&f->build);
    struct context_judge judge = {
        trace, expect, f->release ? f->release : "6.12.107+deb13", true
    };

    g_assert_nonnull(expect);
    context_judge(&judge, f->result);
    case_result_settle_unread(f->result);
    g_test_message("%s", f->result->reason ? f->result->reason : "-");
    g_assert_cmpint(f->result->verdict, ==, verdict);
    if (reason) {
        g_assert_nonnull(strstr(f->result->reason, reason));
    }
    if (f->told) {
        g_autofree char *story = NULL;
        g_autofree char *rung = g_strdup_printf(
            "drive          command %u: write, queue 1, id 5, LBA "
            "800+8", f->told_command);
        g_autofree char *answered = g_strdup_printf(
            "drive          command %u: answered after 0.009 ms",
            f->told_command);

        g_ptr_array_add(f->result->notes, NULL);
        story = g_strjoinv("\n", (char **)f->result->notes->pdata);
        g_assert_nonnull(strstr(story, f->told));
        g_assert_nonnull(strstr(story, rung));
        g_assert_nonnull(strstr(story, answered));
        g_assert_nonnull(strstr(story, "iomap_dio_complete"));
    }
    g_ptr_array_unref(f->stacks);
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
    one(good + 1, VERDICT_ERROR, "no probe saw command 1 of the drive");
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
    f.told = "repeat 2: the drive's times are known to +-0.001 ms";
    f.told_command = 2;
    end(&f, VERDICT_FAIL, "flaky");

    begin(&f, NAME);
    for (unsigned i = 1; i <= 20; i++) {
        add_repeat(&f, 5, 800, i == 3 || i == 17 ? inline_done : good);
    }
    f.told = "where        issued             completed        synced\n"
             "expected     submitter          workqueue:dio    -\n"
             "seen 18 x    submitter          workqueue:dio    -\n"
             "seen 2 x     submitter          hardirq          -\n"
             "repeat 3:";
    f.told_command = 3;
    end(&f, VERDICT_FAIL, "flaky: 18 x 'submitter workqueue:dio -', "
        "2 x 'submitter hardirq -' (repeats 3, 17)");

    one(raced, VERDICT_ERROR, "nothing to judge by: of 1 repeats, in 1 the "
        "drive was faster than its submitter, in 0 a probe was missed");
}

/* A probe was hit in an interrupt while another was being handled. */
static void test_missed(void)
{
    static const char *const blind[] = { SETUP, ANSWER, NULL };
    static const char *const blind_never[] = {
        SETUP, "event %u 210 0 d.h1. x-1 vfs_fsync_range a<nvme_irq (f)", NULL
    };
    struct fixture f;

    begin(&f, NAME);
    case_result_note(f.result, "no probe \"p f\" on this kernel: EINVAL");
    add_repeat(&f, 5, 800, blind);
    case_result_note(f.result, "missed 1 2");
    add_repeat(&f, 5, 800, good);
    f.told = "no probe \"p f\" on this kernel: EINVAL\n"
             "not judged: of 2 repeats, in 0 the drive was faster than its "
             "submitter, in 1 a probe was missed, in 0 the guest's clock "
             "jumped\nrepeat 2:";
    f.told_command = 2;
    end(&f, VERDICT_PASS, NULL);

    begin(&f, NAME);
    add_repeat(&f, 5, 800, blind);
    case_result_note(f.result, "missed 1 1");
    end(&f, VERDICT_ERROR, "in 1 a probe was missed");

    /* What was seen was there. */
    begin(&f, NAME);
    add_repeat(&f, 5, 800, blind_never);
    case_result_note(f.result, "missed 1 1");
    end(&f, VERDICT_FAIL, "never: vfs_fsync_range in hardirq");

    begin(&f, NAME);
    add_repeat(&f, 5, 800, good);
    case_result_note(f.result, "missed 2 1");
    end(&f, VERDICT_ERROR, "note cannot be read: missed 2 1");
}

/* The driver's events of one command. */
#define SETUP_OF(cid, slba, len) "event %u 100 0 ..... init-" PID             \
    " nvme_setup_cmd nvme_setup_cmd<__x64_sys_io_submit nvme0: "              \
    "disk=nvme0n2, qid=1, cmdid=" cid ", nsid=2, cmd=(nvme_cmd_write slba="   \
    slba ", len=" len ", ctrl=0x0)"
#define ANSWER_OF(cid) "event %u 250 0 d.h1. x-1 nvme_complete_rq nvme_irq "  \
    "nvme0: disk=nvme0n2, qid=1, cmdid=" cid ", res=0x0"

static void joined(const guint64 (*commands)[3], unsigned count,
                   const char *const *events, enum verdict verdict,
                   const char *reason)
{
    struct fixture f;

    begin(&f, NAME);
    add_repeat_of(&f, commands, count, events);
    end(&f, verdict, reason);
}

static void test_join(void)
{
    static const char *const split[] = {
        SETUP_OF("5", "800", "3"), SETUP_OF("6", "804", "3"), ANSWER_OF("5"),
        ANSWER_OF("6"), DONE, NULL
    };
    static const char *const merged[] = {
        SETUP_OF("5", "792", "31"), ANSWER_OF("5"), DONE, NULL
    };
    static const char *const half[] = {
        SETUP_OF("5", "800", "3"), ANSWER_OF("5"), DONE, NULL
    };
    static const char *const unanswered[] = { SETUP, DONE, NULL };
    static const guint64 one_whole[][3] = { { 5, 800, 8 } };
    static const guint64 other_id[][3] = { { 6, 800, 8 } };
    static const guint64 beside[][3] = { { 5, 808, 8 } };
    static const guint64 halves[][3] = { { 5, 800, 4 }, { 6, 804, 4 } };
    static const guint64 more[][3] = { { 5, 792, 32 } };
    static const guint64 twice[][3] = { { 5, 800, 8 }, { 7, 804, 8 } };
    struct fixture f;

    joined(one_whole, 1, good, VERDICT_PASS, NULL);
    joined(halves, 2, split, VERDICT_PASS, NULL);
    joined(more, 1, merged, VERDICT_PASS, NULL);

    joined(other_id, 1, good, VERDICT_ERROR,
           "repeat 1 cannot be joined: the drive has no command nvme0: ");
    joined(beside, 1, good, VERDICT_ERROR, "the drive has no command");
    joined(halves, 1, split, VERDICT_ERROR, "the drive has no command");
    joined(halves, 2, half, VERDICT_ERROR,
           "no probe saw command 2 of the drive, queue 1, id 6, LBA 804+4");
    joined(twice, 2, good, VERDICT_ERROR, "no probe saw command 2");
    joined(halves, 1, half, VERDICT_ERROR,
           "1 commands, none with LBA 804 of 800+8");
    joined(one_whole, 1, unanswered, VERDICT_ERROR,
           "the driver never completed nvme0: ");

    begin(&f, NAME);
    add_repeat(&f, 5, 800, good);
    add_repeat(&f, 6, 800, good);
    end(&f, VERDICT_ERROR, "repeat 2 cannot be joined");

    begin(&f, NAME);
    f.result->name[strlen(f.result->name) - 1] = 'x';
    add_repeat(&f, 5, 800, good);
    f.result->name[strlen(f.result->name) - 1] = 'o';
    end(&f, VERDICT_ERROR, "no BEGIN, ACK and END mark");
}

/* Commands of one operation that come from different places. */
static void test_split_places(void)
{
    static const char *const events[] = {
        SETUP_OF("5", "800", "3"),
        "event %u 100 0 ..... k-9 nvme_setup_cmd a<process_one_work nvme0: "
        "disk=nvme0n2, qid=1, cmdid=6, nsid=2, cmd=(nvme_cmd_write slba=804, "
        "len=3) workqueue=kblockd", ANSWER_OF("5"), ANSWER_OF("6"), DONE, NULL
    };
    static const guint64 halves[][3] = { { 5, 800, 4 }, { 6, 804, 4 } };

    joined(halves, 2, events, VERDICT_FAIL,
           "saw 'submitter+workqueue:kblockd workqueue:dio -'");
}

/* By the marks the drive's clock is ahead of the guest's by -1 us to 0. */
static void test_clocks(void)
{
    static const char *const fits[] = {
        "event %u 110 0 ..... init-" PID " nvme_setup_cmd a " WRITE_ARGS,
        ANSWER, DONE, NULL
    };
    /* Each end fits, but not both: 9 us between them, 7.5 at the guest. */
    static const char *const too_short[] = {
        "event %u 107 0 ..... init-" PID " nvme_setup_cmd a " WRITE_ARGS,
        "event %u 182 0 d.h1. x-1 nvme_complete_rq nvme_irq nvme0: "
        "disk=nvme0n2, qid=1, cmdid=5, res=0x0", DONE, NULL
    };
    static const char *const late_setup[] = {
        "event %u 130 0 ..... init-" PID " nvme_setup_cmd a " WRITE_ARGS,
        ANSWER, DONE, NULL
    };
    struct fixture f;

    /* The doorbell is at 10 us of the drive: at most 11 us of the guest. */
    one(fits, VERDICT_PASS, NULL);
    one(late_setup, VERDICT_ERROR, "the doorbell of command 1 is 0.002 ms "
        "before its nvme_setup_cmd, clocks known to 0.001 ms");
    one(too_short, VERDICT_ERROR, "took the drive longer than the driver");

    /* The guest saw it complete at 20 us, and a microsecond is the grain. */
    begin(&f, NAME);
    f.answered_step = 20;
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_PASS, NULL);
    begin(&f, NAME);
    f.answered_step = 21;
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_ERROR, "the CQE of command 1 is 0.001 ms behind its "
        "nvme_complete_rq, clocks known to 0.001 ms");

    begin(&f, NAME);
    f.answered_step = 43;
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_FAIL, "repeat 1 was acknowledged before the drive "
        "answered command 1");
}

/* What a jump of the guest's clock made of a repeat is no evidence. */
static void test_clock_jumps(void)
{
    struct fixture f;

    begin(&f, NAME);
    f.jump_ns = 18 * 1000 * 1000;
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_ERROR, "in 1 the guest's clock jumped");

    begin(&f, NAME);
    f.jump_ns = 18 * 1000 * 1000;
    add_repeat(&f, 5, 800, good);
    f.build.guest_ahead_ns = 0;
    f.jump_ns = 0;
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_PASS, NULL);
}

static void test_unexplained(void)
{
    struct fixture f;

    begin(&f, "context.xfs.overwrite.sync");
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_ERROR, "unexplained: no row of rows");

    /* A series that no row is about is nobody's failure. */
    begin(&f, NAME);
    f.release = "6.13.1";
    add_repeat(&f, 5, 800, good);
    end(&f, VERDICT_SKIP, "nobody has read 6.13.1 for rows: saw 'submitter "
        "workqueue:dio -'");

    begin(&f, NAME);
    end(&f, VERDICT_ERROR, "no operation");

    begin(&f, NAME);
    case_result_note(f.result, "event 1 x");
    end(&f, VERDICT_ERROR, "note cannot be read: event 1 x");
}

/* rest: FLAGS TASK NAME STACK ARGUMENTS… */
static void place(const char *rest, const char *expected)
{
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) repeats = NULL;
    g_autofree char *why = NULL;
    g_autofree char *word = NULL;
    g_auto(GStrv) word_of = g_strsplit(rest, " ", 5);
    struct context_repeat *repeat;

    g_ptr_array_add(notes, g_strdup("op 1 0 9 " PID " 4096"));
    g_ptr_array_add(notes, g_strdup_printf("stack 1 %s", word_of[3]));
    g_ptr_array_add(notes, g_strdup_printf("event 1 5 0 %s %s %s 1 %s",
                                           word_of[0], word_of[1],
                                           word_of[2], word_of[4]));
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

#define PUNTED(name, arguments) "event %u 80 0 ..... init-" PID " " name " a " \
    arguments
#define PUNT "event %u 90 0 ..... init-" PID " io_uring_queue_async_work a x"
#define WORKER_SETUP "event %u 100 0 ..... iou-wrk-77-78 nvme_setup_cmd "     \
    "nvme_setup_cmd<io_wq_submit_work " WRITE_ARGS
/* The second attempt may block, and says nothing about the first. */
#define SECOND "event %u 95 0 ..... iou-wrk-77-78 iomap_dio_rw_returns "      \
    "a<io_wq_submit_work ret=-529"

static void punted(const char *first, const char *second, const char *reason)
{
    const char *const events[] = {
        first, second, PUNT, SECOND, WORKER_SETUP, ANSWER, DONE, NULL
    };
    g_autofree char *expected =
        g_strdup_printf("saw 'io-wq(%s) workqueue:dio -'", reason);

    one(events, VERDICT_FAIL, expected);
}

static void test_punts(void)
{
    punted(PUNTED("kiocb_modified_returns", "ret=-11"),
           PUNTED("xfs_file_write_iter_returns", "ret=-11"), "timestamp");
    punted(PUNTED("iomap_dio_rw_returns", "ret=-11"),
           PUNTED("ext4_file_write_iter_returns", "ret=-11"), "mapping");
    punted(PUNTED("blk_io_schedule", ""),
           PUNTED("ext4_file_write_iter_returns", "ret=-11"), "lock");
    /* It came further than to the lock, or was not tried at all. */
    punted(PUNTED("kiocb_modified_returns", "ret=0"),
           PUNTED("xfs_file_write_iter_returns", "ret=-11"), "?");
    punted(PUNTED("kiocb_modified_returns", "ret=-11"),
           PUNTED("xfs_file_write_iter_returns", "ret=-5"), "?");
    punted(PUNTED("blk_io_schedule", ""), PUNTED("blk_io_schedule", ""), "?");
}

/* Every cell of the guest's table has its row, and rows say words. */
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
    static const char *const releases[] = {
        "6.1.0-50-cloud-amd64", "6.12.107", "7.2.13"
    };
    struct expect *expect = expect_load(path, context_pattern_check, &error);

    g_assert_no_error(error);
    for (gsize t = 0; t < G_N_ELEMENTS(targets); t++) {
        for (gsize o = 0; o < (t ? 7 : 5); o++) {
            for (gsize i = 0; i < G_N_ELEMENTS(issuers); i++) {
                for (gsize k = 0; k < 2 * G_N_ELEMENTS(releases); k++) {
                    struct expect_key key = {
                        releases[k / 2], targets[t], ops[o], issuers[i], k % 2
                    };

                    g_assert_nonnull(expect_find(expect, &key));
                }
            }
        }
    }
    expect_free(expect);
    g_assert_false(context_pattern_check("submitter hardirq"));
    g_assert_false(context_pattern_check("submitter interrupt -"));
    g_assert_false(context_pattern_check("- hardirq -"));
    g_assert_false(context_pattern_check("submitter workqueue: -"));
    g_assert_false(context_pattern_check("io-wq hardirq -"));
    g_assert_false(context_pattern_check("io-wq(fun) hardirq -"));
    g_assert_false(context_pattern_check("io-wq() hardirq -"));
    g_assert_true(context_pattern_check("io-wq(?) io-wq -"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/context/places", test_places);
    g_test_add_func("/context/judge", test_judge);
    g_test_add_func("/context/never", test_never);
    g_test_add_func("/context/repeats", test_repeats);
    g_test_add_func("/context/missed", test_missed);
    g_test_add_func("/context/join", test_join);
    g_test_add_func("/context/split-places", test_split_places);
    g_test_add_func("/context/clocks", test_clocks);
    g_test_add_func("/context/clock-jumps", test_clock_jumps);
    g_test_add_func("/context/punts", test_punts);
    g_test_add_func("/context/unexplained", test_unexplained);
    g_test_add_func("/context/rows", test_rows);
    return g_test_run();
}
