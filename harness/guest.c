/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.c: the conversation with PID 1 of the guest.
 *
 * A machine reset that nobody asked for is a death: with panic=-1 that is how
 * a panic ends, and a triple fault leaves no other trace.
 */
#include "guest.h"

#include <guest_proto.h>
#include <string.h>

#include "failure.h"
#include "never.h"
#include "serial.h"

/* How long a dying guest may go on talking, so that the splat is whole. */
#define LAST_WORDS_S 2.0
/* How long a guest may take for an answer when its kernel has broken. */
#define BROKEN_S 5.0

static gboolean guest_is_dead(struct guest *guest)
{
    return vm_death(guest->vm) ||
           vm_resets(guest->vm) > guest->resets_expected;
}

static void set_death(struct guest *guest, GError **error)
{
    gint64 deadline = vm_deadline(LAST_WORDS_S);
    const char *death;

    while (vm_step(guest->vm, deadline)) {
        continue;
    }
    death = vm_death(guest->vm);
    if (vm_is_panicked(guest->vm)) {
        g_set_error_literal(error, FAILURE, FAILURE_PANIC, death);
    } else if (death) {
        g_set_error_literal(error, FAILURE, FAILURE_INFRA, death);
    } else {
        g_set_error_literal(error, FAILURE, FAILURE_PANIC,
                            "guest reset itself without a word");
    }
}

static void set_silence(struct guest *guest, GError **error)
{
    const char *broken = vm_broken(guest->vm);

    if (broken) {
        g_set_error(error, FAILURE, FAILURE_PANIC,
                    "the guest has broken and does not answer: %s", broken);
    } else {
        g_set_error(error, FAILURE, FAILURE_TIMEOUT,
                    "no answer from the guest in %g s", guest->timeout_s);
    }
}

/* The next message, whatever it is. */
static gboolean guest_hear(struct guest *guest, gint64 deadline,
                           struct serial_message *message, GError **error)
{
    bool is_hurried = false;

    for (;;) {
        g_autofree char *line = vm_take_line(guest->vm);

        if (line) {
            return serial_parse(line, message, error);
        }
        if (vm_is_interrupted()) {
            g_set_error_literal(error, FAILURE, FAILURE_INFRA, "interrupted");
            return FALSE;
        }
        if (guest_is_dead(guest)) {
            set_death(guest, error);
            return FALSE;
        }
        if (vm_broken(guest->vm) && !is_hurried) {
            deadline = MIN(deadline, vm_deadline(BROKEN_S));
            is_hurried = true;
        }
        if (!vm_step(guest->vm, deadline)) {
            set_silence(guest, error);
            return FALSE;
        }
    }
}

/* Clears a message that is of another kind. */
static gboolean guest_check_kind(enum serial_kind kind, const char *word,
                                 struct serial_message *message,
                                 GError **error)
{
    if (message->kind != kind) {
        g_set_error(error, FAILURE, FAILURE_INFRA,
                    "the guest said something else than '%s': %s %s", word,
                    message->name ? message->name : "", message->text);
        serial_message_clear(message);
        return FALSE;
    }
    return TRUE;
}

/* The next message, which must be of that kind. */
static gboolean guest_hear_kind(struct guest *guest, enum serial_kind kind,
                                const char *word,
                                struct serial_message *message, GError **error)
{
    return guest_hear(guest, vm_deadline(guest->timeout_s), message, error) &&
           guest_check_kind(kind, word, message, error);
}

static void guest_take_boot_note(struct guest *guest, const char *note)
{
    const char *unwatched = never_unwatched(note);
    char *before = guest->unwatched;

    guest->is_untraceable |= never_is_untraceable(note);
    if (unwatched) {
        guest->unwatched = g_strjoin("; ", before ? before : unwatched,
                                     before ? unwatched : NULL, NULL);
        g_free(before);
    }
}

/* Hello, and what the guest has to say before it. */
static gboolean guest_hear_hello(struct guest *guest,
                                 struct serial_message *message,
                                 GError **error)
{
    gint64 deadline = vm_deadline(guest->timeout_s);

    g_clear_pointer(&guest->unwatched, g_free);
    guest->is_untraceable = false;
    for (;;) {
        if (!guest_hear(guest, deadline, message, error)) {
            return FALSE;
        }
        if (message->kind != SERIAL_NOTE) {
            return guest_check_kind(SERIAL_HELLO, "hello", message, error);
        }
        guest_take_boot_note(guest, message->text);
        serial_message_clear(message);
    }
}

static gboolean guest_take_hello(struct guest *guest, GError **error)
{
    struct serial_message message;

    if (!guest_hear_hello(guest, &message, error)) {
        return FALSE;
    }
    if (message.version != LAB_PROTO_VERSION) {
        g_set_error(error, FAILURE, FAILURE_INFRA,
                    "the guest speaks protocol %u, this program %d: rebuild "
                    "the initramfs", message.version, LAB_PROTO_VERSION);
        serial_message_clear(&message);
        return FALSE;
    }
    guest->cuts = message.cuts;
    g_free(guest->release);
    guest->release = g_strdup(message.name);
    serial_message_clear(&message);
    return TRUE;
}

gboolean guest_wait_hello(struct guest *guest, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (guest_take_hello(guest, &cause)) {
        return TRUE;
    }
    g_set_error(error, FAILURE,
                cause->code == FAILURE_PANIC ? FAILURE_PANIC : FAILURE_INFRA,
                "boot: %s", cause->message);
    return FALSE;
}

void guest_clear(struct guest *guest)
{
    g_clear_pointer(&guest->release, g_free);
    g_clear_pointer(&guest->unwatched, g_free);
}

GPtrArray *guest_list(struct guest *guest, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!vm_say(guest->vm, "list", error)) {
        return NULL;
    }
    for (;;) {
        struct serial_message message;

        if (!guest_hear(guest, vm_deadline(guest->timeout_s), &message,
                        error)) {
            return NULL;
        }
        if (message.kind == SERIAL_READY) {
            serial_message_clear(&message);
            return g_steal_pointer(&names);
        }
        if (message.kind == SERIAL_CASE) {
            g_ptr_array_add(names, g_steal_pointer(&message.name));
        }
        serial_message_clear(&message);
    }
}

/* Returns whether the step has ended. */
static bool step_message(const struct serial_message *message,
                         const char *name, struct case_result *result,
                         bool *is_over, GError **error)
{
    switch (message->kind) {
    case SERIAL_NOTE:
        case_result_note(result, "%s", message->text);
        return false;
    case SERIAL_RESULT:
        if (g_strcmp0(message->name, name) != 0) {
            g_set_error(error, FAILURE, FAILURE_INFRA,
                        "result of %s while %s runs", message->name, name);
            return true;
        }
        case_result_set(result, message->verdict, "%s", message->text);
        *is_over = true;
        return true;
    case SERIAL_READY:
        *is_over = false;
        return true;
    case SERIAL_ERROR:
        g_set_error(error, FAILURE, FAILURE_INFRA, "the guest refused: %s",
                    message->text);
        return true;
    case SERIAL_HELLO:
        g_set_error_literal(error, FAILURE, FAILURE_PANIC,
                            "the guest has rebooted on its own");
        return true;
    default:
        return false;
    }
}

gboolean guest_step(struct guest *guest, const char *verb, const char *name,
                    const char *parameters, struct case_result *result,
                    bool *is_over, GError **error)
{
    g_autofree char *line = g_strdup_printf("%s %s%s%s", verb, name,
                                            *parameters ? " " : "",
                                            parameters);
    gint64 deadline = vm_deadline(guest->timeout_s);
    GError *cause = NULL;
    bool is_verdict = false;
    bool is_done = false;

    if (!vm_say(guest->vm, line, error)) {
        return FALSE;
    }
    while (!is_done) {
        struct serial_message message;

        if (!guest_hear(guest, deadline, &message, error)) {
            return FALSE;
        }
        is_done = step_message(&message, name, result, &is_verdict, &cause);
        serial_message_clear(&message);
    }
    if (is_over) {
        *is_over = is_verdict;
    }
    if (cause) {
        g_propagate_error(error, cause);
        return FALSE;
    }
    return TRUE;
}

gboolean guest_cut(struct guest *guest, const char *policy, GError **error)
{
    g_autofree char *line = g_strdup_printf("cut %s", policy);
    guint64 cuts = guest->cuts;
    struct serial_message message;

    /* The reset follows the guest's last word before we can say so. */
    guest->resets_expected = vm_resets(guest->vm) + 1;
    if (!vm_say(guest->vm, line, error) ||
        !guest_hear_kind(guest, SERIAL_CUT, "cut", &message, error)) {
        return FALSE;
    }
    serial_message_clear(&message);
    if (!guest_wait_hello(guest, error)) {
        return FALSE;
    }
    if (guest->cuts != cuts + 1) {
        g_set_error(error, FAILURE, FAILURE_INFRA,
                    "the guest is back after %" G_GUINT64_FORMAT
                    " power cuts, not %" G_GUINT64_FORMAT, guest->cuts,
                    cuts + 1);
        return FALSE;
    }
    return TRUE;
}

gboolean guest_shell(struct guest *guest, struct case_result *result,
                     GError **error)
{
    enum serial_kind kind;

    if (!vm_say(guest->vm, "shell", error)) {
        return FALSE;
    }
    do {
        struct serial_message message;

        if (!guest_hear(guest, G_MAXINT64, &message, error)) {
            return FALSE;
        }
        kind = message.kind;
        if (kind == SERIAL_NOTE) {
            case_result_note(result, "%s", message.text);
        }
        serial_message_clear(&message);
    } while (kind == SERIAL_NOTE);
    return TRUE;
}
