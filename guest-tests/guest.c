/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a case can say and ask: verdicts, notes, parameters.
 *
 * Whatever a step says goes to PID 1 through a pipe, one line a write, each
 * shorter than PIPE_BUF and therefore whole; only PID 1 talks to the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "proto.h"

#define AT_END_MAX 8

static struct run *self;
static void (*at_end[AT_END_MAX])(void);
static size_t at_end_count;

struct run *run_self(void)
{
    return self;
}

void run_at_end(void (*check)(void))
{
    if (at_end_count < AT_END_MAX) {
        at_end[at_end_count++] = check;
    }
}

void run_begin(struct run *run)
{
    self = run;
}

void run_end(void)
{
    while (at_end_count) {
        at_end[--at_end_count]();
    }
}

static void report(struct run *run, const char *kind, const char *format,
                   va_list arguments)
{
    char line[PROTO_TEXT_MAX];
    int length = snprintf(line, sizeof(line), "%s ", kind);

    vsnprintf(line + length, sizeof(line) - 1 - length, format, arguments);
    for (char *c = line; *c; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    strcat(line, "\n");
    if (write(run->report_fd, line, strlen(line)) < 0) {
        _exit(1);               /* nobody is listening: PID 1 has given up */
    }
}

void run_note(struct run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report(run, "note", format, arguments);
    va_end(arguments);
}

#define DEFINE_VERDICT(verdict)                                         \
    void run_##verdict(struct run *run, const char *format, ...)        \
    {                                                                   \
        va_list arguments;                                              \
                                                                        \
        run_end();                                                      \
        va_start(arguments, format);                                    \
        report(run, #verdict, format, arguments);                       \
        va_end(arguments);                                              \
        _exit(0);                                                       \
    }

DEFINE_VERDICT(pass)
DEFINE_VERDICT(fail)
DEFINE_VERDICT(skip)
DEFINE_VERDICT(error)

const char *run_parameter(struct run *run, const char *key,
                          const char *fallback)
{
    const char *value = proto_value(run->parameters, key);

    return value ? value : fallback;
}

uint64_t run_number(struct run *run, const char *key, uint64_t fallback)
{
    const char *text = run_parameter(run, key, NULL);
    unsigned long long number;
    char *end;

    if (!text) {
        return fallback;
    }
    errno = 0;
    number = strtoull(text, &end, 0);
    if (errno || *end || end == text || *text == '-') {
        run_error(run, "%s=%s is not a number", key, text);
    }
    return number;
}

int guest_has_no_drive(void)
{
    static int answer = -1;
    char line[4096];
    ssize_t length;
    int fd;

    if (answer >= 0) {
        return answer;
    }
    answer = 0;
    fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
    if (fd >= 0) {
        close(fd);
    }
    line[length > 0 ? length : 0] = '\0';
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        if (strcmp(word, "lab.nodrive") == 0) {
            answer = 1;
        }
    }
    return answer;
}

void guest_log(const char *text)
{
    int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    char line[256];
    int length = snprintf(line, sizeof(line), "<6>lab: %.200s\n", text);

    if (fd >= 0) {
        /* One write is one record, or lost: nobody depends on it. */
        (void)!write(fd, line, (size_t)length);
        close(fd);
    }
}

uint64_t guest_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
