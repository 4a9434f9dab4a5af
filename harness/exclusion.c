/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exclusion.c: the judge of one cell of the exclusion matrix.
 *
 * No row is an error, never an answer to learn.
 */
#include "exclusion.h"

#include <string.h>

#define NOTE "exclusion "

static const char *const promises[] = { "collides", "stale", "corrupt", NULL };

/* What was seen, or what a row expects. */
struct answer {
    bool waits;
    char *promise;              /* not kept; NULL: all were */
    char **functions;           /* innermost first; a row has one */
};

static void answer_clear(struct answer *answer)
{
    g_free(answer->promise);
    g_strfreev(answer->functions);
}

/* "proceeds [PROMISE]" or "waits [PROMISE] FUNCTION[<FUNCTION…]" */
static bool answer_parse(const char *text, struct answer *answer)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    char **word = words;

    *answer = (struct answer){ 0 };
    if (!*word) {
        return false;
    }
    answer->waits = g_str_equal(*word, "waits");
    if (!answer->waits && !g_str_equal(*word, "proceeds")) {
        return false;
    }
    word++;
    if (*word && g_strv_contains(promises, *word)) {
        answer->promise = g_strdup(*word++);
    }
    if (answer->waits && *word && **word) {
        answer->functions = g_strsplit(*word++, "<", -1);
    }
    return !*word && answer->waits == (answer->functions != NULL);
}

bool exclusion_pattern_check(const char *pattern)
{
    struct answer answer;
    bool is_good = answer_parse(pattern, &answer);

    answer_clear(&answer);
    return is_good;
}

bool exclusion_is_case(const char *name)
{
    return g_str_has_prefix(name, "exclusion.");
}

/* "filemap_write_and_wait_range.part.0" is that function, too. */
static bool is_function(const char *on_stack, const char *name)
{
    gsize length = strlen(name);

    return strncmp(on_stack, name, length) == 0 &&
           (on_stack[length] == '\0' || on_stack[length] == '.');
}

static bool has_function(const struct answer *seen, const char *name)
{
    for (char **function = seen->functions; function && *function;
         function++) {
        if (is_function(*function, name)) {
            return true;
        }
    }
    return false;
}

static bool answers_agree(const struct answer *seen,
                          const struct answer *wanted)
{
    return seen->waits == wanted->waits &&
           g_strcmp0(seen->promise, wanted->promise) == 0 &&
           (!wanted->waits || has_function(seen, wanted->functions[0]));
}

/* NULL: the guest has told of nothing. Points into the note. */
static const char *find_note(const struct case_result *result)
{
    for (guint i = 0; i < result->notes->len; i++) {
        const char *note = result->notes->pdata[i];

        if (g_str_has_prefix(note, NOTE)) {
            return note + strlen(NOTE);
        }
    }
    return NULL;
}

static void judge_row(const struct exclusion_judge *judge,
                      const struct expect_row *row, const char *words,
                      struct case_result *result)
{
    struct answer seen = { 0 };
    struct answer wanted = { 0 };

    result->context_source = g_strdup_printf("%s, %s, %s", row->function,
                                             row->file, row->release);
    if (!answer_parse(words, &seen) || !answer_parse(row->pattern, &wanted)) {
        case_result_set(result, VERDICT_ERROR, "the guest says '%s'", words);
    } else if (answers_agree(&seen, &wanted)) {
        g_free(result->context);
        result->context = g_strdup(row->pattern);
        case_result_set(result, VERDICT_PASS, NULL);
    } else {
        case_result_set(result, VERDICT_FAIL,
                        "saw '%s', expected '%s': %s (%s:%u)", words,
                        row->pattern, result->context_source,
                        judge->expect->path, row->line);
    }
    answer_clear(&seen);
    answer_clear(&wanted);
}

void exclusion_judge(const struct exclusion_judge *judge,
                     struct case_result *result)
{
    g_auto(GStrv) words = g_strsplit(result->name, ".", -1);
    const char *note = find_note(result);
    g_autofree char *seen = note ? g_strstrip(g_strdup(note)) : NULL;
    const struct expect_row *row;

    if (g_strv_length(words) != 4 || !seen) {
        case_result_set(result, VERDICT_ERROR, "the guest has told of nothing");
        return;
    }
    row = expect_find(judge->expect, &(struct expect_key){
        .kernel_release = judge->kernel_release, .target = words[1],
        .op = words[2], .issuer = words[3],
        .has_vwc = true,        /* or not: no lock knows of it */
    });
    result->context = g_strdup(seen);
    if (row) {
        judge_row(judge, row, seen, result);
    } else if (judge->skips_unread &&
               !expect_has_kernel(judge->expect, judge->kernel_release)) {
        result->unread =
            g_strdup_printf("nobody has read %s for %s: saw '%s'",
                            judge->kernel_release, judge->expect->path, seen);
    } else {
        case_result_set(result, VERDICT_ERROR,
                        "unexplained: no row of %s for %s on %s, saw '%s'",
                        judge->expect->path, result->name,
                        judge->kernel_release, seen);
    }
}

/* How a row's column function names what is waited for. */
static const struct {
    const char *words;
    const char *lock;
} locks[] = {
    { "writeback bit", "writeback" },
    { "inode_dio_wait", "i_dio_count" },
    { "i_rwsem", "i_rwsem" },
};

static const char *lock_of(const struct case_result *result)
{
    for (gsize i = 0; result->context_source && i < G_N_ELEMENTS(locks); i++) {
        if (strstr(result->context_source, locks[i].words)) {
            return locks[i].lock;
        }
    }
    return "waits";
}

char *exclusion_answer(const struct case_result *result)
{
    struct answer answer = { 0 };
    char *text;

    if (!result->context || !answer_parse(result->context, &answer)) {
        answer_clear(&answer);
        return g_strdup(verdict_name(result->verdict));
    }
    text = g_strconcat(answer.waits ? lock_of(result) : "+",
                       answer.promise ? " " : "",
                       answer.promise ? answer.promise : "", NULL);
    answer_clear(&answer);
    return text;
}
