/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A drive that is pulled out of its slot is gone with what it had not promised,
 * and QEMU lives on; its image is free for the next.
 */
#include "drive.h"
#include "vendor.h"

/* QEMU's ACPI PCI hot-plug registers of q35 (docs/specs/acpi_pci_hotplug). */
#define PCIHP_EJECT 0x0cc8
#define PCIHP_SELECT 0x0cd0
#define PCI_BRIDGE_SLOT 3
#define PCI_BUS_NUMBERS 0x18
#define PCI_BRIDGE_MEMORY 0x20
#define BUS_SLOTS_MAX 4

static struct client *start(const char *image)
{
    return client_start(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s',"
        "cache.direct=off,cache.no-flush=on "
        "-device pcie-root-port,id=rp0,addr=%u "
        "-device nvmelab,id=lab0,bus=rp0,serial=QTEST "
        "-device nvmelab-ns,bus=lab0,drive=m0", image, PCI_BRIDGE_SLOT);
}

/* As an operating system does when it lets go of the slot. */
static void eject(struct client *c)
{
    unsigned i;

    client_qmp_ok(c, "device_del", "{\"id\":\"lab0\"}");
    for (i = 0; i < BUS_SLOTS_MAX; i++) {
        client_out32(c, PCIHP_SELECT, i);
        client_out32(c, PCIHP_EJECT, 1);
    }
    client_wait_event(c, "DEVICE_DELETED");
}

/* Route bus 1 behind the port; the drive is its only device. */
static struct drive *attach_behind_port(struct client *c)
{
    struct drive port = { .client = c, .slot = PCI_BRIDGE_SLOT };
    struct drive *d = g_new0(struct drive, 1);

    d->client = c;
    d->slot = 1 << 5;                   /* bus 1, slot 0 */
    d->bar0 = DRIVE_BAR0;
    d->bar4 = DRIVE_BAR4;
    d->memory_next = 1 << 20;
    drive_config_write(&port, PCI_BUS_NUMBERS, 0x00010100);
    drive_config_write(&port, PCI_BRIDGE_MEMORY,
                       (DRIVE_BAR0 >> 16) | ((DRIVE_BAR4 >> 16) << 16));
    drive_config_write(&port, 0x04, 0x06);
    drive_map(d);
    return d;
}

/* Commands at four stages and a WAIT, and the slot is empty. */
static void a_pulled_drive_holds_nothing(void)
{
    static const char *const stages[] = {
        "fetch", "visible", "durable", "cqe",
    };
    struct nvme_command wait = {
        .opcode = LAB_OP_WAIT, .cdw12 = 9, .cdw13 = 20000,
    };
    char *image = drive_image("unplug.img", 1 << 20);
    struct client *c = start(image);
    struct drive *d = attach_behind_port(c);
    uint64_t data;
    unsigned i;

    drive_enable(d);
    data = drive_alloc(d, 8 * 512);
    drive_fill(d, data, 100, 8, 1);
    for (i = 0; i < G_N_ELEMENTS(stages); i++) {
        char *arguments = g_strdup_printf(
            "{\"path\":\"/machine/peripheral/lab0\",\"property\":\"hold\","
            "\"value\":\"stage=%s queue=%u\"}", stages[i], i + 1);

        client_qmp_ok(c, "qom-set", arguments);
        g_free(arguments);
        drive_create_queue(d, i + 1, 16);
        drive_submit(d, i + 1, drive_rw(NVME_IO_WRITE, 100 + i, 1,
                                        data + i * 512, true));
        drive_ring(d, i + 1);
        drive_assert_silent(d, i + 1);
    }
    drive_submit(d, 0, wait);
    drive_ring(d, 0);
    eject(c);
    drive_quit(d);

    d = drive_start(image, "");
    for (i = 0; i < G_N_ELEMENTS(stages); i++) {
        g_assert_cmpuint(drive_generation(d, 100 + i), ==, i == 3);
    }
    drive_quit(d);
    g_free(image);
}

static void a_pulled_drive_keeps_the_promised_and_only_that(void)
{
    char *image = drive_image("unplug.img", 1 << 20);
    struct client *c = start(image);
    struct drive *d = attach_behind_port(c);
    uint64_t data;
    unsigned i;

    drive_enable(d);
    drive_create_queue(d, 1, 16);
    drive_write_block(d, 1, 1, false);
    drive_sync(d);
    drive_write_block(d, 2, 1, false);
    data = drive_alloc(d, 8 * 512);
    drive_fill(d, data, 100, 8, 1);
    for (i = 0; i < 8; i++) {
        drive_submit(d, 1, drive_rw(NVME_IO_WRITE, 100 + i, 1, data + i * 512,
                                    true));
    }
    drive_ring(d, 1);
    eject(c);
    g_assert_cmphex(drive_config_read(d, 0), ==, 0xffffffff);
    drive_quit(d);

    d = drive_start(image, "");
    g_assert_cmpuint(drive_generation(d, 1), ==, 1);
    g_assert_cmpuint(drive_generation(d, 2), ==, 0);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(drive_generation(d, 100 + i), <=, 1);
    }
    drive_quit(d);
    g_free(image);
}

static void add_tests(void)
{
    g_test_add_func("/unplug/a-pulled-drive-keeps-the-promised-and-only-that",
                    a_pulled_drive_keeps_the_promised_and_only_that);
    g_test_add_func("/unplug/a-pulled-drive-holds-nothing",
                    a_pulled_drive_holds_nothing);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
