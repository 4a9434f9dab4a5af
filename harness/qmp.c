/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.c: the QEMU machine protocol.
 *
 * One JSON object per line. QEMU greets, we send qmp_capabilities, then
 * commands with an id of ours; answers carry the id, events come at any time.
 * A line that is no JSON object is logged and otherwise ignored.
 */
#include "qmp.h"

#include <string.h>

#include "channel.h"

#define LINE_MAX_BYTES (1 << 20)
#define CAPABILITIES_ID 1

struct qmp {
    struct channel *channel;
    char *version;
    bool is_ready;
    guint64 last_id;
    GHashTable *answers;        /* id -> message, "" for success */
    qmp_event_fn *on_event;
    void *opaque;
};

static void qmp_on_greeting(struct qmp *qmp, JsonObject *greeting)
{
    JsonObject *version = json_object_has_member(greeting, "version")
        ? json_object_get_object_member(greeting, "version") : NULL;
    JsonObject *number = version && json_object_has_member(version, "qemu")
        ? json_object_get_object_member(version, "qemu") : NULL;

    if (number) {
        g_free(qmp->version);
        qmp->version = g_strdup_printf("%" G_GINT64_FORMAT ".%"
            G_GINT64_FORMAT ".%" G_GINT64_FORMAT,
            json_object_get_int_member(number, "major"),
            json_object_get_int_member(number, "minor"),
            json_object_get_int_member(number, "micro"));
    }
    qmp_send(qmp, "qmp_capabilities", NULL, NULL);
}

static void qmp_on_answer(struct qmp *qmp, JsonObject *answer)
{
    gint64 id = json_object_get_int_member_with_default(answer, "id", 0);
    JsonObject *error = json_object_has_member(answer, "error")
        ? json_object_get_object_member(answer, "error") : NULL;
    const char *message = error
        ? json_object_get_string_member_with_default(error, "desc", "error")
        : "";

    if (id == CAPABILITIES_ID) {
        qmp->is_ready = !error;
        return;
    }
    g_hash_table_insert(qmp->answers, g_memdup2(&id, sizeof(id)),
                        g_strdup(message));
}

static void qmp_on_event(struct qmp *qmp, JsonObject *event)
{
    JsonObject *data = json_object_has_member(event, "data")
        ? json_object_get_object_member(event, "data") : NULL;
    const char *name =
        json_object_get_string_member_with_default(event, "event", "");

    qmp->on_event(qmp->opaque, name, data);
}

static void qmp_on_line(void *opaque, const char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    struct qmp *qmp = opaque;
    JsonObject *object;

    if (!json_parser_load_from_data(parser, line, -1, NULL) ||
        !json_parser_get_root(parser) ||
        !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        g_debug("QMP: not an object: %s", line);
        return;
    }
    object = json_node_get_object(json_parser_get_root(parser));
    if (json_object_has_member(object, "QMP")) {
        qmp_on_greeting(qmp, json_object_get_object_member(object, "QMP"));
    } else if (json_object_has_member(object, "event")) {
        qmp_on_event(qmp, object);
    } else {
        qmp_on_answer(qmp, object);
    }
}

struct qmp *qmp_new(int fd, qmp_event_fn *on_event, void *opaque)
{
    struct qmp *qmp = g_new0(struct qmp, 1);

    qmp->on_event = on_event;
    qmp->opaque = opaque;
    qmp->answers = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                         g_free);
    qmp->channel = channel_new(fd, LINE_MAX_BYTES, qmp_on_line, qmp);
    return qmp;
}

void qmp_free(struct qmp *qmp)
{
    if (!qmp) {
        return;
    }
    channel_free(qmp->channel);
    g_hash_table_unref(qmp->answers);
    g_free(qmp->version);
    g_free(qmp);
}

const char *qmp_version(const struct qmp *qmp)
{
    return qmp->version;
}

bool qmp_is_ready(const struct qmp *qmp)
{
    return qmp->is_ready;
}

guint64 qmp_send(struct qmp *qmp, const char *command, JsonObject *arguments,
                 GError **error)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;
    JsonObject *request = json_object_new();
    guint64 id = ++qmp->last_id;

    json_object_set_string_member(request, "execute", command);
    json_object_set_int_member(request, "id", (gint64)id);
    if (arguments) {
        json_object_set_object_member(request, "arguments", arguments);
    }
    json_node_take_object(node, request);
    text = json_to_string(node, FALSE);
    return channel_send(qmp->channel, text, error) ? id : 0;
}

enum qmp_answer qmp_take(struct qmp *qmp, guint64 id, char **message)
{
    gint64 key = (gint64)id;
    const char *found = g_hash_table_lookup(qmp->answers, &key);
    enum qmp_answer answer;

    if (!found) {
        return QMP_PENDING;
    }
    answer = *found ? QMP_FAILED : QMP_OK;
    if (message) {
        *message = g_strdup(found);
    }
    g_hash_table_remove(qmp->answers, &key);
    return answer;
}
