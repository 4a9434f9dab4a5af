/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.c: lines of the guest protocol, taken apart.
 */
#include "serial.h"

#include <string.h>

#include "failure.h"

/* How many words before the free text. */
static const struct {
    const char *word;
    enum serial_kind kind;
    int arguments;
} lines[] = {
    { "hello", SERIAL_HELLO, 3 },
    { "case", SERIAL_CASE, 1 },
    { "begin", SERIAL_BEGIN, 1 },
    { "note", SERIAL_NOTE, 1 },
    { "result", SERIAL_RESULT, 2 },
    { "ready", SERIAL_READY, 0 },
    { "cut", SERIAL_CUT, 0 },
    { "error", SERIAL_ERROR, 0 },
};

void serial_message_clear(struct serial_message *message)
{
    g_clear_pointer(&message->name, g_free);
    g_clear_pointer(&message->text, g_free);
}

/* Split off the next word; NULL at the end. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " ");

    if (!*word) {
        *rest = word;
        return NULL;
    }
    *rest = word + strcspn(word, " ");
    if (**rest) {
        *(*rest)++ = '\0';
    }
    return word;
}

static gboolean fill(struct serial_message *message, char **arguments)
{
    guint64 version;

    switch (message->kind) {
    case SERIAL_HELLO:
        message->name = g_strdup(arguments[1]);
        if (!g_ascii_string_to_unsigned(arguments[0], 10, 0, G_MAXUINT,
                                        &version, NULL)) {
            return FALSE;
        }
        message->version = (unsigned)version;
        return g_ascii_string_to_unsigned(arguments[2], 10, 0, G_MAXUINT64,
                                          &message->cuts, NULL);
    case SERIAL_RESULT:
        message->name = g_strdup(arguments[0]);
        return verdict_parse(arguments[1], &message->verdict);
    default:
        message->name = g_strdup(arguments[0]);
        return TRUE;
    }
}

static gboolean parse(char *rest, struct serial_message *message)
{
    char *arguments[3] = { NULL };
    char *word = next_word(&rest);

    for (gsize i = 0; word && i < G_N_ELEMENTS(lines); i++) {
        if (!g_str_equal(lines[i].word, word)) {
            continue;
        }
        message->kind = lines[i].kind;
        for (int j = 0; j < lines[i].arguments; j++) {
            arguments[j] = next_word(&rest);
            if (!arguments[j]) {
                return FALSE;
            }
        }
        message->text = g_strstrip(g_strdup(rest));
        return fill(message, arguments);
    }
    return FALSE;
}

gboolean serial_parse(const char *line, struct serial_message *message,
                      GError **error)
{
    g_autofree char *copy = g_strdup(line);

    memset(message, 0, sizeof(*message));
    if (parse(copy, message)) {
        return TRUE;
    }
    serial_message_clear(message);
    g_set_error(error, FAILURE, FAILURE_INFRA,
                "the guest said something that is no protocol: '%s'", line);
    return FALSE;
}
