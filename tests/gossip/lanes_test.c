#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "crypto/lanes.h"
#include "gossip/engine.h"
#include "gossip/forge.h"

enum { G = 5, T = 4, MEMBER = 1 };

static void in_lanes(int bits)
{
    char text[8];

    snprintf(text, sizeof text, "%d", bits);
    setenv("POD_LANES", text, 1);
}

/* Three grid steps beyond the bound in the first round, nothing later. */
static double beyond(uint32_t member, uint64_t round, size_t element)
{
    const struct fixed_shape shape =
        pod_shape(NULL, &(struct pod_state){.rounds_left = 1});

    if (member != MEMBER)
        return 0;
    return round == 0 ? (element == 0 ? 3.75 : -0.75) + shape.bound : 0;
}

/* Attack 18, over rounds, and over a restart between them. */
static void what_is_clipped_comes_with_the_next_vector(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        in_lanes(k & 1 ? 16 : 32);
        struct pod *p = watch_new(G, T, 3);
        const double bound = p->config.shape.bound;
        p->value = beyond;
        pod_begin(p);
        while (p->engines[MEMBER]->round == 0)
            assert_true(pod_turn(p, 60000));
        const struct pod_state *now = (void *)p->engines[MEMBER]->state;
        assert_true(now->sums[0] == bound);
        assert_true(now->sums[1] == bound - 0.75);
        if (k & 2) {
            pod_kill(p, MEMBER);
            pod_revive(p, MEMBER);
        }
        while (p->engines[MEMBER]->round <= 1)
            assert_true(pod_turn(p, 60000));
        now = (void *)p->engines[MEMBER]->state;
        assert_true(now->sums[0] == 3.75);
        assert_true(now->sums[1] == 0);
        pod_run(p, p->now_ms + 60000);
        assert_true(p->done[0] && p->final[0].sums[0] == 0);
        watch_free(p);
    }
}

static double between_points(uint32_t member, uint64_t round, size_t element)
{
    return (double)member + 0.1 * (double)round + 0.01 * (double)element;
}

struct copy {
    uint32_t times;
    uint8_t lanes[2][POD_LENGTH * 8];
};

/* Dies before its first Y, and again keeps what it was about to send. */
static bool copied(struct pod *p, uint32_t i, const struct gossip_effect *e)
{
    struct copy *c = watch_of(p)->more;
    struct fixed_shape shape;
    uint64_t round;

    if (i != MEMBER || e->kind != GOSSIP_SEND || e->send.type != WIRE_Y ||
        c->times == 2)
        return true;
    const void *plain = gossip_plain(p->engines[i], &round, &shape);
    memcpy(c->lanes[c->times], plain, shape.length * lanes_bytes(&shape));
    return c->times++ != 0;
}

static void who_comes_back_sends_the_same_lanes(void **state)
{
    (void)state;
    for (int bits = 16; bits <= 32; bits += 16) {
        struct copy c = {0};
        in_lanes(bits);
        struct pod *p = watch_new(G, T, 1);
        p->value = between_points;
        p->allow = copied;
        watch_of(p)->more = &c;
        pod_begin(p);
        while (c.times == 0)
            assert_true(pod_turn(p, 60000));
        pod_run(p, p->now_ms + 500);
        pod_revive(p, MEMBER);
        pod_run(p, p->now_ms + 100000);
        assert_int_equal(c.times, 2);
        assert_memory_equal(c.lanes[0], c.lanes[1], sizeof c.lanes[0]);
        assert_true(p->done[MEMBER]);
        watch_free(p);
    }
}

/* Rounded at random, but all members absorb what the lanes say, and a retry
 * over a certified set is no other sum. */
static void a_sum_is_that_of_the_rounded_vectors(void **state)
{
    (void)state;
    for (int bits = 16; bits <= 32; bits += 16) {
        in_lanes(bits);
        struct pod *p = watch_new(G, T, 1);
        const struct fixed_shape shape = p->config.shape;
        uint8_t sum[POD_LENGTH * 8] = {0};
        double values[POD_LENGTH];
        uint64_t round;
        size_t at;
        p->value = between_points;
        p->config.active = p->config.check = true;
        p->config.copies = G - T + 2;
        pod_begin(p);
        while (p->sent[WIRE_SUM] == 0)
            assert_true(pod_turn(p, 60000));
        for (uint32_t i = 0; i < G; i++) {
            struct fixed_shape own;
            const void *plain = gossip_plain(p->engines[i], &round, &own);
            assert_int_equal(own.lane_bits, bits);
            lanes_add(sum, plain, POD_LENGTH, &shape);
        }
        assert_int_equal(lanes_decode(values, sum, G, &shape, &at), 0);
        pod_run(p, 60000);
        for (uint32_t i = 0; i < G; i++)
            assert_memory_equal(p->final[i].sums, values, sizeof values);
        assert_true(values[1] != 10.05); /* it was rounded indeed */
        watch_free(p);
    }
}

/* What does not fit is no shape: narrow lanes for statistics, too many bits. */
static void shapes_that_wrap_do_not_fit(void **state)
{
    struct fixed_shape shape = {
        .length = 1, .bound = 1, .lane_bits = 16, .value_bits = 13};

    (void)state;
    assert_true(lanes_fit(&shape, 8));
    assert_false(lanes_fit(&shape, 9));
    shape.exact = true;
    assert_false(lanes_fit(&shape, 8));
    shape = (struct fixed_shape){.length = 1, .bound = 1, .lane_bits = 24};
    assert_false(lanes_fit(&shape, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_clipped_comes_with_the_next_vector),
        cmocka_unit_test(who_comes_back_sends_the_same_lanes),
        cmocka_unit_test(a_sum_is_that_of_the_rounded_vectors),
        cmocka_unit_test(shapes_that_wrap_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
