/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ikconfig.c: out of the bzImage the kernel, out of the kernel its .config.
 *
 * The kernel has it gzipped between two marks (kernel/configs.c, 6.12). All
 * payloads but gzip's have four bytes behind them, the size when unpacked
 * (scripts/Makefile.lib, 6.12: size_append).
 */
#include "ikconfig.h"

#include <gio/gio.h>
#include <string.h>

#include "bzimage.h"

#define SIZE_BYTES 4
#define CONFIG_BYTES_MAX (16u << 20)

static const char mark_start[] = "IKCFG_ST";
static const char mark_end[] = "IKCFG_ED";

static const struct {
    const char *magic;
    gsize magic_length;
    const char *program;
    gsize trailer;
} packers[] = {
    { "\x1f\x8b", 2, "gzip", 0 },
    { "\x28\xb5\x2f\xfd", 4, "zstd", SIZE_BYTES },
    { "\xfd" "7zXZ", 5, "xz", SIZE_BYTES },
    { "BZh", 3, "bzip2", SIZE_BYTES },
    { "\x02\x21\x4c\x18", 4, "lz4", SIZE_BYTES },
};

static GBytes *run_unpacker(const char *program, GBytes *packed)
{
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE |
                         G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                         G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, program,
                         "-dc", NULL);
    GBytes *unpacked = NULL;

    if (!process || !g_subprocess_communicate(process, packed, NULL, &unpacked,
                                              NULL, NULL)) {
        return NULL;
    }
    if (!g_subprocess_get_successful(process)) {
        g_clear_pointer(&unpacked, g_bytes_unref);
    }
    return unpacked;
}

static GBytes *unpack(GBytes *payload)
{
    gsize length;
    const char *bytes = g_bytes_get_data(payload, &length);

    for (gsize i = 0; i < G_N_ELEMENTS(packers); i++) {
        if (length > packers[i].magic_length + packers[i].trailer &&
            memcmp(bytes, packers[i].magic, packers[i].magic_length) == 0) {
            g_autoptr(GBytes) packed =
                g_bytes_new_from_bytes(payload, 0,
                                       length - packers[i].trailer);

            return run_unpacker(packers[i].program, packed);
        }
    }
    return NULL;
}

static char *gunzip(const char *packed, gsize length)
{
    g_autoptr(GConverter) converter =
        G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    g_autoptr(GInputStream) memory =
        g_memory_input_stream_new_from_data(packed, (gssize)length, NULL);
    g_autoptr(GInputStream) stream =
        g_converter_input_stream_new(memory, converter);
    g_autofree char *text = g_malloc(CONFIG_BYTES_MAX + 1);
    gsize used = 0;

    if (!g_input_stream_read_all(stream, text, CONFIG_BYTES_MAX, &used, NULL,
                                 NULL)) {
        return NULL;
    }
    text[used] = '\0';
    return g_strdup(text);
}

static char *find_config(GBytes *kernel)
{
    gsize length;
    const char *bytes = g_bytes_get_data(kernel, &length);
    const char *start = memmem(bytes, length, mark_start, strlen(mark_start));
    const char *end;

    if (!start) {
        return NULL;
    }
    start += strlen(mark_start);
    end = memmem(start, length - (gsize)(start - bytes), mark_end,
                 strlen(mark_end));
    return end ? gunzip(start, (gsize)(end - start)) : NULL;
}

char *ikconfig_of_image(const char *bzimage)
{
    g_autoptr(GBytes) payload = bzimage_payload(bzimage);
    g_autoptr(GBytes) kernel = payload ? unpack(payload) : NULL;

    return kernel ? find_config(kernel) : NULL;
}
