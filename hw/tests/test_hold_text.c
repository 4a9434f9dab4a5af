/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds in words: what is read, what is refused and how it says so. */
#include <stdlib.h>
#include <string.h>

#include "hold_bench.h"

static void assert_refused(struct fixture *f, const char *text,
                           const char *because)
{
    char *error = NULL;

    g_assert_false(lab_hold(f->host->ctrl, text, &error));
    g_assert_nonnull(error);
    if (!strstr(error, because)) {
        g_error("'%s': '%s' does not say '%s'", text, error, because);
    }
    free(error);
}

static void assert_held(struct fixture *f, const char *text)
{
    char *json = lab_held_json(f->host->ctrl);

    if (!strstr(json, text)) {
        g_error("no %s in %s", text, json);
    }
    free(json);
}

/* Armed, it is written as the rule that it is. */
static void test_rules(struct fixture *f, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *shown;
    } table[] = {
        { "stage=fetch", "stage=fetch" },
        { "  stage=irq\tcount=3 ", "stage=irq count=3" },
        { "opcode=write stage=durable fua=on",
          "stage=durable opcode=write fua=on" },
        { "opcode=read fua=off stage=cqe",
          "stage=cqe opcode=read fua=off" },
        { "opcode=flush stage=visible nsid=0xffffffff",
          "stage=visible opcode=flush nsid=4294967295" },
        { "stage=visible opcode=write-zeroes lba=0x10-18",
          "stage=visible opcode=write-zeroes lba=16-18" },
        { "stage=visible opcode=dsm lba=7",
          "stage=visible opcode=dsm lba=7-7" },
        { "stage=visible opcode=compare", "stage=visible opcode=compare" },
        { "stage=cqe opcode=0x02", "stage=cqe opcode=read" },
        { "stage=cqe opcode=0xfe", "stage=cqe opcode=0xfe" },
        { "stage=cqe queue=4 skip=2 count=4294967295 mark=0 after=5",
          "stage=cqe queue=4 skip=2 count=4294967295 mark=0 after=5" },
        { "stage=cqe lba=0-18446744073709551615",
          "stage=cqe lba=0-18446744073709551615" },
        { "stage=cqe mark=18446744073709551615",
          "stage=cqe mark=18446744073709551615" },
    };
    guint i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        char *shown = g_strdup_printf("\"text\": \"%s\"", table[i].shown);
        char *error = NULL;

        g_assert_true(lab_hold(f->host->ctrl, table[i].text, &error));
        assert_held(f, shown);
        /* What is written can be read. */
        g_assert_true(lab_release(f->host->ctrl, "all", &error));
        g_assert_true(lab_hold(f->host->ctrl, table[i].shown, &error));
        assert_held(f, shown);
        g_assert_true(lab_release(f->host->ctrl, "rule 1", &error));
        g_free(shown);
    }
    assert_held(f, "{\"rules\": [], \"commands\": []}");
}

static void test_rules_refused(struct fixture *f, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *because;
    } table[] = {
        { "", "stage= is missing" },
        { "opcode=write", "stage= is missing" },
        { "stage=cqe;", "stage= is missing" },
        { "stage=", "'stage=': must be fetch" },
        { "stage=late", "'stage=late': must be fetch" },
        { "stage=cqe stage=irq", "'stage=irq': stage= was there" },
        { "stage=cqe now", "'now': not a word" },
        { "stage=cqe colour=red", "'colour=red': not a word" },
        { "stage=cqe =1", "'=1': not a word" },
        { "stage=cqe opcode=wri", "'opcode=wri': must be write" },
        { "stage=cqe opcode=2", "'opcode=2': must be" },
        { "stage=cqe opcode=0x100", "'opcode=0x100': must be" },
        { "stage=cqe opcode=0x", "'opcode=0x': must be" },
        { "stage=cqe nsid=-1", "'nsid=-1': must be" },
        { "stage=cqe nsid=4294967296", "'nsid=4294967296': must be" },
        { "stage=cqe nsid=0", "no such nsid" },
        { "stage=cqe lba=1-", "'lba=1-': must be" },
        { "stage=cqe lba=1-2-3", "'lba=1-2-3': must be" },
        { "stage=cqe lba=18446744073709551616", "must be a block" },
        { "stage=cqe lba=2-1", "the last lba is below" },
        { "stage=cqe fua=yes", "'fua=yes': must be on or off" },
        { "stage=cqe queue=65536", "'queue=65536': must be" },
        { "stage=cqe queue=5", "no such I/O queue" },
        { "stage=cqe count=1x", "'count=1x': must be" },
        { "stage=cqe skip=", "'skip=': must be" },
        { "stage=cqe after=1ms", "'after=1ms': must be ns" },
        { "stage=durable opcode=read", "no such stage" },
        { "stage=cqe opcode=flush lba=1", "has no lba" },
        { "stage=cqe; stage=durable opcode=compare", "no such stage" },
    };
    guint i;

    (void)data;
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        assert_refused(f, table[i].text, table[i].because);
    }
    /* All or none. */
    assert_held(f, "{\"rules\": [], \"commands\": []}");
}

static void test_list(struct fixture *f, gconstpointer data)
{
    GString *text = g_string_new("stage=cqe");
    char *error = NULL;
    uint32_t i;

    (void)data;
    for (i = 1; i < LAB_HOLDS_MAX; i++) {
        g_string_append(text, " ; stage=irq");
    }
    g_assert_true(lab_hold(f->host->ctrl, text->str, &error));
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, LAB_HOLDS_MAX);
    assert_refused(f, "stage=cqe", "more than 64 rules");
    g_string_free(text, TRUE);
}

static void release(struct fixture *f, const char *text)
{
    char *error = NULL;

    if (!lab_release(f->host->ctrl, text, &error)) {
        g_error("%s", error);
    }
    fake_finish(f->host);
    driver_poll_all(f->driver);
}

static void test_release(struct fixture *f, gconstpointer data)
{
    uint16_t cid[6];
    char *error = NULL;
    char *one;
    uint32_t i;

    (void)data;
    g_assert_true(lab_hold(f->host->ctrl, "stage=irq count=1;stage=cqe",
                           &error));
    for (i = 0; i < 6; i++) {
        cid[i] = hold_send(f, 1, NVME_IO_READ, i, false);
    }
    fake_finish(f->host);
    assert_held(f, "{\"rule\": 2, \"text\": \"stage=cqe\", \"matches\": 6, "
                "\"parked\": 6, \"held\": 6}");
    assert_held(f, "\"rule\": 2, \"stage\": \"cqe\", \"opcode\": \"read\", "
                "\"queue\": 1, ");
    assert_held(f, "\"lba\": 5, \"blocks\": 1, \"fua\": false, \"parked-ns\"");
    release(f, "rule 2 1 newest");
    g_assert_true(driver_is_done(f->driver, 1, cid[5]));
    assert_held(f, "\"stage\": \"irq\"");
    one = g_strdup_printf("command %" G_GUINT64_FORMAT " lost",
                          hold_event(f, LAB_TRACE_PARKED, 6)->value);
    release(f, one);
    g_free(one);
    release(f, " rule  2 2");
    g_assert_true(driver_is_done(f->driver, 1, cid[1]));
    g_assert_false(driver_is_done(f->driver, 1, cid[2]));
    one = g_strdup_printf("command %" G_GUINT64_FORMAT,
                          hold_event(f, LAB_TRACE_PARKED, 3)->value);
    release(f, one);
    g_free(one);
    g_assert_true(driver_is_done(f->driver, 1, cid[3]));
    release(f, "rule 2 oldest");
    g_assert_true(driver_is_done(f->driver, 1, cid[4]));
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 2);
    release(f, "rule 2");
    release(f, "all");
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 0);
}

static void test_release_refused(struct fixture *f, gconstpointer data)
{
    static const char *const words[] = {
        "", "al", "all all", "rule", "rule x", "rule 1 x", "rule 1 0",
        "rule 1 1 1", "rule 1 newest 1", "rule 1 oldest newest", "rule -1",
        "rule 65", "command", "command x", "command 1 won", "command 1 lost 1",
        "rule 1 4294967296",
    };
    static const char *const numbers[] = {
        "rule 2", "rule 0", "rule 2 1", "command 99", "command 1 lost",
    };
    char *error = NULL;
    guint i;

    (void)data;
    hold_at(f, LAB_HOLD_CQE);
    for (i = 0; i < G_N_ELEMENTS(words); i++) {
        error = NULL;
        g_assert_false(lab_release(f->host->ctrl, words[i], &error));
        g_assert_nonnull(strstr(error, "must be 'all', 'rule N"));
        free(error);
    }
    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        error = NULL;
        g_assert_false(lab_release(f->host->ctrl, numbers[i], &error));
        g_assert_nonnull(strstr(error, "nothing of that number"));
        free(error);
    }
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 1);
}

/* -- Of the configuration ------------------------------------------------- */

static void configured(struct fake_config *config)
{
    config->drive.holds = "stage=visible opcode=write count=1; stage=cqe "
                          "opcode=flush";
}

/* Armed once: at the start, and not after a power cut. */
static void test_configured(struct fixture *f, gconstpointer data)
{
    uint16_t held = driver_send_write(f->driver, 1, 0, 1, 1, false);

    (void)data;
    fake_finish(f->host);
    g_assert_cmpuint(driver_poll_all(f->driver), ==, 0);
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 2);
    release(f, "rule 1");
    assert_status(driver_reap(f->driver, 1, held), NVME_SUCCESS);
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    g_assert_cmpuint(driver_stat(f->driver).holds_armed, ==, 0);
}

static void test_configured_refused(struct fixture *f, gconstpointer data)
{
    static const struct lab_host_ops none;
    struct lab_config config = f->host->config.drive;
    char *error = NULL;

    (void)data;
    config.holds = "stage=cqe;stage=now";
    g_assert_null(lab_ctrl_new(&config, &none, NULL, &error));
    g_assert_cmpstr(error, ==, "holds: 'stage=now': must be fetch, visible, "
                    "durable, cqe or irq");
    free(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/hold/text/rules", NULL, test_rules);
    FIXTURE_TEST("/hold/text/rules-refused", NULL, test_rules_refused);
    FIXTURE_TEST("/hold/text/list", NULL, test_list);
    FIXTURE_TEST("/hold/text/release", NULL, test_release);
    FIXTURE_TEST("/hold/text/release-refused", NULL, test_release_refused);
    FIXTURE_TEST("/hold/text/configured", configured, test_configured);
    FIXTURE_TEST("/hold/text/configured-refused", NULL,
                 test_configured_refused);
    return g_test_run();
}
