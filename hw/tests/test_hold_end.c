/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a parked command when it is not released: Abort (H8),
 * disable, reset, deletion of its queue, shutdown, power cut, removal (H9), at
 * every stage. The command is a FUA write of tag NEW over the durable tag OLD.
 */
#include <string.h>

#include "hold_bench.h"

#define OLD 3
#define NEW 7

struct scene {
    struct fixture f;
    uint32_t rule;
    uint16_t cid;
};

static void scene_up(struct scene *scene, enum lab_hold_stage stage)
{
    struct fixture *f = &scene->f;

    fixture_up(f, NULL);
    driver_write(f->driver, 1, 0, 2, OLD, true);
    scene->rule = hold_at(f, stage);
    scene->cid = driver_send_write(f->driver, 1, 0, 2, NEW, true);
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, stage == LAB_HOLD_IRQ);
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 1);
}

static void up_again(struct scene *scene)
{
    driver_enable(scene->f.driver, 32);
    driver_create_pair(scene->f.driver, 1, 32, 1);
}

/* Ended this way, recorded as answered or not. */
static void assert_resolved(struct scene *scene, enum lab_hold_stage stage,
                            enum lab_trace_resumed how)
{
    const struct lab_trace_event *event =
        hold_event(&scene->f, LAB_TRACE_RESUMED, 0);
    const struct lab_trace_command *command =
        fake_trace_io(scene->f.host, NVME_IO_WRITE);

    g_assert_cmpuint(LAB_TRACE_HELD_HOW(event->value2), ==, how);
    g_assert_cmpuint(LAB_TRACE_HELD_STAGE(event->value2), ==, stage);
    g_assert_cmpuint(command->command_id, ==, event->value);
    g_assert_cmpuint(!(command->flags & LAB_TRACE_NO_CQE), ==,
                     stage == LAB_HOLD_IRQ);
    g_assert_cmpuint(!(command->flags & LAB_TRACE_DATA_VISIBLE), ==,
                     stage <= LAB_HOLD_VISIBLE);
    g_assert_cmpuint(!(command->flags & LAB_TRACE_DURABLE), ==,
                     stage <= LAB_HOLD_DURABLE);
    g_assert_cmpuint(!command->fetched_ns, ==, stage == LAB_HOLD_FETCH);
    g_assert_cmpuint(command->irq_ns, ==, 0);
    g_assert_cmpuint(command->slba, ==, 0);
    g_assert_cmpuint(command->block_count, ==, 2);
}

/* Seen is what was; a cut that drops all leaves what was promised. */
static void assert_content(struct scene *scene, enum lab_hold_stage stage)
{
    struct fixture *f = &scene->f;

    g_assert_cmpuint(hold_release(f, LAB_RELEASE_ALL, 0, 0, 0), ==, 0);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 1, false), ==,
                     stage > LAB_HOLD_VISIBLE ? NEW : OLD);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 1), ==,
                     stage > LAB_HOLD_DURABLE ? NEW : OLD);
}

static void disabled(struct scene *scene, enum lab_hold_stage stage)
{
    driver_disable(scene->f.driver);
    assert_resolved(scene, stage, LAB_TRACE_BY_RESET);
    up_again(scene);
    /* H10 */
    g_assert_cmpuint(driver_stat(scene->f.driver).holds_armed, ==, 1);
    g_assert_cmpuint(driver_stat(scene->f.driver).commands_held, ==, 0);
    assert_content(scene, stage);
}

static void was_reset(struct scene *scene, enum lab_hold_stage stage)
{
    lab_reset(scene->f.host->ctrl);
    assert_resolved(scene, stage, LAB_TRACE_BY_RESET);
    up_again(scene);
    assert_content(scene, stage);
}

static void deleted(struct scene *scene, enum lab_hold_stage stage)
{
    struct nvme_command cmd = { .opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 1 };

    assert_status(driver_exec(scene->f.driver, 0, &cmd), NVME_SUCCESS);
    assert_resolved(scene, stage, LAB_TRACE_DELETED);
    cmd.opcode = NVME_ADMIN_DELETE_CQ;
    assert_status(driver_exec(scene->f.driver, 0, &cmd), NVME_SUCCESS);
    driver_create_pair(scene->f.driver, 1, 16, 1);
    assert_content(scene, stage);
}

static void shut_down(struct scene *scene, enum lab_hold_stage stage)
{
    struct fake_host *host = scene->f.host;

    reg_write(host, NVME_REG_CC, DRIVER_CC | 1 << 14);
    fake_finish(host);
    g_assert_cmphex(reg_read(host, NVME_REG_CSTS) & NVME_CSTS_SHST_MASK, ==,
                    NVME_CSTS_SHST_COMPLETE);
    g_assert_cmpuint(medium_tag(host, 1, 0), ==,
                     stage > LAB_HOLD_VISIBLE ? NEW : OLD);
    g_assert_cmpuint(fake_trace_events(host, LAB_TRACE_RESUMED), ==, 0);
    driver_disable(scene->f.driver);
    assert_resolved(scene, stage, LAB_TRACE_BY_RESET);
}

static void was_cut(struct scene *scene, enum lab_hold_stage stage,
                    enum lab_policy policy)
{
    enum lab_hold_stage least = policy == LAB_POLICY_KEEP_ALL
        ? LAB_HOLD_VISIBLE : LAB_HOLD_DURABLE;

    fake_cut_and_boot(scene->f.host, policy, 0);
    assert_resolved(scene, stage, LAB_TRACE_BY_CUT);
    g_assert_cmpuint(fake_trace_events(scene->f.host, LAB_TRACE_HOLD_ENDED),
                     ==, 1);
    g_assert_cmpuint(medium_tag(scene->f.host, 1, 0), ==,
                     stage > least ? NEW : OLD);
    up_again(scene);
    g_assert_cmpuint(driver_stat(scene->f.driver).holds_armed, ==, 0);
    driver_write(scene->f.driver, 1, 0, 2, 9, true);
}

static void dropped(struct scene *scene, enum lab_hold_stage stage)
{
    was_cut(scene, stage, LAB_POLICY_DROP_ALL);
}

static void kept(struct scene *scene, enum lab_hold_stage stage)
{
    was_cut(scene, stage, LAB_POLICY_KEEP_ALL);
}

/* The sanitizer is the judge: nothing is left, nothing used again. */
static void removed(struct scene *scene, enum lab_hold_stage stage)
{
    (void)scene;
    (void)stage;
}

/* Released, but it comes to nothing. */
static void released_too_late(struct scene *scene, enum lab_hold_stage stage)
{
    char *error = NULL;

    g_assert_true(lab_release(scene->f.host->ctrl, "all", &error));
    reg_write(scene->f.host, NVME_REG_CC, 0);
    fake_finish(scene->f.host);
    assert_resolved(scene, stage, LAB_TRACE_BY_RESET);
    up_again(scene);
    assert_content(scene, stage);
}

static struct nvme_command abort_of(uint16_t sqid, uint16_t cid)
{
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)cid << 16 | sqid,
    };

    return cmd;
}

static void aborted(struct scene *scene, enum lab_hold_stage stage)
{
    struct fixture *f = &scene->f;
    struct nvme_command abort = abort_of(1, scene->cid);
    bool is_aborted = stage == LAB_HOLD_VISIBLE || stage == LAB_HOLD_DURABLE;

    assert_status(driver_exec(f->driver, 0, &abort), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, !is_aborted);
    if (is_aborted) {
        hold_expect(f, 1, scene->cid, NVME_ABORT_REQUESTED);
        g_assert_cmpuint(fake_trace_io(f->host, NVME_IO_WRITE)->status, ==,
                         NVME_ABORT_REQUESTED);
        assert_content(scene, stage);
        return;
    }
    hold_end(f, scene->rule, 1);
    hold_expect(f, 1, scene->cid, NVME_SUCCESS);
    assert_content(scene, LAB_HOLD_IRQ);
}

/* Released before the Abort is looked at, it is not there to be aborted. */
static void released_then_aborted(struct scene *scene,
                                  enum lab_hold_stage stage)
{
    struct fixture *f = &scene->f;
    struct nvme_command abort = abort_of(1, scene->cid);
    char *error = NULL;

    (void)stage;
    g_assert_true(lab_release(f->host->ctrl, "all", &error));
    assert_status(driver_exec(f->driver, 0, &abort), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 1);
    hold_expect(f, 1, scene->cid, NVME_SUCCESS);
}

static void (*const ends[])(struct scene *scene, enum lab_hold_stage stage) = {
    disabled, was_reset, deleted, shut_down, dropped, kept, removed,
    released_too_late, aborted, released_then_aborted,
};

static void test_end(gconstpointer data)
{
    uint32_t stage;

    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        struct scene scene;

        scene_up(&scene, stage);
        ends[GPOINTER_TO_UINT(data)](&scene, stage);
        fixture_down(&scene.f, NULL);
    }
}

/* -- Beyond one write ----------------------------------------------------- */

/* Its deadline goes with it. */
static void test_reset_with_time_limit(struct fixture *f, gconstpointer data)
{
    uint32_t stage;

    (void)data;
    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        struct lab_hold spec = { .stage = stage, .release_after_ns = 1000 };

        hold_arm_ok(f, &spec);
        driver_send_write(f->driver, 1, 0, 1, 1, true);
        fake_settle(f->host);
        driver_disable(f->driver);
        fake_finish(f->host);
        g_assert_cmpuint(fake_trace_events(f->host, LAB_TRACE_RESUMED), ==,
                         stage + 1);
        driver_enable(f->driver, 32);
        driver_create_pair(f->driver, 1, 32, 1);
        hold_release(f, LAB_RELEASE_ALL, 0, 0, 0);
    }
}

/* A write held at cqe has lost nothing, and a later flush takes it along. */
static void test_unanswered_is_flushed(struct fixture *f, gconstpointer data)
{
    (void)data;
    hold_opcode_at(f, LAB_HOLD_CQE, NVME_IO_WRITE);
    driver_send_write(f->driver, 1, 0, 1, NEW, false);
    fake_finish(f->host);
    driver_disable(f->driver);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
    driver_flush(f->driver, 1);
    g_assert_cmpuint(medium_tag(f->host, 1, 0), ==, NEW);
}

/* The other commands of a queue can still be aborted, or not, as before. */
static void test_abort_of_others(struct fixture *f, gconstpointer data)
{
    struct nvme_command abort = abort_of(1, 999);

    (void)data;
    hold_at(f, LAB_HOLD_VISIBLE);
    driver_send_write(f->driver, 1, 0, 1, NEW, false);
    fake_finish(f->host);
    assert_status(driver_exec(f->driver, 0, &abort), NVME_SUCCESS);
    g_assert_cmpuint(driver_result(), ==, 1);
    g_assert_cmpuint(driver_stat(f->driver).commands_held, ==, 1);
}

static void slow(struct fake_config *config)
{
    config->drive.floor_latency_ns = 1000000;
}

/* The aborted command is answered before the Abort is. */
static void test_abort_order(struct fixture *f, gconstpointer data)
{
    struct nvme_command abort;
    uint16_t cid;

    (void)data;
    hold_at(f, LAB_HOLD_VISIBLE);
    cid = driver_send_write(f->driver, 1, 0, 1, NEW, false);
    fake_settle(f->host);
    abort = abort_of(1, cid);
    driver_send(f->driver, 0, &abort);
    fake_settle(f->host);
    g_assert_true(driver_poll(f->driver, 0));
    g_assert_true(driver_poll(f->driver, 1));
    assert_status(driver_reap(f->driver, 1, cid), NVME_ABORT_REQUESTED);
}

/* Dataset Management at durable: seen, and owed nothing. */
static void no_cache(struct fake_config *config)
{
    config->drive.has_vwc = false;
}

static void test_abort_dsm(struct fixture *f, gconstpointer data)
{
    struct nvme_command cmd;
    struct nvme_command abort;
    uint16_t cid;

    (void)data;
    driver_write(f->driver, 1, 0, 64, OLD, true);
    hold_opcode_at(f, LAB_HOLD_DURABLE, NVME_IO_DSM);
    cmd = hold_dsm(f, 4, 2, 40, 3);
    cid = driver_send(f->driver, 1, &cmd);
    fake_finish(f->host);
    abort = abort_of(1, cid);
    assert_status(driver_exec(f->driver, 0, &abort), NVME_SUCCESS);
    hold_expect(f, 1, cid, NVME_ABORT_REQUESTED);
    g_assert_cmpuint(driver_read_tag(f->driver, 1, 41, false), ==, 0);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    g_assert_cmpuint(medium_tag(f->host, 1, 41), ==, OLD);
}

int main(int argc, char **argv)
{
    static const char *const names[G_N_ELEMENTS(ends)] = {
        "/hold/H9/disabled", "/hold/H9/reset", "/hold/H9/queue-deleted",
        "/hold/H9/shutdown", "/hold/H9/cut-drop-all", "/hold/H9/cut-keep-all",
        "/hold/H9/removed", "/hold/H9/released-but-reset",
        "/hold/H8/aborted", "/hold/H8/released-before-the-abort",
    };
    guint i;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_test_add_data_func(names[i], GUINT_TO_POINTER(i), test_end);
    }
    FIXTURE_TEST("/hold/H9/time-limits-go-with-the-command", NULL,
                 test_reset_with_time_limit);
    FIXTURE_TEST("/hold/H9/a-later-flush-takes-it-along", NULL,
                 test_unanswered_is_flushed);
    FIXTURE_TEST("/hold/H8/another-identifier", NULL, test_abort_of_others);
    FIXTURE_TEST("/hold/H8/answered-before-the-abort", slow, test_abort_order);
    FIXTURE_TEST("/hold/H8/dsm", no_cache, test_abort_dsm);
    return g_test_run();
}
