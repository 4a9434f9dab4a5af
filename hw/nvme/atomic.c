/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomic write units of a namespace (NVM 2.1.4): what was asked for, what
 * holds, and what no drive can be.
 *
 *                  normal operation    power fail
 *      unit        NAWUN ≥ AWUN        NAWUPF ≥ AWUPF, NAWUPF ≤ NAWUN
 *      boundary    NABSN ≥ NAWUN       NABSPF ≥ NAWUPF
 *      offset      NABO ≤ NABSN        NABO ≤ NABSPF
 *
 * A unit of 0 is the controller's, a boundary of 0 is none; all but NABO are
 * 0's based. The power-fail column is rule P5 of the loss model. The other one
 * promises nothing that this drive does not do anyway: a write becomes visible
 * as a whole, and a read shows one moment (media/wcache.c).
 */
#include "nvme.h"

static char *below(const char *name, uint32_t value, const char *bound,
                   uint32_t least)
{
    return value < least ? g_strdup_printf("%s=%u: below %s=%u", name, value,
                                           bound, least) : NULL;
}

/* A boundary of 0 is none. */
static char *boundary_refusal(const char *name, uint32_t boundary,
                              const char *unit_name, uint32_t unit,
                              uint32_t nabo)
{
    char *refusal = boundary ? below(name, boundary, unit_name, unit) : NULL;

    if (!refusal && nabo > boundary) {
        refusal = g_strdup_printf("nabo=%u: above %s=%u", nabo, name, boundary);
    }
    return refusal;
}

static char *unit_refusal(const struct lab_config *drive,
                          const struct lab_atomic *held)
{
    const struct {
        const char *name;
        uint32_t value;
        const char *bound;
        uint32_t least;
    } rules[] = {
        { "nawupf", held->nawupf_0based, "awupf", drive->awupf_0based },
        { "nawun", held->nawun_0based, "awun", drive->awun_0based },
        { "nawun", held->nawun_0based, "nawupf", held->nawupf_0based },
    };
    char *refusal = NULL;
    uint32_t i;

    for (i = 0; i < G_N_ELEMENTS(rules) && !refusal; i++) {
        refusal = below(rules[i].name, rules[i].value, rules[i].bound,
                        rules[i].least);
    }
    return refusal;
}

bool atomic_is_given(const struct lab_atomic *asked)
{
    return asked->nawun_0based || asked->nawupf_0based ||
           asked->nabsn_0based || asked->nabspf_0based || asked->nabo;
}

void atomic_hold(const struct lab_config *drive, const struct lab_atomic *asked,
                 struct lab_atomic *held)
{
    *held = *asked;
    if (!held->nawupf_0based) {
        held->nawupf_0based = drive->awupf_0based;
    }
    if (!held->nawun_0based) {
        held->nawun_0based = MAX(drive->awun_0based, held->nawupf_0based);
    }
}

char *atomic_refusal(const struct lab_config *drive,
                     const struct lab_atomic *asked)
{
    struct lab_atomic held;
    char *refusal;

    if (asked->nawupf_0based >= REDO_BLOCKS_MAX) {
        return g_strdup_printf("nawupf=%u: must be 0..%u", asked->nawupf_0based,
                               REDO_BLOCKS_MAX - 1);
    }
    atomic_hold(drive, asked, &held);
    refusal = unit_refusal(drive, &held);
    if (!refusal) {
        refusal = boundary_refusal("nabsn", held.nabsn_0based, "nawun",
                                   held.nawun_0based, held.nabo);
    }
    if (!refusal) {
        refusal = boundary_refusal("nabspf", held.nabspf_0based, "nawupf",
                                   held.nawupf_0based, held.nabo);
    }
    return refusal;
}

struct atomicity atomic_rule(const struct lab_config *drive,
                             const struct lab_atomic *held)
{
    if (drive->lie == LAB_LIE_ATOMIC) {
        return (struct atomicity) { .blocks = 1 };
    }
    return (struct atomicity) {
        .blocks = held->nawupf_0based + 1u,
        .boundary_blocks = held->nabspf_0based ? held->nabspf_0based + 1u : 0,
        .boundary_offset = held->nabo,
    };
}
