/* Members that lie, and cohorts that change: trust active, CHECK, continue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gossip/cohort.h"
#include "gossip/engine.h"
#include "gossip/evidence.h"
#include "gossip/forge.h"

enum { G = 5, T = 4, LIAR = 1, ALL = 31 };

static struct pod *active(uint32_t members, uint32_t threshold, uint32_t c,
                          enum gossip_on_loss on_loss, uint64_t rounds)
{
    struct pod *p = watch_new(members, threshold, rounds);

    p->config.active = p->config.check = true;
    p->config.colluders = c;
    p->config.on_loss = on_loss;
    p->config.copies = members - threshold + c + 1;
    if (p->config.copies > members)
        p->config.copies = members;
    return p;
}

/* The honest finished with this sum over `members` in the last round. */
static void assert_sum(struct pod *p, uint64_t honest, uint64_t members,
                       uint64_t round)
{
    for (uint32_t i = 0; i < p->members; i++) {
        if ((honest >> i & 1) == 0)
            continue;
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
        for (size_t k = 0; k < POD_LENGTH; k++) {
            double sum = 0;
            for (uint32_t j = 0; j < p->members; j++)
                if (members >> j & 1)
                    sum += pod_value(j, round, k);
            assert_true(p->final[i].sums[k] == sum);
        }
    }
}

static void five_active_members_finish(void **state)
{
    (void)state;
    for (int on_loss = GOSSIP_WAIT; on_loss <= GOSSIP_CONTINUE; on_loss++) {
        struct pod *p = active(G, T, 1, (enum gossip_on_loss)on_loss, 3);
        pod_begin(p);
        pod_run(p, 60000);
        assert_true(pod_exact(p, 3));
        assert_true(p->now_ms < 15000);
        for (uint32_t i = 0; i < G; i++) {
            assert_int_equal(p->note_count[i][GOSSIP_NOTE_LIED], 0);
            assert_int_equal(p->note_count[i][GOSSIP_NOTE_AUDIT], 0);
            assert_int_equal(p->note_count[i][GOSSIP_NOTE_REVEALS], 0);
            assert_int_equal(p->note_count[i][GOSSIP_NOTE_ATTEMPT], 0);
        }
        watch_free(p);
    }
}

static void ten_active_members_finish(void **state)
{
    struct pod *p = active(10, 7, 3, GOSSIP_CONTINUE, 2);

    (void)state;
    pod_begin(p);
    pod_run(p, 60000);
    assert_true(pod_exact(p, 2));
    watch_free(p);
}

/* A member that is never there: the others go on, and say nothing of it as its
 * vector never was in a sum. */
static void a_member_that_never_comes_is_left_out(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 2);

    (void)state;
    p->config.verify = pod_verify;
    for (uint32_t i = 0; i < G; i++)
        p->down[i] = true;
    for (uint32_t i = 0; i + 1 < G; i++) {
        pod_start(p, i);
        pod_link(p, i);
    }
    pod_run(p, 60000);
    assert_sum(p, 15, 15, 1);
    assert_int_equal(p->note_count[0][GOSSIP_NOTE_REVEALS], 0);
    watch_free(p);
}

static bool dies_in_round_1(struct pod *p, uint32_t member,
                            const struct gossip_effect *e)
{
    (void)p;
    return !(member == 4 && e->kind == GOSSIP_NOTE && e->note.round == 1 &&
             e->note.code == GOSSIP_NOTE_KEYS);
}

/* It is in the first sum and not in the second: that is told before it is
 * opened, and stays so. */
static void a_member_lost_between_rounds_is_named(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 3);

    (void)state;
    p->allow = dies_in_round_1;
    pod_begin(p);
    pod_run(p, 60000);
    assert_sum(p, 15, 15, 2);
    for (uint32_t i = 0; i + 1 < G; i++) {
        struct gossip_view view;
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_REVEALS], 1);
        assert_int_equal(p->note_members[i][GOSSIP_NOTE_REVEALS], 16);
        gossip_view(p->engines[i], &view);
        assert_int_equal(view.revealed, 16);
    }
    watch_free(p);
}

/* Attack 15: the liar re-signs its SUM over other lanes. */
static bool false_sum(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;
    static struct forged f;

    if (m->from != LIAR || m->type != WIRE_SUM ||
        wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
        r.sender != LIAR)
        return true;
    m->body[0] ^= 1;
    wire_hash(r.sum.hash, m->body, m->body_size);
    forge(&f, p, LIAR, &r);
    free(m->head);
    m->head = pod_copy(f.head, f.size);
    m->head_size = f.size;
    return true;
}

static void a_false_sum_is_named_and_made_from_copies(void **state)
{
    (void)state;
    for (int on_loss = GOSSIP_WAIT; on_loss <= GOSSIP_CONTINUE; on_loss++) {
        struct pod *p = active(G, T, 1, (enum gossip_on_loss)on_loss, 2);
        watch_of(p)->filter = false_sum;
        pod_begin(p);
        pod_run(p, 60000);
        assert_sum(p, ALL, ALL, 1);
        uint32_t named = 0;
        for (uint32_t i = 0; i < G; i++) {
            const uint8_t *heads[2];
            size_t sizes[2];
            if (p->note_count[i][GOSSIP_NOTE_LIED] == 0)
                continue;
            named++;
            assert_int_equal(p->note_members[i][GOSSIP_NOTE_LIED], 1 << LIAR);
            assert_int_equal(gossip_evidence(p->engines[i], LIAR, heads, sizes),
                             1);
            assert_true(p->saved[i][GOSSIP_SLOT_EVIDENCE].size > 0);
        }
        assert_true(named >= 1);
        watch_free(p);
    }
}

/* The owner lies and the other holders are silent: c + 1 do not attest, so the
 * lanes are asked for and added up. */
static bool lonely_lie(struct pod *p, struct pod_message *m)
{
    if (m->type == WIRE_CHECK && m->from != LIAR)
        return false;
    return false_sum(p, m);
}

static void without_attestations_sums_are_made_again(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 2);
    uint64_t audits = 0;

    (void)state;
    watch_of(p)->filter = lonely_lie;
    pod_begin(p);
    pod_run(p, 60000);
    assert_sum(p, ALL, ALL, 1);
    for (uint32_t i = 0; i < G; i++)
        audits += p->note_count[i][GOSSIP_NOTE_AUDIT];
    assert_true(audits > 0);
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_active_members_finish),
        cmocka_unit_test(ten_active_members_finish),
        cmocka_unit_test(a_member_that_never_comes_is_left_out),
        cmocka_unit_test(a_member_lost_between_rounds_is_named),
        cmocka_unit_test(a_false_sum_is_named_and_made_from_copies),
        cmocka_unit_test(without_attestations_sums_are_made_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
