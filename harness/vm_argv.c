/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm_argv.c: the QEMU command line of one lab machine.
 *
 * q35 with qboot: SeaBIOS takes half a minute under TCG. No KVM clock or HPET
 * tricks: what is not needed to boot Linux and carry the drive is left out.
 * The page cache of the host is all the durability an image needs against the
 * death of QEMU, so host flushes are off (docs/loss-model.md, "The process as
 * a drive"). Commas in values are doubled, as QemuOpts wants.
 */
#include "vm_argv.h"

#include <stdarg.h>
#include <string.h>

#include "paths.h"

#define KERNEL_PARAMETERS \
    "console=ttyS0 loglevel=5 panic=-1 audit=0 mitigations=off " \
    "random.trust_cpu=on 8250.nr_uarts=2 " \
    "nvme_core.multipath=N nvme.poll_queues=1"
/*
 * While one TCG thread translates code that the guest's other processor
 * patches, it can keep the breakpoint that marks the patch, and the guest dies
 * of it ("Oops: int3"): one boot in several hundred. Most patching is done by
 * the time PID 1 runs, so the others start there (guest-tests/processors.c).
 */
#define TCG_MAXCPUS " maxcpus=1"
/*
 * What else a boot under TCG need not spend a tenth of its time on: patching
 * lock prefixes out and in again for the second processor, measuring a delay
 * loop, and testing ciphers, a source of entropy and certificates that no case
 * uses (measured with initcall_debug, 6.12).
 */
#define TCG_SHORTCUTS " noreplace-smp lpj=10000000 cryptomgr.notests" \
    " initcall_blacklist=jent_mod_init,load_system_certificate_list"


G_GNUC_PRINTF(3, 4)
static void argv_add(GPtrArray *words, const char *option, const char *format,
                     ...)
{
    va_list ap;

    g_ptr_array_add(words, g_strdup(option));
    if (format) {
        va_start(ap, format);
        g_ptr_array_add(words, g_strdup_vprintf(format, ap));
        va_end(ap);
    }
}

static char *escape_commas(const char *value)
{
    GString *text = g_string_new(value);

    g_string_replace(text, ",", ",,", 0);
    return g_string_free(text, FALSE);
}

char *vm_argv_image(const char *directory, unsigned nsid)
{
    g_autofree char *name = g_strdup_printf("ns%u.img", nsid);

    return g_build_filename(directory, name, NULL);
}

char *vm_argv_meta(const char *directory, unsigned nsid)
{
    g_autofree char *name = g_strdup_printf("ns%u.meta", nsid);

    return g_build_filename(directory, name, NULL);
}

static char *controller_properties(const struct vm_config *config)
{
    return g_strdup_printf("%s%s%s", config->drive->properties,
                           config->lie ? ",lie=" : "",
                           config->lie ? config->lie : "");
}

char *vm_argv_drive(const struct vm_config *config)
{
    g_autofree char *controller = controller_properties(config);
    const char *namespaces = config->drive->ns_properties;

    return g_strdup_printf("%s%s%s", controller,
                           namespaces ? "; namespaces " : "",
                           namespaces ? namespaces : "");
}

static void argv_machine(GPtrArray *words, const struct vm_config *config)
{
    g_auto(GStrv) firmware = paths_firmware();

    g_ptr_array_add(words, g_strdup(config->qemu));
    argv_add(words, "-nodefaults", NULL);
    argv_add(words, "-no-user-config", NULL);
    argv_add(words, "-display", "none");
    for (char **path = firmware; *path; path++) {
        argv_add(words, "-L", "%s", *path);
    }
    argv_add(words, "-machine", "q35,accel=%s,vmport=off,hpet=off",
             config->accel);
    argv_add(words, "-cpu", "%s",
             g_str_equal(config->accel, "kvm") ? "host" : "max");
    argv_add(words, "-bios", "qboot.rom");
    argv_add(words, "-smp", "2");
    argv_add(words, "-m", "1G");
    argv_add(words, "-kernel", "%s", config->kernel_image);
    argv_add(words, "-initrd", "%s", config->initramfs);
    argv_add(words, "-append", "%s%s%s%s", KERNEL_PARAMETERS,
             g_str_equal(config->accel, "tcg") ? TCG_MAXCPUS TCG_SHORTCUTS : "",
             config->append ? " " : "", config->append ? config->append : "");
}

static void argv_node(GPtrArray *words, const char *prefix, unsigned nsid,
                      const char *path)
{
    g_autofree char *escaped = escape_commas(path);

    argv_add(words, "-blockdev", "raw,node-name=%s%u,file.driver=file,"
             "file.filename=%s,cache.direct=off,cache.no-flush=on", prefix,
             nsid, escaped);
}

static void argv_nodes(GPtrArray *words, const struct vm_config *config)
{
    for (unsigned nsid = 1; nsid <= VM_NAMESPACE_COUNT; nsid++) {
        g_autofree char *image = vm_argv_image(config->directory, nsid);
        g_autofree char *meta = vm_argv_meta(config->directory, nsid);

        argv_node(words, "m", nsid, image);
        if (config->drive->has_meta) {
            argv_node(words, "meta", nsid, meta);
        }
    }
}

static void argv_namespace(GPtrArray *words, const struct drive_set *drive,
                           unsigned nsid)
{
    g_autofree char *meta = drive->has_meta
        ? g_strdup_printf(",meta=meta%u", nsid) : g_strdup("");

    argv_add(words, "-device", "nvmelab-ns,bus=" VM_DRIVE_ID
             ",drive=m%u,nsid=%u%s%s%s", nsid, nsid, meta,
             drive->ns_properties ? "," : "",
             drive->ns_properties ? drive->ns_properties : "");
}

static void argv_drive(GPtrArray *words, const struct vm_config *config)
{
    g_autofree char *properties = controller_properties(config);
    g_autofree char *trace = escape_commas(config->trace);
    g_autofree char *holds = escape_commas(config->holds ? config->holds : "");

    argv_nodes(words, config);
    argv_add(words, "-device", "nvmelab,id=" VM_DRIVE_ID ",serial=LAB0,%s%s%s,"
             "on-power-cut=reset,trace=%s", properties,
             config->holds ? ",holds=" : "", holds, trace);
    for (unsigned nsid = 1; nsid <= VM_NAMESPACE_COUNT; nsid++) {
        argv_namespace(words, config->drive, nsid);
    }
}

/* Serial ports count in the order of the -serial options. */
static void argv_wiring(GPtrArray *words, const struct vm_config *config)
{
    if (config->wiring == VM_WIRING_HAND) {
        g_autofree char *path = g_build_filename(config->directory,
                                                 "guest.sock", NULL);
        g_autofree char *escaped = escape_commas(path);

        argv_add(words, "-serial", "mon:stdio");
        argv_add(words, "-serial", "unix:%s,server=on,wait=off", escaped);
        return;
    }
    if (config->wiring == VM_WIRING_SHELL) {
        argv_add(words, "-chardev", "stdio,id=console,mux=on,signal=off");
        argv_add(words, "-mon", "chardev=console");
    } else {
        argv_add(words, "-chardev", "socket,id=console,fd=%d",
                 config->console_fd);
    }
    argv_add(words, "-serial", "chardev:console");
    argv_add(words, "-chardev", "socket,id=guest,fd=%d", config->serial_fd);
    argv_add(words, "-serial", "chardev:guest");
    argv_add(words, "-chardev", "socket,id=qmp,fd=%d", config->qmp_fd);
    argv_add(words, "-mon", "chardev=qmp,mode=control");
}

char **vm_argv(const struct vm_config *config)
{
    GPtrArray *words = g_ptr_array_new();

    argv_machine(words, config);
    argv_drive(words, config);
    argv_wiring(words, config);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static bool is_plain(const char *word)
{
    return *word && !word[strspn(word, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS
                                 "-_./=,:+@%")];
}

char *vm_argv_quote(char **argv)
{
    GString *text = g_string_new(NULL);

    for (char **word = argv; *word; word++) {
        g_autofree char *quoted = g_shell_quote(*word);

        if (word != argv) {
            g_string_append(text, **word == '-' ? " \\\n    " : " ");
        }
        g_string_append(text, is_plain(*word) ? *word : quoted);
    }
    return g_string_free(text, FALSE);
}
