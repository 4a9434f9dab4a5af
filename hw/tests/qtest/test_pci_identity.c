/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drive is found, mapped and heard as the NVMe PCIe function it is. */
#include "drive.h"

#define PCI_CAP_ID_EXP 0x10
#define PCI_CAP_ID_MSIX 0x11
#define PCI_CAP_ID_PM 0x01
#define EXP_DEVCAP_FLR (1u << 28)
#define EXP_DEVCTL_FLR (1u << 15)
#define MSIX_ENABLE (1u << 31)
#define MSIX_VECTOR 3

static struct drive *start(const char *properties)
{
    char *image = drive_image("identity.img", 1 << 20);
    struct drive *d = drive_start_disabled(image, properties);

    g_free(image);
    return d;
}

static void ids_and_class_are_those_of_the_manual(void)
{
    struct drive *d = start("");

    g_assert_cmphex(drive_config_read(d, 0x00), ==, 0x1ab04e4c);
    g_assert_cmphex(drive_config_read(d, 0x08) >> 8, ==, 0x010802);
    g_assert_cmphex(drive_config_read(d, 0x2c), ==, 0x1ab04e4c);
    g_assert_cmpuint(drive_find_capability(d, PCI_CAP_ID_PM), !=, 0);
    drive_quit(d);
}

static void registers_say_what_the_properties_asked_for(void)
{
    struct drive *d = start(",max-queue-entries=64");
    uint64_t cap = drive_reg64(d, NVME_REG_CAP);

    g_assert_cmpuint(cap & 0xffff, ==, 63);
    g_assert_cmphex(drive_reg32(d, NVME_REG_CAP), ==, (uint32_t)cap);
    g_assert_cmphex(drive_reg32(d, NVME_REG_VS), ==, NVME_VS_2_0);
    g_assert_cmphex(drive_reg32(d, NVME_REG_CSTS), ==, 0);
    drive_quit(d);
}

static void function_level_reset_disables_the_controller(void)
{
    struct drive *d = start("");
    unsigned exp = drive_find_capability(d, PCI_CAP_ID_EXP);

    g_assert_cmpuint(exp, !=, 0);
    g_assert_cmphex(drive_config_read(d, exp + 4) & EXP_DEVCAP_FLR, ==,
                    EXP_DEVCAP_FLR);
    drive_enable(d);
    drive_config_write(d, exp + 8,
                       drive_config_read(d, exp + 8) | EXP_DEVCTL_FLR);
    drive_map(d);
    g_assert_cmphex(drive_reg32(d, NVME_REG_CSTS), ==, 0);
    g_assert_cmphex(drive_reg32(d, NVME_REG_CC), ==, 0);
    drive_enable(d);
    drive_quit(d);
}

/* A table entry that aims at guest memory: the message lands where we look. */
static void a_completion_sends_the_message_of_its_vector(void)
{
    struct drive *d = start("");
    unsigned msix = drive_find_capability(d, PCI_CAP_ID_MSIX);
    uint64_t entry = d->bar4 + MSIX_VECTOR * 16;
    uint64_t mailbox;
    struct nvme_command cmd = { 0 };

    g_assert_cmpuint(msix, !=, 0);
    drive_enable(d);
    mailbox = drive_alloc(d, 4);
    client_write64(d->client, entry, mailbox);
    client_write32(d->client, entry + 8, 0xfeed);
    client_write32(d->client, entry + 12, 0);
    drive_config_write(d, msix, drive_config_read(d, msix) | MSIX_ENABLE);

    drive_create_queue(d, 1, 8);
    drive_ok(d, 1, drive_flush());
    g_assert_cmphex(client_read32(d->client, mailbox), ==, 0);

    d->queues[2] = (struct queue) {
        .sq = drive_alloc(d, 4096), .cq = drive_alloc(d, 4096),
        .entries = 8, .phase = true,
    };
    cmd.opcode = NVME_ADMIN_CREATE_CQ;
    cmd.prp1 = d->queues[2].cq;
    cmd.cdw10 = 7 << 16 | 2;
    cmd.cdw11 = MSIX_VECTOR << 16 | 2 | 1;
    drive_ok(d, 0, cmd);
    cmd.opcode = NVME_ADMIN_CREATE_SQ;
    cmd.prp1 = d->queues[2].sq;
    cmd.cdw11 = 2 << 16 | 1;
    drive_ok(d, 0, cmd);
    drive_ok(d, 2, drive_flush());
    g_assert_cmphex(client_read32(d->client, mailbox), ==, 0xfeed);
    drive_quit(d);
}

static void vectors_beyond_the_table_are_refused(void)
{
    struct drive *d = start(",max-ioqpairs=4,msix-vectors=2");
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_CREATE_CQ,
        .cdw10 = 7 << 16 | 1,
        .cdw11 = 2 << 16 | 2 | 1,
    };

    drive_enable(d);
    cmd.prp1 = drive_alloc(d, 4096);
    g_assert_cmphex(drive_status(drive_command(d, 0, cmd)), ==,
                    NVME_INVALID_VECTOR);
    drive_quit(d);
}

static void add_tests(void)
{
    g_test_add_func("/pci/ids-and-class-are-those-of-the-manual",
                    ids_and_class_are_those_of_the_manual);
    g_test_add_func("/pci/registers-say-what-the-properties-asked-for",
                    registers_say_what_the_properties_asked_for);
    g_test_add_func("/pci/function-level-reset-disables-the-controller",
                    function_level_reset_disables_the_controller);
    g_test_add_func("/pci/a-completion-sends-the-message-of-its-vector",
                    a_completion_sends_the_message_of_its_vector);
    g_test_add_func("/pci/vectors-beyond-the-table-are-refused",
                    vectors_beyond_the_table_are_refused);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
