/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.h: the QEMU machine protocol: greeting, commands with ids, events.
 */
#ifndef HARNESS_QMP_H
#define HARNESS_QMP_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* data may be NULL. */
typedef void qmp_event_fn(void *opaque, const char *event, JsonObject *data);

struct qmp;

/* Takes over fd; the handshake goes on as the main loop runs. */
struct qmp *qmp_new(int fd, qmp_event_fn *on_event, void *opaque);
void qmp_free(struct qmp *qmp);
/* "10.0.13", or NULL before the greeting. */
const char *qmp_version(const struct qmp *qmp);
/* The handshake is done: commands may be sent. */
bool qmp_is_ready(const struct qmp *qmp);
/*
 * Send a command; arguments (taken over) may be NULL. Returns its id, 0 on
 * error. The answer is there when qmp_take() says so.
 */
guint64 qmp_send(struct qmp *qmp, const char *command, JsonObject *arguments,
                 GError **error);
enum qmp_answer { QMP_PENDING, QMP_OK, QMP_FAILED };
/* On QMP_FAILED *message (may be NULL) gets QEMU's words. */
enum qmp_answer qmp_take(struct qmp *qmp, guint64 id, char **message);

#endif
