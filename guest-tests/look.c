/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at a process, through /proc; see look.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look.h"

static void read_proc(pid_t pid, const char *file, char *text, size_t size)
{
    char path[64];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, size - 1);
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
}

/* "[<0>] xfs_ilock+0x9b/0x120" a line becomes "xfs_ilock<…"; not the entry. */
static void name_functions(char *names, size_t size, char *stack)
{
    size_t used = 0;
    char *rest = NULL;

    *names = '\0';
    for (char *line = strtok_r(stack, "\n", &rest); line && used < size;
         line = strtok_r(NULL, "\n", &rest)) {
        char *name = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;

        if (strncmp(name, "__x64_sys_", 10) == 0 ||
            strncmp(name, "do_syscall_64", 13) == 0) {
            break;
        }
        used += (size_t)snprintf(names + used, size - used, "%s%.*s",
                                 used ? "<" : "",
                                 (int)strcspn(name, "+"), name);
    }
}

struct look look_at(pid_t pid)
{
    struct look look = { .state = '?' };
    char text[4096];
    const char *word;

    /* The name in parentheses may have any character in it. */
    read_proc(pid, "stat", text, sizeof(text));
    word = strrchr(text, ')');
    if (word && word[1]) {
        look.state = word[2];
    }
    read_proc(pid, "status", text, sizeof(text));
    word = strstr(text, "\nvoluntary_ctxt_switches:");
    if (word) {
        look.sleeps = strtoull(strchr(word, ':') + 1, NULL, 10);
    }
    read_proc(pid, "stack", text, sizeof(text));
    name_functions(look.stack, sizeof(look.stack), text);
    return look;
}

bool look_is_asleep(const struct look *look)
{
    return look->state == 'D' || look->state == 'S';
}
