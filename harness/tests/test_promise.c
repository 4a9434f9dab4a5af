/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_promise.c: P1, P2, P3, P6 and P8 of docs/loss-model.md, one by one.
 */
#include "promise.h"
#include "trace_build.h"

struct fixture {
    struct trace_build build;
    struct trace *trace;
    GArray *promises;
};

static void simulate(struct fixture *f)
{
    f->trace = trace_build_read(&f->build);
    f->promises = promise_simulate(f->trace);
}

static void finish(struct fixture *f)
{
    g_array_unref(f->promises);
    trace_free(f->trace);
    trace_build_clear(&f->build);
}

static guint64 promised(struct fixture *f, guint index)
{
    return PROMISE(f->promises, index)->promised_stamp;
}

static guint64 completed(struct fixture *f, guint index)
{
    return TRACE_COMMAND(f->trace, index)->completed_stamp;
}

static void test_flush(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    trace_build_write(&f.build, 1, 8);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, completed(&f, 1));
    g_assert_cmpuint(PROMISE(f.promises, 1)->pending_writes, ==, 1);
    g_assert_cmpuint(PROMISE(f.promises, 1)->pending_bytes, ==, 4096);
    g_assert_cmpuint(promised(&f, 2), ==, 0);
    finish(&f);
}

/* P1 counts from the doorbell: a Flush rung before the CQE is too early. */
static void test_flush_too_early(void)
{
    struct fixture f;
    struct lab_trace_command write, flush;

    trace_build_init(&f.build, "vwc=on");
    write = trace_build_submit(&f.build, 1, NVME_OP_WRITE, 0, 8);
    flush = trace_build_submit(&f.build, 1, NVME_OP_FLUSH, 0, 0);
    trace_build_complete(&f.build, write);
    trace_build_complete(&f.build, flush);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, 0);
    g_assert_cmpuint(PROMISE(f.promises, 1)->pending_writes, ==, 0);
    finish(&f);
}

static void test_flush_namespaces(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_write(&f.build, 2, 0);
    trace_build_flush(&f.build, 2);
    trace_build_flush(&f.build, NVME_NSID_ALL);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, completed(&f, 3));
    g_assert_cmpuint(promised(&f, 1), ==, completed(&f, 2));
    g_assert_cmpuint(PROMISE(f.promises, 3)->pending_writes, ==, 1);
    finish(&f);
}

/* A Flush that failed, or was never answered, promises nothing. */
static void test_flush_failed(void)
{
    struct fixture f;
    struct lab_trace_command flush;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    flush = trace_build_submit(&f.build, 1, NVME_OP_FLUSH, 0, 0);
    flush.status = 0x281;
    trace_build_complete(&f.build, flush);
    flush = trace_build_submit(&f.build, 1, NVME_OP_FLUSH, 0, 0);
    flush.flags = LAB_TRACE_NO_CQE;
    trace_build_command(&f.build, &flush);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, 0);
    finish(&f);
}

/* P2: FUA is not a barrier. */
static void test_fua(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_fua(&f.build, 1, 64);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, 0);
    g_assert_cmpuint(promised(&f, 1), ==, completed(&f, 1));
    finish(&f);
}

/* P6: what a promised write has replaced cannot come back. */
static void test_replaced(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_write(&f.build, 1, 4);
    trace_build_fua(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, completed(&f, 2));
    /* LBA 4..11 is half replaced, and still pending for the Flush. */
    g_assert_cmpuint(PROMISE(f.promises, 3)->pending_writes, ==, 1);
    g_assert_cmpuint(promised(&f, 1), ==, completed(&f, 3));
    finish(&f);
}

static void test_no_cache(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=off");
    trace_build_write(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, completed(&f, 0));
    g_assert_cmpuint(PROMISE(f.promises, 1)->pending_writes, ==, 0);
    g_assert_false(PROMISE(f.promises, 1)->had_vwc);
    finish(&f);
}

/* P3: switching the cache off promises everything completed. */
static void test_cache_off(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_event(&f.build, LAB_TRACE_VWC, 0, 0);
    trace_build_write(&f.build, 1, 8);
    trace_build_event(&f.build, LAB_TRACE_VWC, 1, 0);
    trace_build_write(&f.build, 1, 16);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, TRACE_EVENT(f.trace, 0)->stamp);
    g_assert_cmpuint(promised(&f, 1), ==, completed(&f, 1));
    g_assert_cmpuint(promised(&f, 2), ==, 0);
    finish(&f);
}

/* P8: a shutdown promises, a reset does not, and neither loses anything. */
static void test_shutdown(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_event(&f.build, LAB_TRACE_SHUTDOWN, 0, 0);
    trace_build_write(&f.build, 1, 8);
    trace_build_event(&f.build, LAB_TRACE_RESET, 0, 0);
    trace_build_flush(&f.build, 1);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, TRACE_EVENT(f.trace, 0)->stamp);
    g_assert_cmpuint(promised(&f, 1), ==, completed(&f, 2));
    finish(&f);
}

/* After a cut nothing of before is pending any more. */
static void test_cut(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_write(&f.build, 1, 0);
    trace_build_event(&f.build, LAB_TRACE_CUT, 0, 0);
    trace_build_event(&f.build, LAB_TRACE_POWER_ON, 0, 0);
    trace_build_flush(&f.build, 1);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, 0);
    g_assert_cmpuint(PROMISE(f.promises, 1)->pending_writes, ==, 0);
    finish(&f);
}

/* P3: a namespace of its own mind. */
static void test_namespace_without_cache(void)
{
    struct fixture f;

    trace_build_init(&f.build, "vwc=on");
    trace_build_event(&f.build, LAB_TRACE_NAMESPACE, 1, 1);
    trace_build_event(&f.build, LAB_TRACE_NAMESPACE, 2, 0);
    trace_build_write(&f.build, 1, 0);
    trace_build_write(&f.build, 2, 0);
    trace_build_fua(&f.build, 1, 8);
    trace_build_fua(&f.build, 2, 8);
    trace_build_flush(&f.build, 2);
    trace_build_flush(&f.build, 1);
    simulate(&f);
    g_assert_cmpuint(promised(&f, 0), ==, completed(&f, 5));
    g_assert_cmpuint(promised(&f, 1), ==, completed(&f, 1));
    g_assert_true(PROMISE(f.promises, 2)->had_vwc);
    g_assert_false(PROMISE(f.promises, 3)->had_vwc);
    g_assert_cmpuint(PROMISE(f.promises, 4)->pending_writes, ==, 0);
    g_assert_cmpuint(PROMISE(f.promises, 5)->pending_writes, ==, 1);
    finish(&f);
}

/* Blocks 0 to 3 and 40 to 43: the record says "8 blocks from 0". */
static void test_ranges(void)
{
    struct fixture f;
    struct lab_trace_command dsm;

    trace_build_init(&f.build, "vwc=on");
    dsm = trace_build_submit(&f.build, 1, NVME_OP_DATASET_MANAGEMENT, 0, 8);
    dsm.status_flags = LAB_TRACE_RANGES;
    trace_build_complete(&f.build, dsm);
    trace_build_fua(&f.build, 1, 0);
    trace_build_flush(&f.build, 1);
    simulate(&f);
    g_assert_cmpuint(PROMISE(f.promises, 2)->pending_writes, ==, 1);
    g_assert_cmpuint(promised(&f, 0), ==, completed(&f, 2));
    finish(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/promise/flush", test_flush);
    g_test_add_func("/promise/flush-too-early", test_flush_too_early);
    g_test_add_func("/promise/flush-namespaces", test_flush_namespaces);
    g_test_add_func("/promise/flush-failed", test_flush_failed);
    g_test_add_func("/promise/fua", test_fua);
    g_test_add_func("/promise/replaced", test_replaced);
    g_test_add_func("/promise/no-cache", test_no_cache);
    g_test_add_func("/promise/namespace-without-cache",
                    test_namespace_without_cache);
    g_test_add_func("/promise/several-ranges", test_ranges);
    g_test_add_func("/promise/cache-off", test_cache_off);
    g_test_add_func("/promise/shutdown", test_shutdown);
    g_test_add_func("/promise/cut", test_cut);
    return g_test_run();
}
