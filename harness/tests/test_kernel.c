/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_kernel.c: what is a kernel and what is none; which one a word means.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#include "bzimage.h"
#include "failure.h"
#include "ikconfig.h"
#include "kernel.h"
#include "kernel_config.h"
#include "kernel_tree.h"
#include "paths.h"
#include "results.h"

#define IMAGE "arch/x86/boot/bzImage"

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

/* Where the parts of a fake kernel tree are. */
static char *in_tree(const char *tree, const char *name)
{
    return g_build_filename(directory, tree, name, NULL);
}

static void write_text(const char *tree, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(tree, name, NULL);

    g_free(write_file(path, (const guint8 *)text, strlen(text)));
}

static void set_age(const char *tree, const char *name, time_t seconds)
{
    g_autofree char *path = in_tree(tree, name);
    struct utimbuf times = { .modtime = 1700000000 - seconds };

    g_assert_cmpint(utime(path, &times), ==, 0);
}

/* Everything that images/kernel.config.d asks for, then what is given. */
static void write_config(const char *tree, const char *more)
{
    g_autofree char *path =
        paths_in_root("images/kernel.config.d/nvmelab.config");
    g_autofree char *fragment = NULL;
    g_autofree char *config = NULL;

    g_assert_true(g_file_get_contents(path, &fragment, NULL, NULL));
    config = g_strconcat(more, fragment, NULL);
    write_text(tree, ".config", config);
}

static void make_output(const char *tree)
{
    guint8 bytes[4096];
    g_autofree char *image = g_build_filename(tree, IMAGE, NULL);

    make_image(bytes);
    g_free(write_file(image, bytes, sizeof(bytes)));
    write_config(tree, "");
}

static void make_source(const char *tree)
{
    write_text(tree, "Makefile", "VERSION = 6\n");
    write_text(tree, "Kconfig", "source \"init/Kconfig\"\n");
    write_text(tree, "arch/x86/Makefile", "\n");
    write_text(tree, "fs/xfs/Makefile", "\n");
}

static void expect_boots(const char *tree, const char *boots)
{
    g_autofree char *path = in_tree(tree, "");
    g_autofree char *wanted = in_tree(boots, "");
    g_autoptr(GError) error = NULL;
    struct kernel *kernel = kernel_find(path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(kernel->image, ==, wanted);
    g_assert_cmpstr(kernel->version, ==, "6.12.9-test");
    kernel_free(kernel);
}

static void expect_no_kernel(const char *tree, const char *why)
{
    g_autofree char *path = in_tree(tree, "");
    g_autoptr(GError) error = NULL;

    g_assert_null(kernel_find(path, &error));
    g_assert_error(error, FAILURE, FAILURE_USAGE);
    g_assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, why)) {
        g_error("'%s' does not say '%s'", error->message, why);
    }
}

static void test_path(void)
{
    g_autofree char *tree = NULL;
    g_autofree char *image = NULL;
    g_autoptr(GError) error = NULL;
    struct kernel *kernel;

    make_output("tree");
    tree = g_build_filename(directory, "tree", NULL);
    kernel = kernel_find(tree, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(kernel->name, ==, "6.12.9-test");
    g_assert_cmpstr(kernel->version, ==, "6.12.9-test");
    g_assert_cmpstr(kernel->given, ==, tree);
    image = g_build_filename(kernel->directory, "vmlinuz", NULL);
    g_assert_true(g_file_test(image, G_FILE_TEST_IS_REGULAR));
    kernel_free(kernel);

    g_assert_null(kernel_find(directory, &error));
    g_assert_nonnull(strstr(error->message, directory));
    g_clear_error(&error);
    g_assert_null(kernel_find("/nonexistent/bzImage", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/bzImage"));
}

/* The unpacked image is taken when it is the same kernel and can boot. */
static void test_tree_images(void)
{
    make_source("images");
    expect_no_kernel("images", "no " IMAGE);
    make_output("images");
    expect_boots("images", "images/" IMAGE);
    write_config("images", "CONFIG_PVH=n\n");
    write_text("images", "vmlinux", "ELF");
    set_age("images", "vmlinux", 20);
    set_age("images", IMAGE, 10);
    expect_boots("images", "images/" IMAGE);
    write_config("images", "CONFIG_PVH=y\n");
    expect_boots("images", "images/vmlinux");
    set_age("images", "vmlinux", 10);
    expect_boots("images", "images/vmlinux");
    set_age("images", "vmlinux", 5);
    expect_no_kernel("images", "vmlinux is newer");
}

static void test_tree_config(void)
{
    g_autofree char *config = NULL;

    make_source("config");
    make_output("config");
    config = in_tree("config", ".config");
    g_unlink(config);
    expect_no_kernel("config", "config/.config");
    write_text("config", ".config", "CONFIG_PCI=y\n");
    expect_no_kernel("config", "CONFIG_BLK_DEV_NVME=y CONFIG_AIO=y");
    /* The first line of an option counts: a module, and one not built. */
    write_config("config", "CONFIG_XFS_FS=m\n");
    expect_no_kernel("config", ".config lacks CONFIG_XFS_FS=y;");
    write_text("config", "modules.order", "fs/xfs/xfs.o\n");
    expect_boots("config", "config/" IMAGE);
    write_config("config", "CONFIG_BLK_DEV_NVME=m\n");
    expect_no_kernel("config", ".config lacks CONFIG_BLK_DEV_NVME=y;");
}

static const char fragment[] =
    "# module: B BC\n"
    "# context: C\n"
    "# context: D E\n"
    "# instead: C CC CCC\n"
    "# optional: F\n"
    "# CONFIG_X=y\n"
    "CONFIG_A=y\n"
    "\n"
    "CONFIG_B=y\n"
    "CONFIG_C=y\n"
    "CONFIG_D=y\n"
    "CONFIG_F=y\n";

static void expect_lacks_for(enum kernel_config_need need, const char *config,
                             bool has_modules, const char *wanted)
{
    g_autofree char *lacks = kernel_config_lacks(fragment, config, need,
                                                 has_modules);

    g_assert_cmpstr(lacks, ==, wanted);
}

static void expect_lacks(const char *config, bool has_modules,
                         const char *wanted)
{
    expect_lacks_for(KERNEL_CONFIG_GUEST, config, has_modules, wanted);
}

static void test_lacks(void)
{
    expect_lacks("CONFIG_A=y\nCONFIG_B=y\n", false, NULL);
    expect_lacks("", true, "CONFIG_A=y CONFIG_B=y");
    expect_lacks("CONFIG_AB=y\nCONFIG_B=y\n", true, "CONFIG_A=y");
    expect_lacks("# CONFIG_A is not set\nCONFIG_B=y", true, "CONFIG_A=y");
    expect_lacks("CONFIG_A=y\nCONFIG_B=m\n", true, NULL);
    expect_lacks("CONFIG_A=y\nCONFIG_B=m\n", false, "CONFIG_B=y");
    expect_lacks("CONFIG_A=m\nCONFIG_B=y\n", true, "CONFIG_A=y");
}

static void test_lacks_context(void)
{
    expect_lacks_for(KERNEL_CONFIG_CONTEXT, "", true, "CONFIG_C=y CONFIG_D=y");
    expect_lacks_for(KERNEL_CONFIG_CONTEXT, "CONFIG_C=y\nCONFIG_D=y\n", true,
                     NULL);
    expect_lacks_for(KERNEL_CONFIG_CONTEXT, "CONFIG_CCC=y\n", true,
                     "CONFIG_D=y");
    expect_lacks_for(KERNEL_CONFIG_CONTEXT, "CONFIG_CCCC=y\n", true,
                     "CONFIG_C=y CONFIG_D=y");
}

/* Every option that a mark of the real fragment names is one it sets. */
static void test_fragment(void)
{
    g_autofree char *text = kernel_config_fragment(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned checked = 0;

    for (char **line = lines; *line; line++) {
        static const char *const marks[] = {
            "# module: ", "# context: ", "# optional: "
        };

        for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
            g_auto(GStrv) options =
                g_str_has_prefix(*line, marks[i])
                ? g_strsplit(*line + strlen(marks[i]), " ", -1) : NULL;

            for (char **option = options; option && *option; option++) {
                g_assert_true(kernel_config_is_yes(text, *option));
                checked++;
            }
        }
    }
    g_assert_cmpuint(checked, >, 10);
}

/* Without probes the kernel is good for all but the group context. */
static void test_watchable(void)
{
    g_autofree char *path = in_tree("blind", "");
    g_autoptr(GError) error = NULL;
    struct kernel *kernel;

    make_source("blind");
    make_output("blind");
    kernel = kernel_find(path, &error);
    g_assert_no_error(error);
    g_assert_true(kernel_check_watchable(kernel, &error));
    kernel_free(kernel);
    write_config("blind", "CONFIG_KPROBE_EVENTS=n\nCONFIG_UNWINDER_ORC=n\n");
    kernel = kernel_find(path, &error);
    g_assert_no_error(error);
    g_assert_false(kernel_check_watchable(kernel, &error));
    g_assert_error(error, FAILURE, FAILURE_USAGE);
    g_assert_nonnull(strstr(error->message, "blind/.config lacks "
                            "CONFIG_KPROBE_EVENTS=y CONFIG_UNWINDER_ORC=y, "));
    kernel_free(kernel);
}

/* A tree's bzImage by its path is that tree, not the one that O names. */
static void test_image_of_tree(void)
{
    g_autofree char *image = in_tree("named", IMAGE);
    g_autoptr(GError) error = NULL;
    struct kernel *kernel;

    make_source("named");
    make_output("named");
    write_config("named", "CONFIG_PVH=y\n");
    write_text("named", "vmlinux", "ELF");
    set_age("named", "vmlinux", 20);
    set_age("named", IMAGE, 10);
    g_setenv("O", "none", TRUE);
    kernel = kernel_find(image, &error);
    g_unsetenv("O");
    g_assert_no_error(error);
    g_assert_cmpstr(kernel->given, ==, image);
    g_assert_true(g_str_has_suffix(kernel->image, "named/vmlinux"));
    kernel_free(kernel);
    write_config("named", "CONFIG_IO_URING=n\n");
    g_assert_null(kernel_find(image, &error));
    g_assert_nonnull(strstr(error->message, "lacks CONFIG_IO_URING=y;"));
}

static void append_gzipped(GByteArray *bytes, const char *text)
{
    g_autoptr(GConverter) converter =
        G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, converter);

    g_assert_true(g_output_stream_write_all(stream, text, strlen(text), NULL,
                                            NULL, NULL));
    g_assert_true(g_output_stream_close(stream, NULL, NULL));
    g_byte_array_append(
        bytes, g_memory_output_stream_get_data(G_MEMORY_OUTPUT_STREAM(memory)),
        (guint)g_memory_output_stream_get_data_size(
            G_MEMORY_OUTPUT_STREAM(memory)));
}

/* A bzImage with a payload of its own: some code, then what is given. */
static char *write_image(const char *name, const char *program,
                         const guint8 *kernel, gsize length)
{
    g_autofree char *plain = write_file("kernel", kernel, length);
    g_autofree char *command =
        g_strdup_printf("/bin/sh -c '%s -c %s >%s.packed'", program, plain,
                        plain);
    g_autofree char *path = g_strconcat(plain, ".packed", NULL);
    g_autofree char *packed = NULL;
    g_autoptr(GByteArray) image = g_byte_array_new();
    guint8 bytes[4096];
    gsize size;

    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &packed, &size, NULL));
    make_image(bytes);
    g_byte_array_append(image, bytes, sizeof(bytes));
    g_byte_array_append(image, (const guint8 *)packed, (guint)size);
    if (!g_str_equal(program, "gzip")) {
        /* the size when unpacked, which counts as payload */
        g_byte_array_append(image, (const guint8 *)"size", 4);
        size += 4;
    }
    image->data[0x249] = 0x06;  /* 4096 - (4 + 1) * 512 */
    image->data[0x24c] = (guint8)size;
    image->data[0x24d] = (guint8)(size >> 8);
    return write_file(name, image->data, image->len);
}

static void test_ikconfig(void)
{
    static const char *const programs[] = { "gzip", "zstd", "xz" };
    g_autoptr(GByteArray) kernel = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    guint8 bytes[4096];
    g_autofree char *none = NULL;

    g_byte_array_append(kernel, (const guint8 *)"code IKCFG_ST", 13);
    append_gzipped(kernel, "CONFIG_PCI=y\n");
    g_byte_array_append(kernel, (const guint8 *)"IKCFG_ED code", 13);
    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *path = write_image("single/bzImage", programs[i],
                                            kernel->data, kernel->len);
        g_autofree char *config = ikconfig_of_image(path);

        g_assert_cmpstr(config, ==, "CONFIG_PCI=y\n");
        g_assert_null(kernel_find(path, &error));
        g_assert_error(error, FAILURE, FAILURE_USAGE);
        g_assert_nonnull(strstr(error->message, "CONFIG_BLK_DEV_NVME=y "));
        g_clear_error(&error);
    }
    /* None in it, cut short, and no payload: nobody knows. */
    g_free(write_image("single/bzImage", "gzip", (const guint8 *)"code", 4));
    none = g_build_filename(directory, "single/bzImage", NULL);
    g_assert_null(ikconfig_of_image(none));
    g_free(write_image("single/bzImage", "gzip", kernel->data, 20));
    g_assert_null(ikconfig_of_image(none));
    make_image(bytes);
    bytes[0x24f] = 0xff;
    g_free(write_file("single/bzImage", bytes, sizeof(bytes)));
    g_assert_null(ikconfig_of_image(none));
}

/* O as make takes it; an output directory is not sent elsewhere. */
static void test_tree_output(void)
{
    g_autofree char *output = in_tree("elsewhere", "");

    make_source("split");
    make_output("split/out");
    make_output("elsewhere");
    expect_no_kernel("split", "no " IMAGE);
    g_setenv("O", "out", TRUE);
    expect_boots("split", "split/out/" IMAGE);
    expect_boots("elsewhere", "elsewhere/" IMAGE);
    g_setenv("O", output, TRUE);
    expect_boots("split", "elsewhere/" IMAGE);
    g_setenv("O", "none", TRUE);
    expect_no_kernel("split", "split/none: no " IMAGE);
    g_unsetenv("O");
    g_setenv("KBUILD_OUTPUT", "out", TRUE);
    expect_boots("split", "split/out/" IMAGE);
    g_unsetenv("KBUILD_OUTPUT");
}

static void test_default(void)
{
    g_autofree char *here = g_get_current_dir();
    g_autofree char *deep = in_tree("around", "fs/xfs");
    g_autofree char *tree = g_build_filename(directory, "around", NULL);
    g_autofree char *kconfig = in_tree("around", "Kconfig");
    g_autofree char *word = NULL;
    g_autofree char *found = NULL;

    make_source("around");
    g_assert_cmpint(chdir(deep), ==, 0);
    word = kernel_default();
    g_assert_cmpstr(word, ==, tree);
    g_unlink(kconfig);
    found = kernel_default();
    g_assert_cmpstr(found, ==, KERNEL_DEFAULT);
    g_assert_cmpint(chdir(here), ==, 0);
}

int main(int argc, char **argv)
{
    int code;

    directory = g_dir_make_tmp("nvmelab-kernel-XXXXXX", NULL);
    g_setenv("NVMELAB_CACHE", directory, TRUE);
    g_unsetenv("O");
    g_unsetenv("KBUILD_OUTPUT");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel/bzimage", test_bzimage);
    g_test_add_func("/kernel/cache", test_cache);
    g_test_add_func("/kernel/path", test_path);
    g_test_add_func("/kernel/tree-images", test_tree_images);
    g_test_add_func("/kernel/tree-config", test_tree_config);
    g_test_add_func("/kernel/lacks", test_lacks);
    g_test_add_func("/kernel/lacks-context", test_lacks_context);
    g_test_add_func("/kernel/fragment", test_fragment);
    g_test_add_func("/kernel/watchable", test_watchable);
    g_test_add_func("/kernel/image-of-tree", test_image_of_tree);
    g_test_add_func("/kernel/tree-output", test_tree_output);
    g_test_add_func("/kernel/default", test_default);
    /* Last: it has threads, and the others set the environment. */
    g_test_add_func("/kernel/ikconfig", test_ikconfig);
    code = g_test_run();
    results_remove(directory);
    return code;
}
