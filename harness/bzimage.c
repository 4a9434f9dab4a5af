/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bzimage.c: the boot header of x86 Linux kernels.
 *
 * Fields by offset in the file, from Documentation/arch/x86/boot.rst (6.12),
 * "Details of Header Fields": setup_sects 0x1f1, boot_flag 0x1fe = 0xaa55,
 * header 0x202 = "HdrS", version 0x206, kernel_version 0x20e (pointer minus
 * 0x200), loadflags 0x211 bit 0 (loaded high: a bzImage, not a zImage),
 * payload_offset 0x248 (behind the setup sectors) and payload_length 0x24c,
 * from version 2.08 on.
 */
#include "bzimage.h"

#include <stdio.h>
#include <string.h>

#include "failure.h"

#define SETUP_BYTES_MAX (65 * 512)
#define HEADER_END 0x212
#define PAYLOAD_HEADER_END 0x250

struct image {
    const char *path;
    guint8 bytes[SETUP_BYTES_MAX];
    gsize length;
};

static gboolean image_read(struct image *image, GError **error)
{
    FILE *file = fopen(image->path, "rb");

    if (!file) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "%s: %m", image->path);
        return FALSE;
    }
    image->length = fread(image->bytes, 1, sizeof(image->bytes), file);
    fclose(file);
    return TRUE;
}

static unsigned image_u16(const struct image *image, gsize offset)
{
    return image->bytes[offset] | image->bytes[offset + 1] << 8;
}

static gsize image_u32(const struct image *image, gsize offset)
{
    return image_u16(image, offset) |
           (gsize)image_u16(image, offset + 2) << 16;
}

static gsize image_setup_bytes(const struct image *image)
{
    gsize sectors = image->bytes[0x1f1] ? image->bytes[0x1f1] : 4;

    return (sectors + 1) * 512;
}

/* NULL when the header is that of a bzImage. */
static const char *image_flaw(const struct image *image)
{
    if (image->length < HEADER_END) {
        return "too short for a boot header";
    }
    if (image_u16(image, 0x1fe) != 0xaa55) {
        return "no boot flag 0xaa55 at 0x1fe";
    }
    if (memcmp(image->bytes + 0x202, "HdrS", 4) != 0) {
        return "no boot header 'HdrS' at 0x202";
    }
    if (image_u16(image, 0x206) < 0x0200 || !(image->bytes[0x211] & 1)) {
        return "not a bzImage: boot protocol too old or not loaded high";
    }
    return NULL;
}

static char *image_version(const struct image *image)
{
    gsize offset = image_u16(image, 0x20e) + 0x200;
    gsize end = MIN(image->length, image_setup_bytes(image));

    if (offset == 0x200 || offset >= end) {
        return g_strdup("unknown");
    }
    return g_strndup((const char *)image->bytes + offset, end - offset);
}

char *bzimage_version(const char *path, GError **error)
{
    struct image image = { .path = path };
    const char *flaw;

    if (!image_read(&image, error)) {
        return NULL;
    }
    flaw = image_flaw(&image);
    if (flaw) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s is no kernel: %s", path, flaw);
        return NULL;
    }
    return image_version(&image);
}

GBytes *bzimage_payload(const char *path)
{
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
    struct image image = { .path = path };
    gsize offset, length;

    if (!file || !image_read(&image, NULL) || image_flaw(&image) ||
        image.length < PAYLOAD_HEADER_END || image_u16(&image, 0x206) < 0x208) {
        return NULL;
    }
    offset = image_setup_bytes(&image) + image_u32(&image, 0x248);
    length = image_u32(&image, 0x24c);
    if (!length || offset > g_mapped_file_get_length(file) ||
        length > g_mapped_file_get_length(file) - offset) {
        return NULL;
    }
    return g_bytes_new(g_mapped_file_get_contents(file) + offset, length);
}
