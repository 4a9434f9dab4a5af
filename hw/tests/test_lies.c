/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lies: each breaks its own rule and no other. Every rule is probed on every
 * drive; a probe answers whether the rule held.
 */
#include "fixture.h"

static enum lab_lie lie_now;

static void configure(struct fake_config *config)
{
    config->drive.lie = lie_now;
    config->atomic[0].nawupf_0based = 3;
}

static void drop(struct fixture *f)
{
    fake_cut_and_boot(f->host, LAB_POLICY_DROP_ALL, 0);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
}

/* P1, the only flush there ever was. */
static bool holds_flush(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_flush(f->driver, 1);
    drop(f);
    return driver_read_tag(f->driver, 1, 0, false) == 1;
}

/* P1, a flush behind another one. */
static bool holds_second_flush(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_flush(f->driver, 1);
    driver_flush(f->driver, 1);
    drop(f);
    return driver_read_tag(f->driver, 1, 0, false) == 1;
}

/* P2 */
static bool holds_fua(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, true);
    drop(f);
    return driver_read_tag(f->driver, 1, 0, false) == 1;
}

/* P2: what nobody asked for must be able to vanish. */
static bool holds_no_barrier(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, false);
    driver_write(f->driver, 1, 5, 1, 2, true);
    drop(f);
    return driver_read_tag(f->driver, 1, 0, false) == 0;
}

/* P3 */
static bool holds_cache_off(struct fixture *f)
{
    struct nvme_command off = cmd_set_features(NVME_FEAT_VWC, 0);

    driver_write(f->driver, 1, 0, 1, 1, false);
    assert_status(driver_exec(f->driver, 0, &off), NVME_SUCCESS);
    driver_write(f->driver, 1, 1, 1, 2, false);
    drop(f);
    return driver_read_tag(f->driver, 1, 0, false) == 1 &&
           driver_read_tag(f->driver, 1, 1, false) == 2;
}

/* P5, some of many times: chance decides what becomes of each write. */
static bool holds_atomic(struct fixture *f)
{
    uint64_t seed;

    for (seed = 0; seed < 40; seed++) {
        uint32_t hits = 0;
        uint32_t i;

        driver_write(f->driver, 1, 8, 4, seed + 1, false);
        fake_cut_and_boot(f->host, LAB_POLICY_RANDOM, seed);
        driver_enable(f->driver, 32);
        driver_create_pair(f->driver, 1, 32, 1);
        for (i = 0; i < 4; i++) {
            hits += driver_read_tag(f->driver, 1, 8 + i, false) == seed + 1;
        }
        if (hits != 0 && hits != 4) {
            return false;
        }
    }
    return true;
}

/* What is claimed stays claimed: NAWUPF. */
static bool holds_identify(struct fixture *f)
{
    struct nvme_command cmd = cmd_identify(f->driver, 0, 1);
    const uint8_t *id = fake_at(f->host, f->driver->buffer);

    assert_status(driver_exec(f->driver, 0, &cmd), NVME_SUCCESS);
    return id[36] == 3;
}

/* P8 */
static bool holds_shutdown(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, false);
    reg_write(f->host, NVME_REG_CC, DRIVER_CC | 1 << 14);
    fake_finish(f->host);
    g_assert_cmphex(reg_read(f->host, NVME_REG_CSTS) & NVME_CSTS_SHST_MASK, ==,
                    NVME_CSTS_SHST_COMPLETE);
    drop(f);
    return driver_read_tag(f->driver, 1, 0, false) == 1;
}

/* P8 */
static bool holds_reset(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, false);
    lab_reset(f->host->ctrl);
    driver_enable(f->driver, 32);
    driver_create_pair(f->driver, 1, 32, 1);
    return driver_read_tag(f->driver, 1, 0, false) == 1;
}

/* Without a cut nobody can tell. */
static bool holds_read(struct fixture *f)
{
    driver_write(f->driver, 1, 0, 1, 1, true);
    driver_write(f->driver, 1, 0, 1, 2, false);
    driver_flush(f->driver, 1);
    return driver_read_tag(f->driver, 1, 0, true) == 2 &&
           driver_read_tag(f->driver, 1, 0, false) == 2;
}

static const struct {
    bool (*holds)(struct fixture *f);
    const char *name;
    uint32_t broken_by;         /* bit per lie */
} probes[] = {
    { holds_flush, "P1 flush",
      1 << LAB_LIE_FLUSH | 1 << LAB_LIE_FLUSH_EARLY },
    { holds_second_flush, "P1 second flush", 1 << LAB_LIE_FLUSH },
    { holds_fua, "P2 FUA", 1 << LAB_LIE_FUA },
    { holds_no_barrier, "P2 no barrier", 1 << LAB_LIE_FUA_BARRIER },
    { holds_cache_off, "P3 cache off", 0 },
    { holds_atomic, "P5 atomic", 1 << LAB_LIE_ATOMIC },
    { holds_identify, "NAWUPF", 0 },
    { holds_shutdown, "P8 shutdown", 0 },
    { holds_reset, "P8 reset", 0 },
    { holds_read, "reads", 0 },
};

static void test_lie(gconstpointer data)
{
    uint32_t i;

    lie_now = GPOINTER_TO_INT(data);
    for (i = 0; i < G_N_ELEMENTS(probes); i++) {
        bool is_broken = probes[i].broken_by >> lie_now & 1;
        struct fixture f;
        bool holds;

        fixture_up(&f, configure);
        holds = probes[i].holds(&f);
        if (holds == is_broken) {
            g_error("lie=%s: %s %s", lab_lie_name(lie_now), probes[i].name,
                    holds ? "still holds" : "is broken");
        }
        fixture_down(&f, NULL);
    }
}

int main(int argc, char **argv)
{
    int lie;

    g_test_init(&argc, &argv, NULL);
    for (lie = 0; lie < LAB_LIE_COUNT; lie++) {
        char *path = g_strdup_printf("/lies/%s-breaks-exactly-its-rule",
                                     lab_lie_name(lie));

        g_test_add_data_func(path, GINT_TO_POINTER(lie), test_lie);
        g_free(path);
    }
    return g_test_run();
}
