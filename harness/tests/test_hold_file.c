/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules from a file: comments, empty lines, and the command line they make. */
#include <glib/gstdio.h>
#include <string.h>

#include "hold_file.h"
#include "vm_argv.h"

static char *read_text(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("hold.XXXXXX", &path, NULL);
    char *rules;

    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    rules = hold_file_read(path, error);
    g_unlink(path);
    return rules;
}

static void test_read(void)
{
    g_autofree char *rules = read_text("# a race\n\n  stage=cqe count=1 # one\n"
                                       "stage=irq\r\n#stage=fetch\n", NULL);

    g_assert_cmpstr(rules, ==, "stage=cqe count=1;stage=irq");
}

static void test_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(read_text("# nothing\n\n", &error));
    g_assert_nonnull(strstr(error->message, "no rule in it"));
    g_clear_error(&error);
    g_assert_null(hold_file_read("/nonexistent/rules", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/rules"));
}

/* A comma in it stays the rule's, for the drive to refuse. */
static void test_argv(void)
{
    static const struct drive_set drive = { .properties = "vwc=on" };
    struct vm_config config = {
        .qemu = "qemu", .accel = "tcg", .kernel_image = "k", .initramfs = "i",
        .drive = &drive, .holds = "stage=cqe;stage=a,b", .directory = "d",
        .trace = "t", .wiring = VM_WIRING_HAND,
    };
    g_auto(GStrv) argv = vm_argv(&config);
    g_autofree char *line = g_strjoinv(" ", argv);

    g_assert_nonnull(strstr(line, ",vwc=on,holds=stage=cqe;stage=a,,b,"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hold-file/rules", test_read);
    g_test_add_func("/hold-file/refused", test_refused);
    g_test_add_func("/hold-file/command-line", test_argv);
    return g_test_run();
}
