/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h: what a case sees.
 *
 * A case is a named claim. It either runs in one go (run), or in three steps
 * with a power cut in between (base, prepare, cut, verify). Every step runs in
 * a child process of its own (runner.c), so a step that crashes, hangs or
 * exits is an error of that case and of nothing else; steps share nothing but
 * the drive.
 *
 * A step ends through run_pass(), run_fail(), run_skip() or run_error(), none
 * of which returns. fail: the claim does not hold. error: the claim could not
 * be tried. base and prepare may also return, which means "go on". run and
 * verify must not: a case that forgets its verdict is an error.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

struct run;

struct guest_case {
    const char *name;           /* group.target.claim, no spaces */
    const char *claim;          /* what holds if this passes */
    unsigned time_limit_s;      /* of one step; 0: TIME_LIMIT_DEFAULT_S */
    /* Order of prepare within a target, see enum durability_rank. */
    int rank;
    void (*run)(struct run *run);
    void (*base)(struct run *run);
    void (*prepare)(struct run *run);
    void (*verify)(struct run *run);
    const void *data;           /* of whoever made the case */
};

#define TIME_LIMIT_DEFAULT_S 60
#define TIME_LIMIT_NONE UINT32_MAX

/* GUEST_CASE(symbol, .name = "…", …); puts a case into the list. */
#define GUEST_CASE(symbol, ...)                                         \
    static const struct guest_case symbol = { __VA_ARGS__ };            \
    static const struct guest_case *const symbol##_listed               \
        __attribute__((used, section("guest_cases"))) = &symbol

/* One request being served, as its child process sees it. */
struct run {
    const struct guest_case *guest_case;
    const char *parameters;     /* "KEY=VALUE KEY=VALUE …" */
    uint64_t mark_id;           /* of all marks of this request */
    int report_fd;
};

/* The step that this process is; NULL in PID 1. */
struct run *run_self(void);
/* check() is called once, right before the step ends in whatever way. */
void run_at_end(void (*check)(void));

/* For runner.c: the step begins; it has returned. */
void run_begin(struct run *run);
void run_end(void);

void run_note(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void run_pass(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void run_fail(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void run_skip(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void run_error(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value of KEY=VALUE, or fallback; valid until the step ends. */
const char *run_parameter(struct run *run, const char *key,
                          const char *fallback);
/* A value that is no number ends the step with an error. */
uint64_t run_number(struct run *run, const char *key, uint64_t fallback);

/*
 * The kernel command line has the word lab.nodrive: the guest runs on some
 * other NVMe drive, without vendor commands. Every result says so; marks go to
 * the kernel log instead.
 */
int guest_has_no_drive(void);

/* "lab: TEXT" in the kernel log, level info. */
void guest_log(const char *text);

uint64_t guest_clock_ns(void);

#endif
