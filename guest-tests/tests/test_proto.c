/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line protocol: lines in pieces, several at once, too long, and words.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto.h"

static int failures;
static struct proto proto;
static char line[LAB_PROTO_LINE_MAX];
static int host;

static void check(int condition, int at, const char *text)
{
    if (!condition) {
        fprintf(stderr, "test_proto.c:%d: %s\n", at, text);
        failures++;
    }
}

#define CHECK(condition) check(condition, __LINE__, #condition)

static void host_says(const char *text)
{
    CHECK(write(host, text, strlen(text)) == (ssize_t)strlen(text));
}

static void test_pieces(void)
{
    host_says("ru");
    CHECK(proto_read(&proto, line) == PROTO_NOTHING);
    host_says("n a\r\nlist\n\noff");
    CHECK(proto_read(&proto, line) == PROTO_LINE);
    CHECK(strcmp(line, "run a") == 0);
    CHECK(proto_read(&proto, line) == PROTO_LINE);
    CHECK(strcmp(line, "list") == 0);
    CHECK(proto_read(&proto, line) == PROTO_LINE);
    CHECK(strcmp(line, "") == 0);
    CHECK(proto_read(&proto, line) == PROTO_NOTHING);
    host_says("\n");
    CHECK(proto_read(&proto, line) == PROTO_LINE);
    CHECK(strcmp(line, "off") == 0);
}

static void test_overlong(void)
{
    enum proto_read got;

    for (int i = 0; i < LAB_PROTO_LINE_MAX + 10; i++) {
        host_says("x");
    }
    host_says("\nlist\n");
    while ((got = proto_read(&proto, line)) == PROTO_NOTHING) {
    }
    CHECK(got == PROTO_OVERLONG);
    CHECK(proto_read(&proto, line) == PROTO_LINE);
    CHECK(strcmp(line, "list") == 0);
}

static void test_words(void)
{
    char text[] = "  verify durability.x  policy=random:3 round=12 empty=";
    struct proto_request request;
    char *value;

    CHECK(proto_parse(text, &request));
    CHECK(strcmp(request.verb, "verify") == 0);
    CHECK(strcmp(request.name, "durability.x") == 0);
    value = proto_value(request.parameters, "policy");
    CHECK(value && strcmp(value, "random:3") == 0);
    free(value);
    value = proto_value(request.parameters, "empty");
    CHECK(value && strcmp(value, "") == 0);
    free(value);
    CHECK(!proto_value(request.parameters, "roun"));
    CHECK(!proto_value(request.parameters, "ound"));
    *text = '\0';
    CHECK(!proto_parse(text, &request));
}

static void test_sent(int guest_output)
{
    char got[2 * LAB_PROTO_LINE_MAX];
    char big[2 * LAB_PROTO_LINE_MAX];
    ssize_t n;

    proto_send(&proto, "result %s fail %s", "x", "two\nlines");
    n = read(guest_output, got, sizeof(got) - 1);
    got[n] = '\0';
    CHECK(strcmp(got, "@lab result x fail two lines\n") == 0);
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    proto_send(&proto, "note x %s", big);
    n = read(guest_output, got, sizeof(got) - 1);
    CHECK(n <= LAB_PROTO_LINE_MAX);
    CHECK(got[n - 1] == '\n');
}

int main(void)
{
    int to_guest[2];
    int from_guest[2];

    if (pipe(to_guest) < 0 || pipe(from_guest) < 0) {
        perror("pipe");
        return 1;
    }
    host = to_guest[1];
    proto.fd = to_guest[0];
    test_pieces();
    test_overlong();
    test_words();
    proto.fd = from_guest[1];
    test_sent(from_guest[0]);
    close(host);
    proto.fd = to_guest[0];
    CHECK(proto_read(&proto, line) == PROTO_CLOSED);
    return failures != 0;
}
