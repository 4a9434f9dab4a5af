/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.h: lines of the guest protocol (hw/abi/guest_proto.h), taken apart.
 */
#ifndef HARNESS_SERIAL_H
#define HARNESS_SERIAL_H

#include <glib.h>

#include "verdict.h"

enum serial_kind {
    SERIAL_HELLO, SERIAL_CASE, SERIAL_BEGIN, SERIAL_NOTE, SERIAL_RESULT,
    SERIAL_READY, SERIAL_CUT, SERIAL_ERROR
};

struct serial_message {
    enum serial_kind kind;
    char *name;                 /* of the case; hello: the kernel release */
    char *text;                 /* "" when there is none */
    enum verdict verdict;       /* result */
    unsigned version;           /* hello */
    guint64 cuts;               /* hello */
};

/* line is without "@lab "; FALSE and an error that quotes it. */
gboolean serial_parse(const char *line, struct serial_message *message,
                      GError **error);
void serial_message_clear(struct serial_message *message);

#endif
