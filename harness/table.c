/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.c: columns of text, as wide as what stands in them.
 *
 * Cells are ASCII: a byte is a column.
 */
#include "table.h"

#include <stdarg.h>
#include <string.h>

#define GAP 2

static const char *const codes[COLOUR_COUNT] = {
    [PLAIN] = "\033[0m", [BOLD] = "\033[1m", [RED] = "\033[31m",
    [GREEN] = "\033[32m", [YELLOW] = "\033[33m", [BLUE] = "\033[34m",
    [MAGENTA] = "\033[35m", [CYAN] = "\033[36m",
};

struct table_cell {
    enum colour colour;
    char *text;
};

struct table {
    GPtrArray *rows;            /* GArray of struct table_cell */
    GArray *widths;             /* gsize, per column */
};

static void cell_clear(gpointer data)
{
    struct table_cell *cell = data;

    g_free(cell->text);
}

struct table *table_new(void)
{
    struct table *table = g_new0(struct table, 1);

    table->rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    table->widths = g_array_new(FALSE, TRUE, sizeof(gsize));
    return table;
}

void table_free(struct table *table)
{
    g_ptr_array_unref(table->rows);
    g_array_unref(table->widths);
    g_free(table);
}

void table_row(struct table *table)
{
    GArray *row = g_array_new(FALSE, TRUE, sizeof(struct table_cell));

    g_array_set_clear_func(row, cell_clear);
    g_ptr_array_add(table->rows, row);
}

void table_cell(struct table *table, enum colour colour, const char *format,
                ...)
{
    GArray *row = table->rows->pdata[table->rows->len - 1];
    struct table_cell cell = { .colour = colour };
    guint column = row->len;
    gsize *width;
    va_list ap;

    va_start(ap, format);
    cell.text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_array_append_val(row, cell);
    if (table->widths->len <= column) {
        g_array_set_size(table->widths, column + 1);
    }
    width = &g_array_index(table->widths, gsize, column);
    *width = MAX(*width, strlen(cell.text));
}

void colour_append(GString *text, bool has_colour, enum colour colour,
                   const char *words)
{
    has_colour = has_colour && colour != PLAIN;
    g_string_append_printf(text, "%s%s%s", has_colour ? codes[colour] : "",
                           words, has_colour ? codes[PLAIN] : "");
}

void heading_append(GString *text, bool has_colour, const char *words)
{
    g_string_append_c(text, '\n');
    colour_append(text, has_colour, BOLD, words);
    g_string_append_c(text, '\n');
}

/* The last cell of a row is not filled up. */
void table_append(const struct table *table, GString *text,
                  const char *prefix, bool has_colour)
{
    for (guint i = 0; i < table->rows->len; i++) {
        const GArray *row = table->rows->pdata[i];

        g_string_append(text, prefix);
        for (guint j = 0; j < row->len; j++) {
            const struct table_cell *cell =
                &g_array_index(row, struct table_cell, j);
            gsize width = g_array_index(table->widths, gsize, j);
            gsize fill = j + 1 < row->len ? width - strlen(cell->text) + GAP
                                          : 0;

            colour_append(text, has_colour, cell->colour, cell->text);
            g_string_append_printf(text, "%*s", (int)fill, "");
        }
        g_string_append_c(text, '\n');
    }
}
