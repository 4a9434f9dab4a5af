/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h: what can come out of a case, and which of two outcomes counts.
 */
#ifndef HARNESS_VERDICT_H
#define HARNESS_VERDICT_H

#include <stdbool.h>

/* In order of precedence: of two, the later one counts. */
enum verdict {
    VERDICT_SKIP,
    VERDICT_PASS,
    VERDICT_XFAIL,
    VERDICT_FAIL,
    VERDICT_TIMEOUT,
    VERDICT_ERROR,
    VERDICT_COUNT
};

const char *verdict_name(enum verdict verdict);
/* "pass" -> VERDICT_PASS; false: no such word. */
bool verdict_parse(const char *word, enum verdict *verdict);
enum verdict verdict_worse(enum verdict a, enum verdict b);
/* Whether KTAP says "ok". */
bool verdict_is_ok(enum verdict verdict);
/* The KTAP directive, or NULL. */
const char *verdict_directive(enum verdict verdict);

#endif
