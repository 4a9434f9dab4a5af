/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proto.h: lines to and from the harness (hw/abi/guest_proto.h).
 *
 * Only PID 1 holds the line. A line to the host is cut at LAB_PROTO_LINE_MAX
 * bytes with its newline and never has a line break inside.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stdbool.h>
#include <stddef.h>

#include <guest_proto.h>

/* Room for the text of a note or verdict, so that the line stays whole. */
#define PROTO_TEXT_MAX (LAB_PROTO_LINE_MAX - 128)

struct proto {
    int fd;
    size_t used;
    bool is_overlong;           /* the line being read has lost bytes */
    char buffer[LAB_PROTO_LINE_MAX];
};

struct proto_request {
    const char *verb;
    const char *name;           /* "" when absent */
    const char *parameters;     /* the rest of the line */
};

/* 0 or -errno. Raw, 115200 baud, whatever came before is thrown away. */
int proto_open(struct proto *proto, const char *path);

void proto_send(struct proto *proto, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Returns when everything sent has left the UART. */
void proto_drain(struct proto *proto);

enum proto_read {
    PROTO_NOTHING,              /* no whole line yet */
    PROTO_LINE,
    PROTO_OVERLONG,             /* a line was longer than the limit */
    PROTO_CLOSED,
};

/* Read what is there, without waiting for more; line has sizeof(buffer). */
enum proto_read proto_read(struct proto *proto, char *line);

/* Splits line in place; false: it is empty. */
bool proto_parse(char *line, struct proto_request *request);

/* The value of key in "KEY=VALUE …", to be freed; NULL: it is not there. */
char *proto_value(const char *parameters, const char *key);

#endif
