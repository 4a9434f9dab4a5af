/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flushes.c: the judge, with traces that are right, that miss something,
 * and that have something too much.
 */
#include <string.h>

#include "flushes.h"
#include "trace_build.h"

static const char rows[] =
    "6.12 | raw | overwrite | * | * | W | f | a.c | r\n"
    "6.12 | raw | overwrite-dsync | io_uring | on | WF | f | a.c | r\n"
    "6.12 | raw | overwrite-dsync | sync | on | WF F! | f | a.c | r\n"
    "6.12 | raw | overwrite-dsync | * | off | W | f | a.c | r\n"
    "6.12 | raw | fsync-clean | * | on | F! | f | a.c | r\n"
    "6.12 | raw | fsync-dirty | * | on | F | f | a.c | r\n"
    "6.12 | xfs | overwrite-sync | * | on | W F WF | f | a.c | r\n"
    "6.12 | ext4 | overwrite-sync | * | on | W W+ F WF | f | a.c | r\n";

struct fixture {
    struct trace_build build;
    const char *name;
    const char *release;
    struct case_result *result;
};

static void begin(struct fixture *f, const char *drive, const char *name)
{
    trace_build_init(&f->build, drive);
    f->name = name;
    f->release = "6.12.107+deb13-cloud-amd64";
}

static void mark(struct fixture *f, uint32_t kind)
{
    trace_build_mark(&f->build, kind, 5,
                     kind == LAB_MARK_BEGIN ? f->name : "");
}

/* Close the case, judge it, and forget the trace. */
static void judge(struct fixture *f)
{
    g_autoptr(GError) error = NULL;
    struct expect *expect = expect_parse("rows", rows, NULL, &error);
    struct trace *trace;
    g_autoptr(GArray) promises = NULL;
    struct flushes_judge judge;

    g_assert_no_error(error);
    trace = trace_build_read(&f->build);
    promises = promise_simulate(trace);
    judge = (struct flushes_judge){
        .trace = trace, .promises = promises, .expect = expect,
        .kernel_release = f->release, .skips_unread = true,
    };
    f->result = case_result_new(f->name);
    flushes_judge(&judge, f->result);
    case_result_settle_unread(f->result);
    trace_free(trace);
    trace_build_clear(&f->build);
    expect_free(expect);
}

static void ack_and_judge(struct fixture *f)
{
    mark(f, LAB_MARK_ACK);
    mark(f, LAB_MARK_END);
    judge(f);
}

static void expect_verdict(struct fixture *f, enum verdict verdict,
                           const char *reason)
{
    g_assert_cmpstr(verdict_name(f->result->verdict), ==,
                    verdict_name(verdict));
    if (reason) {
        g_assert_nonnull(f->result->reason);
        if (!strstr(f->result->reason, reason)) {
            g_error("'%s' does not say '%s'", f->result->reason, reason);
        }
    }
    case_result_free(f->result);
}

static void test_right(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.io_uring");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    ack_and_judge(&f);
    g_assert_cmpstr(f.result->commands, ==, "WF");
    expect_verdict(&f, VERDICT_PASS, NULL);

    begin(&f, "vwc=on", "flush.ext4.overwrite-sync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 3, 0);
    trace_build_write(&f.build, 3, 100);
    trace_build_write(&f.build, 3, 200);
    trace_build_flush(&f.build, 3);
    trace_build_fua(&f.build, 3, 300);
    ack_and_judge(&f);
    g_assert_cmpstr(f.result->commands, ==, "W W W F WF");
    g_assert_cmpuint(f.result->redundant_listed, ==, 0);
    expect_verdict(&f, VERDICT_PASS, NULL);
}

/* Other namespaces and what is outside the marks do not count. */
static void test_neighbours(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.io_uring");
    trace_build_flush(&f.build, 1);
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 2, 0);
    trace_build_fua(&f.build, 1, 0);
    trace_build_flush(&f.build, 3);
    mark(&f, LAB_MARK_ACK);
    mark(&f, LAB_MARK_END);
    trace_build_write(&f.build, 1, 0);
    judge(&f);
    expect_verdict(&f, VERDICT_PASS, NULL);
}

static void test_missing_fua(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.io_uring");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 1, 0);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->missing, ==, 1);
    expect_verdict(&f, VERDICT_FAIL, "missing Flush or FUA: 1 acknowledged");
}

/* The Flush completes, but only after the application was told. */
static void test_missing_late(void)
{
    struct fixture f;
    struct lab_trace_command flush;

    begin(&f, "vwc=on", "flush.xfs.overwrite-sync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 2, 0);
    flush = trace_build_submit(&f.build, 2, NVME_OP_FLUSH, 0, 0);
    mark(&f, LAB_MARK_ACK);
    trace_build_complete(&f.build, flush);
    trace_build_fua(&f.build, 2, 100);
    mark(&f, LAB_MARK_END);
    judge(&f);
    g_assert_cmpuint(f.result->missing, ==, 1);
    expect_verdict(&f, VERDICT_FAIL, "missing");
}

/* The Flush is rung before the data's CQE; its own CQE comes in time. */
static void test_missing_early(void)
{
    struct fixture f;
    struct lab_trace_command write, flush;

    begin(&f, "vwc=on", "flush.xfs.overwrite-sync.sync");
    mark(&f, LAB_MARK_BEGIN);
    write = trace_build_submit(&f.build, 2, NVME_OP_WRITE, 0, 8);
    flush = trace_build_submit(&f.build, 2, NVME_OP_FLUSH, 0, 0);
    trace_build_complete(&f.build, write);
    trace_build_complete(&f.build, flush);
    trace_build_fua(&f.build, 2, 100);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->missing, ==, 1);
    expect_verdict(&f, VERDICT_FAIL, "missing");
}

/* fsync owes what was written before it began. */
static void test_missing_older(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.fsync-dirty.sync");
    trace_build_write(&f.build, 1, 0);
    mark(&f, LAB_MARK_BEGIN);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->missing, ==, 1);
    expect_verdict(&f, VERDICT_FAIL, "missing");

    begin(&f, "vwc=on", "flush.raw.fsync-dirty.sync");
    trace_build_write(&f.build, 1, 0);
    mark(&f, LAB_MARK_BEGIN);
    trace_build_flush(&f.build, 1);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->redundant_listed, ==, 0);
    expect_verdict(&f, VERDICT_PASS, NULL);
}

static void test_redundant_listed(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->redundant_listed, ==, 1);
    g_assert_cmpuint(f.result->redundant_unlisted, ==, 0);
    expect_verdict(&f, VERDICT_PASS, NULL);
}

static void test_redundant_gone(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "listed redundant command is gone");
}

static void test_redundant_unlisted(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.io_uring");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->redundant_unlisted, ==, 1);
    expect_verdict(&f, VERDICT_FAIL, "redundant: Flush with nothing");
}

/* A plain write needs nothing, though a Flush would find something to do. */
static void test_redundant_plain(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "promises nothing");

    begin(&f, "vwc=on", "flush.raw.overwrite.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "FUA in an operation");
}

static void test_redundant_no_cache(void)
{
    struct fixture f;

    begin(&f, "vwc=off", "flush.raw.overwrite-dsync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "FUA without a volatile cache");

    begin(&f, "vwc=off", "flush.raw.overwrite-dsync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_PASS, NULL);
}

/* A Flush that is listed as redundant must be. */
static void test_unsettled(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.fsync-clean.sync");
    trace_build_write(&f.build, 1, 0);
    mark(&f, LAB_MARK_BEGIN);
    trace_build_flush(&f.build, 1);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "listed as redundant, but it made 1");
}

static void test_unexpected(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.xfs.overwrite-sync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 2, 0);
    trace_build_fua(&f.build, 2, 100);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "drive saw WF WF, expected W F WF");
}

static void test_unexplained(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.ext4.overwrite-dsync.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 3, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_ERROR, "unexplained: no row");

    /* Unread is the whole series, and what is missing is missing there, too. */
    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.sync");
    f.release = "6.13.1";
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_SKIP, "nobody has read 6.13.1");
    begin(&f, "vwc=on", "flush.raw.overwrite-dsync.sync");
    f.release = "6.13.1";
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "missing");

    begin(&f, "vwc=on", "flush.raw.frobnicate.sync");
    mark(&f, LAB_MARK_BEGIN);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_ERROR, "unexplained: no rule");
}

/* Each repeat is judged, by the row of the flush case that sends the same. */
static void test_context(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "context.raw.overwrite-dsync.iopoll");
    for (int i = 0; i < 2; i++) {
        mark(&f, LAB_MARK_BEGIN);
        trace_build_fua(&f.build, 1, 0);
        mark(&f, LAB_MARK_ACK);
        mark(&f, LAB_MARK_END);
    }
    judge(&f);
    g_assert_cmpstr(f.result->commands, ==, "WF");
    expect_verdict(&f, VERDICT_PASS, NULL);

    begin(&f, "vwc=on", "context.raw.overwrite-dsync.defer_taskrun");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    mark(&f, LAB_MARK_ACK);
    mark(&f, LAB_MARK_END);
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 1, 0);
    ack_and_judge(&f);
    g_assert_cmpuint(f.result->missing, ==, 1);
    expect_verdict(&f, VERDICT_FAIL, "missing Flush or FUA");

    begin(&f, "vwc=on", "context.raw.overwrite-cached.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_fua(&f.build, 1, 0);
    ack_and_judge(&f);
    expect_verdict(&f, VERDICT_FAIL, "redundant");
}

static void test_marks(void)
{
    struct fixture f;

    begin(&f, "vwc=on", "flush.raw.overwrite.sync");
    trace_build_write(&f.build, 1, 0);
    judge(&f);
    expect_verdict(&f, VERDICT_ERROR, "no BEGIN mark");

    begin(&f, "vwc=on", "flush.raw.overwrite.sync");
    mark(&f, LAB_MARK_BEGIN);
    trace_build_write(&f.build, 1, 0);
    mark(&f, LAB_MARK_END);
    judge(&f);
    expect_verdict(&f, VERDICT_ERROR, "no ACK and END mark");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flushes/right", test_right);
    g_test_add_func("/flushes/neighbours", test_neighbours);
    g_test_add_func("/flushes/missing-fua", test_missing_fua);
    g_test_add_func("/flushes/missing-late", test_missing_late);
    g_test_add_func("/flushes/missing-early", test_missing_early);
    g_test_add_func("/flushes/missing-older", test_missing_older);
    g_test_add_func("/flushes/redundant-listed", test_redundant_listed);
    g_test_add_func("/flushes/redundant-gone", test_redundant_gone);
    g_test_add_func("/flushes/redundant-unlisted", test_redundant_unlisted);
    g_test_add_func("/flushes/redundant-plain", test_redundant_plain);
    g_test_add_func("/flushes/redundant-no-cache", test_redundant_no_cache);
    g_test_add_func("/flushes/unsettled", test_unsettled);
    g_test_add_func("/flushes/unexpected", test_unexpected);
    g_test_add_func("/flushes/unexplained", test_unexplained);
    g_test_add_func("/flushes/context", test_context);
    g_test_add_func("/flushes/marks", test_marks);
    return g_test_run();
}
