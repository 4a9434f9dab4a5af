/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect.h: what a kernel is expected to send per operation: data rows with
 * their reason (format: docs/expectations.md; rows: harness/expect/).
 */
#ifndef HARNESS_EXPECT_H
#define HARNESS_EXPECT_H

#include <glib.h>
#include <stdbool.h>

/* One command of a pattern. */
enum expect_command {
    EXPECT_WRITE,               /* W */
    EXPECT_WRITE_FUA,           /* WF */
    EXPECT_FLUSH,               /* F */
    EXPECT_WRITE_ZEROES,        /* Z */
    EXPECT_DEALLOCATE,          /* D */
    EXPECT_COMMAND_COUNT
};

struct expect_token {
    enum expect_command command;
    unsigned min, max;          /* how often; max UINT_MAX: no limit */
    bool is_redundant;          /* suffix "!": known to be unnecessary */
};

/* Half of a kernel range; parts not given are 0 (from) or UINT_MAX (to). */
struct expect_release {
    unsigned part[3];
};

struct expect_row {
    struct expect_release from, to;
    char **targets, **ops, **issuers;   /* "*" alone: any */
    bool for_vwc, for_no_vwc;
    char *pattern;
    GArray *tokens;             /* struct expect_token; NULL: words */
    char *function, *file, *release;
    unsigned line;
};

struct expect {
    char *path;
    GPtrArray *rows;            /* struct expect_row */
};

struct expect_key {
    const char *kernel_release; /* uname -r */
    const char *target, *op, *issuer;
    bool has_vwc;
};

/* Whether a pattern is one; rows then have no tokens. */
typedef bool expect_pattern_fn(const char *pattern);

/*
 * NULL and an error that names file and line. Patterns are those of commands,
 * or, with check, of another language.
 */
struct expect *expect_load(const char *path, expect_pattern_fn *check,
                           GError **error);
struct expect *expect_parse(const char *path, const char *text,
                            expect_pattern_fn *check, GError **error);
void expect_free(struct expect *expect);

/* NULL: nobody has explained this case. */
const struct expect_row *expect_find(const struct expect *expect,
                                     const struct expect_key *key);

/* Whether any row speaks about this kernel: somebody has read it. */
bool expect_has_kernel(const struct expect *expect, const char *release);

/*
 * Match commands against the row's pattern. token_of[i] becomes the index of
 * the token that took command i. With skip_redundant, tokens marked "!" may
 * be left out.
 */
bool expect_match(const struct expect_row *row,
                  const enum expect_command *commands, unsigned count,
                  bool skip_redundant, unsigned *token_of);

/* "W", "WF", "F", … */
const char *expect_command_word(enum expect_command command);

#endif
