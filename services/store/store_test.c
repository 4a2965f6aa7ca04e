#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/store/store.h"
#include <dirent.h>
#include <fcntl.h>
#include <rocksdb/c.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAL_BLOCK 32768

static struct gw_slice text(const char *bytes) {
    return (struct gw_slice){bytes, strlen(bytes)};
}

// A folder of this test's own, not made yet.
static const char *new_folder(void) {
    static char path[512];
    static int number;
    const char *root = getenv("TEST_TMPDIR");
    snprintf(path, sizeof path, "%s/store-%d-%d", root != NULL ? root : ".", (int)getpid(),
             number++);
    return path;
}

static struct gw_store *open_store(const char *folder) {
    struct gw_store *store = NULL;
    struct gw_error error = {0};
    gw_err err = gw_store_open(folder, &(struct gw_store_options){.create = true}, &store, &error);
    if (err != GW_OK) {
        fail_msg("%s", error.text);
    }
    return store;
}

static void put(struct gw_store *store, enum gw_keyspace space, const char *key,
                struct gw_slice value, bool sync) {
    struct gw_store_batch *batch = gw_store_batch_create();
    gw_store_batch_put(batch, store, space, text(key), value);
    struct gw_error error = {0};
    assert_int_equal(gw_store_write(store, batch, sync, &error), GW_OK);
    gw_store_batch_destroy(batch);
}

static bool holds(struct gw_store *store, enum gw_keyspace space, const char *key,
                  const char *expected) {
    struct gw_store_value value;
    assert_int_equal(gw_store_get(store, space, text(key), &value, NULL), GW_OK);
    bool same = value.bytes.data != NULL && value.bytes.size == strlen(expected) &&
                memcmp(value.bytes.data, expected, value.bytes.size) == 0;
    gw_store_value_release(&value);
    return same;
}

static bool absent(struct gw_store *store, enum gw_keyspace space, const char *key) {
    struct gw_store_value value;
    assert_int_equal(gw_store_get(store, space, text(key), &value, NULL), GW_OK);
    bool is = value.bytes.data == NULL;
    gw_store_value_release(&value);
    return is;
}

static gw_err try_open(const char *folder, bool create, bool read_only, struct gw_error *error) {
    struct gw_store *store = NULL;
    gw_err err =
        gw_store_open(folder, &(struct gw_store_options){.create = create, .read_only = read_only},
                      &store, error);
    gw_store_close(store);
    return err;
}

// Opening fails with this code and names the folder and a hint.
static void refuses(const char *folder, bool create, gw_err expected, const char *words) {
    struct gw_error error = {0};
    assert_int_equal(try_open(folder, create, false, &error), expected);
    assert_int_equal(error.code, expected);
    if (strstr(error.text, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, words);
    }
}

static void values_survive_a_new_opening(void **state) {
    (void)state;
    const char *folder = new_folder();
    struct gw_store *store = open_store(folder);
    for (int space = 0; space < GW_KEYSPACE_COUNT; space++) {
        char value[16];
        snprintf(value, sizeof value, "in %d", space);
        put(store, (enum gw_keyspace)space, "same key", text(value), space % 2 == 0);
    }
    put(store, GW_KS_WORKERS, "empty", (struct gw_slice){"", 0}, false);
    gw_store_close(store);

    store = open_store(folder);
    for (int space = 0; space < GW_KEYSPACE_COUNT; space++) {
        char value[16];
        snprintf(value, sizeof value, "in %d", space);
        assert_true(holds(store, (enum gw_keyspace)space, "same key", value));
    }
    assert_true(holds(store, GW_KS_WORKERS, "empty", ""));
    assert_true(absent(store, GW_KS_INCIDENTS, "empty"));
    gw_store_close(store);
}

static void a_batch_puts_and_deletes_in_order(void **state) {
    (void)state;
    struct gw_store *store = open_store(new_folder());
    put(store, GW_KS_INCIDENTS, "a", text("old"), false);
    struct gw_store_batch *batch = gw_store_batch_create();
    gw_store_batch_put(batch, store, GW_KS_INCIDENTS, text("dropped"), text("x"));
    gw_store_batch_clear(batch);
    gw_store_batch_delete(batch, store, GW_KS_INCIDENTS, text("a"));
    gw_store_batch_put(batch, store, GW_KS_INCIDENTS, text("b"), text("1"));
    gw_store_batch_put(batch, store, GW_KS_INCIDENTS, text("b"), text("2"));
    gw_store_batch_put(batch, store, GW_KS_RECEIPTS, text("c"), text("3"));
    assert_false(absent(store, GW_KS_INCIDENTS, "a")); // nothing before it is written
    assert_int_equal(gw_store_write(store, batch, true, NULL), GW_OK);
    gw_store_batch_destroy(batch);
    assert_true(absent(store, GW_KS_INCIDENTS, "a"));
    assert_true(absent(store, GW_KS_INCIDENTS, "dropped"));
    assert_true(holds(store, GW_KS_INCIDENTS, "b", "2"));
    assert_true(holds(store, GW_KS_RECEIPTS, "c", "3"));
    gw_store_close(store);
}

struct seen {
    char keys[64];
    size_t size;
    int left; // visits until it says stop
};

static bool note(void *context, struct gw_slice key, struct gw_slice value) {
    struct seen *seen = context;
    assert_true(key.size == 1 && value.size == 1);
    assert_memory_equal(key.data, value.data, 1);
    assert_true(seen->size + 3 <= sizeof seen->keys);
    seen->keys[seen->size++] = *(const char *)key.data;
    seen->keys[seen->size++] = ' ';
    return --seen->left > 0;
}

static void scans_are_ordered_both_ways(void **state) {
    (void)state;
    static const struct {
        const char *from;
        bool reverse;
        int limit;
        const char *expected;
    } rows[] = {
        {NULL, false, 99, "a c e "}, {NULL, true, 99, "e c a "}, {"c", false, 99, "c e "},
        {"c", true, 99, "c a "},     {"b", false, 99, "c e "},   {"b", true, 99, "a "},
        {"f", false, 99, ""},        {"f", true, 99, "e c a "},  {"0", true, 99, ""},
        {NULL, false, 1, "a "},      {NULL, true, 2, "e c "},
    };
    struct gw_store *store = open_store(new_folder());
    put(store, GW_KS_EDITIONS, "x", text("x"), false); // a neighbour that no scan may reach
    put(store, GW_KS_RECEIPT_TIMES, "x", text("x"), false);
    const char *keys[] = {"e", "a", "c"};
    for (int i = 0; i < 3; i++) {
        put(store, GW_KS_INDEXES, keys[i], text(keys[i]), false);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {.left = rows[i].limit};
        struct gw_slice from = {0};
        if (rows[i].from != NULL) {
            from = text(rows[i].from);
        }
        assert_int_equal(
            gw_store_scan(store, GW_KS_INDEXES, from, rows[i].reverse, note, &seen, NULL), GW_OK);
        assert_string_equal(seen.keys, rows[i].expected);
    }
    gw_store_close(store);
}

static void a_missing_store_is_named(void **state) {
    (void)state;
    const char *folder = new_folder();
    refuses(folder, false, GW_ENOTFOUND, folder);
    struct stat status;
    assert_int_not_equal(stat(folder, &status), 0); // and was not made
    char deep[600];
    snprintf(deep, sizeof deep, "%s/no/parent", folder);
    refuses(deep, true, GW_ENOTFOUND, "no/parent");
    struct gw_error error;
    assert_int_equal(try_open(folder, true, true, &error), GW_ENOTFOUND); // reading makes nothing
    refuses("", true, GW_EINVAL, "path");
}

static void a_second_opening_is_refused(void **state) {
    (void)state;
    const char *folder = new_folder();
    struct gw_store *store = open_store(folder);
    put(store, GW_KS_META, "k", text("v"), true);
    refuses(folder, false, GW_EUNAVAILABLE, "already open in this process");

    // Readers take no lock and change nothing.
    struct gw_store *reader = NULL;
    assert_int_equal(
        gw_store_open(folder, &(struct gw_store_options){.read_only = true}, &reader, NULL), GW_OK);
    assert_true(holds(reader, GW_KS_META, "k", "v"));
    struct gw_store_batch *batch = gw_store_batch_create();
    gw_store_batch_put(batch, reader, GW_KS_META, text("k"), text("w"));
    assert_int_equal(gw_store_write(reader, batch, true, NULL), GW_ESTATE);
    gw_store_batch_destroy(batch);
    gw_store_close(reader);
    gw_store_close(store);
}

// Runs this program anew as another process, in the part of it that main chooses by name. A plain
// fork won't do: RocksDB has threads by now.
static pid_t start_part(const char *part, const char *folder, int number) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "store_test", part, folder, text, (char *)NULL);
        _exit(127);
    }
    return child;
}

// Holds the store open until it is killed; says so with a byte.
static void part_hold(const char *folder, int ready_fd) {
    struct gw_store *store = NULL;
    gw_err err = gw_store_open(folder, &(struct gw_store_options){.create = true}, &store, NULL);
    if (write(ready_fd, err == GW_OK ? "y" : "n", 1) == 1) {
        pause();
    }
}

static void another_process_is_noticed(void **state) {
    (void)state;
    const char *folder = new_folder();
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = start_part("hold", folder, ready[1]);
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    refuses(folder, false, GW_EUNAVAILABLE, "in use by another process");
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct gw_store *store = open_store(folder); // a dead holder is none
    gw_store_close(store);
    close(ready[0]);
    close(ready[1]);
}

// Calls visit for each file in the folder whose name ends so; returns how many.
static int each_file(const char *folder, const char *end, void (*visit)(const char *path)) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        size_t size = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || size < strlen(end) ||
            strcmp(entry->d_name + size - strlen(end), end) != 0) {
            continue;
        }
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count++;
        if (visit != NULL) {
            visit(path);
        }
    }
    closedir(dir);
    return count;
}

static void remove_file(const char *path) {
    assert_int_equal(unlink(path), 0);
}

static void a_lost_current_is_damage_not_a_new_store(void **state) {
    (void)state;
    const char *folder = new_folder();
    struct gw_store *store = open_store(folder);
    put(store, GW_KS_META, "k", text("v"), true);
    gw_store_close(store);
    assert_int_equal(each_file(folder, "CURRENT", remove_file), 1);
    int logs = each_file(folder, ".log", NULL);
    refuses(folder, true, GW_ECORRUPT, "CURRENT is missing");
    assert_int_equal(each_file(folder, ".log", NULL), logs); // nothing was cleared away
}

static void a_lost_manifest_is_damage(void **state) {
    (void)state;
    const char *folder = new_folder();
    struct gw_store *store = open_store(folder);
    put(store, GW_KS_META, "k", text("v"), true);
    gw_store_close(store);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "MANIFEST-", 9) == 0) {
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
        }
    }
    closedir(dir);
    refuses(folder, true, GW_ECORRUPT, "a file is missing");
}

static void a_newer_format_is_refused(void **state) {
    (void)state;
    const char *folder = new_folder();
    struct gw_store *store = open_store(folder);
    put(store, GW_KS_META, "format", text("7000"), true);
    gw_store_close(store);
    refuses(folder, true, GW_EUNSUPPORTED, "format 7000, made by a newer version");
    struct gw_error error;
    assert_int_equal(try_open(folder, false, true, &error), GW_EUNSUPPORTED);

    folder = new_folder();
    store = open_store(folder);
    put(store, GW_KS_META, "format", text("1x"), true);
    gw_store_close(store);
    refuses(folder, true, GW_ECORRUPT, "format version can't be read");
}

// Opens with RocksDB itself, adds or drops a column family.
static void change_columns(const char *folder, const char *add, const char *drop) {
    char *failure = NULL;
    size_t count = 0;
    rocksdb_options_t *options = rocksdb_options_create();
    char **names = rocksdb_list_column_families(options, folder, &count, &failure);
    assert_null(failure);
    const rocksdb_options_t *each[32];
    rocksdb_column_family_handle_t *handles[32];
    assert_true(count < 32);
    for (size_t i = 0; i < count; i++) {
        each[i] = options;
    }
    rocksdb_t *db =
        rocksdb_open_column_families(options, folder, (int)count, (const char *const *)names,
                                     (const rocksdb_options_t *const *)each, handles, &failure);
    assert_null(failure);
    if (add != NULL) {
        rocksdb_column_family_handle_destroy(
            rocksdb_create_column_family(db, options, add, &failure));
        assert_null(failure);
    }
    for (size_t i = 0; i < count; i++) {
        if (drop != NULL && strcmp(names[i], drop) == 0) {
            rocksdb_drop_column_family(db, handles[i], &failure);
            assert_null(failure);
        }
        rocksdb_column_family_handle_destroy(handles[i]);
    }
    rocksdb_close(db);
    rocksdb_list_column_families_destroy(names, count);
    rocksdb_options_destroy(options);
}

static void keyspaces_unknown_and_missing(void **state) {
    (void)state;
    const char *folder = new_folder();
    struct gw_store *store = open_store(folder);
    put(store, GW_KS_META, "k", text("v"), true);
    gw_store_close(store);

    change_columns(folder, NULL, "positions"); // as a store from before there were positions
    struct gw_store *reader = NULL;
    assert_int_equal(
        gw_store_open(folder, &(struct gw_store_options){.read_only = true}, &reader, NULL), GW_OK);
    assert_true(absent(reader, GW_KS_POSITIONS, "k"));
    struct seen seen = {.left = 9};
    assert_int_equal(
        gw_store_scan(reader, GW_KS_POSITIONS, (struct gw_slice){0}, false, note, &seen, NULL),
        GW_OK);
    assert_string_equal(seen.keys, "");
    gw_store_close(reader);
    store = open_store(folder); // makes it
    put(store, GW_KS_POSITIONS, "k", text("p"), true);
    assert_true(holds(store, GW_KS_POSITIONS, "k", "p"));
    assert_true(holds(store, GW_KS_META, "k", "v"));
    gw_store_close(store);

    change_columns(folder, "from_the_future", NULL);
    refuses(folder, true, GW_EUNSUPPORTED, "from_the_future");
}

static char wal_path[1024];

static void keep_largest(const char *path) {
    struct stat now, before;
    if (stat(path, &now) == 0 && (stat(wal_path, &before) != 0 || now.st_size > before.st_size)) {
        snprintf(wal_path, sizeof wal_path, "%s", path);
    }
}

// Writes `count` values of 5,000 bytes ("k0", "k1", ...), each synced, and dies.
static void part_write(const char *folder, int count) {
    struct gw_store *store = open_store(folder);
    static char value[5000];
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        memset(value, 'a' + i % 26, sizeof value);
        put(store, GW_KS_LOG, key, (struct gw_slice){value, sizeof value}, true);
    }
    raise(SIGKILL);
}

// A folder as a killed process leaves it: all in the write-ahead log, whose path is in wal_path.
static const char *killed_store(int count) {
    const char *folder = new_folder();
    int status = 0;
    pid_t child = start_part("write", folder, count);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    wal_path[0] = '\0';
    assert_true(each_file(folder, ".log", keep_largest) > 0);
    return folder;
}

static off_t wal_size(void) {
    struct stat status;
    assert_int_equal(stat(wal_path, &status), 0);
    return status.st_size;
}

static void overwrite(off_t at, char byte, size_t size) {
    int fd = open(wal_path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(pwrite(fd, &byte, 1, at + (off_t)i), 1);
    }
    close(fd);
}

// Of killed_store(count), exactly the first `kept` writes are there.
static void check_kept(const char *folder, int count, int kept) {
    struct gw_store *store = open_store(folder);
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(absent(store, GW_KS_LOG, key), i >= kept);
    }
    gw_store_close(store);
}

static void an_unfinished_last_write_is_dropped(void **state) {
    (void)state;
    const char *folder = killed_store(20);
    check_kept(folder, 20, 20);

    folder = killed_store(20); // the file ends within it
    assert_int_equal(truncate(wal_path, wal_size() - 1), 0);
    check_kept(folder, 20, 19);

    folder = killed_store(20); // its later pages were written, an earlier one was not
    overwrite((wal_size() - 4500 + 511) / 512 * 512, 0, 1024);
    check_kept(folder, 20, 19);
}

static void damage_to_acknowledged_writes_is_refused(void **state) {
    (void)state;
    const char *folder = killed_store(20); // one flipped bit, in the middle
    overwrite(wal_size() / 2, 'Z', 1);
    refuses(folder, true, GW_ECORRUPT, "damaged");
    refuses(folder, true, GW_ECORRUPT, "damaged"); // and again: nothing was thrown away by trying

    folder = killed_store(20); // a lost page with writes after it
    overwrite(WAL_BLOCK + 8192, 0, 4096);
    refuses(folder, true, GW_ECORRUPT, "damaged");

    folder = killed_store(20); // the same, where the last two writes meet
    overwrite((wal_size() - 5200) / 512 * 512, 0, 1024);
    refuses(folder, true, GW_ECORRUPT, "damaged");

    folder = killed_store(20); // a flipped bit in the last write is no page that was not written
    overwrite(wal_size() - 100, '#', 1);
    refuses(folder, true, GW_ECORRUPT, "damaged");
}

static void its_own_log_files_are_few(void **state) {
    (void)state;
    const char *folder = new_folder();
    for (int i = 0; i < 8; i++) {
        gw_store_close(open_store(folder));
    }
    DIR *dir = opendir(folder);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        count += strncmp(entry->d_name, "LOG", 3) == 0;
    }
    closedir(dir);
    assert_in_range(count, 1, 6);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "hold") == 0) {
        part_hold(argv[2], (int)strtol(argv[3], NULL, 10));
        return 1;
    }
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        part_write(argv[2], (int)strtol(argv[3], NULL, 10));
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_process_is_noticed),
        cmocka_unit_test(an_unfinished_last_write_is_dropped),
        cmocka_unit_test(damage_to_acknowledged_writes_is_refused),
        cmocka_unit_test(values_survive_a_new_opening),
        cmocka_unit_test(a_batch_puts_and_deletes_in_order),
        cmocka_unit_test(scans_are_ordered_both_ways),
        cmocka_unit_test(a_missing_store_is_named),
        cmocka_unit_test(a_second_opening_is_refused),
        cmocka_unit_test(a_lost_current_is_damage_not_a_new_store),
        cmocka_unit_test(a_lost_manifest_is_damage),
        cmocka_unit_test(a_newer_format_is_refused),
        cmocka_unit_test(keyspaces_unknown_and_missing),
        cmocka_unit_test(its_own_log_files_are_few),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
