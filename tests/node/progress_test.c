#include "node/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "node/scratch.h"

enum { SLOT = 40, ROUNDS = 3 * PROGRESS_BLOCK + 5 };

static const uint8_t name[GOSSIP_HASH_BYTES] = {1, 2, 3};
static const uint8_t key[AEAD_KEY_BYTES] = {4, 5, 6};
static const struct study study = {.site_count = 0};

static struct store *open_store(const char *file)
{
    struct store *store = NULL;
    struct error error = {""};

    if (store_open(&store, scratch_path(file), name, key, &error) != 0)
        print_error("%s\n", error.text);
    assert_non_null(store);
    return store;
}

static void open_round(struct progress *p, struct store *store, uint64_t round,
                       uint64_t survivors)
{
    const struct gossip_effect e = {.kind = GOSSIP_NOTE,
                                    .note = {.code = GOSSIP_NOTE_OPENED,
                                             .round = round,
                                             .members = survivors}};
    struct error error;

    progress_note(p, &e);
    assert_int_equal(progress_save(p, store, SLOT, &error), 0);
}

/* What a process after this one reads; *largest: bytes of a record. */
static struct progress restored(struct store *store, size_t *largest)
{
    struct progress p = {.study = &study};
    const struct gossip_record *records;
    struct error error;
    size_t count;

    *largest = 0;
    assert_int_equal(store_load(store, &records, &count, &error), 0);
    for (size_t i = 0; i < count; i++) {
        if (records[i].size > *largest)
            *largest = records[i].size;
        progress_restore(&p, records[i].slot - SLOT, records[i].bytes,
                         records[i].size);
    }
    return p;
}

static void same_rows(const struct progress *a, const struct progress *b)
{
    assert_int_equal(a->round_count, b->round_count);
    for (size_t i = 0; i < a->round_count; i++) {
        assert_int_equal(a->rounds[i].round, b->rounds[i].round);
        assert_int_equal(a->rounds[i].survivors, b->rounds[i].survivors);
    }
}

static void a_round_costs_the_same_however_many_were_before(void **state)
{
    struct store *store = open_store("many.db");
    struct progress p = {.study = &study}, q;
    size_t largest;

    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        open_round(&p, store, round, round + 7);
        q = restored(store, &largest);
        assert_true(largest <= PROGRESS_BLOCK * sizeof *p.rounds);
        same_rows(&p, &q);
        progress_free(&q);
    }
    assert_int_equal(p.round_count, ROUNDS);
    progress_free(&p);
    store_close(store);
}

/* A crash came before the state: the round is opened a second time, by the same
 * process or by one that reads the store. */
static void a_round_that_is_opened_again_replaces_its_row(void **state)
{
    static const uint64_t again[] = {PROGRESS_BLOCK - 1, PROGRESS_BLOCK,
                                     PROGRESS_BLOCK - 2};
    struct store *store = open_store("again.db");
    struct progress p = {.study = &study}, q;
    size_t largest;

    (void)state;
    for (uint64_t round = 0; round <= PROGRESS_BLOCK; round++)
        open_round(&p, store, round, 1);
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        open_round(&p, store, again[i], 2 + i);
        q = restored(store, &largest);
        same_rows(&p, &q);
        assert_int_equal(q.rounds[q.round_count - 1].round, again[i]);
        progress_free(&p);
        p = q;
    }
    progress_free(&p);
    store_close(store);
}

static void rows_that_the_totals_do_not_tell_of_do_not_count(void **state)
{
    struct store *store = open_store("cut.db"), *other = open_store("cut2.db");
    struct progress p = {.study = &study}, q;
    const struct gossip_record *records;
    struct error error;
    size_t count, largest;

    (void)state;
    open_round(&p, store, 0, 1);
    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(records[0].slot, SLOT);
    assert_int_equal(
        store_save(other, SLOT, records[0].bytes, records[0].size, &error), 0);
    open_round(&p, store, 1, 1); /* killed between the row and the totals */
    assert_int_equal(store_load(store, &records, &count, &error), 0);
    assert_int_equal(records[1].slot, SLOT + 1);
    assert_int_equal(
        store_save(other, SLOT + 1, records[1].bytes, records[1].size, &error),
        0);
    q = restored(other, &largest);
    assert_int_equal(q.round_count, 1);
    progress_free(&q);
    progress_free(&p);
    store_close(store);
    store_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_costs_the_same_however_many_were_before),
        cmocka_unit_test(a_round_that_is_opened_again_replaces_its_row),
        cmocka_unit_test(rows_that_the_totals_do_not_tell_of_do_not_count),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
