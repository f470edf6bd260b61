/* The power is cut at every kind of moment: what was saved is there, whole. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "node/powercut.h"
#include "node/scratch.h"
#include "node/store.h"

enum {
    SLOTS = 6,
    SIZE_MAX_BYTES = 400000,
    LINES_MAX = 1000,
    SEEDS = 400,
    CHAIN = 4 /* lives in a row, at most */
};

static const uint8_t study[GOSSIP_HASH_BYTES] = {1}, key[AEAD_KEY_BYTES] = {2};

/* What must be there: of each slot the version that was saved last, or a later
 * one that was under way; of the log every line whose saving was told. */
struct promise {
    uint32_t saved[SLOTS], tried[SLOTS];
    bool logged[LINES_MAX];
    uint32_t lines; /* tried */
    uint32_t version;
};

enum moment { OPENING, WORKING, CLOSING, MOMENTS };

static unsigned long seed; /* under way, or 0 */
static unsigned cuts[MOMENTS];

static size_t size_of(uint32_t version)
{
    static const size_t most[] = {64, 600, 9000, 9000, 70000, SIZE_MAX_BYTES};
    uint64_t x = version * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)((x >> 20) % most[(x >> 50) % 6]);
}

static void fill(uint8_t *bytes, uint32_t slot, uint32_t version)
{
    for (size_t i = 0; i < size_of(version); i++)
        bytes[i] = (uint8_t)(slot * 59 + version * 101 + (version >> 8) +
                             (i >> 8) + i * 7);
}

static bool is_version(const struct gossip_record *r, uint32_t version)
{
    static uint8_t bytes[SIZE_MAX_BYTES];

    if (version == 0 || r->size != size_of(version))
        return false;
    fill(bytes, r->slot, version);
    return memcmp(bytes, r->bytes, r->size) == 0;
}

static void check_record(struct promise *p, const struct gossip_record *r)
{
    assert_in_range(r->slot, 0, SLOTS - 1);
    if (is_version(r, p->tried[r->slot]))
        p->saved[r->slot] = p->tried[r->slot];
    else if (!is_version(r, p->saved[r->slot]))
        fail_msg("slot %u holds %zu bytes that were not saved last", r->slot,
                 r->size);
    p->tried[r->slot] = p->saved[r->slot];
}

static void check_records(struct promise *p, struct store *store)
{
    const struct gossip_record *records = NULL;
    struct error error = {""};
    size_t count = 0;
    uint64_t seen = 0;

    if (store_load(store, &records, &count, &error) != 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < count; i++) {
        check_record(p, &records[i]);
        seen |= UINT64_C(1) << records[i].slot;
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if ((seen >> slot & 1) == 0 && p->saved[slot] != 0)
            fail_msg("slot %u is forgotten", slot);
        p->tried[slot] = p->saved[slot];
    }
}

/* In order, each once, and none that was told is missing. */
static void check_log(const struct promise *p)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *rows = NULL;
    uint32_t line = 0;

    assert_int_equal(sqlite3_open_v2(scratch_path("cut.db"), &database,
                                     SQLITE_OPEN_READWRITE,
                                     powercut.base->zName),
                     0);
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT CAST(line AS INTEGER) FROM "
                                        "audit ORDER BY rowid",
                                        -1, &rows, NULL),
                     0);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        uint32_t next = (uint32_t)sqlite3_column_int64(rows, 0);
        assert_in_range(next, line + 1, p->lines);
        while (++line < next)
            assert_false(p->logged[line]);
    }
    while (++line <= p->lines)
        assert_false(p->logged[line]);
    sqlite3_finalize(rows);
    sqlite3_close(database);
}

static struct store *open_store(struct promise *p)
{
    struct store *store = NULL;
    struct error error = {""};

    if (store_open(&store, scratch_path("cut.db"), study, key, &error) == 0) {
        if (!powercut.dead)
            check_records(p, store);
    } else if (!powercut.dead) {
        fail_msg("the store does not open: %s", error.text);
    }
    return store;
}

static void save_one(struct promise *p, struct store *store)
{
    static uint8_t bytes[SIZE_MAX_BYTES];
    uint32_t slot = (uint32_t)powercut_random(SLOTS);

    p->tried[slot] = ++p->version;
    fill(bytes, slot, p->version);
    if (store_save(store, slot, bytes, size_of(p->version), NULL) == 0)
        p->saved[slot] = p->version;
}

static void log_one(struct promise *p, struct store *store)
{
    char line[16];

    assert_in_range(++p->lines, 1, LINES_MAX - 1);
    snprintf(line, sizeof line, "%u", p->lines);
    p->logged[p->lines] = store_audit(store, line, NULL) == 0;
}

static void close_store(struct store *store)
{
    bool works = !powercut.dead;

    store_close(store);
    cuts[CLOSING] += works && powercut.dead;
}

static struct store *reopen(struct promise *p, struct store *store)
{
    close_store(store);
    if (powercut.dead)
        return NULL;
    store = open_store(p);
    cuts[OPENING] += powercut.dead;
    return store;
}

/* A process works until it is through or the power goes. */
static void live(struct promise *p, int cut_at)
{
    powercut_begin(scratch_path("cut.db"), cut_at);
    struct store *store = reopen(p, NULL);
    uint64_t jobs = powercut_random(30);

    for (uint64_t i = 0; i < jobs && store != NULL && !powercut.dead; i++) {
        uint64_t what = powercut_random(10);
        if (what == 0) {
            store = reopen(p, store);
            continue;
        }
        if (what < 4)
            log_one(p, store);
        else
            save_one(p, store);
        cuts[WORKING] += powercut.dead;
    }
    close_store(store);
}

static void try_seed(void)
{
    struct promise p = {.version = (uint32_t)seed * 1000};

    for (size_t i = 0; i < POWERCUT_FILES; i++)
        unlink(powercut.names[i].path);
    powercut.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (uint64_t i = 0, lives = 1 + powercut_random(CHAIN); i < lives; i++) {
        live(&p, 1 + (int)powercut_random(1u << (1 + powercut_random(9))));
        powercut_end();
        if (powercut_random(2) == 0)
            unlink(scratch_path("cut.db.lock"));
    }
    powercut_begin(scratch_path("cut.db"), POWERCUT_NEVER);
    store_close(open_store(&p));
    check_log(&p);
}

/* POWERCUT_SEEDS=1-100000 tries others. */
static void no_promise_is_forgotten_when_the_power_is_cut(void **state)
{
    const char *range = getenv("POWERCUT_SEEDS");
    unsigned long first = 1, last = SEEDS;
    (void)state;

    if (range != NULL && sscanf(range, "%lu-%lu", &first, &last) == 1)
        last = first;
    for (seed = first; seed <= last; seed++)
        try_seed();
    seed = 0;
    print_message("cut while opening %u, working %u, closing %u times\n",
                  cuts[OPENING], cuts[WORKING], cuts[CLOSING]);
    assert_true(range != NULL || (cuts[OPENING] > 20 && cuts[WORKING] > 20 &&
                                  cuts[CLOSING] > 20));
}

static int tell_seed(void **state)
{
    (void)state;
    if (seed != 0)
        print_error("seed %lu: POWERCUT_SEEDS=%lu repeats it\n", seed, seed);
    return 0;
}

static int prepare(void **state)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* its sync costs nothing */
    if (scratch_make(state) != 0)
        return -1;
    powercut_install();
    powercut_begin(scratch_path("cut.db"), POWERCUT_NEVER);
    return 0;
}

static int tidy_up(void **state)
{
    powercut_clear();
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(no_promise_is_forgotten_when_the_power_is_cut,
                                  tell_seed),
    };

    return cmocka_run_group_tests(tests, prepare, tidy_up);
}
