/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines to and from the harness over a serial port.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "proto.h"

int proto_open(struct proto *proto, const char *path)
{
    struct termios settings;

    memset(proto, 0, sizeof(*proto));
    proto->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (proto->fd < 0) {
        return -errno;
    }
    if (tcgetattr(proto->fd, &settings) < 0) {
        return -errno;          /* the UART is not there: EIO */
    }
    cfmakeraw(&settings);
    cfsetspeed(&settings, B115200);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (tcsetattr(proto->fd, TCSANOW, &settings) < 0) {
        return -errno;
    }
    tcflush(proto->fd, TCIOFLUSH);
    return 0;
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);

        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return;             /* nobody left to tell */
        }
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
}

void proto_send(struct proto *proto, const char *format, ...)
{
    char line[LAB_PROTO_LINE_MAX];
    const size_t prefix = strlen(LAB_PROTO_PREFIX);
    va_list arguments;
    size_t length;

    memcpy(line, LAB_PROTO_PREFIX, prefix);
    va_start(arguments, format);
    vsnprintf(line + prefix, sizeof(line) - prefix - 1, format, arguments);
    va_end(arguments);
    length = strlen(line);
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\n' || line[i] == '\r') {
            line[i] = ' ';
        }
    }
    while (length > prefix && line[length - 1] == ' ') {
        length--;
    }
    line[length++] = '\n';
    write_all(proto->fd, line, length);
}

void proto_drain(struct proto *proto)
{
    tcdrain(proto->fd);
}

/* Move the first line out of the buffer. */
static enum proto_read take_line(struct proto *proto, char *line)
{
    char *newline = memchr(proto->buffer, '\n', proto->used);
    bool was_overlong = proto->is_overlong;
    size_t length;

    if (!newline) {
        if (proto->used == sizeof(proto->buffer)) {
            proto->is_overlong = true;
            proto->used = 0;
        }
        return PROTO_NOTHING;
    }
    length = (size_t)(newline - proto->buffer);
    memcpy(line, proto->buffer, length);
    if (length > 0 && line[length - 1] == '\r') {
        line[length - 1] = '\0';
    }
    line[length] = '\0';
    proto->used -= length + 1;
    memmove(proto->buffer, newline + 1, proto->used);
    proto->is_overlong = false;
    return was_overlong ? PROTO_OVERLONG : PROTO_LINE;
}

enum proto_read proto_read(struct proto *proto, char *line)
{
    struct pollfd poll_fd = { .fd = proto->fd, .events = POLLIN };
    enum proto_read taken = take_line(proto, line);
    ssize_t n;

    if (taken != PROTO_NOTHING) {
        return taken;
    }
    if (poll(&poll_fd, 1, 0) <= 0) {
        return PROTO_NOTHING;
    }
    n = read(proto->fd, proto->buffer + proto->used,
             sizeof(proto->buffer) - proto->used);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        return PROTO_CLOSED;
    }
    if (n > 0) {
        proto->used += (size_t)n;
    }
    return take_line(proto, line);
}

static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    size_t length = strcspn(word, " \t");

    *rest = word + length;
    if (**rest) {
        *(*rest)++ = '\0';
    }
    return word;
}

bool proto_parse(char *line, struct proto_request *request)
{
    char *rest = line;

    request->verb = next_word(&rest);
    request->name = next_word(&rest);
    request->parameters = rest;
    return *request->verb != '\0';
}

char *proto_value(const char *parameters, const char *key)
{
    const size_t key_length = strlen(key);
    const char *word = parameters;

    while (*(word += strspn(word, " \t"))) {
        size_t length = strcspn(word, " \t");

        if (length > key_length && word[key_length] == '=' &&
            memcmp(word, key, key_length) == 0) {
            return strndup(word + key_length + 1, length - key_length - 1);
        }
        word += length;
    }
    return NULL;
}
