/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace text as tracefs writes it: stacks find their events across processors
 * and interrupts, and nothing broken or lost goes through.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe_text.h"

#define MAX 8

static int parse(const char *text, struct probe_event *events)
{
    char copy[4096];

    snprintf(copy, sizeof(copy), "%s", text);
    return probe_text_parse(copy, events, MAX);
}

static void test_line(void)
{
    struct probe_event e[MAX];

    assert(parse("# tracer: nop\n#\n"
                 "  kworker/u8:1-x-77      [001] d.h1.    12.000345: name: "
                 "(f+0x0/0x10) ret=-11 disk=nvme0n2, qid=3\n", e) == 1);
    assert(e[0].time_ns == 12000345000u);
    assert(e[0].cpu == 1 && e[0].pid == 77);
    assert(strcmp(e[0].comm, "kworker/u8:1-x") == 0);
    assert(strcmp(e[0].flags, "d.h1.") == 0);
    assert(strcmp(e[0].name, "name") == 0);
    assert(strcmp(e[0].stack, "") == 0 && !e[0].is_cut);
}

/* b interrupts a before a's stack is written; c is on another processor. */
static void test_nested_stacks(void)
{
    struct probe_event e[MAX];

    assert(parse("  t-1 [000] .....  1.000001: a: x\n"
                 "  t-1 [000] d.h1.  1.000002: b: x\n"
                 "  u-2 [001] .....  1.000002: c: x\n"
                 "  t-1 [000] d.h1.  1.000003: <stack trace>\n"
                 " => nvme_irq\n => asm_common_interrupt\n => do_idle\n"
                 "  t-1 [000] .....  1.000004: <stack trace>\n"
                 " => xfs_file_write_iter [xfs]\n => ksys_pwrite64\n", e) == 3);
    assert(strcmp(e[0].stack, "xfs_file_write_iter<ksys_pwrite64") == 0);
    assert(strcmp(e[1].stack, "nvme_irq<asm_common_interrupt") == 0);
    assert(strcmp(e[2].stack, "") == 0);
    assert(probe_text_below(&e[0], "ksys_pwrite64"));
    assert(!probe_text_below(&e[0], "ksys_pwrite"));
    assert(!probe_text_below(&e[0], "pwrite64"));
}

static void test_values(void)
{
    char value[16];

    assert(probe_text_value("nvme0: disk=nvme0n2, qid=3", "disk", value,
                            sizeof(value)) && !strcmp(value, "nvme0n2"));
    assert(probe_text_value("cmdqid=7 qid=3", "qid", value, sizeof(value)) &&
           !strcmp(value, "3"));
    assert(!probe_text_value("disk=nvme0n2", "qid", value, sizeof(value)));
    assert(!probe_text_value("a=12345678901234567", "a", value,
                             sizeof(value)));
}

static void test_refused(void)
{
    struct probe_event e[MAX];
    char many[4096] = "";
    char deep[4096] = "  t-1 [000] .....  1.000001: a: x\n"
                      "  t-1 [000] .....  1.000001: <stack trace>\n";

    assert(parse("nonsense\n", e) == -EBADMSG);
    assert(parse(" => function\n", e) == -EBADMSG);
    assert(parse("  t-1 [000] .....  1.0001: a: x\n", e) == -EBADMSG);
    assert(parse("  t-1 [000] .....  1.000001: <stack trace>\n", e) ==
           -EBADMSG);
    assert(parse("CPU:1 [LOST 4 EVENTS]\n", e) == -EOVERFLOW);
    for (int i = 0; i <= MAX; i++) {
        strcat(many, "  t-1 [000] .....  1.000001: a: x\n");
    }
    assert(parse(many, e) == -ENOSPC);
    for (int i = 0; i < 100; i++) {
        strcat(deep, " => a_function_of_32_characters_or_\n");
    }
    assert(parse(deep, e) == 1 && e[0].is_cut);
}

int main(void)
{
    test_line();
    test_nested_stacks();
    test_values();
    test_refused();
    return 0;
}
