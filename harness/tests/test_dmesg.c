/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_dmesg.c: splats are splats, panics are panics, chatter is chatter.
 */
#include "dmesg.h"

static const struct {
    const char *line;
    enum dmesg_class dmesg_class;
} lines[] = {
    { "[    1.0] nvme nvme0: pci function 0000:00:02.0", DMESG_QUIET },
    { "[    1.0] XFS (nvme0n2): Mounting V5 Filesystem", DMESG_QUIET },
    { "[    1.0] EXT4-fs (nvme0n3): mounted filesystem r/w", DMESG_QUIET },
    { "[    1.0] XFS (nvme0n2): Starting recovery (logdev: internal)",
      DMESG_QUIET },
    { "[    1.0] WARNING: CPU: 0 PID: 1 at fs/iomap/direct-io.c:99",
      DMESG_SPLAT },
    { "[    1.0] BUG: unable to handle page fault", DMESG_BROKEN },
    { "[    1.0] BUG: scheduling while atomic: swapper/0/0/0x00010000",
      DMESG_BROKEN },
    { "[    1.0] kernel BUG at mm/vmalloc.c:2554!", DMESG_BROKEN },
    { "[    1.0] Oops: invalid opcode: 0000 [#1] SMP", DMESG_BROKEN },
    { "[    1.0] Oops: general protection fault, 0000", DMESG_BROKEN },
    { "[    1.0] INFO: task lab-guest:1 blocked for more than 120 seconds.",
      DMESG_SPLAT },
    { "[    1.0] EXT4-fs error (device nvme0n3): ext4_lookup", DMESG_SPLAT },
    { "[    1.0] nvme nvme0: I/O 3 QID 2 timeout, completion polled",
      DMESG_SPLAT },
    { "[    1.0] Kernel panic - not syncing: sysrq triggered crash",
      DMESG_PANIC },
    { "Kernel panic - not syncing: Attempted to kill init!", DMESG_PANIC },
};

static void test_lines(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_test_message("%s", lines[i].line);
        g_assert_cmpint(dmesg_classify(lines[i].line), ==,
                        lines[i].dmesg_class);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dmesg/lines", test_lines);
    return g_test_run();
}
