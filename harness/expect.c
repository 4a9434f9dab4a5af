/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect.c: expectation rows: reading, finding, matching.
 *
 * A row without a source is refused, and so are two rows that could speak
 * about the same case: an expectation is either explained once or not at all.
 */
#include "expect.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

enum column {
    COLUMN_KERNELS, COLUMN_TARGET, COLUMN_OP, COLUMN_ISSUER, COLUMN_VWC,
    COLUMN_PATTERN, COLUMN_FUNCTION, COLUMN_FILE, COLUMN_RELEASE, COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
    "kernels", "target", "op", "issuer", "vwc", "pattern", "function", "file",
    "release"
};

static const char *const command_words[EXPECT_COMMAND_COUNT] = {
    [EXPECT_WRITE] = "W",
    [EXPECT_WRITE_FUA] = "WF",
    [EXPECT_FLUSH] = "F",
    [EXPECT_WRITE_ZEROES] = "Z",
    [EXPECT_DEALLOCATE] = "D",
};

const char *expect_command_word(enum expect_command command)
{
    return command_words[command];
}

static void row_free(struct expect_row *row)
{
    g_strfreev(row->targets);
    g_strfreev(row->ops);
    g_strfreev(row->issuers);
    g_free(row->pattern);
    g_free(row->function);
    g_free(row->file);
    g_free(row->release);
    g_clear_pointer(&row->tokens, g_array_unref);
    g_free(row);
}

void expect_free(struct expect *expect)
{
    if (!expect) {
        return;
    }
    g_free(expect->path);
    g_ptr_array_unref(expect->rows);
    g_free(expect);
}

/* "6.12.107+deb13" -> { 6, 12, 107 }; what is not given is fill. */
static bool release_parse(const char *text, unsigned fill,
                          struct expect_release *release)
{
    const char *at = text;

    for (int i = 0; i < 3; i++) {
        char *end;

        release->part[i] = fill;
        if (!g_ascii_isdigit(*at)) {
            continue;
        }
        release->part[i] = (unsigned)strtoul(at, &end, 10);
        at = *end == '.' ? end + 1 : end;
        if (*end != '.') {
            at = "";
        }
    }
    return g_ascii_isdigit(*text) && strchr(text, '.');
}

static int release_compare(const struct expect_release *a,
                           const struct expect_release *b)
{
    for (int i = 0; i < 3; i++) {
        if (a->part[i] != b->part[i]) {
            return a->part[i] < b->part[i] ? -1 : 1;
        }
    }
    return 0;
}

/* "6.12", "6.12-6.18", "6.12.63-" */
static bool range_parse(const char *text, struct expect_row *row)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);

    if (!ends[0] || !release_parse(ends[0], 0, &row->from)) {
        return false;
    }
    if (ends[1] && !*ends[1]) {
        memset(&row->to, 0xff, sizeof(row->to));
        return true;
    }
    return release_parse(ends[1] ? ends[1] : ends[0], UINT_MAX, &row->to) &&
           release_compare(&row->from, &row->to) <= 0;
}

static bool token_command(char *word, struct expect_token *token)
{
    for (int i = 0; i < EXPECT_COMMAND_COUNT; i++) {
        if (strcmp(word, command_words[i]) == 0) {
            token->command = i;
            return true;
        }
    }
    return false;
}

/* "WF", "W+", "W*", "W?", each with "!" behind. */
static bool token_parse(const char *text, struct expect_token *token)
{
    g_autofree char *word = g_strdup(text);
    size_t length = strlen(word);

    *token = (struct expect_token){ .min = 1, .max = 1 };
    if (length && word[length - 1] == '!') {
        token->is_redundant = true;
        word[--length] = '\0';
    }
    if (length && strchr("*+?", word[length - 1])) {
        token->min = word[length - 1] == '+';
        token->max = word[length - 1] == '?' ? 1 : UINT_MAX;
        word[--length] = '\0';
    }
    return token_command(word, token);
}

/* "-" is the empty pattern: no command at all. */
static bool pattern_parse(struct expect_row *row)
{
    g_auto(GStrv) words = g_strsplit_set(row->pattern, " ", -1);

    row->tokens = g_array_new(FALSE, FALSE, sizeof(struct expect_token));
    if (g_str_equal(row->pattern, "-")) {
        return true;
    }
    for (char **word = words; *word; word++) {
        struct expect_token token;

        if (!**word) {
            continue;
        }
        if (!token_parse(*word, &token)) {
            return false;
        }
        g_array_append_val(row->tokens, token);
    }
    return row->tokens->len > 0;
}

static bool vwc_parse(const char *text, struct expect_row *row)
{
    row->for_vwc = !g_str_equal(text, "off");
    row->for_no_vwc = !g_str_equal(text, "on");
    return g_str_equal(text, "on") || g_str_equal(text, "off") ||
           g_str_equal(text, "*");
}

static char **list_parse(const char *text)
{
    char **words = g_strsplit(text, ",", -1);

    for (char **word = words; *word; word++) {
        g_strstrip(*word);
    }
    return words;
}

/* NULL when the row is good, else the column that is not. */
static const char *row_fill(struct expect_row *row, char **columns,
                            expect_pattern_fn *check)
{
    row->targets = list_parse(columns[COLUMN_TARGET]);
    row->ops = list_parse(columns[COLUMN_OP]);
    row->issuers = list_parse(columns[COLUMN_ISSUER]);
    row->pattern = g_strdup(columns[COLUMN_PATTERN]);
    row->function = g_strdup(columns[COLUMN_FUNCTION]);
    row->file = g_strdup(columns[COLUMN_FILE]);
    row->release = g_strdup(columns[COLUMN_RELEASE]);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (!*columns[i]) {
            return column_names[i];
        }
    }
    if (!range_parse(columns[COLUMN_KERNELS], row)) {
        return column_names[COLUMN_KERNELS];
    }
    if (!vwc_parse(columns[COLUMN_VWC], row)) {
        return column_names[COLUMN_VWC];
    }
    if (check ? !check(row->pattern) : !pattern_parse(row)) {
        return column_names[COLUMN_PATTERN];
    }
    return NULL;
}

static struct expect_row *row_parse(const char *path, unsigned number,
                                    char **columns, expect_pattern_fn *check,
                                    GError **error)
{
    struct expect_row *row;
    const char *bad;

    if (g_strv_length(columns) != COLUMN_COUNT) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s:%u: %u columns, not %u", path, number,
                    g_strv_length(columns), COLUMN_COUNT);
        return NULL;
    }
    for (int i = 0; i < COLUMN_COUNT; i++) {
        g_strstrip(columns[i]);
    }
    row = g_new0(struct expect_row, 1);
    row->line = number;
    bad = row_fill(row, columns, check);
    if (bad) {
        int column = 0;

        while (column_names[column] != bad) {
            column++;
        }
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s:%u: column '%s' cannot be '%s'", path, number, bad,
                    columns[column]);
        row_free(row);
        return NULL;
    }
    return row;
}

static bool list_has(char **list, const char *word)
{
    return g_str_equal(list[0], "*") ||
           g_strv_contains((const char *const *)list, word);
}

static bool lists_meet(char **a, char **b)
{
    for (char **word = a; *word; word++) {
        if (g_str_equal(*word, "*") || list_has(b, *word)) {
            return true;
        }
    }
    return false;
}

static bool rows_meet(const struct expect_row *a, const struct expect_row *b)
{
    return release_compare(&a->from, &b->to) <= 0 &&
           release_compare(&b->from, &a->to) <= 0 &&
           ((a->for_vwc && b->for_vwc) || (a->for_no_vwc && b->for_no_vwc)) &&
           lists_meet(a->targets, b->targets) && lists_meet(a->ops, b->ops) &&
           lists_meet(a->issuers, b->issuers);
}

static bool row_add(struct expect *expect, struct expect_row *row,
                    GError **error)
{
    for (guint i = 0; i < expect->rows->len; i++) {
        const struct expect_row *other = expect->rows->pdata[i];

        if (rows_meet(row, other)) {
            g_set_error(error, FAILURE, FAILURE_USAGE,
                        "%s:%u: speaks about the same case as line %u",
                        expect->path, row->line, other->line);
            row_free(row);
            return false;
        }
    }
    g_ptr_array_add(expect->rows, row);
    return true;
}

struct expect *expect_parse(const char *path, const char *text,
                            expect_pattern_fn *check, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    struct expect *expect = g_new0(struct expect, 1);

    expect->path = g_strdup(path);
    expect->rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    for (unsigned i = 0; lines[i]; i++) {
        g_auto(GStrv) columns = NULL;
        struct expect_row *row;

        g_strstrip(lines[i]);
        if (!*lines[i] || *lines[i] == '#') {
            continue;
        }
        columns = g_strsplit(lines[i], "|", -1);
        row = row_parse(path, i + 1, columns, check, error);
        if (!row || !row_add(expect, row, error)) {
            expect_free(expect);
            return NULL;
        }
    }
    return expect;
}

struct expect *expect_load(const char *path, expect_pattern_fn *check,
                           GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "%s", cause->message);
        return NULL;
    }
    return expect_parse(path, text, check, error);
}

static bool is_about(const struct expect_row *row,
                     const struct expect_release *release)
{
    return release_compare(&row->from, release) <= 0 &&
           release_compare(release, &row->to) <= 0;
}

bool expect_has_kernel(const struct expect *expect, const char *release)
{
    struct expect_release parsed;
    bool is_found = false;

    if (!release_parse(release, 0, &parsed)) {
        return false;
    }
    for (guint i = 0; i < expect->rows->len && !is_found; i++) {
        is_found = is_about(expect->rows->pdata[i], &parsed);
    }
    return is_found;
}

const struct expect_row *expect_find(const struct expect *expect,
                                     const struct expect_key *key)
{
    struct expect_release release;

    if (!release_parse(key->kernel_release, 0, &release)) {
        return NULL;
    }
    for (guint i = 0; i < expect->rows->len; i++) {
        const struct expect_row *row = expect->rows->pdata[i];

        if (is_about(row, &release) &&
            (key->has_vwc ? row->for_vwc : row->for_no_vwc) &&
            list_has(row->targets, key->target) &&
            list_has(row->ops, key->op) &&
            list_has(row->issuers, key->issuer)) {
            return row;
        }
    }
    return NULL;
}

struct match {
    const GArray *tokens;
    const enum expect_command *commands;
    unsigned count;
    bool skip_redundant;
    unsigned *token_of;
};

/* Backtracking; patterns have a handful of tokens. */
static bool match_from(struct match *match, unsigned token_index, unsigned at)
{
    const struct expect_token *token;
    unsigned min;
    unsigned taken = 0;

    if (token_index == match->tokens->len) {
        return at == match->count;
    }
    token = &g_array_index(match->tokens, struct expect_token, token_index);
    min = token->is_redundant && match->skip_redundant ? 0 : token->min;
    for (;;) {
        if (taken >= min && match_from(match, token_index + 1, at + taken)) {
            for (unsigned i = 0; i < taken; i++) {
                match->token_of[at + i] = token_index;
            }
            return true;
        }
        if (taken == token->max || at + taken == match->count ||
            match->commands[at + taken] != token->command) {
            return false;
        }
        taken++;
    }
}

bool expect_match(const struct expect_row *row,
                  const enum expect_command *commands, unsigned count,
                  bool skip_redundant, unsigned *token_of)
{
    struct match match = { row->tokens, commands, count, skip_redundant,
                           token_of };

    return match_from(&match, 0, 0);
}
