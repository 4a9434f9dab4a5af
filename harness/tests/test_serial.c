/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_serial.c: protocol lines are taken apart; what is none is refused.
 */
#include "serial.h"

#include <string.h>

static struct serial_message parse(const char *line)
{
    g_autoptr(GError) error = NULL;
    struct serial_message message;

    serial_parse(line, &message, &error);
    g_assert_no_error(error);
    return message;
}

static void test_good(void)
{
    struct serial_message message = parse("hello 1 6.12.107+deb13 3");

    g_assert_cmpint(message.kind, ==, SERIAL_HELLO);
    g_assert_cmpuint(message.version, ==, 1);
    g_assert_cmpstr(message.name, ==, "6.12.107+deb13");
    g_assert_cmpuint(message.cuts, ==, 3);
    serial_message_clear(&message);
    message = parse("result meta.skip skip  because of  this ");
    g_assert_cmpint(message.kind, ==, SERIAL_RESULT);
    g_assert_cmpint(message.verdict, ==, VERDICT_SKIP);
    g_assert_cmpstr(message.name, ==, "meta.skip");
    g_assert_cmpstr(message.text, ==, "because of  this");
    serial_message_clear(&message);
    message = parse("result a pass");
    g_assert_cmpstr(message.text, ==, "");
    serial_message_clear(&message);
    message = parse("ready");
    g_assert_cmpint(message.kind, ==, SERIAL_READY);
    serial_message_clear(&message);
    message = parse("error cut: no drive");
    g_assert_cmpint(message.kind, ==, SERIAL_ERROR);
    g_assert_cmpstr(message.text, ==, "cut: no drive");
    serial_message_clear(&message);
}

static void test_bad(void)
{
    static const char *const lines[] = {
        "", "hello", "hello 1 6.12", "hello x 6.12 0", "hello 1 6.12 many",
        "result a", "result a maybe", "case", "results a pass", "passed",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        struct serial_message message;

        g_test_message("'%s'", lines[i]);
        g_assert_false(serial_parse(lines[i], &message, &error));
        g_assert_nonnull(strstr(error->message, lines[i]));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/serial/good", test_good);
    g_test_add_func("/serial/bad", test_bad);
    return g_test_run();
}
