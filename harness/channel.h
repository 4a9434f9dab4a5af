/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * channel.h: a descriptor that speaks in lines, read from the main loop.
 */
#ifndef HARNESS_CHANNEL_H
#define HARNESS_CHANNEL_H

#include <glib.h>

/* line has neither CR nor LF; it is valid during the call. */
typedef void channel_line_fn(void *opaque, const char *line);

struct channel;

/* Takes over fd. Lines longer than max are cut into pieces. */
struct channel *channel_new(int fd, gsize max, channel_line_fn *on_line,
                            void *opaque);
/* What is left without a newline counts as a line. */
void channel_free(struct channel *channel);
/* Write text and a newline. */
gboolean channel_send(struct channel *channel, const char *text,
                      GError **error);
/* Deliver an unfinished line now (a prompt, a dying guest). */
void channel_flush(struct channel *channel);

#endif
