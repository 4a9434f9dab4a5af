/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stateless randomness: the same words always give the same 64 bits, so that
 * a choice can be repeated from a seed and the name of what was chosen, in any
 * order and by any process.
 */
#ifndef LAB_MIX_H
#define LAB_MIX_H

#include <stdint.h>

/* Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators". */
static inline uint64_t mix64(uint64_t word)
{
    word += 0x9e3779b97f4a7c15ull;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ull;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebull;
    return word ^ (word >> 31);
}

static inline uint64_t mix64_of(uint64_t seed, uint64_t a, uint64_t b)
{
    return mix64(mix64(mix64(seed) ^ a) ^ b);
}

#endif
