/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.c: finding guest kernels.
 *
 * The cache has kernels/SERIES/VERSION/{vmlinuz,vmlinux,modules/,info} from
 * scripts/fetch-kernel. A bzImage given by path is used where it lies; it gets
 * a directory of the same shape in the cache, so that images/build-initramfs
 * need not know the difference, with the modules found beside it, or in the
 * tree that it was built in, if any.
 */
#include "kernel.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "bzimage.h"
#include "failure.h"
#include "ikconfig.h"
#include "kernel_config.h"
#include "kernel_tree.h"
#include "paths.h"

void kernel_free(struct kernel *kernel)
{
    if (!kernel) {
        return;
    }
    g_free(kernel->name);
    g_free(kernel->given);
    g_free(kernel->series);
    g_free(kernel->version);
    g_free(kernel->image);
    g_free(kernel->directory);
    g_free(kernel->unwatchable);
    g_free(kernel);
}

/* The value of KEY=VALUE in an info file, or NULL. */
static char *info_value(const char *directory, const char *key)
{
    g_autofree char *path = g_build_filename(directory, "info", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *equals = strchr(*line, '=');

        if (equals && strlen(key) == (size_t)(equals - *line) &&
            g_str_has_prefix(*line, key)) {
            return g_strdup(equals + 1);
        }
    }
    return NULL;
}

/* A directory without info is one that a fetch did not finish. */
static struct kernel *kernel_from_cache(const char *directory)
{
    struct kernel *kernel;
    char *version = info_value(directory, "version");

    if (!version) {
        return NULL;
    }
    kernel = g_new0(struct kernel, 1);
    kernel->version = version;
    kernel->series = info_value(directory, "series");
    /* The unpacked ELF image, if there is one, boots faster under TCG. */
    kernel->image = g_build_filename(directory, "vmlinux", NULL);
    if (!g_file_test(kernel->image, G_FILE_TEST_IS_REGULAR)) {
        g_free(kernel->image);
        kernel->image = g_build_filename(directory, "vmlinuz", NULL);
    }
    kernel->directory = g_strdup(directory);
    return kernel;
}

static void cache_add_series(GPtrArray *kernels, const char *series)
{
    g_autoptr(GDir) dir = g_dir_open(series, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(series, name, NULL);
        struct kernel *kernel = NULL;

        /* "current" is a link to one of its neighbours. */
        if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
            kernel = kernel_from_cache(path);
        }
        if (kernel) {
            g_ptr_array_add(kernels, kernel);
        }
    }
}

static int by_version(gconstpointer a, gconstpointer b)
{
    const struct kernel *one = *(struct kernel *const *)a;
    const struct kernel *two = *(struct kernel *const *)b;

    return strverscmp(one->version, two->version);
}

GPtrArray *kernel_cached(void)
{
    g_autofree char *root = g_build_filename(paths_cache(), "kernels", NULL);
    g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
    GPtrArray *kernels =
        g_ptr_array_new_with_free_func((GDestroyNotify)kernel_free);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *series = g_build_filename(root, name, NULL);

        cache_add_series(kernels, series);
    }
    g_ptr_array_sort(kernels, by_version);
    return kernels;
}

static bool answers_to(const struct kernel *kernel, const char *word)
{
    return g_str_equal(word, "newest") ||
           g_strcmp0(kernel->series, word) == 0 ||
           g_str_equal(kernel->version, word);
}

/* The newest that answers to the word. */
static struct kernel *find_cached(const char *word)
{
    g_autoptr(GPtrArray) kernels = kernel_cached();

    for (guint i = kernels->len; i > 0; i--) {
        if (answers_to(kernels->pdata[i - 1], word)) {
            struct kernel *kernel = g_ptr_array_steal_index(kernels, i - 1);

            kernel->name = paths_slug(word);
            kernel->given = g_strdup(word);
            return kernel;
        }
    }
    return NULL;
}

/* Where the modules of a bzImage may lie: beside it, as the cache has them. */
static char *modules_beside(const char *image)
{
    g_autofree char *directory = g_path_get_dirname(image);
    g_autofree char *modules = g_build_filename(directory, "modules", NULL);

    if (!g_file_test(modules, G_FILE_TEST_IS_DIR)) {
        return NULL;
    }
    return g_steal_pointer(&modules);
}

static gboolean link_new(const char *target, const char *directory,
                         const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_unlink(path);
    if (symlink(target, path) < 0) {
        g_set_error(error, FAILURE, FAILURE_INFRA, "%s: %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

/* kernels-local/KEY/{vmlinuz,modules,info}; KEY by path and version. */
static char *local_directory(const char *image, const char *modules,
                             const char *version, GError **error)
{
    g_autofree char *identity = g_strdup_printf("%s\n%s", image, version);
    g_autofree char *key =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    g_autofree char *directory =
        g_build_filename(paths_cache(), "kernels-local", key, NULL);
    g_autofree char *info = g_build_filename(directory, "info", NULL);
    g_autofree char *old = g_build_filename(directory, "modules", NULL);
    g_autofree char *text =
        g_strdup_printf("version=%s\nseries=local\n", version);

    /* What a run before has linked may be gone. */
    g_unlink(old);
    if (!paths_make(directory, error) ||
        !link_new(image, directory, "vmlinuz", error) ||
        (modules && !link_new(modules, directory, "modules", error)) ||
        !g_file_set_contents(info, text, -1, error)) {
        return NULL;
    }
    return g_steal_pointer(&directory);
}

/* boot: what QEMU gets, the image or what it was made from. */
static struct kernel *kernel_from_image(const char *given, const char *image,
                                        const char *boot, const char *modules,
                                        GError **error)
{
    g_autofree char *banner = bzimage_version(image, error);
    g_autofree char *directory = NULL;
    struct kernel *kernel;

    if (!banner) {
        return NULL;
    }
    /* "VERSION (who@where) #1 …": the first word is uname -r. */
    *strchrnul(banner, ' ') = '\0';
    directory = local_directory(image, modules, banner, error);
    if (!directory) {
        return NULL;
    }
    kernel = g_new0(struct kernel, 1);
    kernel->name = paths_slug(banner);
    kernel->given = g_strdup(given);
    kernel->version = g_steal_pointer(&banner);
    kernel->image = g_strdup(boot);
    kernel->directory = g_steal_pointer(&directory);
    return kernel;
}

/*
 * FALSE when config, which is that of where, has too little for any case;
 * *unwatchable: when it has too little for the group context.
 */
static gboolean check_config(const char *config, const char *where,
                             bool has_modules, char **unwatchable,
                             GError **error)
{
    g_autofree char *fragment = kernel_config_fragment(error);
    g_autofree char *lacks = NULL;
    g_autofree char *context = NULL;

    if (!fragment) {
        return FALSE;
    }
    lacks = kernel_config_lacks(fragment, config, KERNEL_CONFIG_GUEST,
                                has_modules);
    context = kernel_config_lacks(fragment, config, KERNEL_CONFIG_CONTEXT,
                                  has_modules);
    if (lacks) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s lacks %s; see " KERNEL_CONFIG_FRAGMENT, where, lacks);
        return FALSE;
    }
    if (context) {
        *unwatchable = g_strdup_printf("%s lacks %s, which cases of the group "
                                       "context need; see "
                                       KERNEL_CONFIG_FRAGMENT, where, context);
    }
    return TRUE;
}

static struct kernel *kernel_of_tree(const char *given,
                                     const struct kernel_tree *tree,
                                     GError **error)
{
    g_autofree char *where = g_build_filename(tree->output, ".config", NULL);
    g_autofree char *unwatchable = NULL;
    struct kernel *kernel;

    if (!check_config(tree->config, where, tree->modules != NULL, &unwatchable,
                      error)) {
        return NULL;
    }
    kernel = kernel_from_image(given, tree->image,
                               tree->vmlinux ? tree->vmlinux : tree->image,
                               tree->modules, error);
    if (kernel) {
        kernel->unwatchable = g_steal_pointer(&unwatchable);
    }
    return kernel;
}

/*
 * The output directory is what a rerun is given: it says the same whatever O
 * is then.
 */
static struct kernel *kernel_from_tree(const char *path, GError **error)
{
    struct kernel_tree tree;
    struct kernel *kernel;
    g_autofree char *top = g_canonicalize_filename(path, NULL);

    if (!kernel_tree_open(path, &tree, error)) {
        return NULL;
    }
    kernel = kernel_of_tree(g_str_equal(tree.output, top) ? path : tree.output,
                            &tree, error);
    kernel_tree_clear(&tree);
    return kernel;
}

/* The bzImage of a tree, by its path: the tree is at hand. */
static struct kernel *kernel_from_output(const char *image, const char *output,
                                         GError **error)
{
    struct kernel_tree tree;
    struct kernel *kernel;

    if (!kernel_tree_open_output(output, &tree, error)) {
        return NULL;
    }
    kernel = kernel_of_tree(image, &tree, error);
    kernel_tree_clear(&tree);
    return kernel;
}

/* A bzImage on its own: what it lacks is known if it carries its .config. */
static struct kernel *kernel_from_file(const char *path, GError **error)
{
    g_autofree char *image = g_canonicalize_filename(path, NULL);
    g_autofree char *modules = modules_beside(image);
    g_autofree char *config = ikconfig_of_image(image);
    g_autofree char *where = g_strdup_printf("the .config in %s", path);
    g_autofree char *unwatchable = NULL;
    struct kernel *kernel;

    if (config && !check_config(config, where, modules != NULL, &unwatchable,
                                error)) {
        return NULL;
    }
    kernel = kernel_from_image(path, image, image, modules, error);
    if (kernel) {
        kernel->unwatchable = g_steal_pointer(&unwatchable);
    }
    return kernel;
}

static struct kernel *kernel_from_path(const char *path, GError **error)
{
    g_autofree char *output = NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return kernel_from_tree(path, error);
    }
    output = kernel_tree_of_image(path);
    return output ? kernel_from_output(path, output, error)
                  : kernel_from_file(path, error);
}

char *kernel_tree_here(void)
{
    g_autofree char *here = g_get_current_dir();

    return kernel_tree_around(here);
}

char *kernel_default(void)
{
    char *tree = kernel_tree_here();

    return tree ? tree : g_strdup(KERNEL_DEFAULT);
}

struct kernel *kernel_find(const char *word, GError **error)
{
    struct kernel *kernel = find_cached(word);

    if (kernel) {
        return kernel;
    }
    if (strchr(word, '/') || g_file_test(word, G_FILE_TEST_EXISTS)) {
        return kernel_from_path(word, error);
    }
    g_set_error(error, FAILURE, FAILURE_USAGE,
                "no kernel '%s' in %s/kernels; try: nvmelab kernel get %s",
                word, paths_cache(), word);
    return NULL;
}

gboolean kernel_check_watchable(const struct kernel *kernel, GError **error)
{
    if (kernel->unwatchable) {
        g_set_error_literal(error, FAILURE, FAILURE_USAGE,
                            kernel->unwatchable);
        return FALSE;
    }
    return TRUE;
}

/* Its last line is the error, its exit code says whose (scripts/lib.sh). */
static void builder_failed(const GError *cause, const char *said,
                           GError **error)
{
    bool is_user = g_error_matches(cause, G_SPAWN_EXIT_ERROR, EXIT_USAGE);
    g_autofree char *text = g_strstrip(g_strdup(said ? said : ""));
    const char *line = strrchr(text, '\n');

    line = line ? line + 1 : text;
    g_set_error(error, FAILURE, is_user ? FAILURE_USAGE : FAILURE_INFRA,
                "%s", *line ? line : cause->message);
}

char *kernel_initramfs(const struct kernel *kernel, GError **error)
{
    g_autofree char *builder = paths_in_root("images/build-initramfs");
    const char *argv[] = { builder, "--print", kernel->directory, NULL };
    g_autoptr(GError) cause = NULL;
    g_autofree char *said = NULL;
    char *output = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                      &output, &said, &status, &cause) ||
        !g_spawn_check_wait_status(status, &cause)) {
        builder_failed(cause, said, error);
        g_free(output);
        return NULL;
    }
    g_printerr("%s", said);
    g_strstrip(output);
    if (!g_file_test(output, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, FAILURE, FAILURE_INFRA,
                    "%s printed '%s', which is no file", builder, output);
        g_free(output);
        return NULL;
    }
    return output;
}
