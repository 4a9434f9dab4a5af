/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Histograms as tracefs writes them: chains without the probe's own frames,
 * what is saved of the last hit, and no entry lost in silence.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "never_text.h"

#define MAX 3

static struct never_hist hist;      /* of the last text */

static int parse(const char *text)
{
    char copy[8192];

    snprintf(copy, sizeof(copy), "%s", text);
    free(hist.entries);
    hist = (struct never_hist){ .max = MAX };
    return never_text_parse(copy, &hist);
}

static void test_stacks(void)
{
    assert(parse(
        "# event histogram\n#\n# trigger info: hist:keys=stacktrace\n#\n\n"
        "{ stacktrace:\n"
        "         kprobe_ftrace_handler+0x108/0x1b0\n"
        "         0xffffffffc03e80c8\n"
        "         vfs_fsync_range+0x5/0x90\n"
        "         xfs_file_fsync+0x37/0x60 [xfs]\n"
        "         0xffffffffc03e80c9\n"
        ", common_flags:          25} hitcount:          2\n"
        "\tmax:   28419937  common_pid:        131\n"
        "{ common_stacktrace:\n"
        "         iomap_dio_rw+0x5/0x90\n"
        ", common_flags:          0} hitcount:          7\n"
        "\tmax:   28419937  common_pid:        132\n"
        "\nTotals:\n    Hits: 9\n    Entries: 2\n    Dropped: 0\n") == 0);
    assert(hist.count == 2 && hist.dropped == 0);
    assert(strcmp(hist.entries[0].stack,
                  "vfs_fsync_range<xfs_file_fsync<0xffffffffc03e80c9") == 0);
    assert(hist.entries[0].flags == 25 && hist.entries[0].hits == 2);
    assert(hist.entries[0].pid == 131 && !hist.entries[0].is_cut);
    assert(strcmp(hist.entries[1].stack, "iomap_dio_rw") == 0);
    assert(hist.entries[1].hits == 7 && hist.entries[1].pid == 132);
}

static void test_requests(void)
{
    assert(parse("# event histogram\n\n"
                 "{ req: 18446612687273001984 } hitcount:          1\n"
                 "{ req:         17 } hitcount:          12\n\n"
                 "Totals:\n    Hits: 13\n    Entries: 2\n    Dropped: 4\n")
           == 0);
    assert(hist.count == 2 && hist.dropped == 4);
    assert(hist.entries[0].request == 18446612687273001984u);
    assert(hist.entries[0].hits == 1 && hist.entries[1].hits == 12);
    assert(strcmp(hist.entries[0].stack, "") == 0);
}

/* Two triggers of one event: two histograms in one file. */
static void test_empty_and_several(void)
{
    assert(parse("") == 0 && hist.count == 0 && !hist.is_there);
    assert(parse("{ flags:          1 } hitcount:          2\n\nTotals:\n"
                 "    Hits: 2\n    Entries: 1\n    Dropped: 0\n") == 0 &&
           hist.count == 1 && hist.is_there);
    assert(parse("\nTotals:\n    Hits: 0\n    Entries: 0\n    Dropped: 0\n"
                 "\n\n# event histogram\n"
                 "{ req: 1 } hitcount: 1\n"
                 "Totals:\n    Hits: 2\n    Entries: 1\n    Dropped: 1\n")
           == 0);
    assert(hist.count == 1 && hist.dropped == 1);
}

static void test_refused(void)
{
    char deep[8192] = "{ stacktrace:\n";

    assert(parse("nonsense\n") == -EBADMSG);
    assert(parse("{ colour: 7 }\n") == -EBADMSG);
    assert(parse("{ req: 1 } hitcount: 1\n{ req: 2 } hitcount: 1\n"
                 "{ req: 3 } hitcount: 1\n{ req: 4 } hitcount: 1\n")
           == -ENOSPC);
    for (int i = 0; i < 100; i++) {
        strcat(deep, "         a_function_of_32_characters_or_s+0x1/0x2\n");
    }
    assert(parse(deep) == 0 && hist.entries[0].is_cut);
}

int main(void)
{
    test_stacks();
    test_requests();
    test_empty_and_several();
    test_refused();
    free(hist.entries);
    return 0;
}
