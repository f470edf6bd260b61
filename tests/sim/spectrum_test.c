/* Spectra beyond LAPACK's reach: beside LAPACK at sizes where both work, and
 * beside closed forms where only they do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/base.h"
#include "sim/lab/chance.h"
#include "sim/lab/circulant.h"
#include "sim/lab/drawn.h"
#include "sim/lab/sequence.h"
#include "sim/lab/spectrum.h"
#include "sim/lab/weights.h"

static const double pi = 3.141592653589793;

static void assert_near(double got, double expected, double allowed)
{
    if (!(fabs(got - expected) <= allowed))
        fail_msg("found %.17g, expected %.17g", got, expected);
}

static struct graph *graph_named(const struct named_spec *spec, size_t n)
{
    struct graph *g;
    struct error error = {{0}};

    if (named_graph(&g, spec, n, &error) != 0 &&
        drawn_graph(&g, spec, n, &error) != 0)
        fail_msg("%s", error.text);
    return g;
}

static struct mixing *weights(const struct named_spec *spec, size_t n,
                              enum weights_rule rule)
{
    struct graph *g = graph_named(spec, n);
    struct error error = {{0}};
    struct mixing *m;

    if (weights_of(&m, g, rule, &error) != 0)
        fail_msg("%s", error.text);
    graph_free(g);
    return m;
}

static void same(const struct mixing *m, double allowed)
{
    struct spectrum dense, sparse;
    struct error error = {{0}};

    assert_int_equal(spectrum_of(&dense, m, &error), 0);
    if (spectrum_sparse(&sparse, m, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(dense.symmetric, sparse.symmetric);
    assert_near(sparse.lambda2, dense.lambda2, allowed);
    assert_near(sparse.slem, dense.slem, allowed);
    assert_near(sparse.gap, dense.gap, allowed);
    assert_near(sparse.norm, dense.norm, allowed);
    if (dense.symmetric)
        assert_near(sparse.lambda_n, dense.lambda_n, allowed);
}

static void lanczos_finds_what_lapack_finds(void **state)
{
    static const struct named_spec specs[] = {
        {.name = "path"},
        {.name = "star"},
        {.name = "torus"},
        {.name = "bintree"},
        {.name = "erdos-renyi", .p = 0.008, .seed = 2},
        {.name = "regular", .degree = 4, .seed = 3},
        {.name = "barabasi-albert", .m = 2, .seed = 4},
        {.name = "lollipop", .clique = 40},
    };

    (void)state;
    for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
        struct mixing *m = weights(&specs[k], 400, WEIGHTS_METROPOLIS);
        same(m, 1e-10);
        mixing_laze(m); /* none below 0 */
        same(m, 1e-10);
        mixing_free(m);
    }
    struct mixing *m = weights(&specs[5], 1500, WEIGHTS_METROPOLIS);
    same(m, 1e-10);
    mixing_free(m);
    m = weights(&(struct named_spec){.name = "complete"}, 100,
                WEIGHTS_MAX_DEGREE); /* averages at once */
    same(m, 1e-10);
    mixing_free(m);
}

/* Rows of a random digraph, or columns, that sum to 1. */
static struct mixing *directed(size_t n, size_t out, bool columns)
{
    struct mixing_entry *entries = malloc(n * (out + 1) * sizeof *entries);
    struct chance chance = chance_of(5, CHANCE_GRAPH, n, out);
    size_t count = 0;

    assert_non_null(entries);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= out; k++) {
            uint32_t j = (uint32_t)(k == 0 ? i : chance_below(&chance, n));
            entries[count++] =
                columns ? (struct mixing_entry){j, (uint32_t)i,
                                                1 / (double)(out + 1)}
                        : (struct mixing_entry){(uint32_t)i, j,
                                                1 / (double)(out + 1)};
        }
    struct mixing *m = mixing_of(entries, count, n);
    free(entries);
    assert_non_null(m);
    return m;
}

static void arnoldi_finds_what_lapack_finds(void **state)
{
    (void)state;
    for (size_t out = 2; out < 7; out += 2)
        for (int columns = 0; columns < 2; columns++) {
            struct mixing *m = directed(300, out, columns == 1);
            same(m, 1e-9);
            mixing_free(m);
        }
    struct mixing *m = directed(1500, 4, false);
    same(m, 1e-9);
    mixing_free(m);
}

static void closed_forms_hold_at_five_thousand(void **state)
{
    const size_t n = 5000;
    struct error error = {{0}};
    struct spectrum s, closed;

    (void)state;
    struct mixing *m =
        weights(&(struct named_spec){.name = "path"}, n, WEIGHTS_METROPOLIS);
    assert_int_equal(spectrum_of(&s, m, &error), 0);
    assert_true(s.symmetric);
    assert_near(s.lambda2, (1 + 2 * cos(pi / (double)n)) / 3, 1e-12);
    assert_near(s.lambda_n, (1 - 2 * cos(pi / (double)n)) / 3, 1e-12);
    mixing_free(m);
    m = weights(&(struct named_spec){.name = "star"}, n, WEIGHTS_BEST);
    assert_int_equal(spectrum_of(&s, m, &error), 0);
    assert_near(s.slem, ((double)n - 1) / ((double)n + 1), 1e-9);
    mixing_free(m);
    /* circulants, found without knowing that they are */
    static const struct named_spec specs[] = {
        {.name = "ring"},
        {.name = "circulant", .offsets = {1, 70, 900}, .offset_count = 3}};
    for (size_t k = 0; k < 2; k++) {
        m = weights(&specs[k], n, WEIGHTS_METROPOLIS);
        assert_true(circulant_is(m));
        circulant_spectrum(&closed, m);
        assert_int_equal(spectrum_sparse(&s, m, &error), 0);
        assert_near(s.lambda2, closed.lambda2, 1e-9);
        assert_near(s.lambda_n, closed.lambda_n, 1e-9);
        mixing_free(m);
    }
    struct sequence *q;
    assert_int_equal(
        sequence_named(&q, &(struct named_spec){.name = "static-exponential"},
                       n, &error),
        0);
    circulant_spectrum(&closed, q->mixes[0]);
    assert_int_equal(spectrum_sparse(&s, q->mixes[0], &error), 0);
    assert_false(s.symmetric);
    assert_near(s.slem, closed.slem, 1e-9);
    assert_near(s.norm, closed.norm, 1e-9);
    sequence_free(q);
}

static void laplacians_are_found_too(void **state)
{
    const size_t n = 5000;
    struct error error = {{0}};
    double least, most;

    (void)state;
    struct graph *g = graph_named(&(struct named_spec){.name = "path"}, n);
    assert_int_equal(spectrum_laplacian(&least, &most, g, &error), 0);
    assert_near(least, 2 - 2 * cos(pi / (double)n), 1e-11);
    assert_near(most, 2 + 2 * cos(pi / (double)n), 1e-11);
    graph_free(g);
    g = graph_named(&(struct named_spec){.name = "star"}, n);
    assert_int_equal(spectrum_laplacian(&least, &most, g, &error), 0);
    assert_near(least, 1, 1e-9);
    assert_near(most, (double)n, 1e-8);
    graph_free(g);
}

static void the_same_bits_come_every_time(void **state)
{
    struct spectrum a, b;
    struct error error = {{0}};

    (void)state;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    struct mixing *m = directed(2500, 3, false);
    assert_int_equal(spectrum_of(&a, m, &error), 0);
    assert_int_equal(spectrum_of(&b, m, &error), 0);
    assert_true(memcmp(&a.slem, &b.slem, sizeof a.slem) == 0);
    assert_true(memcmp(&a.norm, &b.norm, sizeof a.norm) == 0);
    mixing_free(m);
}

static void what_cannot_be_found_is_told(void **state)
{
    struct spectrum s;
    struct error error = {{0}};

    (void)state;
    struct mixing *m =
        weights(&(struct named_spec){.name = "path"}, 2500, WEIGHTS_METROPOLIS);
    m->weight[m->start[1000]] += 0.25;
    assert_int_equal(spectrum_of(&s, m, &error), -EDOM);
    assert_string_equal(error.text,
                        "spectrum: found row 1000 of W that sums to 1.25, "
                        "expected 1 where there are more than 2000 nodes");
    mixing_free(m);
    /* One way round a long ring: thousands of eigenvalues at a modulus of 1. */
    struct mixing_entry round[5000];
    for (uint32_t i = 0; i < 2500; i++) {
        const double keep = i == 0 ? 0.4 : 0.5;
        round[2 * i] = (struct mixing_entry){i, i, keep};
        round[2 * i + 1] = (struct mixing_entry){i, (i + 1) % 2500, 1 - keep};
    }
    m = mixing_of(round, 5000, 2500);
    assert_int_equal(spectrum_of(&s, m, &error), -EDOM);
    assert_string_equal(error.text,
                        "spectrum: the iteration does not converge: its "
                        "eigenvalues lie too close");
    mixing_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanczos_finds_what_lapack_finds),
        cmocka_unit_test(arnoldi_finds_what_lapack_finds),
        cmocka_unit_test(closed_forms_hold_at_five_thousand),
        cmocka_unit_test(laplacians_are_found_too),
        cmocka_unit_test(the_same_bits_come_every_time),
        cmocka_unit_test(what_cannot_be_found_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
