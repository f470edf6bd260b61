/* Stores that are damaged, cut short, of another version or in the way, and
 * disks that are full: one clear line each, nothing lost, nothing wrong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "node/powercut.h"
#include "node/scratch.h"
#include "node/store.h"

enum { PAGE = 4096, RECORD = 9000, SLOTS = 5, NOBODY = 65534 };

static const uint8_t study[GOSSIP_HASH_BYTES] = {1}, key[AEAD_KEY_BYTES] = {2};

static void fill(uint8_t bytes[RECORD], uint32_t slot)
{
    for (size_t i = 0; i < RECORD; i++)
        bytes[i] = (uint8_t)(slot * 31 + i * 7 + (i >> 8));
}

static size_t size_of(uint32_t slot)
{
    return slot * RECORD / (SLOTS - 1);
}

static int save(struct store *store, uint32_t slot, struct error *error)
{
    uint8_t bytes[RECORD];

    fill(bytes, slot);
    return store_save(store, slot, bytes, size_of(slot), error);
}

static bool is_saved(const struct gossip_record *r)
{
    uint8_t bytes[RECORD];

    fill(bytes, r->slot);
    return r->size == size_of(r->slot) && memcmp(r->bytes, bytes, r->size) == 0;
}

/* A closed store with a record in each slot; all its bytes. */
static uint8_t *make_store(const char *name, size_t *size)
{
    struct store *store = NULL;

    assert_int_equal(store_open(&store, scratch_path(name), study, key, NULL),
                     0);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(save(store, slot, NULL), 0);
        assert_int_equal(store_audit(store, "a line", NULL), 0);
    }
    store_close(store);
    return (uint8_t *)scratch_read(scratch_path(name), size);
}

static void write_bytes(const char *name, const uint8_t *bytes, size_t size)
{
    static const char *const ends[] = {"-wal", "-journal"};
    char path[600];
    FILE *file = fopen(scratch_path(name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", scratch_path(name), ends[i]);
        unlink(path);
    }
}

/* One line: the file, what was found, what was expected or is to be done. */
static void check_line(const struct error *error, const char *name)
{
    const char *text = error->text;

    if (strstr(text, name) == NULL || strchr(text, '\n') != NULL ||
        (strstr(text, "expected") == NULL && strstr(text, "; ") == NULL) ||
        strlen(text) + 1 >= sizeof error->text)
        fail_msg("not a clear line: %s", text);
}

/* Opens and loads. Returns whether it was taken, and then with all records. */
static bool is_taken(const char *name)
{
    const struct gossip_record *records = NULL;
    struct store *store = NULL;
    struct error error = {""};
    size_t count = 0;
    int code = store_open(&store, scratch_path(name), study, key, &error);

    if (code == 0)
        code = store_load(store, &records, &count, &error);
    if (code != 0)
        check_line(&error, name);
    for (size_t i = 0; code == 0 && i < count; i++)
        if (!is_saved(&records[i]))
            fail_msg("slot %u is another record", records[i].slot);
    if (code == 0)
        assert_int_equal(count, SLOTS);
    store_close(store);
    return code == 0;
}

/* Opening fails in a clear line with these words, and changes nothing. */
static void refused(const char *name, int code, const char *words)
{
    struct store *store = NULL;
    struct error error = {""};
    struct stat before, after;
    int there = stat(scratch_path(name), &before);
    int got = store_open(&store, scratch_path(name), study, key, &error);

    if (got != code || strstr(error.text, words) == NULL)
        print_error("%d: %s\n", got, error.text);
    assert_int_equal(got, code);
    assert_null(store);
    assert_non_null(strstr(error.text, words));
    check_line(&error, name);
    assert_int_equal(stat(scratch_path(name), &after), there);
    if (there == 0)
        assert_int_equal(after.st_size, before.st_size);
}

static void flip(uint8_t *bytes, size_t size, size_t at, uint8_t bits,
                 size_t taken[2])
{
    bytes[at] ^= bits;
    write_bytes("flip.db", bytes, size);
    taken[is_taken("flip.db")]++;
    bytes[at] ^= bits;
}

static void a_flipped_byte_of_any_page_gives_no_wrong_record(void **state)
{
    enum { HEAD = 12, STRIDE = 61 };
    size_t size = 0, taken[2] = {0};
    uint8_t *bytes = make_store("flip.db", &size);
    (void)state;

    assert_int_equal(size % PAGE, 0);
    for (size_t page = 0; page < size; page += PAGE) {
        for (size_t at = page; at < page + HEAD; at++)
            for (unsigned bit = 0; bit < 8; bit++)
                flip(bytes, size, at, (uint8_t)(1u << bit), taken);
        for (size_t at = page + HEAD; at < page + PAGE; at += STRIDE)
            flip(bytes, size, at, (uint8_t)(1 + at % 255), taken);
    }
    assert_true(taken[0] > 500 && taken[1] > 100);
    free(bytes);
}

static void a_store_cut_at_any_length_is_refused(void **state)
{
    static const size_t lengths[] = {1,    15,   99,       100,      511,
                                     512,  513,  PAGE - 1, PAGE,     PAGE + 1,
                                     8192, 9000, 3 * PAGE, 5 * PAGE, 20000};
    size_t size = 0;
    uint8_t *bytes = make_store("short.db", &size);
    (void)state;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_true(lengths[i] < size);
        write_bytes("short.db", bytes, lengths[i]);
        refused("short.db", -EINVAL, "found no intact store");
    }
    for (size_t less = 1; less < PAGE; less += 97) { /* no more than a page */
        write_bytes("short.db", bytes, size - less);
        (void)is_taken("short.db");
    }
    write_bytes("short.db", bytes, size);
    assert_true(is_taken("short.db"));
    free(bytes);
}

static void run_sql(const char *name, const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open_v2(scratch_path(name), &database,
                                     SQLITE_OPEN_READWRITE,
                                     powercut.base->zName),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void another_version_is_refused_with_a_way_out(void **state)
{
    size_t size = 0;
    (void)state;

    free(make_store("age.db", &size));
    run_sql("age.db", "PRAGMA user_version=2");
    refused("age.db", -EINVAL,
            "found a store of version 2, expected 1; use the newer program");
    run_sql("age.db", "PRAGMA user_version=0");
    refused("age.db", -EINVAL,
            "found a store of version 0, expected 1; use the older program");
    run_sql("age.db", "PRAGMA user_version=-7");
    refused("age.db", -EINVAL, "found a store of version -7");
    run_sql("age.db", "PRAGMA user_version=1");
    assert_true(is_taken("age.db"));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;

    assert_int_equal(mkdir(scratch_path("folder.db"), 0700), 0);
    refused("folder.db", -EISDIR, "found a folder, expected a file");
    assert_int_equal(symlink("loop.db", scratch_path("loop.db")), 0);
    refused("loop.db", -ELOOP, "Too many levels of symbolic links");
    assert_int_equal(symlink("nothing/at-all", scratch_path("dangling.db")), 0);
    refused("dangling.db", -ENOENT, "No such file or directory");
    assert_int_equal(mkfifo(scratch_path("pipe.db"), 0600), 0);
    refused("pipe.db", -EINVAL, "found no plain file");
}

/* Root may do everything, so root's test is done by nobody. */
static void as_nobody(void (*checks)(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(NOBODY) != 0)
            _exit(1);
        checks();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void check_permissions(void)
{
    struct store *store = NULL;
    struct error error = {""};
    int code;

    code = store_open(&store, scratch_path("closed/x.db"), study, key, &error);
    if (code != -EACCES || strstr(error.text, "expected a folder") == NULL) {
        print_error("a closed folder: %d, %s\n", code, error.text);
        _exit(1);
    }
    code = store_open(&store, scratch_path("sealed.db"), study, key, &error);
    if (code != -EACCES || strstr(error.text, "Permission denied") == NULL) {
        print_error("an unreadable file: %d, %s\n", code, error.text);
        _exit(1);
    }
    code = store_open(&store, scratch_path("still.db"), study, key, &error);
    if (code != -EACCES || strstr(error.text, "check who owns it") == NULL) {
        print_error("a read-only file: %d, %s\n", code, error.text);
        _exit(1);
    }
}

static void what_may_not_be_written_is_refused(void **state)
{
    size_t size = 0;
    (void)state;

    free(make_store("sealed.db", &size));
    free(make_store("still.db", &size));
    assert_int_equal(mkdir(scratch_path("closed"), 0555), 0);
    assert_int_equal(chmod(scratch_path("sealed.db"), 0), 0);
    assert_int_equal(chmod(scratch_path("still.db"), 0444), 0);
    assert_int_equal(chmod(scratch_path("sealed.db.lock"), 0666), 0);
    assert_int_equal(chmod(scratch_path("still.db.lock"), 0666), 0);
    assert_int_equal(chmod(scratch_folder, 0777), 0);
    as_nobody(check_permissions);
    assert_int_equal(chmod(scratch_folder, 0700), 0);
    assert_int_equal(chmod(scratch_path("sealed.db"), 0600), 0);
    assert_int_equal(chmod(scratch_path("still.db"), 0600), 0);
    assert_true(is_taken("sealed.db"));
    assert_true(is_taken("still.db"));
}

/* Saves until the disk is full; that many records are surely there. */
static uint32_t save_until_full(const char *name, int64_t room)
{
    struct store *store = NULL;
    struct error error = {""};
    uint32_t saved = 0;
    int code;

    powercut.room = room;
    code = store_open(&store, scratch_path(name), study, key, &error);
    while (code == 0 && saved < SLOTS) {
        code = save(store, saved, &error);
        saved += code == 0;
    }
    if (code != 0) {
        assert_int_equal(code, -ENOSPC);
        assert_non_null(strstr(error.text, "the disk or its quota is full"));
        check_line(&error, name);
    }
    store_close(store);
    powercut.room = INT64_MAX;
    return saved;
}

static void a_disk_that_fills_at_any_byte_loses_nothing(void **state)
{
    uint32_t saved = 0, fuller = 0;
    (void)state;

    for (int64_t room = 0; saved < SLOTS; room += 1111) {
        const struct gossip_record *records = NULL;
        struct store *store = NULL;
        struct error error = {""};
        size_t count = 0;
        write_bytes("full.db", (const uint8_t *)"", 0);
        saved = save_until_full("full.db", room);
        fuller += saved < SLOTS;
        if (store_open(&store, scratch_path("full.db"), study, key, &error) !=
            0)
            fail_msg("with room for %d: %s", (int)room, error.text);
        assert_int_equal(store_load(store, &records, &count, NULL), 0);
        assert_in_range(count, saved, saved + 1);
        for (size_t i = 0; i < count; i++)
            assert_true(records[i].slot == i && is_saved(&records[i]));
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            assert_int_equal(save(store, slot, &error), 0);
        store_close(store);
        assert_true(is_taken("full.db"));
    }
    assert_true(fuller > 50);
}

static int prepare(void **state)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* its sync costs nothing */
    if (scratch_make(state) != 0)
        return -1;
    powercut_install();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_byte_of_any_page_gives_no_wrong_record),
        cmocka_unit_test(a_store_cut_at_any_length_is_refused),
        cmocka_unit_test(another_version_is_refused_with_a_way_out),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(what_may_not_be_written_is_refused),
        cmocka_unit_test(a_disk_that_fills_at_any_byte_loses_nothing),
    };

    return cmocka_run_group_tests(tests, prepare, scratch_remove);
}
