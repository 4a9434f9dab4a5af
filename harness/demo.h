/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo.h: a run as tables for people.
 */
#ifndef HARNESS_DEMO_H
#define HARNESS_DEMO_H

#include <stdio.h>

#include "result.h"

/* Coloured when out is a terminal and NO_COLOR is not set. */
void demo_print(const struct run_result *run, FILE *out);

/* The tables, appended to text. */
void demo_cells(const struct run_result *run, GString *text, bool has_colour);
void demo_cuts(const struct run_result *run, GString *text, bool has_colour);

#endif
