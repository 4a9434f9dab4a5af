/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of trace_check.h; fields are read as this machine has them. */
#include "trace_check.h"

#include <string.h>

#include "vendor.h"

static void check_size(const struct lab_trace_record *record, size_t size)
{
    g_assert_cmpuint(record->size_bytes, ==, size);
}

static void check_times(const struct lab_trace_command *command)
{
    if (command->fetched_ns) {
        g_assert_cmpuint(command->submitted_ns, <=, command->fetched_ns);
    } else {
        /* Held at its fetch, and that never came. */
        g_assert_cmpuint(command->visible_stamp, ==, 0);
        g_assert_cmpuint(command->completed_stamp, ==, 0);
        g_assert_cmpuint(command->durable_ns, ==, 0);
    }
    if (command->visible_stamp) {
        g_assert_cmpuint(command->fetched_ns, <=, command->visible_ns);
        g_assert_cmpuint(command->submitted_stamp, <, command->visible_stamp);
    }
    if (command->durable_ns) {
        g_assert_cmpuint(command->fetched_ns, <=, command->durable_ns);
    }
    if (!command->completed_stamp) {
        return;
    }
    g_assert_cmpuint(command->fetched_ns, <=, command->completed_ns);
    g_assert_cmpuint(command->submitted_stamp, <, command->completed_stamp);
    g_assert_cmpuint(command->visible_ns, <=, command->completed_ns);
    g_assert_cmpuint(command->visible_stamp, <, command->completed_stamp);
    g_assert_cmpuint(command->durable_ns, <=, command->completed_ns);
    if (command->irq_ns) {
        g_assert_cmpuint(command->completed_ns, <=, command->irq_ns);
    }
}

static void check_flag(const struct lab_trace_command *command, uint8_t flag,
                       bool is_expected)
{
    if (!(command->flags & flag) != !is_expected) {
        g_error("command %" G_GUINT64_FORMAT ", opcode 0x%02x: flags 0x%02x: "
                "bit 0x%02x must be %d", command->command_id, command->opcode,
                command->flags, flag, is_expected);
    }
}

static void check_command(const struct fake_host *host,
                          const struct lab_trace_command *command)
{
    bool has_cqe = command->completed_stamp;

    check_size(&command->record, sizeof(*command));
    g_assert_cmpuint(command->submitted_stamp, !=, 0);
    g_assert_cmpuint(command->command_id, !=, 0);
    check_times(command);
    check_flag(command, LAB_TRACE_ADMIN, command->sqid == 0);
    check_flag(command, LAB_TRACE_NO_CQE, !has_cqe);
    check_flag(command, LAB_TRACE_DURABLE, command->durable_ns);
    check_flag(command, LAB_TRACE_DATA_VISIBLE, command->visible_stamp);
    if (command->flags & LAB_TRACE_POLLED || !has_cqe ||
        command->command_id == host->lost_irq_id) {
        g_assert_cmpuint(command->irq_ns, ==, 0);
    } else {
        g_assert_cmpuint(command->irq_ns, !=, 0);
    }
    if (!has_cqe) {
        g_assert_cmpuint(command->completed_ns, ==, 0);
    }
}

static void check_mark(const struct lab_trace_mark *mark)
{
    const char *text = (const char *)(mark + 1);

    check_size(&mark->record, sizeof(*mark) + mark->text_bytes);
    g_assert_nonnull(memchr(text, 0, mark->text_bytes));
    g_assert_cmpuint(mark->submitted_stamp, !=, 0);
}

/* Who leaves irq in no good way had no interrupt of its own. */
static void check_resumed(struct fake_host *host,
                          const struct lab_trace_event *event)
{
    uint32_t how = LAB_TRACE_HELD_HOW(event->value2);

    if (event->kind != LAB_TRACE_RESUMED) {
        return;
    }
    g_assert_cmpuint(how, >=, LAB_TRACE_RELEASED);
    g_assert_cmpuint(how, <=, LAB_TRACE_BY_CUT);
    if (LAB_TRACE_HELD_STAGE(event->value2) == LAB_HOLD_IRQ &&
        how != LAB_TRACE_RELEASED && how != LAB_TRACE_TIMED) {
        host->lost_irq_id = event->value;
    }
}

static void check_event(struct fake_host *host,
                        const struct lab_trace_event *event)
{
    check_size(&event->record, sizeof(*event));
    g_assert_cmpuint(event->kind, >=, LAB_TRACE_ENABLE);
    g_assert_cmpuint(event->kind, <=, LAB_TRACE_HOLD_ENDED);
    g_assert_cmpuint(event->stamp, >, host->stamp_last);
    host->stamp_last = event->stamp;
    check_resumed(host, event);
}

static void check_survivor(const struct lab_trace_survivor *survivor)
{
    check_size(&survivor->record, sizeof(*survivor));
    g_assert_cmpuint(survivor->blocks_kept, <=, survivor->block_count);
    switch (survivor->outcome) {
    case LAB_TRACE_DROPPED:
        g_assert_cmpuint(survivor->blocks_kept, ==, 0);
        break;
    case LAB_TRACE_KEPT:
        g_assert_cmpuint(survivor->blocks_kept, ==, survivor->block_count);
        break;
    default:
        g_assert_cmpuint(survivor->outcome, ==, LAB_TRACE_TORN);
        break;
    }
}

void trace_check(struct fake_host *host, const void *record, size_t length)
{
    const struct lab_trace_record *head = record;

    g_assert_cmpuint(length, >=, sizeof(*head));
    g_assert_cmpuint(length % 8, ==, 0);
    g_assert_cmpuint(head->size_bytes, ==, length);
    g_assert_cmpuint(head->number, ==, host->trace_number);
    g_assert_cmpuint(head->time_ns, ==, host->now_ns);
    switch (head->type) {
    case LAB_TRACE_COMMAND:
        check_command(host, record);
        break;
    case LAB_TRACE_MARK:
        check_mark(record);
        break;
    case LAB_TRACE_EVENT:
        check_event(host, record);
        break;
    case LAB_TRACE_SURVIVOR:
        check_survivor(record);
        break;
    default:
        g_error("trace record of type %u", head->type);
    }
    host->trace_number++;
}
