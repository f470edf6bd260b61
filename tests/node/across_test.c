/* Two members that are each a pod, without an engine: what one would open is
 * put in by hand. */

#include "node/across.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/prg.h"

enum { PODS = 2, LENGTH = 2, LETTERS = 8, SLOT = 9, ROUND = 4, NOW_MS = 1000 };

static const struct fixed_shape wide = {
    .length = LENGTH, .bound = 1024, .fraction_bits = 8, .exact = true};
static const struct fixed_shape narrow = {
    .length = LENGTH, .bound = 1, .lane_bits = 16, .value_bits = 12};
static struct fixed_shape shape; /* the one in use */
static uint64_t survivors = 1;

static struct fixed_shape shape_of(const struct task *task, const void *state)
{
    (void)task;
    (void)state;
    return shape;
}

static const struct task_ops ops = {.shape = shape_of};

static struct pair {
    struct study whole, views[PODS];
    struct identity identities[PODS];
    uint8_t keys[PODS][1][IDENTITY_KEY_BYTES];
    struct mix_pod mixes[PODS];
    struct across *sides[PODS];
    struct outbox boxes[PODS];
    struct letter { /* from one to the other */
        uint8_t head[MIXWIRE_MAX], body[8 * (LENGTH + 2)];
        size_t head_size, body_size;
    } letters[PODS][LETTERS];
    size_t letter_count[PODS];
} pair;

static int verify(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key)
{
    (void)context;
    return identity_verify(signature, domain, message, size, key);
}

static int open_pair(void **state)
{
    uint8_t seed[PRG_SEED_BYTES] = "across";
    struct error error;
    struct prg prg;

    (void)state;
    memset(&pair, 0, sizeof pair);
    shape = wide;
    prg_seed(&prg, seed);
    pair.whole = (struct study){.path = (char *)"study.yaml",
                                .site_count = PODS,
                                .pod_count = PODS,
                                .exact = true,
                                .deadline_ms = 2000,
                                .linger_ms = 5000,
                                .mixing = {.graph = SCHEDULE_RING, .n = PODS}};
    for (uint32_t p = 0; p < PODS; p++) {
        identity_generate(&pair.identities[p], &prg);
        memcpy(pair.keys[p][0], pair.identities[p].open.sign,
               IDENTITY_KEY_BYTES);
        pair.mixes[p] = (struct mix_pod){
            .members = 1,
            .threshold = 1,
            .believed = 1,
            .keys = (const uint8_t(*)[IDENTITY_KEY_BYTES])pair.keys[p]};
        pair.views[p] = pair.whole;
        pair.views[p].whole = &pair.whole;
        pair.views[p].pod = p;
    }
    for (uint32_t p = 0; p < PODS; p++) {
        struct across_config config = {
            .blend = {.study = &pair.views[p],
                      .pods = pair.mixes,
                      .words_max = LENGTH + 2,
                      .sign_secret = pair.identities[p].sign_secret,
                      .verify = verify},
            .ops = &ops,
            .length_max = LENGTH,
            .save_slot = SLOT};
        assert_int_equal(across_new(&pair.sides[p], &config, &error), 0);
    }
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < PODS; p++) {
        across_free(pair.sides[p]);
        outbox_free(&pair.boxes[p]);
    }
    return 0;
}

static const struct gossip_effect *find(uint32_t p,
                                        enum gossip_effect_kind kind)
{
    for (size_t i = 0; i < pair.boxes[p].count; i++)
        if (pair.boxes[p].effects[i].kind == kind)
            return &pair.boxes[p].effects[i];
    return NULL;
}

/* Ends the step of one; what it says lives no longer. */
static void end(uint32_t p, uint64_t now_ms)
{
    struct outbox *box = &pair.boxes[p];

    across_end(pair.sides[p], box, now_ms);
    for (size_t i = 0; i < box->count; i++) {
        const struct gossip_effect *e = &box->effects[i];
        struct letter *l = &pair.letters[p][pair.letter_count[p]];
        if (e->kind != GOSSIP_POST)
            continue;
        assert_true(++pair.letter_count[p] < LETTERS);
        l->head_size = e->post.head_size;
        l->body_size = e->post.body_size;
        assert_true(l->body_size <= sizeof l->body);
        memcpy(l->head, e->post.head, l->head_size);
        if (l->body_size > 0)
            memcpy(l->body, e->post.body, l->body_size);
    }
}

static void deliver_by(uint32_t p, uint32_t from, uint64_t now_ms)
{
    for (size_t i = 0; i < pair.letter_count[p]; i++) {
        const struct letter *l = &pair.letters[p][i];
        struct gossip_event event = {.kind = GOSSIP_POSTED, .now_ms = now_ms};
        event.posted.pod = p;
        event.posted.from = from;
        event.posted.head = l->head;
        event.posted.head_size = l->head_size;
        event.posted.body = l->body;
        event.posted.body_size = l->body_size;
        across_hear(pair.sides[1 - p], &event);
    }
    pair.letter_count[p] = 0;
}

static void open_sum(uint32_t p, const void *lanes, size_t length)
{
    static const double decoded[LENGTH + 1];
    struct gossip_effect e = {.kind = GOSSIP_ABSORB};

    e.absorb.round = ROUND + 1;
    e.absorb.sum = decoded;
    e.absorb.lanes = lanes;
    e.absorb.length = length;
    e.absorb.survivors = survivors;
    assert_true(across_takes(pair.sides[p], &pair.boxes[p], &e, NOW_MS));
    end(p, NOW_MS);
}

static void deliver(uint32_t p, uint64_t now_ms)
{
    deliver_by(p, 0, now_ms);
}

/* Both opened; what each then has. */
static void exchange(const struct gossip_effect *sums[PODS])
{
    deliver(0, NOW_MS);
    sums[1] = across_sum(pair.sides[1], &pair.boxes[1], NOW_MS);
    deliver(1, NOW_MS);
    sums[0] = across_sum(pair.sides[0], &pair.boxes[0], NOW_MS);
}

static uint64_t lane_of(double value)
{
    return (uint64_t)((value + shape.bound) * 256);
}

static void the_held_sum_is_all_pods(void **state)
{
    const uint64_t lanes[PODS][LENGTH] = {{lane_of(3), lane_of(-1)},
                                          {lane_of(0.5), lane_of(1000)}};
    const struct gossip_effect *sums[PODS];

    (void)state;
    open_sum(0, lanes[0], LENGTH);
    assert_null(across_sum(pair.sides[0], &pair.boxes[0], NOW_MS));
    open_sum(1, lanes[1], LENGTH);
    exchange(sums);
    for (uint32_t p = 0; p < PODS; p++) {
        assert_non_null(sums[p]);
        assert_true(sums[p]->absorb.sum[0] == 3.5);
        assert_true(sums[p]->absorb.sum[1] == 999);
        assert_int_equal(sums[p]->absorb.survivors, 3);
        assert_null(find(p, GOSSIP_DONE));
    }
}

/* Signed by a member of pod 1, but brought by another of its sites. */
static void a_neighbour_speaks_for_itself_only(void **state)
{
    const uint64_t lanes[LENGTH] = {lane_of(3), lane_of(-1)};
    struct mix_view view;

    (void)state;
    open_sum(0, lanes, LENGTH);
    open_sum(1, lanes, LENGTH);
    deliver_by(1, 1, NOW_MS);
    assert_null(across_sum(pair.sides[0], &pair.boxes[0], NOW_MS));
    across_view(pair.sides[0], &view);
    assert_int_equal(view.dropped, 1);
}

/* 16 bits hold a pod's sum, not that of all pods. */
static void narrow_sums_of_pods_do_not_wrap(void **state)
{
    enum { ZERO = (1 << 11) - 1, MEMBERS = 16 };
    const uint16_t lanes[PODS][LENGTH] = {
        {MEMBERS * 2 * ZERO, MEMBERS * ZERO},
        {MEMBERS * 2 * ZERO, MEMBERS * ZERO + ZERO}};
    const struct gossip_effect *sums[PODS];

    (void)state;
    shape = narrow;
    pair.whole.site_count = PODS * MEMBERS;
    survivors = (1 << MEMBERS) - 1;
    open_sum(0, lanes[0], LENGTH);
    open_sum(1, lanes[1], LENGTH);
    survivors = 1;
    exchange(sums);
    for (uint32_t p = 0; p < PODS; p++) {
        assert_non_null(sums[p]);
        assert_true(sums[p]->absorb.sum[0] == PODS * MEMBERS);
        assert_true(sums[p]->absorb.sum[1] == 1);
    }
}

static void is_spoiled(uint32_t p)
{
    const struct gossip_effect *done = find(p, GOSSIP_DONE);

    assert_non_null(done);
    assert_int_equal(done->done.reason, GOSSIP_SPOILED);
    assert_int_equal(done->done.round, ROUND);
}

/* A pod that went on with its own sum would go its own way in silence. */
static void a_sum_that_cannot_be_ends_the_study_in_all_pods(void **state)
{
    const uint64_t lanes[PODS][LENGTH] = {{lane_of(3), lane_of(-1)},
                                          {lane_of(0), UINT64_C(1) << 40}};
    const struct gossip_effect *sums[PODS];

    (void)state;
    open_sum(0, lanes[0], LENGTH);
    open_sum(1, lanes[1], LENGTH);
    exchange(sums);
    for (uint32_t p = 0; p < PODS; p++) {
        assert_null(sums[p]);
        is_spoiled(p);
        assert_null(across_sum(pair.sides[p], &pair.boxes[p], NOW_MS));
    }
}

static void who_is_spoiled_leaves_when_all_know(void **state)
{
    a_sum_that_cannot_be_ends_the_study_in_all_pods(state);
    end(0, NOW_MS);
    assert_null(find(0, GOSSIP_LEAVE)); /* pod 1 may still ask */
    deliver(0, NOW_MS + 1);
    end(1, NOW_MS + 1);
    assert_non_null(find(1, GOSSIP_LEAVE)); /* pod 0 has said that it is over */
    end(0, NOW_MS + pair.whole.linger_ms - 1);
    assert_null(find(0, GOSSIP_LEAVE));
    end(0, NOW_MS + pair.whole.linger_ms);
    assert_non_null(find(0, GOSSIP_LEAVE));
}

static void a_vector_of_another_length_is_no_sum(void **state)
{
    const uint64_t lanes[LENGTH] = {lane_of(3), lane_of(-1)};
    const uint64_t many[LENGTH + 1] = {0};

    (void)state;
    open_sum(0, lanes, LENGTH);
    open_sum(1, many, LENGTH + 1);
    deliver(1, NOW_MS);
    assert_null(across_sum(pair.sides[0], &pair.boxes[0], NOW_MS));
    is_spoiled(0);
}

/* What the other pod gets of so many true questions, at one time. */
static size_t answers(size_t questions, uint64_t now_ms)
{
    static const uint8_t zero[MIXWIRE_HASH_BYTES];
    struct gossip_event event = {.kind = GOSSIP_POSTED, .now_ms = now_ms};
    struct mixwire want = {.type = MIXWIRE_WANT, .pod = 1, .round = ROUND};
    uint8_t study[MIXWIRE_HASH_BYTES], head[MIXWIRE_MAX];
    size_t count = 0;

    mixwire_study(study, zero, zero);
    event.posted.pod = 1;
    event.posted.head = head;
    event.posted.head_size =
        mixwire_write(head, &want, study, pair.identities[1].sign_secret);
    for (size_t i = 0; i < questions; i++) {
        pair.boxes[0].count = 0;
        across_hear(pair.sides[0], &event);
        across_end(pair.sides[0], &pair.boxes[0], now_ms);
        count += find(0, GOSSIP_POST) != NULL;
    }
    return count;
}

static void who_asks_too_much_is_not_heard_for_a_while(void **state)
{
    enum { MANY = 2000, FEW = 64, LATER_MS = 10000 };
    const uint64_t lanes[LENGTH] = {lane_of(3), lane_of(-1)};
    struct mix_view view;

    (void)state;
    open_sum(0, lanes, LENGTH);
    assert_int_equal(answers(FEW, NOW_MS), FEW); /* as one that catches up */
    size_t more = answers(MANY, NOW_MS);
    assert_in_range(more, 1, MANY / 10);
    across_view(pair.sides[0], &view);
    assert_int_equal(view.dropped, MANY - more);
    assert_int_equal(answers(1, NOW_MS + LATER_MS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            who_asks_too_much_is_not_heard_for_a_while, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(the_held_sum_is_all_pods, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(a_neighbour_speaks_for_itself_only,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(narrow_sums_of_pods_do_not_wrap,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(
            a_sum_that_cannot_be_ends_the_study_in_all_pods, open_pair,
            close_pair),
        cmocka_unit_test_setup_teardown(who_is_spoiled_leaves_when_all_know,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_vector_of_another_length_is_no_sum,
                                        open_pair, close_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
