/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_trace.c: nvmelab trace show|stat FILE.
 *
 * A trace that has lost records is shown, but the exit code says that nothing
 * may be concluded from it.
 */
#include "verb.h"

#include "failure.h"
#include "trace_show.h"

static char *format_word;

static const GOptionEntry options[] = {
    { "format", 0, 0, G_OPTION_ARG_STRING, &format_word,
      "text or json (text)", "FORMAT" },
    G_OPTION_ENTRY_NULL
};

typedef void show_fn(const struct trace *trace, enum trace_format format,
                     FILE *out);

static int show_file(show_fn *show, enum trace_format format, const char *path)
{
    g_autoptr(GError) cause = NULL;
    struct trace *trace = trace_read(path, &cause);
    int code = EXIT_PASS;

    if (!trace) {
        return failure_report(cause);
    }
    show(trace, format, stdout);
    if (trace->lost) {
        g_printerr("nvmelab: %s: lost %" G_GUINT64_FORMAT " records\n", path,
                   trace->lost);
        code = EXIT_INFRA;
    }
    trace_free(trace);
    return code;
}

static int run(int argc, char **argv)
{
    enum trace_format format = TRACE_TEXT;
    show_fn *show = NULL;

    if (format_word && g_str_equal(format_word, "json")) {
        format = TRACE_JSON;
    } else if (format_word && !g_str_equal(format_word, "text")) {
        g_printerr("nvmelab: no format is called '%s'; there are: text "
                   "json\n", format_word);
        return EXIT_USAGE;
    }
    if (argc > 3) {
        return verb_refuse(&verb_trace, argv[3]);
    }
    if (argc > 1 && g_str_equal(argv[1], "show")) {
        show = trace_show;
    } else if (argc > 1 && g_str_equal(argv[1], "stat")) {
        show = trace_stat;
    } else if (argc > 1) {
        return verb_refuse(&verb_trace, argv[1]);
    }
    if (argc < 3) {
        g_printerr("nvmelab: trace: what? show FILE, or stat FILE\n");
        return EXIT_USAGE;
    }
    return show_file(show, format, argv[2]);
}

const struct verb verb_trace = {
    "trace", "show|stat FILE", "read a command trace", options, run
};
