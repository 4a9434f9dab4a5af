/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h: columns of text, as wide as what stands in them.
 */
#ifndef HARNESS_TABLE_H
#define HARNESS_TABLE_H

#include <glib.h>
#include <stdbool.h>

enum colour {
    PLAIN, BOLD, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, COLOUR_COUNT
};

struct table;

struct table *table_new(void);
void table_free(struct table *table);

/* A new row; cells go to the last one. */
void table_row(struct table *table);
void table_cell(struct table *table, enum colour colour, const char *format,
                ...) G_GNUC_PRINTF(3, 4);
/* Appends the rows to text, each behind the prefix. */
void table_append(const struct table *table, GString *text,
                  const char *prefix, bool has_colour);
/* Appends words in a colour. */
void colour_append(GString *text, bool has_colour, enum colour colour,
                   const char *words);
/* An empty line, then the words, bold, on their own. */
void heading_append(GString *text, bool has_colour, const char *words);

#endif
