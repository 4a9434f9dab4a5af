/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_kernel.c: what is a kernel and what is none; which one a word means.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "bzimage.h"
#include "kernel.h"
#include "results.h"

static char *directory;

static char *write_file(const char *name, const guint8 *bytes, gsize length)
{
    char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_mkdir_with_parents(parent, 0755);
    g_assert_true(g_file_set_contents(path, (const char *)bytes,
                                      (gssize)length, NULL));
    return path;
}

static void make_image(guint8 *bytes)
{
    memset(bytes, 0, 4096);
    bytes[0x1f1] = 4;
    bytes[0x1fe] = 0x55;
    bytes[0x1ff] = 0xaa;
    memcpy(bytes + 0x202, "HdrS", 4);
    bytes[0x206] = 0x0f;
    bytes[0x207] = 0x02;
    bytes[0x20e] = 0x00;
    bytes[0x20f] = 0x02;        /* version string at 0x200 + 0x200 */
    bytes[0x211] = 0x01;
    memcpy(bytes + 0x400, "6.12.9-test (me@here) #1", 25);
}

static void expect_refused(const guint8 *bytes, gsize length, const char *why)
{
    g_autofree char *path = write_file("image", bytes, length);
    g_autoptr(GError) error = NULL;

    g_assert_null(bzimage_version(path, &error));
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, "is no kernel"));
    if (!strstr(error->message, why)) {
        g_error("'%s' does not say '%s'", error->message, why);
    }
}

static void test_bzimage(void)
{
    guint8 bytes[4096];
    g_autofree char *path = NULL;
    g_autofree char *version = NULL;

    make_image(bytes);
    path = write_file("bzImage", bytes, sizeof(bytes));
    version = bzimage_version(path, NULL);
    g_assert_cmpstr(version, ==, "6.12.9-test (me@here) #1");
    expect_refused(bytes, 100, "too short");
    bytes[0x1fe] = 0;
    expect_refused(bytes, sizeof(bytes), "0xaa55");
    make_image(bytes);
    bytes[0x203] = 'x';
    expect_refused(bytes, sizeof(bytes), "HdrS");
    make_image(bytes);
    bytes[0x211] = 0;
    expect_refused(bytes, sizeof(bytes), "bzImage");
    make_image(bytes);
    bytes[0x20f] = 0xff;        /* a pointer out of the setup code */
    g_free(write_file("bzImage", bytes, sizeof(bytes)));
    g_free(version);
    version = bzimage_version(path, NULL);
    g_assert_cmpstr(version, ==, "unknown");
}

static void make_cached(const char *series, const char *version,
                        gboolean is_finished)
{
    g_autofree char *base = g_strdup_printf("kernels/%s/%s/", series, version);
    g_autofree char *image = g_strconcat(base, "vmlinuz", NULL);
    g_autofree char *info = g_strconcat(base, "info", NULL);
    g_autofree char *text = g_strdup_printf("version=%s\nseries=%s\n",
                                            version, series);

    g_free(write_file(image, (const guint8 *)"x", 1));
    if (is_finished) {
        g_free(write_file(info, (const guint8 *)text, strlen(text)));
    }
}

static void expect_found(const char *word, const char *version)
{
    g_autoptr(GError) error = NULL;
    struct kernel *kernel = kernel_find(word, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(kernel->version, ==, version);
    g_assert_cmpstr(kernel->given, ==, word);
    kernel_free(kernel);
}

static void test_cache(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_build_filename(directory, "kernels/6.12/current",
                                             NULL);

    make_cached("6.1", "6.1.192-cloud", TRUE);
    make_cached("6.12", "6.12.9-cloud", TRUE);
    make_cached("6.12", "6.12.107-cloud", TRUE);
    make_cached("6.12", "6.12.200-cloud", FALSE);
    g_assert_cmpint(symlink("6.12.9-cloud", link), ==, 0);
    expect_found("6.12", "6.12.107-cloud");
    expect_found("6.1", "6.1.192-cloud");
    expect_found("6.12.9-cloud", "6.12.9-cloud");
    expect_found("newest", "6.12.107-cloud");
    g_assert_null(kernel_find("5.10", &error));
    g_assert_nonnull(strstr(error->message, "no kernel '5.10'"));
}

static void test_path(void)
{
    guint8 bytes[4096];
    g_autofree char *tree = NULL;
    g_autofree char *image = NULL;
    g_autoptr(GError) error = NULL;
    struct kernel *kernel;

    make_image(bytes);
    g_free(write_file("tree/arch/x86/boot/bzImage", bytes, sizeof(bytes)));
    tree = g_build_filename(directory, "tree", NULL);
    kernel = kernel_find(tree, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(kernel->name, ==, "6.12.9-test");
    g_assert_cmpstr(kernel->version, ==, "6.12.9-test");
    image = g_build_filename(kernel->directory, "vmlinuz", NULL);
    g_assert_true(g_file_test(image, G_FILE_TEST_IS_REGULAR));
    kernel_free(kernel);

    g_assert_null(kernel_find(directory, &error));
    g_assert_nonnull(strstr(error->message, directory));
    g_clear_error(&error);
    g_assert_null(kernel_find("/nonexistent/bzImage", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/bzImage"));
}

int main(int argc, char **argv)
{
    int code;

    directory = g_dir_make_tmp("nvmelab-kernel-XXXXXX", NULL);
    g_setenv("NVMELAB_CACHE", directory, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel/bzimage", test_bzimage);
    g_test_add_func("/kernel/cache", test_cache);
    g_test_add_func("/kernel/path", test_path);
    code = g_test_run();
    results_remove(directory);
    return code;
}
