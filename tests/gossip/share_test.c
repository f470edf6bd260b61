#include "gossip/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { COUNT_MAX = 3000000 };

struct seen {
    size_t calls, covered;
    size_t from[SHARE_PARTS_MAX], n[SHARE_PARTS_MAX];
};

static void note_part(void *context, size_t k, size_t from, size_t n)
{
    struct seen *seen = context;

    assert_true(k < SHARE_PARTS_MAX);
    assert_int_equal(seen->n[k], 0);
    seen->calls++;
    seen->from[k] = from;
    seen->n[k] = n;
    seen->covered += n;
}

/* A driver whose last thread is the fastest. */
static void backwards(void *context, size_t count,
                      void (*work)(void *argument, size_t k), void *argument)
{
    size_t *shared = context;

    *shared += count;
    while (count-- > 0)
        work(argument, count);
}

static void parts_cover_every_lane_once(void **state)
{
    static struct gossip g;
    size_t shared = 0;

    (void)state;
    g.config.share = backwards;
    g.config.share_context = &shared;
    for (size_t lane = 2; lane <= 8; lane *= 2)
        for (size_t count = 1; count < COUNT_MAX; count = count * 7 / 5 + 1) {
            struct seen seen = {0};
            share_lanes(&g, count, lane, note_part, &seen);
            assert_int_equal(seen.covered, count);
            for (size_t k = 0; k < seen.calls; k++) {
                /* in order, without gap or overlap, cut between groups */
                assert_int_equal(seen.from[k],
                                 k == 0 ? 0 : seen.from[k - 1] + seen.n[k - 1]);
                assert_int_equal(seen.from[k] * lane % PRG_GROUP_BYTES, 0);
            }
        }
    assert_true(shared > 0);
}

static void short_vectors_stay_in_one_piece(void **state)
{
    static struct gossip g;
    size_t shared = 0;
    struct seen seen = {0}, alone = {0};

    (void)state;
    g.config.share = backwards;
    g.config.share_context = &shared;
    share_lanes(&g, 5000, 8, note_part, &seen);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(shared, 0);
    g.config.share = NULL;
    share_lanes(&g, COUNT_MAX, 8, note_part, &alone);
    assert_int_equal(alone.calls, 1);
    assert_int_equal(alone.covered, COUNT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_cover_every_lane_once),
        cmocka_unit_test(short_vectors_stay_in_one_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
