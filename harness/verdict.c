/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.c: precedence and names of verdicts; see verdict.h.
 */
#include "verdict.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    bool is_ok;
    const char *directive;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_SKIP] = { "skip", true, "SKIP" },
    [VERDICT_PASS] = { "pass", true, NULL },
    [VERDICT_XFAIL] = { "xfail", true, "XFAIL" },
    [VERDICT_FAIL] = { "fail", false, NULL },
    [VERDICT_TIMEOUT] = { "timeout", false, "TIMEOUT" },
    [VERDICT_ERROR] = { "error", false, "ERROR" },
};

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict].name;
}

bool verdict_parse(const char *word, enum verdict *verdict)
{
    for (int i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(verdicts[i].name, word) == 0) {
            *verdict = i;
            return true;
        }
    }
    return false;
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
    return a > b ? a : b;
}

bool verdict_is_ok(enum verdict verdict)
{
    return verdicts[verdict].is_ok;
}

const char *verdict_directive(enum verdict verdict)
{
    return verdicts[verdict].directive;
}
