/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exclusion.h: may one I/O run beside another? The judge of one cell of the
 * exclusion matrix, exclusion.TARGET.HOLDER.OTHER.
 *
 * The guest's note is the evidence: "exclusion proceeds", or "exclusion waits
 * INNER<OUTER<…" with the functions in which the other operation slept. A row
 * says "proceeds", or "waits FUNCTION" with one of them; one more word about
 * the bytes afterwards (guest-tests/exclusion/exclusion.h) is in both or in
 * neither. The rows are found by HOLDER (column op) and OTHER (column issuer).
 */
#ifndef HARNESS_EXCLUSION_H
#define HARNESS_EXCLUSION_H

#include "expect.h"
#include "result.h"

/* Columns of the expectation rows that these cases have. */
bool exclusion_pattern_check(const char *pattern);

struct exclusion_judge {
    const struct expect *expect;
    const char *kernel_release;
    bool skips_unread;          /* a kernel without any row: skip, no error */
};

bool exclusion_is_case(const char *name);
void exclusion_judge(const struct exclusion_judge *judge,
                     struct case_result *result);
/*
 * Of a judged case, for people: "+" or the lock it waits for, and a promise
 * that is not kept: "i_dio_count corrupt". g_free().
 */
char *exclusion_answer(const struct case_result *result);

#endif
