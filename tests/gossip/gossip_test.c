#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gossip/forge.h"

static void a_quiet_pod_opens_exact_sums_and_leaves(void **state)
{
    static const uint32_t sizes[][2] = {{3, 3}, {4, 3}, {5, 3}, {10, 6}};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct pod *p = watch_new(sizes[s][0], sizes[s][1], 3);
        pod_begin(p);
        pod_run(p, 60000);
        assert_true(pod_exact(p, 3));
        assert_true(p->now_ms < 2000);
        for (uint32_t i = 0; i < p->members; i++)
            assert_true(p->left[i]);
        watch_free(p);
    }
}

static bool lossy(struct pod *p, struct pod_message *m)
{
    struct watch *w = watch_of(p);

    if (prg_below(&w->prg, 100) < 20)
        return false;
    m->at_ms = p->now_ms + 1 + prg_below(&w->prg, 60);
    if (prg_below(&w->prg, 100) < 20) {
        struct pod_message again = *m;
        again.head = pod_copy(m->head, m->head_size);
        again.body = pod_copy(m->body, m->body_size);
        again.at_ms += prg_below(&w->prg, 400);
        pod_queue(p, again);
    }
    return true;
}

static void loss_duplication_and_reordering_only_delay(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 200; seed++) {
        uint8_t bytes[PRG_SEED_BYTES] = {(uint8_t)seed, 7};
        struct pod *p = watch_new(seed % 8 == 0 ? 5 : 3 + seed % 2, 3, 2);
        prg_seed(&watch_of(p)->prg, bytes);
        watch_of(p)->filter = lossy;
        pod_begin(p);
        pod_run(p, 120000);
        if (!pod_exact(p, 2))
            fail_msg("seed %u", seed);
        watch_free(p);
    }
}

static bool without_proposals_of_0(struct pod *p, struct pod_message *m)
{
    (void)p;
    return m->type != WIRE_PROPOSE || m->from != 0;
}

static void a_silent_proposer_is_passed_over(void **state)
{
    struct pod *p = watch_new(4, 3, 2);

    (void)state;
    watch_of(p)->filter = without_proposals_of_0;
    pod_begin(p);
    pod_run(p, 60000);
    assert_true(pod_exact(p, 2));
    assert_int_equal(p->note_count[1][GOSSIP_NOTE_ATTEMPT], 0);
    watch_free(p);
}

/* Its link is up, it says nothing more once its RECV is out. */
static bool silent_after_recv(struct pod *p, struct pod_message *m)
{
    struct watch *w = watch_of(p);

    if (m->from != 0)
        return true;
    if (w->count >= 3 && p->now_ms < 4000)
        return false;
    w->count += m->type == WIRE_RECV;
    return true;
}

/* Attack 30, without a hint from the link. */
static void a_silent_owners_slice_is_summed_by_the_next_holder(void **state)
{
    struct pod *p = watch_new(4, 3, 2);

    (void)state;
    watch_of(p)->filter = silent_after_recv;
    pod_begin(p);
    pod_run(p, 3000);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_OPENED], 1);
        assert_int_equal(p->note_members[i][GOSSIP_NOTE_COPY], 1);
    }
    pod_run(p, 60000);
    assert_true(pod_exact(p, 2));
    watch_free(p);
}

static bool halved(struct pod *p, struct pod_message *m)
{
    return p->now_ms >= 12000 || p->now_ms < 5 || (m->from < 2) == (m->to < 2);
}

static void a_pod_split_in_halves_waits_and_heals(void **state)
{
    struct pod *p = watch_new(4, 3, 2);

    (void)state;
    watch_of(p)->filter = halved;
    pod_begin(p);
    pod_run(p, 11999);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(p->done[i]);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_OPENED], 0);
    }
    pod_run(p, 60000);
    assert_true(pod_exact(p, 2));
    watch_free(p);
}

static void a_missing_member_stops_a_study_that_says_so(void **state)
{
    struct pod *p = watch_new(4, 3, 3);

    (void)state;
    p->config.on_loss = GOSSIP_STOP;
    pod_begin(p);
    while (p->note_count[3][GOSSIP_NOTE_OPENED] == 0)
        assert_true(pod_turn(p, 1000));
    pod_kill(p, 3);
    pod_run(p, 7000);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_STOPPED);
        assert_int_equal(p->note_members[i][GOSSIP_NOTE_STOPPED], 8);
    }
    pod_revive(p, 3); /* away, not forgotten */
    pod_run(p, 30000);
    assert_true(p->done[3]);
    assert_int_equal(p->reason[3], GOSSIP_STOPPED);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(p->left[i]);
    p->done[1] = false;
    pod_revive(p, 1); /* an ended study stays ended */
    pod_run(p, 60000);
    assert_true(p->done[1] && p->left[1]);
    assert_int_equal(p->reason[1], GOSSIP_STOPPED);
    watch_free(p);
}

static void a_decline_ends_the_study_everywhere(void **state)
{
    struct pod *p = watch_new(4, 3, 3);

    (void)state;
    p->decline[2] = GOSSIP_DECLINE_DATA;
    pod_begin(p);
    pod_kill(p, 1); /* was here, is away when the study ends */
    pod_run(p, 3000);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(p->done[i] == (i != 1));
    pod_revive(p, 1);
    pod_run(p, 30000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_DECLINED);
        assert_int_equal(p->note_members[i][GOSSIP_NOTE_DECLINED], 4);
    }
    watch_free(p);
}

static double out_of_range(uint32_t member, uint64_t round, size_t element)
{
    return member == 1 && round == 1 ? 1e30 : pod_value(member, round, element);
}

static void a_value_beyond_the_lanes_is_declined_not_clipped(void **state)
{
    (void)state;
    if (pod_lane_bits() != 64)
        skip(); /* there it is clipped: gossip.lanes */
    struct pod *p = watch_new(4, 3, 3);
    p->value = out_of_range;
    pod_begin(p);
    pod_run(p, 30000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(p->reason[i], GOSSIP_DECLINED);
        assert_int_equal(p->final[i].rounds_left, 2);
    }
    watch_free(p);
}

static void waiting_ends_after_wait_ms(void **state)
{
    struct pod *p = watch_new(4, 3, 2);

    (void)state;
    p->config.wait_ms = 8000;
    pod_begin(p);
    pod_kill(p, 2);
    pod_run(p, 7999);
    assert_false(p->done[0]);
    pod_run(p, 30000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(p->done[i] == (i != 2));
        assert_true(i == 2 || p->reason[i] == GOSSIP_TIMED_OUT);
        assert_true(i == 2 || p->note_members[i][GOSSIP_NOTE_STOPPED] == 4);
    }
    watch_free(p);
}

static void without_wait_ms_a_member_is_waited_for_by_name(void **state)
{
    struct pod *p = watch_new(4, 3, 2);

    (void)state;
    pod_begin(p);
    pod_kill(p, 2);
    pod_run(p, 200000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(p->done[i]);
        assert_true(i == 2 || p->note_members[i][GOSSIP_NOTE_AWAITED] == 4);
    }
    pod_revive(p, 2);
    pod_run(p, 260000);
    assert_true(pod_exact(p, 2));
    assert_int_equal(p->note_members[0][GOSSIP_NOTE_AWAITED], 0);
    watch_free(p);
}

/* The fields that a member was told of, by member. */
static char told[POD_MAX][GOSSIP_FIELD_NAME_SIZE];

static bool listen(struct pod *p, uint32_t i, const struct gossip_effect *e)
{
    (void)p;
    if (e->kind == GOSSIP_NOTE && e->note.code == GOSSIP_NOTE_DIFFERS)
        strncpy(told[i], e->note.text, sizeof told[i] - 1);
    return true;
}

static void different_studies_name_the_field_on_both_sides(void **state)
{
    struct pod *p = watch_new(4, 3, 2);
    struct gossip_field other[2];

    (void)state;
    memset(told, 0, sizeof told);
    p->allow = listen;
    pod_begin(p);
    memcpy(other, p->fields, sizeof other);
    other[0].hash[0] ^= 1;
    p->config.fields = other;
    p->config.charter[0] ^= 1;
    pod_lose_disk(p, 1); /* nothing of the first study */
    pod_revive(p, 1);
    pod_run(p, 1000);
    assert_string_equal(told[0], "task.l2");
    assert_string_equal(told[1], "task.l2");
    assert_string_equal(told[3], "task.l2");
    assert_int_equal(p->note_count[2][GOSSIP_NOTE_OPENED], 0);
    watch_free(p);
}

static void a_field_that_one_side_lacks_is_named_too(void **state)
{
    struct pod *p = watch_new(4, 3, 2);

    (void)state;
    memset(told, 0, sizeof told);
    p->allow = listen;
    pod_begin(p);
    p->config.field_count = 1;
    pod_lose_disk(p, 1); /* nothing of the first study */
    pod_revive(p, 1);
    pod_run(p, 1000);
    assert_string_equal(told[0], "study");
    assert_string_equal(told[1], "study");
    watch_free(p);
}

static void a_vector_shorter_than_the_pod_sums_exactly(void **state)
{
    struct pod *p = watch_new(5, 3, 1);
    const struct pod_state *final;

    (void)state;
    p->config.shape.length = 2; /* three owners own nothing */
    pod_begin(p);
    pod_run(p, 30000);
    for (uint32_t i = 0; i < 5; i++) {
        final = &p->final[i];
        assert_true(p->done[i] && p->left[i]);
        assert_true(final->sums[0] == pod_expected(p, 0, 0));
        assert_true(final->sums[1] == pod_expected(p, 0, 1));
    }
    watch_free(p);
}

/* KEYS, SHARES, ACK and V need no vector: they are through when it is there. */
/* For longer than the deadline of 5000, or until just before it. */
static void members_pair_while_they_train(void **state)
{
    enum { G = 5 };
    static const uint64_t train_ms[] = {20000, 4999};

    (void)state;
    for (size_t t = 0; t < sizeof train_ms / sizeof train_ms[0]; t++) {
        struct pod *p = watch_new(G, 3, 1);

        for (uint32_t i = 0; i < G; i++)
            p->train_ms[i] = train_ms[t];
        pod_begin(p);
        pod_run(p, train_ms[t] - 1);
        for (uint32_t i = 0; i < G; i++) {
            assert_int_equal(p->note_count[i][GOSSIP_NOTE_PAIRED], 1);
            assert_int_equal(p->note_members[i][GOSSIP_NOTE_PAIRED],
                             (1 << G) - 1);
        }
        assert_int_equal(p->sent[WIRE_Y], 0);
        while (!p->done[0] && pod_turn(p, 60000))
            ;
        assert_true(p->done[0]);
        assert_true(p->now_ms < train_ms[t] + 20);
        pod_run(p, 120000);
        assert_true(pod_exact(p, 1));
        for (uint32_t i = 0; i < G; i++)
            assert_int_equal(p->note_count[i][GOSSIP_NOTE_PAIRED], 1);
        watch_free(p);
    }
}

/* Others wait for it, but not for ever, and not as for somebody lost. */
static void who_trains_for_long_is_waited_for_or_left_out(void **state)
{
    enum { G = 5, SLOW = 2 };

    (void)state;
    for (int goes_on = 0; goes_on < 2; goes_on++) {
        struct pod *p = watch_new(G, 4, 1);
        if (goes_on)
            p->config.on_loss = GOSSIP_CONTINUE;
        p->train_ms[SLOW] = 60000;
        pod_begin(p);
        pod_run(p, 600000);
        for (uint32_t i = 0; i < G; i++) {
            assert_true(p->done[i]);
            assert_int_equal(p->reason[i], GOSSIP_FINISHED);
            assert_memory_equal(&p->final[i], &p->final[0], sizeof p->final[i]);
        }
        assert_int_equal(p->note_members[0][GOSSIP_NOTE_SURVIVORS],
                         goes_on ? 0x1b : 0x1f);
        watch_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_pod_opens_exact_sums_and_leaves),
        cmocka_unit_test(loss_duplication_and_reordering_only_delay),
        cmocka_unit_test(a_silent_proposer_is_passed_over),
        cmocka_unit_test(a_silent_owners_slice_is_summed_by_the_next_holder),
        cmocka_unit_test(a_pod_split_in_halves_waits_and_heals),
        cmocka_unit_test(a_missing_member_stops_a_study_that_says_so),
        cmocka_unit_test(a_decline_ends_the_study_everywhere),
        cmocka_unit_test(a_value_beyond_the_lanes_is_declined_not_clipped),
        cmocka_unit_test(waiting_ends_after_wait_ms),
        cmocka_unit_test(without_wait_ms_a_member_is_waited_for_by_name),
        cmocka_unit_test(different_studies_name_the_field_on_both_sides),
        cmocka_unit_test(a_field_that_one_side_lacks_is_named_too),
        cmocka_unit_test(a_vector_shorter_than_the_pod_sums_exactly),
        cmocka_unit_test(members_pair_while_they_train),
        cmocka_unit_test(who_trains_for_long_is_waited_for_or_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
