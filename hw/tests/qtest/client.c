/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.c: start QEMU with -accel qtest, speak qtest and QMP with it.
 *
 * Both sockets are ours to listen on and QEMU's to connect to, so there is no
 * waiting for a path to appear. QMP events are kept until somebody asks.
 */
#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define CLIENT_TIMEOUT_S 30

struct link {
    GSocketConnection *connection;
    GDataInputStream *in;
    GOutputStream *out;
};

struct client {
    GPid pid;
    struct link qtest;
    struct link qmp;
    GPtrArray *events;          /* names, in order of arrival */
};

static char *client_qemu;
static char *client_dir;

/* The program */

static void client_remove_dir(void)
{
    const char *name;
    GDir *dir = g_dir_open(client_dir, 0, NULL);

    while (dir && (name = g_dir_read_name(dir))) {
        char *path = client_path(name);

        g_unlink(path);
        g_free(path);
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_rmdir(client_dir);
}

int client_main(int argc, char **argv, void (*add_tests)(void))
{
    const char *qemu = g_getenv("NVMELAB_QEMU");
    int status;

    g_test_init(&argc, &argv, NULL);
    if (!qemu || !g_file_test(qemu, G_FILE_TEST_IS_EXECUTABLE)) {
        printf("1..0 # SKIP no QEMU at NVMELAB_QEMU=%s; run scripts/setup\n",
               qemu ? qemu : "");
        return 0;
    }
    client_qemu = g_strdup(qemu);
    client_dir = g_dir_make_tmp("nvmelab-qtest-XXXXXX", NULL);
    g_assert_nonnull(client_dir);
    signal(SIGPIPE, SIG_IGN);
    add_tests();
    status = g_test_run();
    client_remove_dir();
    return status;
}

char *client_path(const char *name)
{
    return g_build_filename(client_dir, name, NULL);
}

static char **client_argv(const char *common, const char *format, va_list ap)
{
    char *more = g_strdup_vprintf(format, ap);
    char *line = g_strdup_printf("'%s' -M q35 -accel qtest -m %uM -nodefaults "
                                 "-no-user-config -display none %s %s",
                                 client_qemu, CLIENT_RAM_BYTES >> 20, common,
                                 more);
    GError *error = NULL;
    char **argv;

    g_shell_parse_argv(line, NULL, &argv, &error);
    g_assert_no_error(error);
    g_free(line);
    g_free(more);
    return argv;
}

/* Sockets */

static GSocket *client_listen(const char *path)
{
    GSocketAddress *address = g_unix_socket_address_new(path);
    GError *error = NULL;
    GSocket *socket;

    g_unlink(path);
    socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0,
                          &error);
    g_assert_no_error(error);
    g_socket_bind(socket, address, TRUE, &error);
    g_assert_no_error(error);
    g_socket_listen(socket, &error);
    g_assert_no_error(error);
    g_socket_set_timeout(socket, CLIENT_TIMEOUT_S);
    g_object_unref(address);
    return socket;
}

static void link_accept(struct link *link, GSocket *listener)
{
    GError *error = NULL;
    GSocket *socket = g_socket_accept(listener, NULL, &error);

    g_assert_no_error(error);
    g_socket_set_timeout(socket, CLIENT_TIMEOUT_S);
    link->connection = g_socket_connection_factory_create_connection(socket);
    link->in = g_data_input_stream_new(
        g_io_stream_get_input_stream(G_IO_STREAM(link->connection)));
    link->out = g_io_stream_get_output_stream(G_IO_STREAM(link->connection));
    g_object_unref(socket);
    g_object_unref(listener);
}

static void link_close(struct link *link)
{
    g_object_unref(link->in);
    g_object_unref(link->connection);
}

static void link_send(struct link *link, const char *line)
{
    GError *error = NULL;

    g_output_stream_write_all(link->out, line, strlen(line), NULL, NULL,
                              &error);
    g_assert_no_error(error);
}

/* NULL: QEMU has closed it. */
static char *link_receive(struct link *link)
{
    GError *error = NULL;
    char *line = g_data_input_stream_read_line(link->in, NULL, NULL, &error);

    g_assert_no_error(error);
    return line;
}

/* Life */

/* A test that dies takes its QEMU with it. */
static void client_child(gpointer unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct client *client_start(const char *format, ...)
{
    struct client *c = g_new0(struct client, 1);
    char *qtest_path = client_path("qtest.sock");
    char *qmp_path = client_path("qmp.sock");
    GSocket *qtest = client_listen(qtest_path);
    GSocket *qmp = client_listen(qmp_path);
    char *common = g_strdup_printf("-qtest unix:%s -qtest-log none "
                                   "-chardev socket,id=qmp,path=%s "
                                   "-mon chardev=qmp,mode=control",
                                   qtest_path, qmp_path);
    GError *error = NULL;
    char **argv;
    va_list ap;

    va_start(ap, format);
    argv = client_argv(common, format, ap);
    va_end(ap);
    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                  client_child, NULL, &c->pid, &error);
    g_assert_no_error(error);
    c->events = g_ptr_array_new_with_free_func(g_free);
    link_accept(&c->qmp, qmp);
    link_accept(&c->qtest, qtest);
    g_free(link_receive(&c->qmp));      /* the greeting */
    client_qmp_ok(c, "qmp_capabilities", NULL);
    g_strfreev(argv);
    g_free(common);
    g_free(qmp_path);
    g_free(qtest_path);
    return c;
}

/* Reap the process within the time limit; its wait status. */
static int client_reap(struct client *c)
{
    gint64 end = g_get_monotonic_time() + CLIENT_TIMEOUT_S * G_USEC_PER_SEC;
    int status;
    pid_t pid;

    do {
        pid = waitpid(c->pid, &status, WNOHANG);
        g_assert_cmpint(pid, !=, -1);
        if (!pid) {
            g_assert_cmpint(g_get_monotonic_time(), <, end);
            g_usleep(2000);
        }
    } while (!pid);
    link_close(&c->qtest);
    link_close(&c->qmp);
    g_ptr_array_unref(c->events);
    g_free(c);
    return status;
}

void client_kill(struct client *c)
{
    kill(c->pid, SIGKILL);
    g_assert_cmpint(WTERMSIG(client_reap(c)), ==, SIGKILL);
}

void client_wait_exit(struct client *c)
{
    int status = client_reap(c);

    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

void client_quit(struct client *c)
{
    client_qmp_ok(c, "quit", NULL);
    client_wait_exit(c);
}

char *client_refused(const char *format, ...)
{
    GError *error = NULL;
    char *text = NULL;
    char **argv;
    va_list ap;
    int status;

    va_start(ap, format);
    argv = client_argv("-S -qtest null", format, ap);
    va_end(ap);
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                 &text, &status, &error);
    g_assert_no_error(error);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_strfreev(argv);
    return text;
}

/* qtest */

/* One request; the text after "OK", to be freed. */
static char *client_qtest(struct client *c, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static char *client_qtest(struct client *c, const char *format, ...)
{
    va_list ap;
    char *line, *answer;

    va_start(ap, format);
    line = g_strdup_vprintf(format, ap);
    va_end(ap);
    link_send(&c->qtest, line);
    answer = link_receive(&c->qtest);
    if (!answer || !g_str_has_prefix(answer, "OK")) {
        g_error("qtest: '%.60s' answered '%s'", line, answer ? answer : "EOF");
    }
    memmove(answer, answer + 2, strlen(answer + 2) + 1);
    g_free(line);
    return answer;
}

static uint64_t client_number(char *answer)
{
    uint64_t value = g_ascii_strtoull(answer, NULL, 0);

    g_free(answer);
    return value;
}

uint32_t client_in32(struct client *c, uint16_t port)
{
    return client_number(client_qtest(c, "inl 0x%x\n", port));
}

void client_out32(struct client *c, uint16_t port, uint32_t value)
{
    g_free(client_qtest(c, "outl 0x%x 0x%x\n", port, value));
}

uint32_t client_read32(struct client *c, uint64_t address)
{
    return client_number(client_qtest(c, "readl 0x%" PRIx64 "\n", address));
}

void client_write32(struct client *c, uint64_t address, uint32_t value)
{
    g_free(client_qtest(c, "writel 0x%" PRIx64 " 0x%x\n", address, value));
}

uint64_t client_read64(struct client *c, uint64_t address)
{
    return client_number(client_qtest(c, "readq 0x%" PRIx64 "\n", address));
}

void client_write64(struct client *c, uint64_t address, uint64_t value)
{
    g_free(client_qtest(c, "writeq 0x%" PRIx64 " 0x%" PRIx64 "\n", address,
                        value));
}

void client_read(struct client *c, uint64_t address, void *buf, size_t length)
{
    char *answer = client_qtest(c, "b64read 0x%" PRIx64 " 0x%zx\n", address,
                                length);
    size_t got;
    guchar *bytes = g_base64_decode(answer + strspn(answer, " "), &got);

    g_assert_cmpuint(got, ==, length);
    memcpy(buf, bytes, length);
    g_free(bytes);
    g_free(answer);
}

void client_write(struct client *c, uint64_t address, const void *buf,
                  size_t length)
{
    char *text = g_base64_encode(buf, length);

    g_free(client_qtest(c, "b64write 0x%" PRIx64 " 0x%zx %s\n", address, length,
                        text));
    g_free(text);
}

void client_clock_step(struct client *c, uint64_t ns)
{
    g_free(client_qtest(c, "clock_step %" PRIu64 "\n", ns));
}

/* QMP */

/* The next message that is no event, or NULL if it was one. */
static JsonObject *client_qmp_next(struct client *c)
{
    JsonParser *parser = json_parser_new();
    char *line = link_receive(&c->qmp);
    GError *error = NULL;
    JsonObject *object;

    if (!line) {
        g_error("QMP: QEMU has gone");
    }
    json_parser_load_from_data(parser, line, -1, &error);
    g_assert_no_error(error);
    object = json_object_ref(
        json_node_get_object(json_parser_get_root(parser)));
    g_object_unref(parser);
    g_free(line);
    if (json_object_has_member(object, "event")) {
        g_ptr_array_add(c->events, g_strdup(
            json_object_get_string_member(object, "event")));
        json_object_unref(object);
        return NULL;
    }
    return object;
}

static JsonObject *client_qmp_answer(struct client *c, const char *command,
                                     const char *arguments)
{
    char *line = g_strdup_printf("{\"execute\":\"%s\"%s%s}\n", command,
                                 arguments ? ",\"arguments\":" : "",
                                 arguments ? arguments : "");
    JsonObject *answer;

    link_send(&c->qmp, line);
    do {
        answer = client_qmp_next(c);
    } while (!answer);
    g_free(line);
    return answer;
}

JsonNode *client_qmp(struct client *c, const char *command,
                     const char *arguments)
{
    JsonObject *answer = client_qmp_answer(c, command, arguments);
    JsonNode *value;

    if (!json_object_has_member(answer, "return")) {
        g_error("QMP %s %s: %s", command, arguments ? arguments : "",
                json_object_get_string_member(
                    json_object_get_object_member(answer, "error"), "desc"));
    }
    value = json_node_copy(json_object_get_member(answer, "return"));
    json_object_unref(answer);
    return value;
}

void client_qmp_ok(struct client *c, const char *command,
                   const char *arguments)
{
    json_node_unref(client_qmp(c, command, arguments));
}

char *client_qmp_error(struct client *c, const char *command,
                       const char *arguments)
{
    JsonObject *answer = client_qmp_answer(c, command, arguments);
    char *text;

    g_assert_true(json_object_has_member(answer, "error"));
    text = g_strdup(json_object_get_string_member(
        json_object_get_object_member(answer, "error"), "desc"));
    json_object_unref(answer);
    return text;
}

void client_wait_event(struct client *c, const char *name)
{
    unsigned i;

    for (i = 0;; i++) {
        while (i == c->events->len) {
            JsonObject *answer = client_qmp_next(c);

            g_assert_null(answer);
        }
        if (!strcmp(g_ptr_array_index(c->events, i), name)) {
            g_ptr_array_remove_index(c->events, i);
            return;
        }
    }
}
