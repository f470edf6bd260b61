#include "node/store.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/storefile.h"

enum {
    SCHEMA_VERSION = 1,
    APPLICATION = 0x53746172, /* marks the file's header */
    CONTEXT_BYTES = GOSSIP_HASH_BYTES + 4,
    KEY_SLOT = -1, /* of the record that tells whether the key is right */
    BOX_BYTES = AEAD_NONCE_BYTES + AEAD_TAG_BYTES
};

static const uint8_t key_text[] = "starling store";

struct store {
    char *path;
    int lock;             /* -1: none */
    bool had_wal, in_use; /* when it was opened; marked by us */
    sqlite3 *database;
    sqlite3_stmt *save, *audit;
    uint8_t study[GOSSIP_HASH_BYTES];
    uint8_t key[AEAD_KEY_BYTES];
    struct prg prg; /* nonces */
    struct gossip_record *records;
    size_t record_count;
};

/* What SQLite said, as what a person can do about it. */
static int failed(const struct store *s, int code, struct error *error)
{
    int system = s->database == NULL ? 0 : sqlite3_system_errno(s->database);
    int primary = code & 0xff;

    /* SQLite calls only ENOSPC full; a quota or a limit is a failed write */
    if (primary == SQLITE_FULL || code == SQLITE_IOERR_WRITE)
        return error_set(error, -ENOSPC,
                         "%s: the disk or its quota is full; make room, then "
                         "start again: nothing is lost",
                         s->path);
    if (primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT)
        return error_set(error, -EINVAL,
                         "%s: found no intact store (%s), expected one; move "
                         "the file away to begin anew",
                         s->path, sqlite3_errstr(code));
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        return error_set(error, -EBUSY,
                         "store %s is in use by another process; stop that one "
                         "first",
                         s->path);
    if (primary == SQLITE_NOMEM)
        return error_set(error, -ENOMEM, "%s: out of memory", s->path);
    if (primary == SQLITE_READONLY || primary == SQLITE_PERM)
        return error_set(error, -EACCES,
                         "%s: cannot be written (%s); check the folder's "
                         "permissions",
                         s->path, sqlite3_errstr(code));
    return error_set(error, -EIO,
                     "%s: %s%s%s; expected a store that can be "
                     "read and written",
                     s->path, sqlite3_errstr(code), system == 0 ? "" : ": ",
                     system == 0 ? "" : strerror(system));
}

static int run(const struct store *s, const char *sql, struct error *error)
{
    int code = sqlite3_exec(s->database, sql, NULL, NULL, NULL);

    return code == SQLITE_OK
               ? 0
               : failed(s, sqlite3_extended_errcode(s->database), error);
}

static int step_once(const struct store *s, sqlite3_stmt *statement,
                     struct error *error)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_DONE) {
        code = failed(s, sqlite3_extended_errcode(s->database), error);
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        return code;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return 0;
}

static int read_number(const struct store *s, const char *sql, int64_t *number,
                       struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->database, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    code = code == SQLITE_ROW
               ? 0
               : failed(s, sqlite3_extended_errcode(s->database), error);
    sqlite3_finalize(statement);
    return code;
}

/* A record can be opened only as what it was saved as. */
static void context_of(uint8_t context[CONTEXT_BYTES], const struct store *s,
                       uint32_t slot)
{
    memcpy(context, s->study, sizeof s->study);
    for (size_t i = 0; i < 4; i++)
        context[GOSSIP_HASH_BYTES + i] = (uint8_t)(slot >> 8 * i);
}

static int put(struct store *s, int64_t slot, const uint8_t *bytes, size_t size,
               struct error *error)
{
    uint8_t context[CONTEXT_BYTES];
    uint8_t *box = malloc(BOX_BYTES + size);

    if (box == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", s->path);
    context_of(context, s, (uint32_t)slot);
    aead_box(box, bytes, size, context, sizeof context, s->key, &s->prg);
    sqlite3_bind_int64(s->save, 1, slot);
    int code =
        sqlite3_bind_blob64(s->save, 2, box, BOX_BYTES + size, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = step_once(s, s->save, error);
    else
        code = failed(s, code, error);
    free(box);
    return code;
}

int store_save(struct store *s, uint32_t slot, const uint8_t *bytes,
               size_t size, struct error *error)
{
    return put(s, slot, bytes, size, error);
}

int store_audit(struct store *s, const char *line, struct error *error)
{
    sqlite3_bind_text(s->audit, 1, line, -1, SQLITE_STATIC);
    return step_once(s, s->audit, error);
}

static int prepare(struct store *s, struct error *error)
{
    int code = sqlite3_prepare_v2(
        s->database,
        "INSERT INTO record(slot, bytes) VALUES(?1, ?2) "
        "ON CONFLICT(slot) DO UPDATE SET bytes = excluded.bytes",
        -1, &s->save, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(
            s->database,
            "INSERT INTO audit(at, line) VALUES(datetime('now'), ?1)", -1,
            &s->audit, NULL);
    return code == SQLITE_OK ? 0 : failed(s, code, error);
}

/* All or nothing, so that a crash here leaves an empty file. The journal is not
 * yet the WAL: the store's own file says from the start whose it is. */
static int make_tables(struct store *s, struct error *error)
{
    static const char sql[] =
        "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL);"
        "CREATE TABLE record(slot INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE audit(at TEXT NOT NULL, line TEXT NOT NULL);";
    char mark[128];
    sqlite3_stmt *statement = NULL;
    int code = run(s, "BEGIN", error);

    if (code == 0)
        code = run(s, sql, error);
    snprintf(mark, sizeof mark,
             "PRAGMA application_id=%d; PRAGMA "
             "user_version=%d;",
             APPLICATION, SCHEMA_VERSION);
    if (code == 0)
        code = run(s, mark, error);
    if (code != 0)
        return code;
    code =
        sqlite3_prepare_v2(s->database, "INSERT INTO meta VALUES('study', ?1)",
                           -1, &statement, NULL);
    if (code != SQLITE_OK)
        return failed(s, code, error);
    sqlite3_bind_blob(statement, 1, s->study, sizeof s->study, SQLITE_STATIC);
    code = step_once(s, statement, error);
    sqlite3_finalize(statement);
    if (code == 0)
        code = prepare(s, error);
    if (code == 0)
        code = put(s, KEY_SLOT, key_text, sizeof key_text, error);
    return code == 0 ? run(s, "COMMIT", error) : code;
}

static int other_study(const struct store *s, struct error *error)
{
    return error_set(error, -EINVAL,
                     "%s: found the store of another study, or of this one "
                     "before the study file was changed; put the old study "
                     "file back, or move the store away to begin anew",
                     s->path);
}

static int check_study(const struct store *s, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->database,
                                  "SELECT value FROM meta WHERE name = 'study'",
                                  -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        code = failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, error);
    } else if (sqlite3_column_bytes(statement, 0) != (int)sizeof s->study ||
               memcmp(sqlite3_column_blob(statement, 0), s->study,
                      sizeof s->study) != 0) {
        code = other_study(s, error);
    } else {
        code = 0;
    }
    sqlite3_finalize(statement);
    return code;
}

/* Opens the blob in the statement's second column. */
static int unbox(uint8_t **bytes, size_t *size, const struct store *s,
                 sqlite3_stmt *statement, struct error *error)
{
    int64_t slot = sqlite3_column_int64(statement, 0);
    const uint8_t *box = sqlite3_column_blob(statement, 1);
    size_t box_size = (size_t)sqlite3_column_bytes(statement, 1);
    uint8_t context[CONTEXT_BYTES];

    *size = box_size < BOX_BYTES ? 0 : box_size - BOX_BYTES;
    *bytes = malloc(*size + 1);
    if (*bytes == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", s->path);
    context_of(context, s, (uint32_t)slot);
    if (box != NULL && box_size >= BOX_BYTES &&
        aead_unbox(*bytes, box, box_size, context, sizeof context, s->key) == 0)
        return 0;
    free(*bytes);
    *bytes = NULL;
    if (slot == KEY_SLOT)
        return error_set(error, -EACCES,
                         "%s: cannot be opened with this node's key, expected "
                         "the key that made it; use that key, or move the "
                         "store away to begin anew",
                         s->path);
    return error_set(error, -EINVAL,
                     "%s: found a damaged record (%" PRId64
                     "), expected what was saved; move the store away to begin "
                     "anew",
                     s->path, slot);
}

static int check_key(const struct store *s, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    int code = sqlite3_prepare_v2(
        s->database, "SELECT slot, bytes FROM record WHERE slot = -1", -1,
        &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        code = unbox(&bytes, &size, s, statement, error);
    else
        code = failed(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code, error);
    free(bytes);
    sqlite3_finalize(statement);
    return code;
}

static int check_application(const struct store *s, int64_t tables,
                             struct error *error)
{
    int64_t application = 0;
    int code = read_number(s, "PRAGMA application_id", &application, error);

    if (code != 0 || application == APPLICATION)
        return code;
    if (tables == 0)
        return error_set(error, -EINVAL,
                         "%s: found a file without a store's tables, expected "
                         "a whole store; if it is a copy, copy %s-wal with it",
                         s->path, s->path);
    return error_set(error, -EINVAL,
                     "%s: found another program's database, expected a "
                     "store; name another file",
                     s->path);
}

/* What was promised last may be in the WAL alone: without it the node would
 * promise something else. Only a clean end takes the mark and the WAL away. */
static int check_whole(const struct store *s, struct error *error)
{
    int64_t marks = 0;
    int code = read_number(s, "SELECT count(*) FROM meta WHERE name = 'in use'",
                           &marks, error);

    if (code != 0 || marks == 0 || s->had_wal)
        return code;
    return error_set(error, -EINVAL,
                     "%s: found no %s-wal beside it, expected one, as it was "
                     "not closed: part of the store is missing; bring that "
                     "file back",
                     s->path, s->path);
}

/* A wrong count in a page's header would hide a promise in silence. */
static int check_pages(const struct store *s, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    const char *text = NULL;
    int code = sqlite3_prepare_v2(s->database, "PRAGMA quick_check(1)", -1,
                                  &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(statement, 0);
    if (text != NULL && strcmp(text, "ok") == 0)
        code = 0;
    else
        code = failed(s, code == SQLITE_ROW ? SQLITE_CORRUPT : code, error);
    sqlite3_finalize(statement);
    return code;
}

/* There is no older one yet: it would be brought up to date here. */
static int other_version(const struct store *s, int64_t version,
                         struct error *error)
{
    return error_set(error, -EINVAL,
                     "%s: found a store of version %" PRId64
                     ", expected %d; use the %s program that made it, or move "
                     "the store away to begin anew",
                     s->path, version, SCHEMA_VERSION,
                     version > SCHEMA_VERSION ? "newer" : "older");
}

/* An empty file is made a store, any other must be ours. */
static int check_tables(struct store *s, struct error *error)
{
    int64_t version = 0, tables = 0, pages = 0;
    int code =
        read_number(s, "SELECT count(*) FROM sqlite_master", &tables, error);

    if (code == 0)
        code = read_number(s, "PRAGMA page_count", &pages, error);
    if (code == 0 && pages > 0)
        code = check_application(s, tables, error);
    if (code == 0)
        code = read_number(s, "PRAGMA user_version", &version, error);
    if (code != 0)
        return code;
    if (pages == 0) /* SQLite says so of less than its smallest page, too */
        return storefile_is_empty(s->path) ? make_tables(s, error)
                                           : failed(s, SQLITE_CORRUPT, error);
    if (version != SCHEMA_VERSION)
        return other_version(s, version, error);
    if ((code = check_pages(s, error)) != 0)
        return code;
    if ((code = check_study(s, error)) != 0)
        return code;
    if ((code = check_key(s, error)) != 0)
        return code;
    if ((code = check_whole(s, error)) != 0)
        return code;
    return prepare(s, error);
}

static int open_database(struct store *s, struct error *error)
{
    int code;

    s->had_wal = storefile_has_wal(s->path);
    code = sqlite3_open_v2(s->path, &s->database,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return failed(s, code, error);
    sqlite3_extended_result_codes(s->database, 1);
    code = run(s,
               "PRAGMA locking_mode=EXCLUSIVE;"
               "PRAGMA synchronous=FULL;"
               "PRAGMA temp_store=MEMORY;",
               error);
    if (code == 0)
        code = check_tables(s, error);
    if (code == 0 && s->had_wal) /* may make the room that the mark needs */
        code = run(s, "PRAGMA wal_checkpoint(TRUNCATE)", error);
    if (code == 0)
        code = run(s,
                   "PRAGMA journal_mode=WAL;"
                   "INSERT OR REPLACE INTO meta VALUES('in use', 1);"
                   "PRAGMA wal_checkpoint(TRUNCATE);",
                   error);
    s->in_use = code == 0;
    return code;
}

/* SQLite takes the WAL away when it closes the file. Where the mark stays, the
 * WAL has to stay as well. */
static void close_database(struct store *s)
{
    int keep = 1;

    sqlite3_finalize(s->save);
    sqlite3_finalize(s->audit);
    if (s->database == NULL)
        return;
    if (s->in_use ? run(s, "DELETE FROM meta WHERE name = 'in use'", NULL) != 0
                  : s->had_wal)
        sqlite3_file_control(s->database, NULL, SQLITE_FCNTL_PERSIST_WAL,
                             &keep);
    sqlite3_close(s->database);
}

int store_open(struct store **store, const char *path,
               const uint8_t study[GOSSIP_HASH_BYTES],
               const uint8_t key[AEAD_KEY_BYTES], struct error *error)
{
    uint8_t seed[PRG_SEED_BYTES];
    struct store *s = calloc(1, sizeof *s);
    int code = -ENOMEM;

    *store = NULL;
    if (s != NULL)
        s->lock = -1;
    if (s == NULL || (s->path = strdup(path)) == NULL) {
        error_set(error, code, "%s: out of memory", path);
        goto fail;
    }
    memcpy(s->study, study, sizeof s->study);
    memcpy(s->key, key, sizeof s->key);
    randombytes_buf(seed, sizeof seed);
    prg_seed(&s->prg, seed);
    sodium_memzero(seed, sizeof seed);
    if ((code = storefile_lock(&s->lock, path, error)) != 0)
        goto fail;
    if ((code = storefile_make(path, error)) != 0)
        goto fail;
    if ((code = open_database(s, error)) != 0)
        goto fail;
    *store = s;
    return 0;
fail:
    store_close(s);
    return code;
}

static void free_records(struct store *s)
{
    for (size_t i = 0; i < s->record_count; i++) {
        /* const for the readers; made by unbox here */
        uint8_t *bytes = (uint8_t *)s->records[i].bytes;
        sodium_memzero(bytes, s->records[i].size);
        free(bytes);
    }
    free(s->records);
    s->records = NULL;
    s->record_count = 0;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    close_database(s);
    if (s->lock >= 0)
        close(s->lock);
    free_records(s);
    prg_wipe(&s->prg);
    sodium_memzero(s->key, sizeof s->key);
    free(s->path);
    free(s);
}

static int load_row(struct store *s, sqlite3_stmt *statement,
                    struct error *error)
{
    struct gossip_record *larger =
        realloc(s->records, (s->record_count + 1) * sizeof *larger);
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (larger == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", s->path);
    s->records = larger;
    int code = unbox(&bytes, &size, s, statement, error);
    if (code != 0)
        return code;
    s->records[s->record_count++] = (struct gossip_record){
        .slot = (uint32_t)sqlite3_column_int64(statement, 0),
        .bytes = bytes,
        .size = size,
    };
    return 0;
}

int store_load(struct store *s, const struct gossip_record **records,
               size_t *count, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        s->database,
        "SELECT slot, bytes FROM record WHERE slot >= 0 ORDER BY slot", -1,
        &statement, NULL);

    free_records(s);
    if (code != SQLITE_OK)
        return failed(s, code, error);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        code = load_row(s, statement, error);
        if (code != 0)
            break;
    }
    if (code > 0)
        code = code == SQLITE_DONE ? 0 : failed(s, code, error);
    sqlite3_finalize(statement);
    *records = s->records;
    *count = s->record_count;
    return code;
}
