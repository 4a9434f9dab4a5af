/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of all cases: those that the linker gathered in the section
 * guest_cases, and groups that are products (flush/cell.c, context/cell.c,
 * exclusion/cell.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context/context.h"
#include "exclusion/exclusion.h"
#include "flush/flush.h"
#include "registry.h"

extern const struct guest_case *const __start_guest_cases[];
extern const struct guest_case *const __stop_guest_cases[];

static const struct guest_case **cases;
static size_t case_count;

static int group_order(const struct guest_case *c)
{
    static const char *const groups[] = { "flush.", "durability.", "atomic." };

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (strncmp(c->name, groups[i], strlen(groups[i])) == 0) {
            return (int)i;
        }
    }
    return (int)(sizeof(groups) / sizeof(groups[0]));
}

static int compare(const void *left, const void *right)
{
    const struct guest_case *a = *(const struct guest_case *const *)left;
    const struct guest_case *b = *(const struct guest_case *const *)right;

    if (group_order(a) != group_order(b)) {
        return group_order(a) - group_order(b);
    }
    if (a->rank != b->rank) {
        return a->rank - b->rank;
    }
    return strcmp(a->name, b->name);
}

static void add(const struct guest_case *c)
{
    cases = realloc(cases, (case_count + 1) * sizeof(*cases));
    if (!cases) {
        perror("lab-guest: list of cases");
        abort();
    }
    cases[case_count++] = c;
}

void registry_init(void)
{
    const struct guest_case *const *listed;

    for (listed = __start_guest_cases; listed < __stop_guest_cases;
         listed++) {
        add(*listed);
    }
    flush_add_cases(add);
    context_add_cases(add);
    exclusion_add_cases(add);
    qsort(cases, case_count, sizeof(*cases), compare);
}

size_t registry_count(void)
{
    return case_count;
}

const struct guest_case *registry_at(size_t index)
{
    return cases[index];
}

const struct guest_case *registry_find(const char *name)
{
    for (size_t i = 0; i < case_count; i++) {
        if (strcmp(cases[i]->name, name) == 0) {
            return cases[i];
        }
    }
    return NULL;
}
