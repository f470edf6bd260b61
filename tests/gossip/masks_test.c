#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/engine.h"
#include "gossip/vector.h"

static struct x25519_pair first, second;
static struct gossip *g;

static int set_up(void **state)
{
    static const uint8_t seed[PRG_SEED_BYTES] = {8};
    struct prg prg;

    (void)state;
    g = calloc(1, sizeof *g);
    if (g == NULL || sodium_init() < 0)
        return -1;
    g->keys = calloc(5, sizeof *g->keys);
    if (g->keys == NULL)
        return -1;
    prg_seed(&prg, seed);
    x25519_generate(&first, &prg);
    x25519_generate(&second, &prg);
    memcpy(g->keys[1].mpk, first.open, X25519_BYTES);
    memcpy(g->keys[4].mpk, second.open, X25519_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(g->keys);
    free(g);
    return 0;
}

static void seed_of(uint8_t seed[PRG_SEED_BYTES])
{
    assert_int_equal(vector_seed(seed, g, first.secret, 1, 4), 0);
}

static void both_ends_of_a_pair_have_one_mask(void **state)
{
    uint8_t ours[PRG_SEED_BYTES], theirs[PRG_SEED_BYTES];

    (void)state;
    seed_of(ours);
    assert_int_equal(vector_seed(theirs, g, second.secret, 4, 1), 0);
    assert_memory_equal(ours, theirs, sizeof ours);
}

/* Attack 19: another attempt, V or state never uses a keystream again, even if
 * the keys were the same. */
static void a_pairs_mask_is_bound_to_all_that_it_names(void **state)
{
    uint8_t *named[] = {g->ctx, g->agree[WIRE_V].hash, g->state_hash,
                        g->keys[1].mpk};
    uint8_t seen[5][PRG_SEED_BYTES];

    (void)state;
    seed_of(seen[4]);
    for (size_t i = 0; i < 4; i++) {
        named[i][31 * i % 32] ^= 1;
        seed_of(seen[i]);
        named[i][31 * i % 32] ^= 1;
    }
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], PRG_SEED_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_a_pair_have_one_mask),
        cmocka_unit_test(a_pairs_mask_is_bound_to_all_that_it_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
