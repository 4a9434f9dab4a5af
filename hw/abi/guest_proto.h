/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line protocol between harness and guest: text lines on the guest's
 * second serial port (/dev/ttyS1, raw), one line each way at a time.
 * docs/guest-protocol.md tells the same as a conversation.
 *
 * Guest to host: every line starts with "@lab ", so that stray output can
 * never be taken for a verdict.
 *
 *   @lab hello VERSION RELEASE CUTS    PID 1 is ready. CUTS: power cuts that
 *                                      the drive says have happened
 *   @lab case NAME                     answer to "list": one per case
 *   @lab begin NAME
 *   @lab note NAME TEXT                a line worth keeping beside the result
 *   @lab result NAME VERDICT [TEXT]    VERDICT: pass fail skip error
 *   @lab ready                         answer to whatever ends without a result
 *   @lab cut                           the CUT command goes out next
 *   @lab error TEXT                    a request nobody understands
 *
 * Host to guest:
 *
 *   list                               all cases, then "@lab ready"
 *   run NAME [KEY=VALUE ...]           a whole case: begin, notes, result
 *   base NAME [KEY=VALUE ...]          a durability case, first half: the
 *                                      state that must be there before. "ready"
 *                                      or a result (then the case is over)
 *   prepare NAME [KEY=VALUE ...]       second half: the claim. Likewise
 *   verify NAME [KEY=VALUE ...]        after the reboot: result
 *   cut POLICY                         "@lab cut", then CUT to every drive
 *   shell                              an interactive shell on the console
 *   off                                sync nothing, power off
 */
#ifndef LAB_ABI_GUEST_PROTO_H
#define LAB_ABI_GUEST_PROTO_H

#define LAB_PROTO_VERSION 1
#define LAB_PROTO_PREFIX "@lab "
#define LAB_PROTO_LINE_MAX 1024
#define LAB_PROTO_DEVICE "/dev/ttyS1"

#endif
