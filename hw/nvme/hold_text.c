/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds in words, for the host (docs/holds.md, "In words"): rules and releases
 * are read, rules and parked commands written. What hold_format() writes,
 * hold_parse() reads as the same rule.
 */
#include <errno.h>
#include <stdlib.h>

#include "nvme.h"

static const char *const stage_names[LAB_HOLD_STAGES] = {
    [LAB_HOLD_FETCH] = "fetch", [LAB_HOLD_VISIBLE] = "visible",
    [LAB_HOLD_DURABLE] = "durable", [LAB_HOLD_CQE] = "cqe",
    [LAB_HOLD_IRQ] = "irq",
};

static const struct {
    const char *name;
    uint8_t opcode;
} opcode_names[] = {
    { "write", NVME_IO_WRITE }, { "read", NVME_IO_READ },
    { "flush", NVME_IO_FLUSH }, { "write-zeroes", NVME_IO_WRITE_ZEROES },
    { "dsm", NVME_IO_DSM }, { "compare", NVME_IO_COMPARE },
};

static bool G_GNUC_PRINTF(2, 3) refuse(char **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *error = g_strdup_vprintf(format, args);
    va_end(args);
    return false;
}

/* -- Values --------------------------------------------------------------- */

/* Decimal or 0x, up to most; what follows is at *end. */
static bool read_number(const char *text, uint64_t most, uint64_t *value,
                        char **end)
{
    if (!g_ascii_isdigit(text[0])) {
        return false;
    }
    errno = 0;
    *value = strtoull(text, end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
    return !errno && *value <= most;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    return read_number(text, most, value, &end) && !*end;
}

static bool parse_u32(const char *text, uint32_t *value)
{
    uint64_t number;

    if (!parse_number(text, UINT32_MAX, &number)) {
        return false;
    }
    *value = number;
    return true;
}

static bool parse_stage(const char *text, struct lab_hold *spec)
{
    uint32_t stage;

    for (stage = 0; stage < LAB_HOLD_STAGES; stage++) {
        if (!strcmp(text, stage_names[stage])) {
            spec->stage = stage;
            return true;
        }
    }
    return false;
}

static bool parse_opcode(const char *text, struct lab_hold *spec)
{
    uint64_t number;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(opcode_names); i++) {
        if (!strcmp(text, opcode_names[i].name)) {
            spec->opcode = opcode_names[i].opcode;
            return true;
        }
    }
    if (strncmp(text, "0x", 2) || !parse_number(text, 0xFF, &number)) {
        return false;
    }
    spec->opcode = number;
    return true;
}

static bool parse_nsid(const char *text, struct lab_hold *spec)
{
    return parse_u32(text, &spec->nsid);
}

static bool parse_lba(const char *text, struct lab_hold *spec)
{
    char *end;

    if (!read_number(text, UINT64_MAX, &spec->first_lba, &end)) {
        return false;
    }
    spec->last_lba = spec->first_lba;
    return !*end || (*end == '-' && parse_number(end + 1, UINT64_MAX,
                                                 &spec->last_lba));
}

static bool parse_fua(const char *text, struct lab_hold *spec)
{
    if (strcmp(text, "on") && strcmp(text, "off")) {
        return false;
    }
    spec->flags |= text[1] == 'n' ? LAB_HOLD_WITH_FUA : LAB_HOLD_WITHOUT_FUA;
    return true;
}

static bool parse_queue(const char *text, struct lab_hold *spec)
{
    uint64_t number;

    if (!parse_number(text, UINT16_MAX, &number)) {
        return false;
    }
    spec->sqid = number;
    return true;
}

static bool parse_skip(const char *text, struct lab_hold *spec)
{
    return parse_u32(text, &spec->skip);
}

static bool parse_count(const char *text, struct lab_hold *spec)
{
    return parse_u32(text, &spec->count);
}

static bool parse_mark(const char *text, struct lab_hold *spec)
{
    return parse_number(text, UINT64_MAX, &spec->mark_id);
}

static bool parse_after(const char *text, struct lab_hold *spec)
{
    return parse_number(text, UINT64_MAX, &spec->release_after_ns);
}

/* -- Rules ---------------------------------------------------------------- */

static const struct word {
    const char *name;
    bool (*parse)(const char *text, struct lab_hold *spec);
    uint32_t flag;
    const char *takes;
} words[] = {
    { "stage", parse_stage, 0, "fetch, visible, durable, cqe or irq" },
    { "opcode", parse_opcode, LAB_HOLD_BY_OPCODE,
      "write, read, flush, write-zeroes, dsm, compare or 0x00 to 0xff" },
    { "nsid", parse_nsid, LAB_HOLD_BY_NSID, "a namespace" },
    { "lba", parse_lba, LAB_HOLD_BY_LBA, "a block, or FIRST-LAST" },
    { "fua", parse_fua, 0, "on or off" },
    { "queue", parse_queue, LAB_HOLD_BY_QUEUE, "a queue" },
    { "skip", parse_skip, 0, "a number of commands" },
    { "count", parse_count, 0, "a number of commands" },
    { "mark", parse_mark, LAB_HOLD_AFTER_MARK, "the id of a mark" },
    { "after", parse_after, 0, "ns" },
};

static int find_word(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strlen(words[i].name) == length &&
            !strncmp(text, words[i].name, length)) {
            return i;
        }
    }
    return -1;
}

/* *seen has a bit per word. */
static bool parse_word(const char *text, struct lab_hold *spec, uint32_t *seen,
                       char **error)
{
    const char *equals = strchr(text, '=');
    int index = equals ? find_word(text, equals - text) : -1;

    if (index < 0) {
        return refuse(error, "'%s': not a word; words are stage= opcode= nsid= "
                      "lba= fua= queue= skip= count= mark= after=", text);
    }
    if (*seen & 1u << index) {
        return refuse(error, "'%s': %s= was there already", text,
                      words[index].name);
    }
    *seen |= 1u << index;
    if (!words[index].parse(equals + 1, spec)) {
        return refuse(error, "'%s': must be %s", text, words[index].takes);
    }
    spec->flags |= words[index].flag;
    return true;
}

bool hold_parse(const char *text, struct lab_hold *spec, char **error)
{
    char **list = g_strsplit_set(text, " \t", -1);
    uint32_t seen = 0;
    bool is_good = true;
    size_t i;

    *spec = (struct lab_hold) { 0 };
    for (i = 0; list[i] && is_good; i++) {
        if (*list[i]) {
            is_good = parse_word(list[i], spec, &seen, error);
        }
    }
    g_strfreev(list);
    if (is_good && !(seen & 1)) {
        return refuse(error, "'%s': stage= is missing", text);
    }
    return is_good;
}

static void add_opcode(GString *text, uint8_t opcode)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(opcode_names); i++) {
        if (opcode_names[i].opcode == opcode) {
            g_string_append(text, opcode_names[i].name);
            return;
        }
    }
    g_string_append_printf(text, "0x%02x", opcode);
}

static void add_number(GString *text, const char *name, uint64_t value)
{
    if (value) {
        g_string_append_printf(text, " %s=%" PRIu64, name, value);
    }
}

char *hold_format(const struct lab_hold *spec)
{
    GString *text = g_string_new("stage=");
    uint32_t flags = spec->flags;

    g_string_append(text, stage_names[spec->stage]);
    if (flags & LAB_HOLD_BY_OPCODE) {
        g_string_append(text, " opcode=");
        add_opcode(text, spec->opcode);
    }
    if (flags & LAB_HOLD_BY_NSID) {
        g_string_append_printf(text, " nsid=%u", spec->nsid);
    }
    if (flags & LAB_HOLD_BY_LBA) {
        g_string_append_printf(text, " lba=%" PRIu64 "-%" PRIu64,
                               spec->first_lba, spec->last_lba);
    }
    if (flags & (LAB_HOLD_WITH_FUA | LAB_HOLD_WITHOUT_FUA)) {
        g_string_append(text, flags & LAB_HOLD_WITH_FUA ? " fua=on"
                                                        : " fua=off");
    }
    if (flags & LAB_HOLD_BY_QUEUE) {
        g_string_append_printf(text, " queue=%u", spec->sqid);
    }
    add_number(text, "skip", spec->skip);
    add_number(text, "count", spec->count);
    if (flags & LAB_HOLD_AFTER_MARK) {
        g_string_append_printf(text, " mark=%" PRIu64, spec->mark_id);
    }
    add_number(text, "after", spec->release_after_ns);
    return g_string_free(text, FALSE);
}

/* -- Lists of rules ------------------------------------------------------- */

static bool parse_rule(struct lab_ctrl *ctrl, const char *text,
                       GArray *specs, char **error)
{
    struct lab_hold spec;
    const char *refusal;

    if (!hold_parse(text, &spec, error)) {
        return false;
    }
    refusal = hold_refusal(ctrl, &spec);
    if (refusal) {
        return refuse(error, "'%s': %s", text, refusal);
    }
    g_array_append_val(specs, spec);
    return true;
}

/* Rules that a semicolon separates; NULL: *error says which is bad. */
static GArray *parse_rules(struct lab_ctrl *ctrl, const char *text,
                           char **error)
{
    GArray *specs = g_array_new(FALSE, FALSE, sizeof(struct lab_hold));
    char **list = g_strsplit(text, ";", -1);
    bool is_good = true;
    size_t i;

    for (i = 0; list[i] && is_good; i++) {
        is_good = parse_rule(ctrl, g_strstrip(list[i]), specs, error);
    }
    g_strfreev(list);
    if (is_good && !specs->len) {
        is_good = refuse(error, "'': stage= is missing");
    }
    if (is_good && specs->len + ctrl->stat.holds_armed > LAB_HOLDS_MAX) {
        is_good = refuse(error, "more than %u rules", LAB_HOLDS_MAX);
    }
    if (!is_good) {
        g_array_free(specs, TRUE);
        return NULL;
    }
    return specs;
}

bool hold_check_rules(struct lab_ctrl *ctrl, const char *text, char **error)
{
    GArray *specs = parse_rules(ctrl, text, error);

    if (specs) {
        g_array_free(specs, TRUE);
    }
    return specs;
}

bool lab_hold(struct lab_ctrl *ctrl, const char *text, char **error)
{
    GArray *specs = parse_rules(ctrl, text, error);
    guint i;

    for (i = 0; specs && i < specs->len; i++) {
        hold_arm(ctrl, &g_array_index(specs, struct lab_hold, i));
    }
    if (specs) {
        g_array_free(specs, TRUE);
    }
    return specs;
}

/* -- Releases ------------------------------------------------------------- */

struct release {
    enum lab_release kind;
    uint64_t number;            /* rule or command_id */
    uint32_t limit;
    bool is_newest_first;
};

static bool parse_rule_release(char **list, struct release *release)
{
    uint64_t limit;

    release->kind = LAB_RELEASE_RULE;
    if (*list && parse_number(*list, UINT32_MAX, &limit)) {
        release->kind = LAB_RELEASE_SOME;
        release->limit = limit;
        list++;
        if (!limit) {
            return false;
        }
    }
    if (*list && (!strcmp(*list, "oldest") || !strcmp(*list, "newest"))) {
        release->kind = LAB_RELEASE_SOME;
        release->is_newest_first = **list == 'n';
        list++;
    }
    return !*list;
}

static bool parse_release_words(char **list, struct release *release)
{
    if (!list[0]) {
        return false;
    }
    if (!strcmp(list[0], "all")) {
        release->kind = LAB_RELEASE_ALL;
        return !list[1];
    }
    if (!list[1] || !parse_number(list[1], UINT64_MAX, &release->number)) {
        return false;
    }
    if (!strcmp(list[0], "rule")) {
        return release->number <= LAB_HOLDS_MAX &&
               parse_rule_release(list + 2, release);
    }
    if (strcmp(list[0], "command")) {
        return false;
    }
    release->kind = LAB_RELEASE_ONE;
    if (list[2] && !strcmp(list[2], "lost")) {
        release->kind = LAB_RELEASE_LOST;
        list++;
    }
    return !list[2];
}

static bool parse_release(const char *text, struct release *release)
{
    char **list = g_strsplit_set(text, " \t", -1);
    size_t count = 0;
    bool is_good;
    size_t i;

    *release = (struct release) { 0 };
    for (i = 0; list[i]; i++) {
        if (*list[i]) {
            list[count++] = list[i];
        } else {
            g_free(list[i]);
        }
    }
    list[count] = NULL;
    is_good = parse_release_words(list, release);
    g_strfreev(list);
    return is_good;
}

bool lab_release(struct lab_ctrl *ctrl, const char *text, char **error)
{
    struct release release;
    uint16_t status = NVME_SUCCESS;
    uint32_t count;

    if (!parse_release(text, &release)) {
        return refuse(error, "'%s': must be 'all', 'rule N [COUNT] "
                      "[oldest|newest]' or 'command ID [lost]'", text);
    }
    switch (release.kind) {
    case LAB_RELEASE_ALL:
        status = hold_release_all(ctrl, &count);
        break;
    case LAB_RELEASE_RULE:
        status = hold_release_rule(ctrl, release.number, &count);
        break;
    case LAB_RELEASE_SOME:
        status = hold_release_some(ctrl, release.number, release.limit,
                                   release.is_newest_first, &count);
        break;
    case LAB_RELEASE_ONE:
    case LAB_RELEASE_LOST:
        status = hold_release_one(ctrl, release.number,
                                  release.kind == LAB_RELEASE_LOST, &count);
        break;
    }
    return !status || refuse(error, "'%s': nothing of that number is held%s",
                             text, release.kind == LAB_RELEASE_LOST
                                       ? " at irq" : "");
}

/* -- What is held --------------------------------------------------------- */

static void add_rule(GString *json, const struct hold_rule *rule)
{
    char *text = hold_format(&rule->spec);

    g_string_append_printf(json, "{\"rule\": %u, \"text\": \"%s\", "
                           "\"matches\": %" PRIu64 ", \"parked\": %" PRIu64
                           ", \"held\": %" PRIu64 "}", rule->number, text,
                           rule->matches, rule->parked, rule->held);
    g_free(text);
}

static void add_command(GString *json, const struct parked *parked)
{
    const struct req *req = parked->req;
    uint32_t block_count;
    uint64_t slba;

    hold_range(req, &slba, &block_count);
    g_string_append_printf(json, "{\"command\": %" PRIu64 ", \"rule\": %u, "
                           "\"stage\": \"%s\", \"opcode\": \"", req->number,
                           parked->rule, stage_names[parked->stage]);
    add_opcode(json, req->cmd.opcode);
    g_string_append_printf(json, "\", \"queue\": %u, \"cid\": %u, "
                           "\"nsid\": %u, \"lba\": %" PRIu64
                           ", \"blocks\": %u, \"fua\": %s, \"parked-ns\": %"
                           PRIu64 "}", req->sq->id, req->cmd.cid,
                           req->cmd.nsid, slba, block_count,
                           req->has_fua ? "true" : "false", parked->since_ns);
}

char *lab_held_json(struct lab_ctrl *ctrl)
{
    GString *json = g_string_new("{\"rules\": [");
    const struct hold_rule *rule;
    const struct parked *parked;

    TAILQ_FOREACH(rule, &ctrl->holds.rules, link) {
        g_string_append(json, rule == TAILQ_FIRST(&ctrl->holds.rules) ? ""
                                                                      : ", ");
        add_rule(json, rule);
    }
    g_string_append(json, "], \"commands\": [");
    TAILQ_FOREACH(parked, &ctrl->holds.parked, link) {
        g_string_append(json, parked == TAILQ_FIRST(&ctrl->holds.parked)
                                  ? "" : ", ");
        add_command(json, parked);
    }
    g_string_append(json, "]}");
    return g_string_free(json, FALSE);
}
