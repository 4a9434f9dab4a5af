/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h: what a run is to do: which cases, with which seeds and limits.
 */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include <glib.h>
#include <stdbool.h>

struct plan {
    char **cases;               /* names or patterns; empty: by group */
    char **groups;              /* empty: the default groups */
    char **excludes;            /* patterns */
    char *lie;                  /* NULL: none */
    char *hold_file;            /* where holds come from; NULL: none */
    char *holds;                /* rules that the drive is started with */
    char *append;               /* more kernel parameters; NULL: none */
    guint64 seed;
    unsigned seeds;             /* rounds with policy random */
    unsigned repeats;           /* of the operation of a context case */
    double timeout_s;
    bool keeps_images;
    bool skips_unread;          /* kernels that no expectation row is about */
};

#define PLAN_SEED_DEFAULT 1
#define PLAN_SEEDS_DEFAULT 20
#define PLAN_SEEDS_QUICK 0
#define PLAN_REPEATS_DEFAULT 20
#define PLAN_REPEATS_QUICK 2
#define PLAN_REPEATS_MAX 1000
#define PLAN_TIMEOUT_DEFAULT_S 120
#define PLAN_TIMEOUT_QUICK_S 60

/* Refuses unknown groups and lies. */
gboolean plan_check(const struct plan *plan, GError **error);
/* The group quick and no other: then seeds and repeats are few by default. */
bool plan_is_quick(const struct plan *plan);
/* Why the group quick has this case; NULL: it has not, or was not asked for. */
const char *plan_why(const struct plan *plan, const char *name);
/* Perhaps a case of the group context is selected: the guest needs probes. */
bool plan_may_watch(const struct plan *plan);
bool plan_selects(const struct plan *plan, const char *name);
/* The selected ones among names (a copy); none is an error. */
GPtrArray *plan_select(const struct plan *plan, const GPtrArray *names,
                       GError **error);
/* "durability" of "durability.raw.fua-kept"; free with g_free(). */
char *plan_group(const char *name);
/* Base, prepare, power cut, verify; else one run. */
bool plan_has_rounds(const char *name);
/* "a,b" and "c" -> { "a", "b", "c" }; lists may be NULL. */
char **plan_split(char **lists);

#endif
