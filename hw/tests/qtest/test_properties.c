/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU refuses what the drive cannot be, with one line that names the value;
 * and docs/device.md lists the properties that there are, no more, no fewer.
 */
#include <string.h>

#include "drive.h"

static void assert_refused(const char *want, const char *controller,
                           const char *rest)
{
    char *text = client_refused("-device nvmelab,id=lab0,%s %s", controller,
                                rest);
    char **lines = g_strsplit(g_strchomp(text), "\n", -1);

    if (!strstr(text, want)) {
        g_error("'%s' is not in '%s'", want, text);
    }
    g_assert_cmpuint(g_strv_length(lines), ==, 1);
    g_strfreev(lines);
    g_free(text);
}

static void controller_values_out_of_range_are_refused(void)
{
    static const struct {
        const char *controller;
        const char *want;
    } table[] = {
        { "vwc=on", "serial=''" },
        { "serial=", "serial" },
        { "serial=123456789012345678901", "123456789012345678901" },
        { "serial=X,no-such=1", "no-such" },
        { "serial=X,lie=sometimes", "'sometimes'" },
        { "serial=X,on-power-cut=later", "'later'" },
        { "serial=X,vwc=maybe", "vwc" },
        { "serial=X,cache-size=0", "cache-size=0" },
        { "serial=X,max-ioqpairs=0", "max-ioqpairs=0" },
        { "serial=X,max-ioqpairs=1025", "max-ioqpairs=1025" },
        { "serial=X,max-queue-entries=1", "max-queue-entries=1" },
        { "serial=X,max-queue-entries=32769", "max-queue-entries=32769" },
        { "serial=X,mdts=0", "mdts=0" },
        { "serial=X,mdts=10", "mdts=10" },
        { "serial=X,awun=65536", "awun" },
        { "serial=X,awun=3,awupf=4", "awun=3: below awupf=4" },
        { "serial=X,awupf=128", "awupf=128" },
        { "serial=X,msix-vectors=2049", "msix-vectors=2049" },
        { "serial=X,floor-latency=-1", "floor-latency" },
        { "serial=X,trace=/no/such/directory/t", "/no/such/directory/t" },
        { "serial=X,trace=/dev/null", "'/dev/null' is not a regular file" },
        { "serial=X,power-cut=drop-all", "not running" },
        { "serial=X,stats=1", "stats" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        assert_refused(table[i].want, table[i].controller, "");
    }
}

/* One namespace on an image of this size, with these properties. */
static void assert_ns_refused(const char *want, const char *controller,
                              uint64_t size_bytes, const char *properties)
{
    char *image = drive_image("refused.img", size_bytes);
    char *rest = g_strdup_printf(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s' "
        "-device nvmelab-ns,bus=lab0,drive=m0%s", image, properties);

    assert_refused(want, controller, rest);
    g_free(rest);
    g_free(image);
}

static void namespace_values_out_of_range_are_refused(void)
{
    assert_ns_refused("257", "serial=X", 1 << 20, ",nsid=257");
    assert_ns_refused("1024", "serial=X", 1 << 20, ",logical_block_size=1024");
    assert_ns_refused("uuid", "serial=X", 1 << 20, ",uuid=12");
    assert_refused("'drive' is required", "serial=X",
                   "-device nvmelab-ns,bus=lab0");
}

static void images_of_a_wrong_size_are_refused(void)
{
    assert_ns_refused("0 bytes", "serial=X", 0, "");
    assert_ns_refused("512 bytes", "serial=X", 512, ",logical_block_size=4096");
    assert_ns_refused("1049088 bytes", "serial=X", (1 << 20) + 512,
                      ",logical_block_size=4096");
}

static void a_missing_image_is_refused(void)
{
    char *text = client_refused(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename=/no/such/i");

    g_assert_nonnull(strstr(text, "/no/such/i"));
    g_free(text);
}

static void awupf_above_0_needs_a_metadata_node(void)
{
    assert_ns_refused("awupf=7", "serial=X,awupf=7", 1 << 20, "");
}

static void impossible_atomic_units_are_refused(void)
{
    static const struct {
        const char *properties;
        const char *want;
    } table[] = {
        { ",nawupf=65536", "nawupf" },
        { ",nawupf=128", "nawupf=128: must be 0..127" },
        { ",nawupf=2", "nawupf=2: below awupf=3" },
        { ",nawun=6", "nawun=6: below awun=7" },
        { ",nawun=8,nawupf=9", "nawun=8: below nawupf=9" },
        { ",nabsn=6", "nabsn=6: below nawun=7" },
        { ",nabspf=2", "nabspf=2: below nawupf=3" },
        { ",nabsn=15,nabspf=15,nabo=16", "nabo=16: above nabsn=15" },
        { ",nawupf=9", "nawupf=9: above 0 needs a metadata node" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        assert_ns_refused(table[i].want, "serial=X,awun=7,awupf=3", 1 << 20,
                          table[i].properties);
    }
}

static void a_metadata_node_too_small_is_refused(void)
{
    char *meta = drive_image("meta.img", 512);
    char *rest = g_strdup_printf(",meta=meta -blockdev raw,node-name=meta,"
                                 "file.driver=file,file.filename='%s'", meta);

    assert_ns_refused("512 bytes", "serial=X,awupf=7", 1 << 20, rest);
    g_free(rest);
    g_free(meta);
}

static void a_namespace_id_is_given_once(void)
{
    char *image = drive_image("first.img", 1 << 20);
    char *rest = g_strdup_printf(
        ",nsid=3 -blockdev raw,node-name=m1,file.driver=file,file.filename='%s'"
        " -device nvmelab-ns,bus=lab0,drive=m1,nsid=3", image);

    assert_ns_refused("3", "serial=X", 1 << 20, rest);
    g_free(rest);
    g_free(image);
}

static void a_read_only_image_is_refused(void)
{
    char *image = drive_image("readonly.img", 1 << 20);
    char *rest = g_strdup_printf(
        "-blockdev raw,node-name=m0,read-only=on,file.driver=file,"
        "file.filename='%s' -device nvmelab-ns,bus=lab0,drive=m0", image);

    assert_refused("read-only", "serial=X", rest);
    g_free(rest);
    g_free(image);
}

static void an_image_in_use_by_another_process_is_refused(void)
{
    char *image = drive_image("locked.img", 1 << 20);
    struct drive *d = drive_start(image, "");
    char *text = client_refused(
        "-blockdev raw,node-name=m0,file.driver=file,file.filename='%s' "
        "-device nvmelab,id=lab0,serial=X -device nvmelab-ns,bus=lab0,drive=m0",
        image);

    g_assert_nonnull(strstr(text, "locked.img"));
    g_assert_nonnull(strstr(text, "lock"));
    g_free(text);
    drive_quit(d);
    g_free(image);
}

static void a_trace_in_use_by_another_drive_is_refused(void)
{
    char *image = drive_image("traced.img", 1 << 20);
    char *trace = client_path("used.labtrace");
    char *properties = g_strdup_printf(",trace='%s'", trace);
    struct drive *d = drive_start(image, properties);
    char *text = client_refused("-device nvmelab,id=lab0,serial=X%s",
                                properties);

    g_assert_nonnull(strstr(text, "used.labtrace' is in use"));
    g_free(text);
    drive_quit(d);
    g_free(properties);
    g_free(trace);
    g_free(image);
}

static void hot_plug_is_refused(void)
{
    struct client *c = client_start("-device pcie-root-port,id=rp0");
    char *text = client_qmp_error(c, "device_add", "{\"driver\":\"nvmelab\","
                                  "\"id\":\"lab0\",\"serial\":\"X\","
                                  "\"bus\":\"rp0\"}");

    g_assert_nonnull(strstr(text, "hot-plug"));
    g_free(text);
    client_quit(c);
}

/* The manual */

/* Names in a JSON array of objects with "name". */
static GHashTable *names_of(JsonNode *answer)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                              NULL);
    JsonArray *array = json_node_get_array(answer);
    unsigned i;

    for (i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object = json_array_get_object_element(array, i);

        g_hash_table_add(names, g_strdup(
            json_object_get_string_member(object, "name")));
    }
    json_node_unref(answer);
    return names;
}

/* First column of the table that follows <!-- properties: TYPE -->. */
static GHashTable *names_in_manual(const char *type)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                              NULL);
    char *path = g_build_filename(g_getenv("NVMELAB_DOCS"), "device.md", NULL);
    char *mark = g_strdup_printf("<!-- properties: %s -->", type);
    char *text, *at;
    char **lines;
    unsigned i;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    at = strstr(text, mark);
    g_assert_nonnull(at);
    lines = g_strsplit(strchr(at, '\n') + 1, "\n", -1);
    for (i = 0; lines[i] && lines[i][0] != '#'; i++) {
        if (g_str_has_prefix(lines[i], "| `")) {
            char *name = lines[i] + 3;

            g_hash_table_add(names, g_strndup(name, strcspn(name, "`")));
        }
    }
    g_strfreev(lines);
    g_free(text);
    g_free(mark);
    g_free(path);
    return names;
}

static void assert_subset(GHashTable *set, GHashTable *of, const char *where)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_hash_table_contains(of, name)) {
            g_error("property '%s' is missing in %s", (char *)name, where);
        }
    }
}

static void remove_all(GHashTable *from, GHashTable *names)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_hash_table_remove(from, name);
    }
}

static void check_manual(struct client *c, const char *type,
                         const char *parent)
{
    char *list = g_strdup_printf("{\"typename\":\"%s\"}", type);
    char *base = g_strdup_printf("{\"typename\":\"%s\"}", parent);
    GHashTable *device = names_of(client_qmp(c, "device-list-properties",
                                             list));
    GHashTable *inherited = names_of(client_qmp(c, "qom-list-properties",
                                                base));
    GHashTable *manual = names_in_manual(type);

    remove_all(device, inherited);
    g_assert_cmpuint(g_hash_table_size(device), >, 0);
    assert_subset(device, manual, "docs/device.md");
    assert_subset(manual, device, type);
    g_hash_table_unref(manual);
    g_hash_table_unref(inherited);
    g_hash_table_unref(device);
    g_free(base);
    g_free(list);
}

static void the_manual_lists_what_there_is(void)
{
    struct client *c = client_start("-S");

    check_manual(c, "nvmelab", "pci-device");
    check_manual(c, "nvmelab-ns", "device");
    client_quit(c);
}

static void add_tests(void)
{
    g_test_add_func("/properties/controller-values-out-of-range-are-refused",
                    controller_values_out_of_range_are_refused);
    g_test_add_func("/properties/namespace-values-out-of-range-are-refused",
                    namespace_values_out_of_range_are_refused);
    g_test_add_func("/properties/images-of-a-wrong-size-are-refused",
                    images_of_a_wrong_size_are_refused);
    g_test_add_func("/properties/a-missing-image-is-refused",
                    a_missing_image_is_refused);
    g_test_add_func("/properties/awupf-above-0-needs-a-metadata-node",
                    awupf_above_0_needs_a_metadata_node);
    g_test_add_func("/properties/impossible-atomic-units-are-refused",
                    impossible_atomic_units_are_refused);
    g_test_add_func("/properties/a-metadata-node-too-small-is-refused",
                    a_metadata_node_too_small_is_refused);
    g_test_add_func("/properties/a-namespace-id-is-given-once",
                    a_namespace_id_is_given_once);
    g_test_add_func("/properties/a-read-only-image-is-refused",
                    a_read_only_image_is_refused);
    g_test_add_func("/properties/an-image-in-use-by-another-process-is-refused",
                    an_image_in_use_by_another_process_is_refused);
    g_test_add_func("/properties/a-trace-in-use-by-another-drive-is-refused",
                    a_trace_in_use_by_another_drive_is_refused);
    g_test_add_func("/properties/hot-plug-is-refused", hot_plug_is_refused);
    g_test_add_func("/properties/the-manual-lists-what-there-is",
                    the_manual_lists_what_there_is);
}

int main(int argc, char **argv)
{
    return client_main(argc, argv, add_tests);
}
