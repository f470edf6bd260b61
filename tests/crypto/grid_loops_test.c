/* What crypto/grid_loops.h promises: registers of any width make the same bits,
 * and no point is beyond the grid, whatever the values. */

#include "crypto/grid_loops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "crypto/grid.h"

enum { COUNT = 200, TRIALS = 300, MEMBERS = 3 };

/* A vector that every kind of loop is given. */
struct trial {
    struct grid grid;
    double values[COUNT], carry[COUNT];
    struct grid_loops_tile tile;
    size_t skip;
};

static struct prg prg;

static double uniform(void)
{
    return (double)prg_below(&prg, UINT64_C(1) << 53) * 0x1p-52 - 1;
}

/* Points, values between them, ends, what is beyond them, and tiny ones. */
static double any_value(const struct grid *grid)
{
    const double offset = (double)((UINT64_C(1) << (grid->value_bits - 1)) - 1);
    const double end = prg_below(&prg, 2) == 0 ? grid->bound : -grid->bound;

    switch (prg_below(&prg, 7)) {
    case 0:
        return end;
    case 1:
        return nextafter(end, 0);
    case 2:
        return nextafter(end, 2 * end);
    case 3:
        return end * ldexp(1, (int)prg_below(&prg, 200));
    case 4:
        return uniform() * 1e-300;
    case 5:
        return floor(uniform() * offset) * (grid->bound / offset);
    default:
        return uniform() * grid->bound;
    }
}

static void make(struct trial *t, uint32_t lane_bits)
{
    const uint32_t most = grid_value_bits(MEMBERS, lane_bits);

    t->grid = (struct grid){
        .bound = ldexp(1 + fabs(uniform()), (int)prg_below(&prg, 80) - 40),
        .value_bits = 2 + (uint32_t)prg_below(&prg, most - 1),
        .lane_bits = lane_bits};
    assert_true(grid_fits(&t->grid, MEMBERS));
    for (size_t i = 0; i < COUNT; i++) {
        t->values[i] = any_value(&t->grid);
        t->carry[i] = any_value(&t->grid);
    }
    prg_bytes(&prg, t->tile.words, sizeof t->tile.words);
    for (size_t i = 0; i < 64; i++) /* the ends of the noise, too */
        t->tile.words[i] = i % 16 < 8 ? 0 : 255;
    t->skip = prg_below(&prg, GRID_LOOPS_BYTES / 8 - COUNT);
}

static struct grid_loops_scale scale_of(const struct grid *grid)
{
    const double offset = (double)((UINT64_C(1) << (grid->value_bits - 1)) - 1);

    return (struct grid_loops_scale){grid->bound, 1 / (grid->bound / offset),
                                     offset, 2 * offset};
}

struct answer {
    uint8_t lanes[8 * COUNT];
    double rest[COUNT], decoded[COUNT];
    uint64_t wild, beyond, beyond_less;
};

static void ask(struct answer *a, const struct grid_loops *loops,
                const struct trial *t)
{
    const struct grid_loops_scale scale = scale_of(&t->grid);
    const uint32_t bits = t->grid.lane_bits;
    static struct grid_loops_tile tile;

    memset(a, 0, sizeof *a);
    tile = t->tile;
    memcpy(a->rest, t->carry, sizeof t->carry);
    a->wild = loops->encode(a->lanes, a->rest, t->values, COUNT, &tile, t->skip,
                            &scale, bits);
    loops->decode(a->decoded, a->lanes, COUNT, (uint64_t)scale.zero,
                  t->grid.bound / scale.zero, bits);
    a->beyond = loops->beyond(a->lanes, COUNT, (uint64_t)scale.top, bits);
    a->beyond_less =
        loops->beyond(a->lanes, COUNT, (uint64_t)scale.top - 1, bits);
}

static void registers_of_any_width_make_the_same_bits(void **state)
{
    const struct grid_loops *all[GRID_LOOPS_KINDS];
    const size_t count = grid_loops_all(all);
    static struct answer first, other;
    static struct trial t;

    (void)state;
    print_message("%zu kinds of loops\n", count);
    assert_true(1 <= count && count <= GRID_LOOPS_KINDS);
    for (int i = 0; i < TRIALS; i++) {
        make(&t, UINT32_C(16) << i % 3);
        ask(&first, all[0], &t);
        for (size_t k = 1; k < count; k++) {
            ask(&other, all[k], &t);
            assert_memory_equal(&first, &other, sizeof first);
        }
    }
}

/* Attack 17: the largest of the lanes that were made is 2 offset, so that those
 * of all members fit. */
static void no_point_is_beyond_the_grid(void **state)
{
    const struct grid_loops *all[GRID_LOOPS_KINDS];
    const size_t count = grid_loops_all(all);
    static struct answer a;
    static struct trial t;
    uint64_t at_the_end = 0;

    (void)state;
    for (int i = 0; i < TRIALS; i++)
        for (size_t k = 0; k < count; k++) {
            make(&t, UINT32_C(16) << i % 3);
            ask(&a, all[k], &t);
            assert_int_equal(a.wild, 0);
            assert_int_equal(a.beyond, 0);
            at_the_end += a.beyond_less;
        }
    assert_true(at_the_end > TRIALS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_of_any_width_make_the_same_bits),
        cmocka_unit_test(no_point_is_beyond_the_grid),
    };

    if (sodium_init() < 0)
        return 1;
    prg_seed(&prg, (const uint8_t[PRG_SEED_BYTES]){"vectors of all kinds"});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
