/* Which rows processes give and get: told from W alone, so both ends must come
 * to the same; and loops over rows that are spread. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/drawn.h"
#include "sim/lab/halo.h"
#include "sim/lab/spread.h"
#include "sim/lab/weights.h"

enum { N = 61, RANKS = 4 };

static const size_t start[RANKS + 1] = {0, 20, 20, 45, N}; /* one has none */

static struct mixing *random_mixing(uint64_t seed)
{
    const struct named_spec spec = {
        .name = "erdos-renyi", .p = 0.08, .seed = seed};
    struct graph *graph;
    struct mixing *m;

    assert_int_equal(drawn_graph(&graph, &spec, N, NULL), 0);
    assert_int_equal(weights_of(&m, graph, WEIGHTS_METROPOLIS, NULL), 0);
    graph_free(graph);
    return m;
}

static bool hears(const struct mixing *m, const struct halo_links *l, size_t i,
                  size_t j)
{
    bool by_link = false;

    for (size_t e = l->first == NULL ? 0 : l->first[i];
         l->first != NULL && e < l->first[i + 1]; e++)
        by_link = by_link || l->neighbour[e] == j;
    if (m->kind == MIXING_SPARSE)
        return by_link || mixing_find(m, i, j) != SIZE_MAX;
    for (size_t k = 0; m->kind == MIXING_CIRCULANT && k < m->offset_count; k++)
        by_link = by_link || (i + m->offset[k]) % m->n == j;
    return by_link;
}

static void check(const struct mixing *m, const struct halo_links *l)
{
    struct halo h[RANKS];

    for (size_t r = 0; r < RANKS; r++)
        assert_int_equal(halo_of(&h[r], m, l, start, RANKS, r), 0);
    for (size_t r = 0; r < RANKS; r++)
        for (size_t s = 0; s < RANKS; s++) {
            const size_t count = h[r].get[s + 1] - h[r].get[s];
            size_t k = 0;
            for (size_t j = start[s]; s != r && j < start[s + 1]; j++) {
                bool needed = false;
                for (size_t i = start[r]; i < start[r + 1]; i++)
                    needed = needed || hears(m, l, i, j);
                if (needed) {
                    assert_true(k < count);
                    assert_int_equal(h[r].got[h[r].get[s] + k++], j);
                }
            }
            assert_int_equal(k, count);
            assert_int_equal(h[s].give[r + 1] - h[s].give[r], count);
            if (count > 0)
                assert_memory_equal(h[s].given + h[s].give[r],
                                    h[r].got + h[r].get[s],
                                    count * sizeof *h[r].got);
        }
    for (size_t r = 0; r < RANKS; r++)
        halo_free(&h[r]);
}

static void both_ends_agree_on_what_is_needed(void **state)
{
    const struct halo_links none = {NULL, NULL};

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct mixing *m = random_mixing(seed);
        check(m, &none);
        mixing_free(m);
    }
    struct mixing *hop = mixing_circulant(N, (const size_t[]){0, 30},
                                          (const double[]){0.5, 0.5}, 2);
    struct mixing *average = mixing_average(N);
    struct mixing *other = random_mixing(11);
    struct graph *g = mixing_graph(other);
    check(hop, &none);
    check(average, &none);
    check(average, &(struct halo_links){g->start, g->to});
    check(hop, &(struct halo_links){g->start, g->to});
    graph_free(g);
    mixing_free(hop);
    mixing_free(average);
    mixing_free(other);
}

static void mark(void *context, size_t from, size_t to, size_t thread)
{
    unsigned char *seen = context;

    (void)thread;
    for (size_t i = from; i < to; i++)
        seen[i]++;
}

static void loops_cover_the_own_rows_once(void **state)
{
    unsigned char seen[N] = {0};
    struct pool *pool = pool_new(3);
    struct spread s;

    (void)state;
    assert_non_null(pool);
    assert_int_equal(spread_new(&s, N, false), 0);
    assert_int_equal(s.from, 0);
    assert_int_equal(s.to, N); /* of one process all */
    s.from = 7;
    s.to = 50;
    spread_rows(&s, pool, 1, mark, seen);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(seen[i], i >= 7 && i < 50);
    assert_false(spread_begins(&s, 0));
    assert_int_equal(spread_first(&s, 0), 7);
    assert_int_equal(spread_last(&s, 0), 50);
    spread_free(&s);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_agree_on_what_is_needed),
        cmocka_unit_test(loops_cover_the_own_rows_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
