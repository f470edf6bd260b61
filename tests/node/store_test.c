#include "node/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "node/scratch.h"

static const uint8_t study[GOSSIP_HASH_BYTES] = {1, 2, 3};
static const uint8_t key[AEAD_KEY_BYTES] = {4, 5, 6};

static struct store *open_store(const char *name)
{
    struct store *store = NULL;
    struct error error = {""};

    if (store_open(&store, scratch_path(name), study, key, &error) != 0)
        print_error("%s\n", error.text);
    assert_non_null(store);
    return store;
}

static void save_text(struct store *store, uint32_t slot, const char *text)
{
    struct error error = {""};

    assert_int_equal(
        store_save(store, slot, (const uint8_t *)text, strlen(text), &error),
        0);
}

/* Opening fails with this code and these words, the file's name in front. */
static void refused(const char *name, const uint8_t *s, const uint8_t *k,
                    int code, const char *words)
{
    struct store *store = NULL;
    struct error error = {""};
    int got = store_open(&store, scratch_path(name), s, k, &error);

    if (got != code || strstr(error.text, words) == NULL)
        print_error("%d: %s\n", got, error.text);
    assert_int_equal(got, code);
    assert_null(store);
    assert_non_null(strstr(error.text, words));
    assert_non_null(strstr(error.text, name));
}

static void saved_records_survive_reopening(void **state)
{
    const struct gossip_record *records = NULL;
    struct error error;
    size_t count = 9;
    struct store *store = open_store("a.db");
    (void)state;

    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(count, 0);
    save_text(store, 2, "first");
    save_text(store, 9, "other");
    save_text(store, 2, "second");
    save_text(store, 1, "");
    assert_int_equal(store_audit(store, "round 1", &error), 0);
    store_close(store);
    store = open_store("a.db");
    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(count, 3);
    assert_int_equal(records[0].slot, 1);
    assert_int_equal(records[0].size, 0);
    assert_int_equal(records[1].slot, 2);
    assert_int_equal(records[1].size, 6);
    assert_memory_equal(records[1].bytes, "second", 6);
    assert_int_equal(records[2].slot, 9);
    store_close(store);
    store_close(NULL);
}

static void only_the_owner_may_read_the_file(void **state)
{
    struct stat status;
    struct store *store = open_store("mode.db");
    (void)state;

    save_text(store, 0, "x");
    assert_int_equal(stat(scratch_path("mode.db"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(scratch_path("mode.db-wal"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    store_close(store);
}

static bool holds(const char *name, const char *canary)
{
    size_t size = 0, length = strlen(canary);
    char *bytes = scratch_read(scratch_path(name), &size);
    bool found = false;

    for (size_t i = 0; i + length <= size && !found; i++)
        found = memcmp(bytes + i, canary, length) == 0;
    free(bytes);
    return found;
}

static void the_files_hold_no_plaintext(void **state)
{
    struct store *store = open_store("sealed.db");
    struct error error;
    (void)state;

    save_text(store, 0, "canary-0f6b11");
    /* the search itself works: the audit log is kept in the clear */
    assert_int_equal(store_audit(store, "audit-77aa", &error), 0);
    assert_true(holds("sealed.db-wal", "audit-77aa"));
    assert_false(holds("sealed.db-wal", "canary-0f6b11"));
    assert_false(holds("sealed.db", "canary-0f6b11"));
    store_close(store);
    assert_true(holds("sealed.db", "audit-77aa"));
    assert_false(holds("sealed.db", "canary-0f6b11"));
}

static void another_key_or_study_is_refused(void **state)
{
    uint8_t other[32] = {9};
    (void)state;

    store_close(open_store("b.db"));
    refused("b.db", study, other, -EACCES,
            "cannot be opened with this node's key");
    refused("b.db", other, key, -EINVAL, "the store of another study");
    store_close(open_store("b.db"));
}

static void run_sql(const char *name, const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(scratch_path(name), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void copy(const char *from, const char *to)
{
    size_t size = 0;
    char *bytes = scratch_read(scratch_path(from), &size);
    FILE *file = fopen(scratch_path(to), "wb");

    assert_true(size > 0);
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(bytes);
}

static void a_store_without_its_wal_is_not_taken_for_new(void **state)
{
    uint8_t other[32] = {9};
    struct store *store = open_store("live.db");
    const struct gossip_record *records = NULL;
    struct error error;
    size_t count = 0;
    (void)state;

    save_text(store, 0, "promised");
    copy("live.db", "bare.db"); /* as after kill -9: nothing was closed */
    copy("live.db", "whole.db");
    copy("live.db-wal", "whole.db-wal");
    store_close(store);
    refused("bare.db", study, key, -EINVAL, "found no ");
    refused("bare.db", study, key, -EINVAL, "-wal beside it");
    refused("bare.db", other, key, -EINVAL, "the store of another study");
    refused("whole.db", other, key, -EINVAL, "the store of another study");
    refused("whole.db", study, other, -EACCES, "this node's key");
    store = open_store("whole.db");
    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(count, 1);
    assert_memory_equal(records[0].bytes, "promised", 8);
    store_close(store);
    copy("whole.db", "closed.db"); /* after a clean end one file is all */
    store_close(open_store("closed.db"));
}

static void a_file_without_tables_is_refused(void **state)
{
    (void)state;

    run_sql("none.db", "PRAGMA journal_mode=WAL");
    refused("none.db", study, key, -EINVAL, "without a store's tables");
    scratch_write("empty.db", "");
    store_close(open_store("empty.db"));
}

static void a_record_moved_to_another_slot_is_found_out(void **state)
{
    const struct gossip_record *records = NULL;
    struct store *store = open_store("c.db");
    struct error error;
    size_t count;
    (void)state;

    save_text(store, 0, "zero");
    store_close(store);
    run_sql("c.db", "UPDATE record SET slot = 1 WHERE slot = 0");
    store = open_store("c.db");
    assert_int_equal(store_load(store, &records, &count, &error), -EINVAL);
    assert_non_null(strstr(error.text, "a damaged record (1)"));
    store_close(store);
}

static void strange_files_are_refused(void **state)
{
    char junk[4096];
    (void)state;

    memset(junk, 'j', sizeof junk);
    junk[sizeof junk - 1] = '\0';
    scratch_write("junk.db", junk);
    refused("junk.db", study, key, -EINVAL, "found no intact store");
    run_sql("foreign.db", "CREATE TABLE t(x)");
    refused("foreign.db", study, key, -EINVAL, "another program's database");
    store_close(open_store("newer.db"));
    run_sql("newer.db", "PRAGMA user_version=2");
    refused("newer.db", study, key, -EINVAL, "found a store of version 2");
    refused("no-folder/x.db", study, key, -ENOENT, "expected a folder");
}

static void a_truncated_store_is_refused(void **state)
{
    struct store *store = open_store("cut.db");
    (void)state;

    save_text(store, 0, "zero");
    store_close(store);
    assert_int_equal(truncate(scratch_path("cut.db"), 4096 + 100), 0);
    refused("cut.db", study, key, -EINVAL, "found no intact store");
}

static void a_second_process_is_refused_and_told_who_has_it(void **state)
{
    struct store *store = open_store("lock.db");
    char words[64];
    int status = 0;
    (void)state;

    snprintf(words, sizeof words, "in use by another process (%ld)",
             (long)getpid());
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *second = NULL;
        struct error error = {""};
        int code =
            store_open(&second, scratch_path("lock.db"), study, key, &error);
        _exit(code == -EBUSY && strstr(error.text, words) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    refused("lock.db", study, key, -EBUSY, "in use by another process");
    save_text(store, 0, "still mine");
    store_close(store);
    store_close(open_store("lock.db"));
}

/* Writes records that grow with their number, all bytes equal to it, and tells
 * through the pipe what is saved, until it is killed. */
static void write_for_ever(int pipe_end)
{
    static uint8_t bytes[40000];
    struct store *store = NULL;
    struct error error;

    if (store_open(&store, scratch_path("kill.db"), study, key, &error) != 0)
        _exit(1);
    for (uint32_t i = 1;; i++) {
        size_t size = 1 + i * 977 % sizeof bytes;
        memset(bytes, (int)(i & 0xff), size);
        memcpy(bytes, &i, size < sizeof i ? 1 : sizeof i);
        if (store_save(store, 3, bytes, size, &error) != 0)
            _exit(1);
        if (write(pipe_end, &i, sizeof i) != (ssize_t)sizeof i)
            _exit(1);
    }
}

static void check_after_kill(uint32_t told)
{
    const struct gossip_record *records = NULL;
    struct store *store = open_store("kill.db");
    struct error error;
    size_t count = 0;
    uint32_t i = 0;

    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(count, 1);
    assert_true(records[0].size >= sizeof i);
    memcpy(&i, records[0].bytes, sizeof i);
    assert_true(i == told || i == told + 1);
    assert_int_equal(records[0].size, 1 + i * 977 % 40000);
    for (size_t b = sizeof i; b < records[0].size; b++)
        assert_int_equal(records[0].bytes[b], i & 0xff);
    store_close(store);
}

static void a_killed_writer_never_leaves_half_a_record(void **state)
{
    (void)state;

    for (uint32_t run = 0; run < 25; run++) {
        uint32_t told = 0, enough = 1 + run * 7 % 20;
        int ends[2], status;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            write_for_ever(ends[1]);
        }
        close(ends[1]);
        while (told < enough)
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        /* somewhere inside the next save: another place in every run */
        for (volatile uint32_t spin = run * 40000; spin > 0; spin--) {
        }
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told) {
        }
        close(ends[0]);
        check_after_kill(told);
    }
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    const struct rlimit small = {300000, RLIM_INFINITY};
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    static uint8_t large[2000000];
    const struct gossip_record *records = NULL;
    struct store *store = open_store("full.db");
    struct error error = {""};
    size_t count = 0;
    (void)state;

    save_text(store, 0, "before");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int code = store_save(store, 0, large, sizeof large, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(code, -ENOSPC);
    assert_non_null(
        strstr(error.text, "full.db: the disk or its quota is full"));
    save_text(store, 1, "after");
    store_close(store);
    store = open_store("full.db");
    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(count, 2);
    assert_memory_equal(records[0].bytes, "before", 6);
    assert_memory_equal(records[1].bytes, "after", 5);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_records_survive_reopening),
        cmocka_unit_test(only_the_owner_may_read_the_file),
        cmocka_unit_test(the_files_hold_no_plaintext),
        cmocka_unit_test(another_key_or_study_is_refused),
        cmocka_unit_test(a_store_without_its_wal_is_not_taken_for_new),
        cmocka_unit_test(a_file_without_tables_is_refused),
        cmocka_unit_test(a_record_moved_to_another_slot_is_found_out),
        cmocka_unit_test(strange_files_are_refused),
        cmocka_unit_test(a_truncated_store_is_refused),
        cmocka_unit_test(a_second_process_is_refused_and_told_who_has_it),
        cmocka_unit_test(a_killed_writer_never_leaves_half_a_record),
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
