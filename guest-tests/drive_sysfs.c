/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding controllers and namespaces in sysfs, and the kernel's own counts
 * and switches.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

/* First line of DIRECTORY/NAME/ATTRIBUTE without trailing blanks. */
static bool read_attribute(char *value, size_t size, const char *directory,
                           const char *name, const char *attribute)
{
    char path[512];
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "%s/%s/%s", directory, name, attribute);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    length = read(fd, value, size - 1);
    close(fd);
    if (length < 0) {
        return false;
    }
    value[length] = '\0';
    value[strcspn(value, "\n")] = '\0';
    for (size_t i = strlen(value); i > 0 && value[i - 1] == ' '; i--) {
        value[i - 1] = '\0';
    }
    return true;
}

static uint64_t read_number(const char *name, const char *attribute)
{
    char text[64];

    if (!read_attribute(text, sizeof(text), "/sys/block", name, attribute)) {
        return 0;
    }
    return strtoull(text, NULL, 10);
}

void drive_each(const char *model_prefix,
                void (*each)(const struct drive *drive, void *opaque),
                void *opaque)
{
    DIR *directory = opendir("/sys/class/nvme");
    struct dirent *entry;

    if (!directory) {
        return;
    }
    while ((entry = readdir(directory))) {
        struct drive drive = { 0 };

        if (entry->d_name[0] == '.' ||
            !read_attribute(drive.serial, sizeof(drive.serial),
                            "/sys/class/nvme", entry->d_name, "serial") ||
            !read_attribute(drive.model, sizeof(drive.model),
                            "/sys/class/nvme", entry->d_name, "model") ||
            strncmp(drive.model, model_prefix, strlen(model_prefix)) != 0) {
            continue;
        }
        snprintf(drive.node, sizeof(drive.node), "/dev/%.32s", entry->d_name);
        each(&drive, opaque);
    }
    closedir(directory);
}

struct search {
    const char *serial;
    struct drive *drive;
    bool is_found;
};

static void match_serial(const struct drive *drive, void *opaque)
{
    struct search *search = opaque;

    if (!search->is_found && strcmp(drive->serial, search->serial) == 0) {
        *search->drive = *drive;
        search->is_found = access(drive->node, F_OK) == 0;
    }
}

int drive_find(const char *serial, struct drive *drive)
{
    struct search search = { .serial = serial, .drive = drive };

    drive_each("", match_serial, &search);
    return search.is_found ? 0 : -ENODEV;
}

static bool is_wanted(const char *name, const char *serial, uint32_t nsid)
{
    char text[64];

    if (strncmp(name, "nvme", 4) != 0 ||
        !read_attribute(text, sizeof(text), "/sys/block", name,
                        "device/serial") || strcmp(text, serial) != 0) {
        return false;
    }
    return read_number(name, "nsid") == nsid;
}

static bool describe(const char *name, struct drive_ns *ns)
{
    char cache[32];

    snprintf(ns->name, sizeof(ns->name), "%.23s", name);
    snprintf(ns->node, sizeof(ns->node), "/dev/%.23s", name);
    ns->block_size_bytes =
        (uint32_t)read_number(name, "queue/logical_block_size");
    ns->size_bytes = read_number(name, "size") * 512;
    if (ns->block_size_bytes == 0 || ns->size_bytes == 0 ||
        !read_attribute(cache, sizeof(cache), "/sys/block", name,
                        "queue/write_cache")) {
        return false;
    }
    ns->has_vwc = strcmp(cache, "write back") == 0;
    /* A hidden path of a multipath head has no node. */
    return access(ns->node, F_OK) == 0;
}

static bool scan(const char *serial, struct drive_ns *ns)
{
    DIR *directory = opendir("/sys/block");
    struct dirent *entry;
    bool is_found = false;

    if (!directory) {
        return false;
    }
    while (!is_found && (entry = readdir(directory))) {
        is_found = is_wanted(entry->d_name, serial, ns->nsid) &&
                   describe(entry->d_name, ns);
    }
    closedir(directory);
    return is_found;
}

int drive_find_ns(const char *serial, uint32_t nsid, unsigned timeout_ms,
                  struct drive_ns *ns)
{
    memset(ns, 0, sizeof(*ns));
    ns->nsid = nsid;
    for (unsigned waited_ms = 0;; waited_ms += 10) {
        if (drive_find(serial, &ns->drive) == 0 && scan(serial, ns)) {
            return 0;
        }
        if (waited_ms >= timeout_ms) {
            return -ENODEV;
        }
        usleep(10 * 1000);
    }
}

bool drive_queue_number(const struct drive_ns *ns, const char *attribute,
                        uint64_t *value)
{
    char path[64];
    char text[64];

    snprintf(path, sizeof(path), "queue/%.48s", attribute);
    if (!read_attribute(text, sizeof(text), "/sys/block", ns->name, path)) {
        return false;
    }
    *value = strtoull(text, NULL, 10);
    return true;
}

static int write_attribute(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (write(fd, value, strlen(value)) < 0) {
        error = -errno;
    }
    close(fd);
    return error;
}

int drive_set_queue_number(const struct drive_ns *ns, const char *attribute,
                           uint64_t value)
{
    char path[128];
    char text[32];

    snprintf(path, sizeof(path), "/sys/block/%s/queue/%.48s", ns->name,
             attribute);
    snprintf(text, sizeof(text), "%" PRIu64, value);
    return write_attribute(path, text);
}

int drive_reset(const struct drive *drive)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/class/nvme/%s/reset_controller",
             strrchr(drive->node, '/') + 1);
    return write_attribute(path, "1");
}

/* Documentation/block/stat.rst: reads 1, writes 5, in flight 9, flushes 16. */
int drive_block_stat(const struct drive_ns *ns, struct drive_block_stat *stat)
{
    uint64_t v[16];
    char text[512];
    char *rest = text;

    if (!read_attribute(text, sizeof(text), "/sys/block", ns->name, "stat")) {
        return -ENODEV;
    }
    for (int i = 0; i < 16; i++) {
        v[i] = strtoull(rest, &rest, 10);
    }
    stat->reads = v[0];
    stat->writes = v[4];
    stat->in_flight = v[8];
    stat->flushes = v[15];
    return 0;
}
