/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo.c: a run as tables for people.
 *
 * Flush: one row per target and operation; one column per drive. Issuers that
 * agree share a row, because nearly all do. Durability: one row per case, then
 * what the power cuts took and kept.
 */
#include "demo.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "flushes.h"

enum colour { PLAIN, GOOD, WARN, BAD, BOLD, COLOUR_COUNT };

static const char *const codes[COLOUR_COUNT] = {
    [PLAIN] = "\033[0m", [GOOD] = "\033[32m", [WARN] = "\033[33m",
    [BAD] = "\033[31m", [BOLD] = "\033[1m",
};

struct demo {
    const struct run_result *run;
    FILE *out;
    bool has_colour;
};

static void paint(const struct demo *demo, enum colour colour)
{
    if (demo->has_colour) {
        fputs(codes[colour], demo->out);
    }
}

/* Left-aligned in width columns, cut if need be; ASCII only. */
static void cell(const struct demo *demo, enum colour colour, int width,
                 const char *text)
{
    paint(demo, colour);
    fprintf(demo->out, "%-*.*s", width, width, text);
    paint(demo, PLAIN);
    fputc(' ', demo->out);
}

static void heading(const struct demo *demo, const char *text)
{
    fputc('\n', demo->out);
    paint(demo, BOLD);
    fputs(text, demo->out);
    paint(demo, PLAIN);
    fputc('\n', demo->out);
}

static const struct case_result *find_case(const struct suite_result *suite,
                                           const char *name)
{
    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];

        if (g_str_equal(result->name, name)) {
            return result;
        }
    }
    return NULL;
}

static const char *flush_word(const struct case_result *result,
                              enum colour *colour)
{
    *colour = BAD;
    if (result->verdict == VERDICT_SKIP) {
        *colour = WARN;
        return "skipped";
    }
    if (result->missing) {
        return "MISSING";
    }
    if (result->redundant_unlisted) {
        return "REDUNDANT";
    }
    if (result->verdict != VERDICT_PASS) {
        return verdict_name(result->verdict);
    }
    if (result->redundant_listed) {
        *colour = WARN;
        return "redundant (known)";
    }
    *colour = GOOD;
    return "right";
}

/* What one drive says about a case, for comparing and for printing. */
static char *flush_text(const struct case_result *result, enum colour *colour)
{
    const char *word;

    if (!result) {
        *colour = WARN;
        return g_strdup("not run");
    }
    word = flush_word(result, colour);
    return g_strdup_printf("%-15s %s",
                           result->sequence ? result->sequence : "", word);
}

static bool says_the_same(const struct demo *demo, const char *a,
                          const char *b)
{
    for (guint i = 0; i < demo->run->suites->len; i++) {
        const struct suite_result *suite = demo->run->suites->pdata[i];
        enum colour unused;
        g_autofree char *one = flush_text(find_case(suite, a), &unused);
        g_autofree char *two = flush_text(find_case(suite, b), &unused);

        if (!g_str_equal(one, two)) {
            return false;
        }
    }
    return true;
}

static bool same_row(const struct demo *demo, const char *a, const char *b)
{
    struct flushes_name one = { 0 };
    struct flushes_name two = { 0 };
    bool is_same = flushes_name_parse(a, &one) &&
                   flushes_name_parse(b, &two) &&
                   g_str_equal(one.target, two.target) &&
                   g_str_equal(one.op, two.op) && says_the_same(demo, a, b);

    flushes_name_clear(&one);
    flushes_name_clear(&two);
    return is_same;
}

static void flush_row(const struct demo *demo, const GPtrArray *names)
{
    g_autoptr(GString) issuers = g_string_new(NULL);
    struct flushes_name first = { 0 };

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];

        g_string_append_printf(issuers, "%s%s", i ? "," : "",
                               strrchr(name, '.') + 1);
    }
    flushes_name_parse(names->pdata[0], &first);
    cell(demo, PLAIN, 5, first.target);
    cell(demo, PLAIN, 16, first.op);
    cell(demo, PLAIN, 20, issuers->str);
    for (guint i = 0; i < demo->run->suites->len; i++) {
        enum colour colour;
        g_autofree char *text =
            flush_text(find_case(demo->run->suites->pdata[i],
                                 names->pdata[0]), &colour);

        cell(demo, colour, 33, text);
    }
    fputc('\n', demo->out);
    flushes_name_clear(&first);
}

static void flush_table(const struct demo *demo)
{
    const struct suite_result *first = demo->run->suites->pdata[0];
    g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

    heading(demo, "What the drive saw (W write, WF write with FUA, F flush)");
    cell(demo, BOLD, 5, "on");
    cell(demo, BOLD, 16, "operation");
    cell(demo, BOLD, 20, "issued by");
    for (guint i = 0; i < demo->run->suites->len; i++) {
        cell(demo, BOLD, 33,
             ((const struct suite_result *)demo->run->suites->pdata[i])->drive);
    }
    fputc('\n', demo->out);
    for (guint i = 0; i < first->cases->len; i++) {
        const struct case_result *result = first->cases->pdata[i];
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (!g_str_has_prefix(result->name, "flush.") ||
            g_hash_table_contains(done, result->name)) {
            continue;
        }
        for (guint j = i; j < first->cases->len; j++) {
            struct case_result *other = first->cases->pdata[j];

            if (other == result || same_row(demo, result->name, other->name)) {
                g_ptr_array_add(names, other->name);
                g_hash_table_add(done, other->name);
            }
        }
        flush_row(demo, names);
    }
}

/*
 * A case that holds keeps the words of its first cut, the one that drops all
 * (guest-tests/durability/claim.c): they say what was found, in blocks.
 */
static char *found_after_cut(const struct case_result *result)
{
    const char *counts = strstr(result->reason ? result->reason : "",
                                "promised and kept ");
    unsigned promised = 0, kept = 0, lost = 0;
    GString *text = g_string_new(NULL);

    if (!counts || sscanf(counts, "promised and kept %u, unpromised kept %u "
                          "lost %u", &promised, &kept, &lost) != 3) {
        g_string_append(text, "held");
    }
    if (promised) {
        g_string_append_printf(text, "synced %u: kept", promised);
    }
    if (kept + lost) {
        g_string_append_printf(text, "%sunsynced %u: lost %u",
                               text->len ? ", " : "", kept + lost, lost);
    }
    return g_string_free(text, FALSE);
}

static void durability_cell(const struct demo *demo,
                            const struct case_result *result)
{
    g_autofree char *text = NULL;
    enum colour colour = BAD;

    if (!result) {
        text = g_strdup("not run");
        colour = WARN;
    } else if (result->verdict == VERDICT_PASS) {
        text = found_after_cut(result);
        colour = GOOD;
    } else if (result->verdict == VERDICT_SKIP) {
        text = g_strdup_printf("skipped: %s", result->reason);
        colour = WARN;
    } else {
        text = g_strdup_printf("%s: %s", verdict_name(result->verdict),
                               result->failed_policy ? result->failed_policy
                                                     : result->reason);
    }
    cell(demo, colour, 41, text);
}

static void durability_table(const struct demo *demo)
{
    const struct suite_result *first = demo->run->suites->pdata[0];

    heading(demo, "What a power cut took and what was kept (blocks of 512 "
                  "bytes; the cut that drops all)");
    for (guint i = 0; i < first->cases->len; i++) {
        const struct case_result *result = first->cases->pdata[i];

        if (!g_str_has_prefix(result->name, "durability.")) {
            continue;
        }
        cell(demo, PLAIN, 19, result->name + strlen("durability."));
        for (guint j = 0; j < demo->run->suites->len; j++) {
            durability_cell(demo, find_case(demo->run->suites->pdata[j],
                                            result->name));
        }
        fputc('\n', demo->out);
    }
}

static void cut_table(const struct demo *demo)
{
    heading(demo, "Each cut: writes that had no promise (tore: kept some "
                  "blocks)");
    for (guint i = 0; i < demo->run->suites->len; i++) {
        const struct suite_result *suite = demo->run->suites->pdata[i];

        for (guint j = 0; j < suite->cuts->len; j++) {
            const struct cut_result *cut = suite->cuts->pdata[j];

            fprintf(demo->out, "%-8s %-12s took %4u, kept %4u, tore %4u\n",
                    suite->drive, cut->policy, cut->dropped, cut->kept,
                    cut->torn);
        }
    }
}

/* Why a kernel sends what nobody needs: one line per source. */
static void known_redundancies(const struct demo *demo)
{
    g_autoptr(GHashTable) done =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    heading(demo, "Known to be redundant, and who sends it");
    for (guint i = 0; i < demo->run->suites->len; i++) {
        const struct suite_result *suite = demo->run->suites->pdata[i];

        for (guint j = 0; j < suite->cases->len; j++) {
            const struct case_result *result = suite->cases->pdata[j];
            struct flushes_name name = { 0 };
            g_autofree char *line = NULL;

            if (!result->redundant_listed || !result->source ||
                !flushes_name_parse(result->name, &name)) {
                continue;
            }
            line = g_strdup_printf("%-5s %s", name.target, result->source);
            flushes_name_clear(&name);
            if (!g_hash_table_contains(done, line)) {
                fprintf(demo->out, "%s\n", line);
                g_hash_table_add(done, g_steal_pointer(&line));
            }
        }
    }
}

/* Failures are few or the demo is not worth reading; all are listed. */
static void failures(const struct demo *demo)
{
    bool has_any = false;

    for (guint i = 0; i < demo->run->suites->len; i++) {
        const struct suite_result *suite = demo->run->suites->pdata[i];

        if (suite->problem) {
            has_any = true;
            paint(demo, BAD);
            fprintf(demo->out, "%s: %s\n", suite->name, suite->problem);
            paint(demo, PLAIN);
        }
        for (guint j = 0; j < suite->cases->len; j++) {
            const struct case_result *result = suite->cases->pdata[j];

            if (!verdict_is_ok(result->verdict)) {
                has_any = true;
                fprintf(demo->out, "%s %s: %s\n  again: %s\n", suite->name,
                        result->name, result->reason ? result->reason : "",
                        result->rerun ? result->rerun : "");
            }
        }
    }
    if (!has_any) {
        fputs("none: nothing missing, nothing redundant that is not known, "
              "nothing promised was lost\n", demo->out);
    }
}

static void about(const struct demo *demo)
{
    for (guint i = 0; i < demo->run->suites->len; i++) {
        const struct suite_result *suite = demo->run->suites->pdata[i];

        fprintf(demo->out, "%-8s %s, Linux %s, QEMU %s, %s, %.0f s\n",
                suite->drive, suite->drive_properties,
                suite->kernel_release ? suite->kernel_release : "none",
                suite->qemu_version ? suite->qemu_version : "unknown",
                suite->accel, suite->seconds);
    }
}

void demo_print(const struct run_result *run, FILE *out)
{
    const char *no_color = g_getenv("NO_COLOR");
    struct demo demo = {
        .run = run, .out = out,
        .has_colour = isatty(fileno(out)) && !(no_color && *no_color),
    };

    if (!run->suites->len) {
        return;
    }
    about(&demo);
    flush_table(&demo);
    durability_table(&demo);
    cut_table(&demo);
    known_redundancies(&demo);
    heading(&demo, "Findings");
    failures(&demo);
    fprintf(out, "results: %s\n", run->directory);
}
