/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Held commands; the model stands at the top of hold.c. */
#ifndef LAB_HOLD_H
#define LAB_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "trace_file.h"
#include "vendor.h"

struct lab_ctrl;
struct req;
struct sq;

/* Commands that wait for their interrupt only; past it, nobody is parked. */
#define HOLD_GHOSTS_MAX 1024
/* Admin commands that wait; more are refused. */
#define HOLD_WAITS_MAX 16

struct hold_rule {
    TAILQ_ENTRY(hold_rule) link; /* by arming */
    uint32_t number;
    struct lab_hold spec;       /* host byte order */
    bool has_seen_mark;
    bool is_live;               /* counted in holds.live */
    uint64_t matches;
    uint64_t parked;            /* ever */
    uint64_t held;              /* now */
};

/* A command's place while it is parked. */
struct parked {
    TAILQ_ENTRY(parked) link;   /* by parking; then by leaving */
    struct req *req;
    uint32_t rule;
    enum lab_hold_stage stage;
    uint64_t since_ns;
    enum lab_trace_resumed leaves; /* 0: stays */
};

/* A WAIT that is not over. */
struct wait {
    TAILQ_ENTRY(wait) link;
    struct req *req;
    uint32_t rule;
    uint32_t count;
    uint32_t room;              /* bytes */
};

TAILQ_HEAD(hold_rule_list, hold_rule);
TAILQ_HEAD(parked_list, parked);
TAILQ_HEAD(wait_list, wait);

struct holds {
    uint32_t live[LAB_HOLD_STAGES]; /* rules that could park something there */
    struct hold_rule_list rules;
    struct parked_list parked;
    struct parked_list leaving;     /* until the next hold_step() */
    uint32_t ghosts;
    struct wait_list waits;
    uint32_t wait_count;
};

/* hold.c */
void hold_init(struct lab_ctrl *ctrl);
/* What is wrong with a rule, a text without end; NULL: nothing. */
const char *hold_refusal(const struct lab_ctrl *ctrl,
                         const struct lab_hold *spec);
/* The number of the new rule; 0: the table is full. */
uint32_t hold_arm(struct lab_ctrl *ctrl, const struct lab_hold *spec);
struct hold_rule *hold_find(struct lab_ctrl *ctrl, uint32_t number);
void hold_mark(struct lab_ctrl *ctrl, uint64_t mark_id);
/* True: a rule parks the command here, and hold_step() goes on with it. */
bool hold_park(struct req *req, enum lab_hold_stage stage);
/* Which part of the medium a command is about; false: none. */
bool hold_range(const struct req *req, uint64_t *slba, uint32_t *block_count);

/* RELEASE; *count is how many go on. */
uint16_t hold_release_all(struct lab_ctrl *ctrl, uint32_t *count);
uint16_t hold_release_rule(struct lab_ctrl *ctrl, uint32_t number,
                           uint32_t *count);
uint16_t hold_release_some(struct lab_ctrl *ctrl, uint32_t number,
                           uint32_t limit, bool is_newest_first,
                           uint32_t *count);
uint16_t hold_release_one(struct lab_ctrl *ctrl, uint64_t command_id,
                          bool is_lost, uint32_t *count);

/* Those that leave do go on now; only from ctrl_run(). */
void hold_step(struct lab_ctrl *ctrl);
bool hold_can_step(const struct lab_ctrl *ctrl);
/* The deadline of a parked command or of a WAIT has come. */
void hold_due(struct req *req);
/* True: Abort ends the command (its completion is on its way). */
bool hold_abort(struct lab_ctrl *ctrl, uint16_t sqid, uint16_t cid);
/* Its queue goes away: parked no more. */
void hold_drop(struct req *req, enum lab_trace_resumed how);
void hold_end_rules(struct lab_ctrl *ctrl);

/* hold_wait.c */
void hold_exec_wait(struct req *req);
/* Something has been parked, or a rule has ended (is_over). */
void hold_wait_look(struct lab_ctrl *ctrl, uint32_t rule, bool is_over);
void hold_wait_due(struct req *req);
void hold_wait_drop(struct req *req);
bool hold_wait_abort(struct lab_ctrl *ctrl, uint16_t cid);

/* hold_cmd.c */
uint16_t hold_exec_hold(struct req *req);
uint16_t hold_exec_release(struct req *req);

/* hold_text.c */
/* False: *error says which word is bad, g_free. */
bool hold_parse(const char *text, struct lab_hold *spec, char **error);
/* The words that make this rule, g_free. */
char *hold_format(const struct lab_hold *spec);
/* As lab_hold(), but nothing is armed. */
bool hold_check_rules(struct lab_ctrl *ctrl, const char *text, char **error);

#endif
