/* Who is waited for, for how long; and what is left of an attempt after it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gossip/engine.h"
#include "gossip/forge.h"

static bool without_sums;

static bool no_sums_to_0(struct pod *p, struct pod_message *m)
{
    (void)p;
    return !(without_sums && m->to == 0 && m->type == WIRE_SUM);
}

/* Member 0 lags a round behind while member 3 restarts in the next one: the
 * KEYS of the second attempt are there before the round is. */
static void lag_and_restart(enum gossip_on_loss on_loss)
{
    struct pod *p = pod_new(4, 3, 3);

    p->config.on_loss = on_loss;
    p->filter = no_sums_to_0;
    without_sums = true;
    pod_begin(p);
    pod_run(p, 500);
    pod_kill(p, 3);
    pod_run(p, 800);
    pod_revive(p, 3);
    pod_run(p, 1500);
    without_sums = false;
    pod_run(p, 4000);
    for (uint32_t i = 0; i < p->members; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
    }
    pod_free(p);
}

static void keys_of_a_later_attempt_may_come_before_the_round(void **state)
{
    (void)state;
    lag_and_restart(GOSSIP_WAIT);
    lag_and_restart(GOSSIP_STOP);
}

static struct pod *three_of_four(enum gossip_on_loss on_loss, uint64_t wait_ms)
{
    struct pod *p = pod_new(4, 3, 2);

    p->config.on_loss = on_loss;
    p->config.wait_ms = wait_ms;
    p->config.verify = pod_verify;
    for (uint32_t i = 0; i < 4; i++)
        p->down[i] = true;
    for (uint32_t i = 0; i < 3; i++) {
        pod_start(p, i);
        pod_link(p, i);
    }
    return p;
}

static void a_restart_before_all_have_come_stops_nothing(void **state)
{
    struct pod *p = three_of_four(GOSSIP_STOP, 0);

    (void)state;
    pod_run(p, 20000);
    pod_kill(p, 1);
    pod_run(p, 21000);
    pod_revive(p, 1);
    pod_run(p, 60000);
    for (uint32_t i = 0; i < 3; i++)
        assert_false(p->done[i]);
    pod_revive(p, 3);
    pod_run(p, 62000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
    }
    pod_free(p);
}

/* One comes at 9.9 s of 10, another goes for a moment: its waiting is new. */
static void the_limit_of_waiting_counts_each_wait(void **state)
{
    struct pod *p = three_of_four(GOSSIP_WAIT, 10000);

    (void)state;
    pod_run(p, 9900);
    pod_start(p, 3);
    pod_link(p, 3);
    pod_run(p, p->now_ms + 3); /* before its Y */
    pod_kill(p, 1);
    pod_run(p, 12000);
    pod_revive(p, 1);
    pod_run(p, 30000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
    }
    pod_free(p);
}

static uint8_t seen_b[SHAMIR_BYTES], seen_msk[X25519_BYTES];

static bool spy(struct pod *p, uint32_t i, const struct gossip_effect *e)
{
    if (i == 0 && e->kind == GOSSIP_NOTE && e->note.code == GOSSIP_NOTE_KEYS &&
        e->note.round == 0) {
        memcpy(seen_b, p->engines[0]->b, sizeof seen_b);
        memcpy(seen_msk, p->engines[0]->mpk.secret, sizeof seen_msk);
    }
    return true;
}

static bool holds(const void *bytes, size_t size, const uint8_t *what)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i + SHAMIR_BYTES <= size; i++)
        if (memcmp(at + i, what, SHAMIR_BYTES) == 0)
            return true;
    return false;
}

/* Neither the secrets, nor the generator that gave them, nor Y. */
static void what_an_attempt_kept_secret_is_gone_after_it(void **state)
{
    struct pod *p = pod_new(4, 3, 2);
    struct prg again;
    uint8_t drawn[1024];

    (void)state;
    p->allow = spy;
    pod_begin(p);
    pod_run(p, 5000);
    const struct gossip *g = p->engines[0];
    assert_true(p->done[0]);
    assert_false(holds(g, sizeof *g, seen_b));
    assert_false(holds(g, sizeof *g, seen_msk));
    prg_seed(&again, g->prg.key);
    prg_bytes(&again, drawn, sizeof drawn);
    assert_false(holds(drawn, sizeof drawn, seen_b));
    prg_seed(&again, g->config.seed);
    prg_bytes(&again, drawn, sizeof drawn);
    assert_false(holds(drawn, sizeof drawn, seen_b));
    for (size_t i = 0; i < engine_kept_size(g) / sizeof *g->kept; i++)
        assert_true(g->kept[i] == 0);
    for (size_t i = 0; i < POD_LENGTH; i++)
        assert_true(g->plain[i] == 0 && g->masked[i] == 0);
    pod_free(p);
}

/* A state of a far round or attempt that one member signs holds up nobody. */
static void one_lying_offer_does_not_keep_a_member_out(void **state)
{
    struct pod *p = pod_new(4, 3, 3);

    (void)state;
    p->filter = no_sums_to_0;
    without_sums = false;
    pod_begin(p);
    pod_run(p, 5);
    pod_kill(p, 0);
    pod_run(p, 2000);
    pod_lose_disk(p, 0);
    pod_start(p, 0);
    struct pod_state lie = {.rounds_left = 7};
    struct wire_message m = {
        .type = WIRE_STATE, .round = UINT64_C(1) << 63, .attempt = UINT64_MAX};
    wire_hash(m.done.state, (const uint8_t *)&lie, sizeof lie);
    static struct forged f;
    forge(&f, p, 2, &m);
    forge_deliver(p, 2, 0, f.head, f.size, (const uint8_t *)&lie, sizeof lie);
    pod_link(p, 0);
    pod_run(p, 20000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
    }
    pod_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_a_later_attempt_may_come_before_the_round),
        cmocka_unit_test(a_restart_before_all_have_come_stops_nothing),
        cmocka_unit_test(the_limit_of_waiting_counts_each_wait),
        cmocka_unit_test(what_an_attempt_kept_secret_is_gone_after_it),
        cmocka_unit_test(one_lying_offer_does_not_keep_a_member_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
