/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * channel.c: a descriptor that speaks in lines.
 *
 * Reading is non-blocking and happens in the main context of the thread that
 * made the channel. Writing is a handful of bytes into a socket whose other end
 * is QEMU: it polls for at most a few seconds, so that a stopped QEMU cannot
 * stop the harness.
 */
#include "channel.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"

#define SEND_TIMEOUT_MS 5000

struct channel {
    int fd;
    GSource *source;            /* NULL: the other end is gone */
    gsize max;
    GString *partial;
    channel_line_fn *on_line;
    void *opaque;
};

void channel_flush(struct channel *channel)
{
    if (channel->partial->len) {
        g_autofree char *line = g_strdup(channel->partial->str);

        g_string_truncate(channel->partial, 0);
        channel->on_line(channel->opaque, line);
    }
}

static void channel_take(struct channel *channel, const char *bytes,
                         gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            g_autofree char *line = g_strdup(channel->partial->str);

            g_string_truncate(channel->partial, 0);
            channel->on_line(channel->opaque, line);
        } else if (bytes[i] != '\r' && bytes[i] != '\0') {
            g_string_append_c(channel->partial, bytes[i]);
        }
        if (channel->partial->len >= channel->max) {
            channel_flush(channel);
        }
    }
}

static gboolean channel_readable(gint fd, GIOCondition condition,
                                 gpointer data)
{
    struct channel *channel = data;
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof(bytes));

    (void)condition;
    if (got > 0) {
        channel_take(channel, bytes, (gsize)got);
        return G_SOURCE_CONTINUE;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    g_clear_pointer(&channel->source, g_source_unref);
    return G_SOURCE_REMOVE;
}

struct channel *channel_new(int fd, gsize max, channel_line_fn *on_line,
                            void *opaque)
{
    struct channel *channel = g_new0(struct channel, 1);

    channel->fd = fd;
    channel->max = max;
    channel->on_line = on_line;
    channel->opaque = opaque;
    channel->partial = g_string_new(NULL);
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    channel->source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    /* A cast that GLib documents: the source's own kind of callback. */
    g_source_set_callback(channel->source,
                          (GSourceFunc)(void (*)(void))channel_readable,
                          channel, NULL);
    g_source_attach(channel->source, g_main_context_get_thread_default());
    return channel;
}

void channel_free(struct channel *channel)
{
    if (!channel) {
        return;
    }
    if (channel->source) {
        g_source_destroy(channel->source);
        g_source_unref(channel->source);
    }
    channel_flush(channel);
    close(channel->fd);
    g_string_free(channel->partial, TRUE);
    g_free(channel);
}

gboolean channel_send(struct channel *channel, const char *text,
                      GError **error)
{
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    gsize length = strlen(line);
    gsize sent = 0;

    while (sent < length) {
        struct pollfd ready = { .fd = channel->fd, .events = POLLOUT };
        ssize_t put = send(channel->fd, line + sent, length - sent,
                           MSG_NOSIGNAL);

        if (put > 0) {
            sent += (gsize)put;
        } else if (put < 0 && errno != EAGAIN && errno != EINTR) {
            g_set_error(error, FAILURE, FAILURE_INFRA, "sending '%s': %s",
                        text, g_strerror(errno));
            return FALSE;
        } else if (poll(&ready, 1, SEND_TIMEOUT_MS) == 0) {
            g_set_error(error, FAILURE, FAILURE_INFRA,
                        "sending '%s': nobody reads", text);
            return FALSE;
        }
    }
    return TRUE;
}
