#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gossip/engine.h"
#include "gossip/forge.h"

enum { ROUNDS = 3, AWAY_MS = 700 };

/* Where a member dies: before its `skip`-th effect of this kind in `round`. */
struct death {
    uint32_t member;
    uint64_t round;
    enum gossip_effect_kind kind;
    uint32_t what; /* message type, note code or slot */
    int skip;
    bool any, died;
};

static bool alive(struct pod *p, uint32_t i, const struct gossip_effect *e)
{
    struct death *d = watch_of(p)->more;

    if (d->died || i != d->member)
        return true;
    if (!d->any) {
        if (p->engines[i]->round != d->round || e->kind != d->kind)
            return true;
        if ((e->kind == GOSSIP_SEND && e->send.type != d->what) ||
            (e->kind == GOSSIP_NOTE && e->note.code != d->what) ||
            (e->kind == GOSSIP_SAVE && e->save.slot != d->what))
            return true;
    }
    d->died = d->skip-- == 0;
    return !d->died;
}

static struct pod *mortal(struct death *d)
{
    struct pod *p = watch_new(4, 3, ROUNDS);

    watch_of(p)->more = d;
    p->allow = alive;
    pod_begin(p);
    while (!d->died && pod_turn(p, 60000))
        ;
    return p;
}

static void assert_returns(struct pod *p, uint32_t member)
{
    pod_run(p, p->now_ms + AWAY_MS);
    assert_true(p->down[member]);
    pod_revive(p, member);
    pod_run(p, p->now_ms + 100000);
    assert_true(pod_exact(p, ROUNDS));
}

/* Attack 21; attack 2 over restarts. The member is once a proposer, too. */
static void a_crash_before_any_effect_signs_nothing_twice(void **state)
{
    (void)state;
    for (int at = 0;; at++) {
        struct death d = {.member = 1, .any = true, .skip = at};
        struct pod *p = mortal(&d);
        if (!d.died) {
            assert_true(at > 100);
            assert_true(pod_exact(p, ROUNDS));
            watch_free(p);
            break;
        }
        pod_run(p, p->now_ms + AWAY_MS);
        pod_revive(p, 1);
        pod_run(p, p->now_ms + 100000);
        if (!pod_exact(p, ROUNDS))
            fail_msg("crash before effect %d", at);
        watch_free(p);
    }
}

/* Attack 21: everybody at once, as in a power cut. */
static void a_power_cut_signs_nothing_twice(void **state)
{
    (void)state;
    for (int at = 0; at < 600; at += 7) {
        struct death d = {.member = 1, .any = true, .skip = at};
        struct pod *p = mortal(&d);
        for (uint32_t i = 0; i < 4; i++)
            if (!p->down[i])
                pod_kill(p, i);
        for (uint32_t i = 0; i < 4; i++)
            pod_revive(p, i);
        pod_run(p, p->now_ms + 100000);
        if (!pod_exact(p, ROUNDS))
            fail_msg("power cut at effect %d", at);
        watch_free(p);
    }
}

/* Nobody opens the round while the member is away. */
static void assert_waited_for(struct death d)
{
    struct pod *p = mortal(&d);

    assert_true(d.died);
    pod_run(p, p->now_ms + 8000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_OPENED], d.round);
        if (i != d.member)
            assert_int_equal(p->note_members[i][GOSSIP_NOTE_AWAITED],
                             1 << d.member);
    }
    assert_returns(p, d.member);
    watch_free(p);
}

/* The others open the round alone. */
static void assert_done_without(struct death d)
{
    struct pod *p = mortal(&d);

    assert_true(d.died);
    pod_run(p, p->now_ms + 4000);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(i == d.member ||
                    p->note_count[i][GOSSIP_NOTE_OPENED] == d.round + 1);
    assert_returns(p, d.member);
    watch_free(p);
}

static void killed_before_keys_it_is_waited_for(void **state)
{
    (void)state;
    assert_waited_for((struct death){
        .member = 2, .round = 1, .kind = GOSSIP_SEND, .what = WIRE_KEYS});
    assert_waited_for((struct death){.member = 2,
                                     .round = 1,
                                     .kind = GOSSIP_SAVE,
                                     .what = GOSSIP_SLOT_PROMISE});
}

static void killed_between_shares_and_ack_it_is_waited_for(void **state)
{
    (void)state;
    assert_waited_for((struct death){
        .member = 2, .round = 1, .kind = GOSSIP_SEND, .what = WIRE_ACK});
}

static void killed_while_its_y_leaves_it_is_waited_for(void **state)
{
    (void)state;
    for (int owners = 0; owners < 3; owners++)
        assert_waited_for((struct death){.member = 2,
                                         .round = 1,
                                         .kind = GOSSIP_SEND,
                                         .what = WIRE_Y,
                                         .skip = owners});
}

/* Attack 30. */
static void killed_after_recv_its_slice_is_completed_from_the_copy(void **state)
{
    struct death d = {
        .member = 2, .round = 1, .kind = GOSSIP_NOTE, .what = GOSSIP_NOTE_RECV};

    (void)state;
    assert_done_without(d);
    struct pod *p = mortal(&d);
    pod_run(p, p->now_ms + 4000);
    assert_true(p->note_count[0][GOSSIP_NOTE_COPY] > 0);
    assert_int_equal(p->note_members[0][GOSSIP_NOTE_COPY], 4);
    assert_int_equal(p->note_members[0][GOSSIP_NOTE_SURVIVORS], 15);
    watch_free(p);
}

static void killed_after_unmask_the_round_goes_on(void **state)
{
    (void)state;
    assert_done_without((struct death){.member = 2,
                                       .round = 1,
                                       .kind = GOSSIP_NOTE,
                                       .what = GOSSIP_NOTE_UNMASK});
}

static void killed_in_the_last_round_it_still_gets_the_result(void **state)
{
    (void)state;
    assert_done_without((struct death){.member = 2,
                                       .round = 2,
                                       .kind = GOSSIP_NOTE,
                                       .what = GOSSIP_NOTE_RECV});
    assert_done_without((struct death){.member = 2,
                                       .round = 2,
                                       .kind = GOSSIP_NOTE,
                                       .what = GOSSIP_NOTE_UNMASK});
}

/* Round 1's first proposer is member 1. */
static void
a_proposer_that_dies_between_quorum_and_commit_is_replaced(void **state)
{
    (void)state;
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        struct death d = {.member = 1,
                          .round = 1,
                          .kind = GOSSIP_SEND,
                          .what = WIRE_COMMIT,
                          .skip = 3 * kind};
        struct pod *p = mortal(&d);
        assert_true(d.died);
        assert_returns(p, 1);
        watch_free(p);
    }
    /* and before the lock is on disk */
    struct death d = {.member = 1,
                      .round = 1,
                      .kind = GOSSIP_SAVE,
                      .what = GOSSIP_SLOT_PROMISE,
                      .skip = 2};
    struct pod *p = mortal(&d);
    assert_true(d.died);
    assert_returns(p, 1);
    watch_free(p);
}

static bool without_unmask(struct pod *p, struct pod_message *m)
{
    return m->type != WIRE_UNMASK || watch_of(p)->count == 0;
}

/* Attack 29: it has released, nobody has heard it, it comes back. */
static void a_restart_after_release_releases_nothing_else(void **state)
{
    struct death d = {.member = 2,
                      .round = 0,
                      .kind = GOSSIP_NOTE,
                      .what = GOSSIP_NOTE_UNMASK};
    struct pod *p = watch_new(4, 3, ROUNDS);
    struct watch *w = watch_of(p);
    size_t released = 0;

    (void)state;
    w->more = &d;
    w->filter = without_unmask;
    w->count = 1;
    p->allow = alive;
    pod_begin(p);
    while (!d.died)
        assert_true(pod_turn(p, 1000));
    struct mail cert = p->engines[0]->agree[WIRE_U].cert;
    uint8_t *bytes = pod_copy(cert.bytes, cert.size);
    pod_revive(p, 2);
    forge_deliver(p, 0, 2, bytes, cert.size, NULL, 0);
    pod_run(p, p->now_ms + 2000);
    for (size_t i = 0; i < w->said_count; i++)
        released += w->said[i].type == WIRE_UNMASK && w->said[i].member == 2 &&
                    w->said[i].attempt == 0;
    assert_int_equal(released, 1);
    assert_int_equal(w->contradictions, 0);
    w->count = 0;
    pod_run(p, p->now_ms + 60000);
    assert_true(pod_exact(p, ROUNDS));
    free(bytes);
    watch_free(p);
}

static void a_member_without_its_disk_takes_a_state_that_t_signed(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 3; round++) {
        struct death d = {.member = 2,
                          .round = round,
                          .kind = GOSSIP_NOTE,
                          .what = GOSSIP_NOTE_ACK};
        struct pod *p = mortal(&d);
        assert_true(d.died);
        pod_lose_disk(p, 2);
        pod_run(p, p->now_ms + AWAY_MS);
        pod_revive(p, 2);
        pod_run(p, p->now_ms + 100000);
        /* It cannot know its KEYS of that attempt, nor what came of them. */
        assert_int_equal(watch_of(p)->contradicted & ~(1u << WIRE_KEYS), 0);
        watch_of(p)->contradictions = 0;
        assert_true(pod_exact(p, ROUNDS));
        watch_free(p);
    }
}

static void a_state_that_fewer_than_t_signed_is_not_taken(void **state)
{
    struct death d = {
        .member = 2, .round = 2, .kind = GOSSIP_NOTE, .what = GOSSIP_NOTE_ACK};
    struct pod *p = mortal(&d);
    struct pod_state false_state = {.rounds_left = 0};
    static struct forged f;

    (void)state;
    pod_lose_disk(p, 2);
    pod_kill(p, 0); /* two are left to sign */
    pod_revive(p, 2);
    for (int again = 0; again < 3; again++) {
        struct wire_message m = {.type = WIRE_STATE, .round = 3};
        wire_hash(m.done.state, (uint8_t *)&false_state, sizeof false_state);
        forge(&f, p, again % 2 ? 1 : 3, &m);
        forge_deliver(p, 1, 2, f.head, f.size, (uint8_t *)&false_state,
                      sizeof false_state);
    }
    pod_run(p, p->now_ms + 20000);
    assert_int_equal(p->engines[2]->round, 0);
    assert_false(p->done[2]);
    watch_free(p);
}

static void a_state_whose_bytes_are_not_what_was_signed_is_dropped(void **state)
{
    struct pod *p = watch_new(4, 3, ROUNDS);
    struct pod_state claimed = {.rounds_left = 1}, sent = claimed;
    static struct forged f;

    (void)state;
    pod_begin(p);
    sent.sums[0] = 1;
    for (uint32_t j = 1; j < 4; j++) {
        struct wire_message m = {.type = WIRE_STATE, .round = 5};
        wire_hash(m.done.state, (uint8_t *)&claimed, sizeof claimed);
        forge(&f, p, j, &m);
        forge_deliver(p, j, 0, f.head, f.size, (uint8_t *)&sent, sizeof sent);
        forge_deliver(p, j, 0, f.head, f.size, (uint8_t *)&claimed, 8);
        forge_deliver(p, j, 0, f.head, f.size, NULL, 0);
    }
    assert_int_equal(pod_dropped(p, 0), 9);
    assert_int_equal(p->engines[0]->round, 0);
    watch_free(p);
}

static void a_late_member_is_served_by_those_who_finished(void **state)
{
    struct death d = {
        .member = 3, .round = 2, .kind = GOSSIP_NOTE, .what = GOSSIP_NOTE_Y};
    struct pod *p;

    (void)state;
    p = mortal(&d); /* its Y has left: the others finish */
    pod_run(p, p->now_ms + 5000);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(p->done[i] && !p->left[i]);
    pod_revive(p, 3);
    pod_run(p, p->now_ms + 1000);
    assert_true(pod_exact(p, ROUNDS));
    for (uint32_t i = 0; i < 4; i++)
        assert_true(p->left[i]);
    watch_free(p);
}

static void a_finished_member_run_again_serves_on_and_leaves(void **state)
{
    struct death d = {
        .member = 3, .round = 2, .kind = GOSSIP_NOTE, .what = GOSSIP_NOTE_Y};
    struct pod *p = mortal(&d);

    (void)state;
    pod_run(p, p->now_ms + 30000); /* everybody has left without it */
    for (uint32_t i = 0; i < 3; i++)
        assert_true(p->left[i]);
    for (uint32_t i = 0; i < 3; i++) {
        p->done[i] = false;
        pod_revive(p, i);
    }
    pod_revive(p, 3);
    pod_run(p, p->now_ms + 5000);
    assert_true(pod_exact(p, ROUNDS));
    for (uint32_t i = 0; i < 4; i++)
        assert_true(p->left[i]);
    p->done[1] = false;
    pod_revive(p, 1); /* alone: it leaves after linger_ms */
    pod_run(p, p->now_ms + 9000);
    assert_true(p->done[1] && !p->left[1]);
    pod_run(p, p->now_ms + 2000);
    assert_true(p->left[1]);
    watch_free(p);
}

/* A damaged or foreign record is refused when the member starts, or changes
 * nothing: no state of another study is ever taken up. */
static void damaged_records_are_refused(void **state)
{
    struct death d = {.member = 2,
                      .round = 2,
                      .kind = GOSSIP_NOTE,
                      .what = GOSSIP_NOTE_UNMASK};
    struct pod *p = mortal(&d);
    struct gossip_config c = p->config;
    const char *why;

    (void)state;
    c.self = 2;
    memcpy(c.sign_secret, p->identities[2].sign_secret, sizeof c.sign_secret);
    for (uint32_t s = 0; s < 2; s++) {
        struct pod_record *r = &p->saved[2][s];
        for (size_t cut = 0; cut < r->size; cut++) {
            uint8_t *bytes = pod_copy(r->bytes, cut);
            struct gossip_record record = {s, bytes, cut};
            assert_null(gossip_new(&c, &record, 1, &why));
            free(bytes);
        }
        for (size_t at = 0; at < r->size; at++) {
            uint8_t *bytes = pod_copy(r->bytes, r->size);
            struct gossip_record record = {s, bytes, r->size};
            bytes[at] ^= (uint8_t)(1 << at % 8);
            gossip_free(gossip_new(&c, &record, 1, &why));
            free(bytes);
        }
        struct gossip_record record = {s, r->bytes, r->size};
        struct gossip *g = gossip_new(&c, &record, 1, &why);
        assert_non_null(g);
        gossip_free(g);
        c.charter[3] ^= 1;
        assert_null(gossip_new(&c, &record, 1, &why));
        c.charter[3] ^= 1;
    }
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_before_any_effect_signs_nothing_twice),
        cmocka_unit_test(a_power_cut_signs_nothing_twice),
        cmocka_unit_test(killed_before_keys_it_is_waited_for),
        cmocka_unit_test(killed_between_shares_and_ack_it_is_waited_for),
        cmocka_unit_test(killed_while_its_y_leaves_it_is_waited_for),
        cmocka_unit_test(
            killed_after_recv_its_slice_is_completed_from_the_copy),
        cmocka_unit_test(killed_after_unmask_the_round_goes_on),
        cmocka_unit_test(killed_in_the_last_round_it_still_gets_the_result),
        cmocka_unit_test(
            a_proposer_that_dies_between_quorum_and_commit_is_replaced),
        cmocka_unit_test(a_restart_after_release_releases_nothing_else),
        cmocka_unit_test(a_member_without_its_disk_takes_a_state_that_t_signed),
        cmocka_unit_test(a_state_that_fewer_than_t_signed_is_not_taken),
        cmocka_unit_test(
            a_state_whose_bytes_are_not_what_was_signed_is_dropped),
        cmocka_unit_test(a_late_member_is_served_by_those_who_finished),
        cmocka_unit_test(a_finished_member_run_again_serves_on_and_leaves),
        cmocka_unit_test(damaged_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
