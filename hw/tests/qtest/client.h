/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h: a QEMU without a CPU, driven over its qtest and QMP sockets.
 *
 * qtest reads and writes guest memory and I/O ports and moves the virtual
 * clock; QMP does the rest. Calls are synchronous; every failure (QEMU gone,
 * refusal, 30 s without an answer) ends the test with its reason.
 */
#ifndef LAB_QTEST_CLIENT_H
#define LAB_QTEST_CLIENT_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_RAM_BYTES (64u << 20)

struct client;

/*
 * The test program's main(): skips everything, with the reason, when
 * NVMELAB_QEMU names no binary.
 */
int client_main(int argc, char **argv, void (*add_tests)(void));

/* Start a q35 machine with these further arguments (shell quoting). */
struct client *client_start(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* SIGKILL, as the host's power or the OOM killer would. */
void client_kill(struct client *c);
/* QMP quit, and the exit status must be 0. */
void client_quit(struct client *c);
/* QEMU ends by itself with status 0. */
void client_wait_exit(struct client *c);
/* QEMU must refuse these arguments (exit status 1); its stderr, to be freed. */
char *client_refused(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* A path in the client's or the program's scratch directory, to be freed. */
char *client_path(const char *name);

uint32_t client_in32(struct client *c, uint16_t port);
void client_out32(struct client *c, uint16_t port, uint32_t value);
uint32_t client_read32(struct client *c, uint64_t address);
void client_write32(struct client *c, uint64_t address, uint32_t value);
uint64_t client_read64(struct client *c, uint64_t address);
void client_write64(struct client *c, uint64_t address, uint64_t value);
void client_read(struct client *c, uint64_t address, void *buf, size_t length);
void client_write(struct client *c, uint64_t address, const void *buf,
                  size_t length);
/* Move the virtual clock on. */
void client_clock_step(struct client *c, uint64_t ns);

/* A QMP command; JSON arguments or NULL. Its "return", to be unref'd. */
JsonNode *client_qmp(struct client *c, const char *command,
                     const char *arguments);
void client_qmp_ok(struct client *c, const char *command,
                   const char *arguments);
/* The command must fail: its error text, to be freed. */
char *client_qmp_error(struct client *c, const char *command,
                       const char *arguments);
/* Wait for an event of this name; earlier unclaimed ones count. */
void client_wait_event(struct client *c, const char *name);

#endif
