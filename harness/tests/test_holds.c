/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_holds.c: what was forgotten and what was not, by the guest's notes and
 * by the trace.
 */
#include "holds.h"

#include <string.h>

#include "trace_build.h"

#define NAME "holds.raw.x"
#define RULE 3
#define COMMAND 7
#define HELD (RULE << 16 | LAB_HOLD_CQE << 8)

struct scene {
    struct trace_build build;
    struct case_result *result;
};

/* Armed by the step, and one command parked. */
static void begin(struct scene *scene)
{
    trace_build_init(&scene->build, "vwc=on");
    scene->result = case_result_new(NAME);
    case_result_set(scene->result, VERDICT_PASS, NULL);
    trace_build_mark(&scene->build, LAB_MARK_BEGIN, 5, NAME);
    trace_build_mark(&scene->build, LAB_MARK_NOTE, 0, "the write");
    trace_build_event(&scene->build, LAB_TRACE_HOLD, RULE, LAB_HOLD_CQE);
    trace_build_event(&scene->build, LAB_TRACE_PARKED, COMMAND, HELD);
}

static void resume(struct scene *scene)
{
    trace_build_event(&scene->build, LAB_TRACE_RESUMED, COMMAND,
                      HELD | LAB_TRACE_RELEASED);
}

static void end_rule(struct scene *scene)
{
    trace_build_event(&scene->build, LAB_TRACE_HOLD_ENDED, RULE, 1);
}

static void end_step(struct scene *scene)
{
    trace_build_mark(&scene->build, LAB_MARK_END, 5, NAME);
}

static void judge(struct scene *scene, enum verdict verdict,
                  const char *reason)
{
    struct trace *trace;

    trace_build_end(&scene->build, 0);
    trace = trace_build_read(&scene->build);
    holds_judge_trace(trace, scene->result);
    g_assert_cmpint(scene->result->verdict, ==, verdict);
    g_assert_cmpstr(scene->result->reason, ==, reason);
    trace_free(trace);
    trace_build_clear(&scene->build);
    case_result_free(scene->result);
}

static void test_released(void)
{
    struct scene scene;

    begin(&scene);
    resume(&scene);
    end_rule(&scene);
    end_step(&scene);
    judge(&scene, VERDICT_PASS, NULL);
}

/* What the guest clears away behind the mark is still forgotten. */
static void test_rule(void)
{
    struct scene scene;

    begin(&scene);
    resume(&scene);
    end_step(&scene);
    end_rule(&scene);
    judge(&scene, VERDICT_FAIL,
          "forgotten hold: the write: rule 3 was not released");
}

static void test_command(void)
{
    struct scene scene;

    begin(&scene);
    end_rule(&scene);
    end_step(&scene);
    resume(&scene);
    judge(&scene, VERDICT_FAIL,
          "forgotten hold: command 7 is still parked, by rule 3");
}

static void test_never(void)
{
    struct scene scene;

    begin(&scene);
    judge(&scene, VERDICT_FAIL,
          "forgotten hold: the write: rule 3 was not released");
}

/* The numbers of another rule and command that did end. */
static void test_others(void)
{
    struct scene scene;

    begin(&scene);
    trace_build_event(&scene.build, LAB_TRACE_RESUMED, COMMAND + 1, HELD);
    trace_build_event(&scene.build, LAB_TRACE_HOLD_ENDED, RULE + 1, 0);
    end_step(&scene);
    judge(&scene, VERDICT_FAIL,
          "forgotten hold: the write: rule 3 was not released");
}

/* Of whoever armed it from outside. */
static void test_before(void)
{
    struct scene scene;

    trace_build_init(&scene.build, "vwc=on");
    scene.result = case_result_new(NAME);
    case_result_set(scene.result, VERDICT_PASS, NULL);
    trace_build_event(&scene.build, LAB_TRACE_HOLD, RULE, LAB_HOLD_CQE);
    trace_build_mark(&scene.build, LAB_MARK_BEGIN, 5, NAME);
    trace_build_event(&scene.build, LAB_TRACE_PARKED, COMMAND, HELD);
    end_step(&scene);
    judge(&scene, VERDICT_PASS, NULL);
}

static void test_cut(void)
{
    struct scene scene;

    begin(&scene);
    trace_build_event(&scene.build, LAB_TRACE_CUT, 0, 0);
    judge(&scene, VERDICT_PASS, NULL);
}

static void judge_note(enum verdict verdict, const char *reason)
{
    struct case_result *result = case_result_new(NAME);

    case_result_set(result, verdict, "%s", "short");
    case_result_note(result, "hold forgotten the write: rule 1, 1 parked");
    case_result_note(result, "cost");
    holds_judge_notes(result);
    g_assert_cmpint(result->verdict, ==, VERDICT_FAIL);
    g_assert_cmpstr(result->reason, ==, reason);
    g_assert_cmpuint(result->notes->len, ==, 1);
    case_result_free(result);
}

/* A case that failed went before it could release. */
static void test_notes(void)
{
    judge_note(VERDICT_PASS, "forgotten hold: the write: rule 1, 1 parked");
    judge_note(VERDICT_FAIL, "short");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/holds/released", test_released);
    g_test_add_func("/holds/rule", test_rule);
    g_test_add_func("/holds/command", test_command);
    g_test_add_func("/holds/never", test_never);
    g_test_add_func("/holds/others", test_others);
    g_test_add_func("/holds/before", test_before);
    g_test_add_func("/holds/cut", test_cut);
    g_test_add_func("/holds/notes", test_notes);
    return g_test_run();
}
