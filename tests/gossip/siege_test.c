/* Members that lie, and cohorts that change: trust active, CHECK, continue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/tree.h"
#include "gossip/agree.h"
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

/* Its first start is in the middle: it takes the state, sits out the round in
 * which it may have spoken before, and is in the sums after it. */
static void a_member_that_comes_late_joins(void **state)
{
    (void)state;
    for (uint64_t rounds = 2; rounds <= 6; rounds += 2) {
        struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, rounds);
        p->config.verify = pod_verify;
        for (uint32_t i = 0; i < G; i++)
            p->down[i] = true;
        for (uint32_t i = 0; i + 1 < G; i++) {
            pod_start(p, i);
            pod_link(p, i);
        }
        while (p->engines[0]->round == 0 && pod_turn(p, 60000))
            ;
        pod_start(p, 4);
        pod_link(p, 4);
        pod_run(p, 120000);
        assert_sum(p, ALL, rounds > 2 ? ALL : 15, rounds - 1);
        watch_free(p);
    }
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
    tree_hash(r.sum.hash, m->body, m->body_size);
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

/* The newest message of a type from one member, as anybody got it. */
static void read_last(struct wire_message *m, struct pod *p, uint8_t type,
                      uint32_t from, const struct pod_message **kept)
{
    struct watch *w = watch_of(p);

    for (size_t i = w->held_count; i > 0; i--)
        if (w->held[i - 1].type == type && w->held[i - 1].from == from) {
            assert_int_equal(wire_parse(m, w->held[i - 1].head,
                                        w->held[i - 1].head_size, p->members),
                             0);
            if (kept != NULL)
                *kept = &w->held[i - 1];
            return;
        }
    fail_msg("no %s of %u", wire_name(type), from);
}

/* watch->count: bit 0: nobody hears a COMMIT to U or its certificate in attempt
 * 0; bit 1: nor an UNMASK; bit 2: the victim hears CLOSE of 0 and 1
 * only: one too few if it signs none itself. */
enum { VICTIM = 3 };

static bool before_release(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;
    int rules = watch_of(p)->count;

    (void)wire_parse(&r, m->head, m->head_size, p->members);
    if (m->type == WIRE_COMMIT && r.vote.kind == WIRE_U && r.attempt == 0)
        return (rules & 1) == 0;
    if (m->type == WIRE_CERT && r.propose.kind == WIRE_U && r.attempt == 0)
        return (rules & 1) == 0;
    if (m->type == WIRE_UNMASK && r.attempt == 0)
        return (rules & 2) == 0;
    return m->type != WIRE_CLOSE || m->to != VICTIM || (rules & 4) == 0 ||
           r.sender <= 1;
}

static struct pod *locked(int rules)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);

    watch_of(p)->filter = before_release;
    watch_of(p)->count = rules;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, 300);
    assert_true(p->engines[VICTIM]->agree[WIRE_U].commits[VICTIM].cast);
    assert_false(p->engines[VICTIM]->agree[WIRE_U].certified);
    return p;
}

/* What all have committed to in attempt 0, as a certificate. */
static void certificate(struct forged *f, struct pod *p)
{
    static struct wire_message m;
    struct wire_value u = p->engines[0]->agree[WIRE_U].proposal.propose.value;

    m = (struct wire_message){.type = WIRE_CERT};
    m.propose.kind = WIRE_U;
    m.propose.value = u;
    forge_quorum(&m.propose.quorum, p, WIRE_COMMIT, 0, 0, ALL, &u);
    forge(f, p, 0, &m);
}

static uint32_t said_in(struct pod *p, uint8_t type, uint32_t member,
                        uint64_t attempt)
{
    const struct watch *w = watch_of(p);
    uint32_t count = 0;

    for (size_t i = 0; i < w->said_count; i++)
        count += w->said[i].member == member && w->said[i].type == type &&
                 w->said[i].attempt == attempt;
    return count;
}

/* Attack 28. */
static void a_late_certificate_after_close_releases_nothing(void **state)
{
    struct pod *p = locked(1);
    static struct forged f;

    (void)state;
    certificate(&f, p);
    while (p->engines[VICTIM]->attempt == 0 && pod_turn(p, 60000))
        ;
    assert_int_equal(p->engines[VICTIM]->closed[VICTIM], 1);
    forge_deliver(p, 0, VICTIM, f.head, f.size, NULL, 0);
    pod_run(p, 60000);
    for (uint32_t i = 0; i < G; i++)
        assert_int_equal(said_in(p, WIRE_UNMASK, i, 0), 0);
    assert_sum(p, ALL, ALL, 0);
    watch_free(p);
}

static void release_alone(struct pod *p, bool restarts)
{
    static struct forged f;

    certificate(&f, p);
    forge_deliver(p, 0, VICTIM, f.head, f.size, NULL, 0);
    assert_int_equal(said_in(p, WIRE_UNMASK, VICTIM, 0), 1);
    if (restarts) {
        pod_kill(p, VICTIM);
        pod_revive(p, VICTIM);
    }
}

static uint32_t said_since(struct pod *p, uint8_t type, uint32_t member,
                           uint64_t attempt)
{
    uint32_t count = 0;

    for (; attempt < 100; attempt++)
        count += said_in(p, type, member, attempt);
    return count;
}

/* Attack 27: who has released over one cohort neither PREPAREs nor releases
 * over another in that round, also after a restart, unless g - t + c + 1 others
 * have closed what it released in. */
static void a_releaser_is_bound_to_its_cohort(void **state)
{
    (void)state;
    for (int restarted = 0; restarted < 2; restarted++) {
        struct pod *p = locked(1 | 2 | 4);
        release_alone(p, restarted);
        pod_kill(p, 4);
        pod_run(p, 40000);
        assert_true(p->engines[VICTIM]->attempt > 0);
        assert_int_equal(said_since(p, WIRE_UNMASK, VICTIM, 1), 0);
        assert_int_equal(said_since(p, WIRE_PREPARE, VICTIM, 1), 0);
        assert_int_equal(p->engines[VICTIM]->round, 0);
        watch_of(p)->count = 0;
        pod_run(p, p->now_ms + 120000);
        assert_true(said_since(p, WIRE_UNMASK, VICTIM, 1) > 0);
        assert_sum(p, 15, 15, 0);
        watch_free(p);
    }
}

static bool no_closes(struct pod *p, struct pod_message *m)
{
    if (m->type == WIRE_CERT && p->engines[VICTIM] != NULL &&
        p->engines[VICTIM]->attempt > 0)
        return true;
    return before_release(p, m) && m->type != WIRE_CLOSE;
}

/* The same sum again shows nothing new: no CLOSE is needed. */
static void a_releaser_opens_the_same_sum_again(void **state)
{
    (void)state;
    for (int restarted = 0; restarted < 2; restarted++) {
        struct pod *p = locked(1 | 2);
        watch_of(p)->filter = no_closes;
        release_alone(p, restarted);
        pod_run(p, 120000);
        assert_true(said_since(p, WIRE_UNMASK, VICTIM, 1) > 0);
        assert_sum(p, ALL, ALL, 0);
        watch_free(p);
    }
}

/* With another member gone the retry needs it; once g - t + c + 1 others have
 * closed, what it released is dead. */
static void a_releaser_comes_back_when_the_attempt_is_closed(void **state)
{
    (void)state;
    for (int restarted = 0; restarted < 2; restarted++) {
        struct pod *p = locked(1 | 2);
        static struct forged f;
        certificate(&f, p);
        forge_deliver(p, 0, VICTIM, f.head, f.size, NULL, 0);
        pod_kill(p, 4);
        if (restarted) {
            pod_kill(p, VICTIM);
            pod_revive(p, VICTIM);
        }
        pod_run(p, 60000);
        assert_int_equal(said_in(p, WIRE_KEYS, VICTIM, 1), 1);
        assert_sum(p, 15, 15, 0);
        watch_free(p);
    }
}

/* CLOSEs by g - t + c are too few: nobody contributes to the retry. */
static bool few_closes(struct pod *p, struct pod_message *m)
{
    return before_release(p, m) && (m->type != WIRE_CLOSE || m->from <= 1);
}

static void too_few_closes_do_not_start_a_retry(void **state)
{
    struct pod *p = locked(1);

    (void)state;
    watch_of(p)->filter = few_closes;
    pod_run(p, 20000);
    /* 2 and 3 close for themselves and hear two: enough; 0 and 1 do not */
    assert_true(p->engines[0]->attempt > 0);
    for (uint64_t a = 1; a <= p->engines[0]->attempt; a++) {
        assert_int_equal(said_in(p, WIRE_Y, 0, a), 0);
        assert_int_equal(said_in(p, WIRE_PREPARE, 1, a), 0);
    }
    watch_of(p)->filter = NULL;
    pod_run(p, p->now_ms + 120000);
    assert_sum(p, ALL, ALL, 0);
    watch_free(p);
}

static bool dies_before_y(struct pod *p, uint32_t member,
                          const struct gossip_effect *e)
{
    (void)p;
    return !(member == 4 && e->kind == GOSSIP_SEND && e->send.type == WIRE_Y);
}

/* Attack 1: of a member outside U only msk is released, of one inside only b;
 * nobody gives both. */
static void each_release_has_one_share_of_each_member(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);
    static struct wire_message m;

    (void)state;
    watch_of(p)->keep = true;
    p->allow = dies_before_y;
    pod_begin(p);
    while (p->sent[WIRE_UNMASK] == 0 && pod_turn(p, 60000))
        ;
    for (uint32_t i = 0; i < 4; i++) {
        while (p->engines[i]->unmask_sent == false && pod_turn(p, 60000))
            ;
        read_last(&m, p, WIRE_UNMASK, i, NULL);
        assert_int_equal(m.unmask.members, ALL);
        for (uint32_t j = 0; j < G; j++) {
            const uint8_t *shares = p->engines[i]->shares[j];
            assert_memory_equal(m.unmask.shares[j],
                                shares + (j == 4 ? SHAMIR_BYTES : 0),
                                SHAMIR_BYTES);
        }
    }
    pod_run(p, 60000);
    assert_sum(p, 15, 15, 0);
    watch_free(p);
}

/* Attack 6: a slice summed over other survivors does not count. */
static bool other_survivors(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;
    static struct forged f;

    if (m->from != LIAR || m->type != WIRE_SUM ||
        wire_parse(&r, m->head, m->head_size, p->members) != 0)
        return true;
    r.sum.cert[3] ^= 1;
    forge(&f, p, LIAR, &r);
    free(m->head);
    m->head = pod_copy(f.head, f.size);
    m->head_size = f.size;
    return true;
}

static void a_sum_over_other_survivors_does_not_count(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);
    uint64_t dropped = 0;

    (void)state;
    watch_of(p)->filter = other_survivors;
    pod_begin(p);
    pod_run(p, 60000);
    assert_sum(p, ALL, ALL, 0);
    for (uint32_t i = 0; i < G; i++)
        dropped += pod_dropped(p, i);
    assert_true(dropped > 0);
    watch_free(p);
}

/* What the liar says to member 0 is another message of watch->member's type
 * than what it says to the others. */
static bool two_faced(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;
    static struct forged f;

    if (m->from != LIAR || m->to != 0 ||
        m->type != (uint8_t)watch_of(p)->member ||
        wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
        r.sender != LIAR)
        return true;
    switch (r.type) {
    case WIRE_KEYS:
        r.keys.commit[0] ^= 1;
        break;
    case WIRE_ACK:
        r.ack.keys[2][0] ^= 1;
        break;
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        r.vote.value[0] ^= 1;
        break;
    case WIRE_Y:
        r.y.slices[4][0] ^= 1;
        break;
    case WIRE_RECV:
        r.recv.members &= ~UINT64_C(4);
        break;
    case WIRE_UNMASK:
        r.unmask.shares[2][0] ^= 1;
        break;
    case WIRE_SUM: /* Attack 16 */
        m->body[0] ^= 1;
        tree_hash(r.sum.hash, m->body, m->body_size);
        break;
    case WIRE_CHECK:
        r.check.hashes[LIAR][0] ^= 1;
        break;
    default:
        break;
    }
    forge(&f, p, LIAR, &r);
    free(m->head);
    m->head = pod_copy(f.head, f.size);
    m->head_size = f.size;
    return true;
}

/* Attacks 20 and 16: the honest go on, and if two of them ever compare what
 * they heard, the evidence is kept and stands before a third party. */
static void two_faces_harm_nobody_and_leave_evidence(void **state)
{
    static const uint8_t types[] = {WIRE_KEYS, WIRE_ACK,    WIRE_PREPARE,
                                    WIRE_Y,    WIRE_COMMIT, WIRE_RECV,
                                    WIRE_SUM,  WIRE_UNMASK, WIRE_CHECK};

    (void)state;
    for (size_t k = 0; k < sizeof types; k++) {
        struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 2);
        uint64_t accused = 0;
        watch_of(p)->filter = two_faced;
        watch_of(p)->member = types[k];
        pod_begin(p);
        pod_run(p, 120000);
        for (uint32_t i = 0; i < G; i++) {
            struct gossip_view view;
            const uint8_t *heads[2];
            size_t sizes[2];
            if (i == LIAR)
                continue;
            assert_true(p->done[i]);
            assert_int_equal(p->reason[i], GOSSIP_FINISHED);
            assert_memory_equal(&p->final[i], &p->final[0], sizeof p->final[0]);
            gossip_view(p->engines[i], &view);
            accused |= view.accused;
            if (gossip_evidence(p->engines[i], LIAR, heads, sizes) == 2)
                assert_true(evidence_contradicts(p->engines[2], heads[0],
                                                 sizes[0], heads[1], sizes[1]));
        }
        assert_int_equal(accused & ~(1u << LIAR), 0);
        if (types[k] == WIRE_KEYS || types[k] == WIRE_Y)
            assert_int_equal(accused, 1 << LIAR);
        watch_free(p);
    }
}

/* The liar proposes, unasked, for its own next ballot in every attempt: that
 * ballot's proposer is not kept out of the ones before. */
static void a_proposal_for_a_later_ballot_keeps_nobody_out(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);

    (void)state;
    pod_begin(p);
    do {
        for (uint32_t i = 0; i < G; i++) {
            struct gossip *g = p->engines[i];
            const struct agree *a = &g->agree[WIRE_V];
            struct wire_message m = {.type = WIRE_PROPOSE};
            if (i == LIAR || g->phase < PHASE_KEYS || g->phase > PHASE_OPEN ||
                (a->has_proposal && a->proposal.sender == LIAR))
                continue;
            m.round = g->round;
            m.attempt = g->attempt;
            m.propose.ballot = a->ballot + 1;
            while (agree_proposer(g, m.propose.ballot) != LIAR)
                m.propose.ballot++;
            forge_say(p, LIAR, i, &m);
        }
    } while (pod_turn(p, 100000));
    for (uint32_t i = 0; i < G; i++)
        assert_true(i == LIAR || p->done[i]);
    watch_free(p);
}

/* It may have released: it says of no attempt that it did not. */
static void closes_nothing(bool restarts)
{
    struct pod *p = locked(1 | 2);
    const struct watch *w = watch_of(p);

    release_alone(p, false);
    pod_kill(p, VICTIM);
    pod_lose_disk(p, VICTIM);
    pod_revive(p, VICTIM);
    if (restarts) { /* what is on its disk now says nothing of before */
        pod_turn(p, 60000);
        assert_non_null(p->saved[VICTIM][GOSSIP_SLOT_PROMISE].bytes);
        for (uint32_t i = 0; i < G; i++) {
            pod_kill(p, i);
            pod_revive(p, i);
        }
    }
    pod_run(p, 60000);
    for (size_t i = 0; i < w->held_count; i++) {
        static struct wire_message m;
        const struct pod_message *h = &w->held[i];
        if (h->type == WIRE_CLOSE &&
            wire_parse(&m, h->head, h->head_size, G) == 0)
            assert_int_not_equal(m.sender, VICTIM);
    }
    watch_free(p);
}

static void a_member_without_its_store_closes_nothing(void **state)
{
    (void)state;
    closes_nothing(false);
    closes_nothing(true);
}

/* Its release may still be opened where the others pair again over the same
 * set, which takes no CLOSE: it stays without a store, and closes nothing. */
static void the_same_set_again_frees_nobody_without_a_store(void **state)
{
    struct pod *p = locked(1 | 2);
    static struct forged f;
    const struct gossip *victim;

    (void)state;
    watch_of(p)->filter = no_closes;
    certificate(&f, p);
    release_alone(p, false);
    pod_kill(p, VICTIM);
    pod_lose_disk(p, VICTIM);
    pod_revive(p, VICTIM);
    do {
        victim = p->engines[VICTIM];
        for (uint32_t i = 0; i < G; i++)
            if (p->engines[i]->attempt > 0 &&
                p->engines[i]->certified_attempt == 0)
                forge_deliver(p, (i + 1) % G, i, f.head, f.size, NULL, 0);
    } while ((victim->attempt == 0 || !victim->agree[WIRE_V].certified) &&
             pod_turn(p, 120000));
    assert_int_equal(victim->agree[WIRE_V].value.members, ALL);
    assert_true(victim->fresh);
    assert_int_equal(victim->closed[VICTIM], 0);
    watch_free(p);
}

static bool nobody_acknowledges(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    return wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
           r.attempt != 0 || r.type != WIRE_ACK;
}

/* Nothing was agreed on in the first attempt, and nobody knows what a store
 * that it never had would say: all say so, or all but one, and may close. */
static void a_study_that_begins_badly_goes_on(void **state)
{
    (void)state;
    for (int away = 0; away < 2; away++) {
        struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 2);
        uint64_t here = away ? ALL & ~(1 << LIAR) : ALL;
        watch_of(p)->filter = nobody_acknowledges;
        pod_begin(p);
        while (p->engines[0]->attempt == 0 && pod_turn(p, 60000))
            if (away && p->engines[LIAR] != NULL &&
                p->engines[LIAR]->phase == PHASE_V)
                pod_kill(p, LIAR);
        assert_true(p->engines[0]->fresh);
        pod_run(p, 60000);
        assert_sum(p, here, here, 1);
        watch_free(p);
    }
}

/* The first attempt fails, and of the second nobody hears a COMMIT to U, its
 * certificate or an UNMASK. */
static bool second_stalls(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    if (!nobody_acknowledges(p, m))
        return false;
    (void)wire_parse(&r, m->head, m->head_size, p->members);
    return r.attempt != 1 ||
           (r.type != WIRE_UNMASK &&
            (r.type != WIRE_COMMIT || r.vote.kind != WIRE_U) &&
            (r.type != WIRE_CERT || r.propose.kind != WIRE_U));
}

/* It releases in the second attempt, whose KEYS were made before anybody had
 * PREPAREd: they say nothing of it. Whoever has seen its new KEYS would. */
static void who_released_in_this_attempt_does_not_begin_anew(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);
    const struct watch *w = watch_of(p);
    static struct wire_message m;
    static struct forged f;
    const struct gossip *victim;

    (void)state;
    watch_of(p)->filter = second_stalls;
    watch_of(p)->keep = true;
    pod_begin(p);
    victim = p->engines[VICTIM];
    while (!victim->agree[WIRE_U].commits[VICTIM].cast && pod_turn(p, 60000))
        ;
    assert_int_equal(victim->attempt, 1);
    m = (struct wire_message){.type = WIRE_CERT, .attempt = 1};
    m.propose.kind = WIRE_U;
    m.propose.value = victim->agree[WIRE_U].proposal.propose.value;
    forge_quorum(&m.propose.quorum, p, WIRE_COMMIT, 1, 0, ALL,
                 &m.propose.value);
    forge(&f, p, 0, &m);
    forge_deliver(p, 0, VICTIM, f.head, f.size, NULL, 0);
    assert_int_equal(said_in(p, WIRE_UNMASK, VICTIM, 1), 1);
    pod_kill(p, VICTIM);
    pod_lose_disk(p, VICTIM);
    const size_t before = w->held_count;
    pod_revive(p, VICTIM);
    pod_run(p, p->now_ms + 60000);
    assert_true(said_in(p, WIRE_KEYS, VICTIM, 2) > 0);
    assert_true(p->done[VICTIM]);
    for (size_t i = before; i < w->held_count; i++) {
        const struct pod_message *h = &w->held[i];
        if (h->type == WIRE_CLOSE &&
            wire_parse(&m, h->head, h->head_size, G) == 0)
            assert_true(m.sender != VICTIM || m.attempt == 0); /* said before */
    }
    watch_free(p);
}

/* Nobody hears a COMMIT to U of the second round's first attempt, its
 * certificate or an UNMASK. */
static bool second_round_stalls(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    (void)wire_parse(&r, m->head, m->head_size, p->members);
    return r.round != 1 || r.attempt != 0 ||
           (r.type != WIRE_UNMASK &&
            (r.type != WIRE_COMMIT || r.vote.kind != WIRE_U) &&
            (r.type != WIRE_CERT || r.propose.kind != WIRE_U));
}

/* The others can still give it the sum of the round before the one in which it
 * released. It takes their state instead, and sits out that round. */
static void who_lost_its_store_takes_no_round_from_others(void **state)
{
    struct pod *p = watch_new(G, T, 2);
    const struct watch *w = watch_of(p);
    static struct wire_message m;
    static struct forged f;
    const struct gossip *victim;

    (void)state;
    p->config.on_loss = GOSSIP_CONTINUE;
    watch_of(p)->filter = second_round_stalls;
    watch_of(p)->keep = true;
    pod_begin(p);
    victim = p->engines[VICTIM];
    while ((victim->round != 1 || victim->phase < PHASE_U ||
            !victim->agree[WIRE_U].commits[VICTIM].cast) &&
           pod_turn(p, 60000))
        ;
    m = (struct wire_message){.type = WIRE_CERT, .round = 1};
    m.propose.kind = WIRE_U;
    m.propose.value = victim->agree[WIRE_U].proposal.propose.value;
    m.propose.quorum.members = ALL;
    for (uint32_t j = 0; j < G; j++)
        forge_vote(m.propose.quorum.signatures[j], p, j, WIRE_COMMIT, 1, 0,
                   WIRE_U, 0, &m.propose.value);
    forge(&f, p, 0, &m);
    forge_deliver(p, 0, VICTIM, f.head, f.size, NULL, 0);
    assert_true(victim->released);
    pod_kill(p, VICTIM);
    pod_lose_disk(p, VICTIM);
    const size_t before = w->held_count;
    pod_revive(p, VICTIM);
    pod_run(p, p->now_ms + 60000);
    for (size_t i = before; i < w->held_count; i++) {
        const struct pod_message *h = &w->held[i];
        if (h->from == VICTIM &&
            wire_parse(&m, h->head, h->head_size, G) == 0 && m.round == 1)
            assert_true(m.type == WIRE_WANT || m.type == WIRE_HELLO ||
                        m.sender != VICTIM);
    }
    assert_sum(p, ALL, ALL & ~(1u << VICTIM), 1);
    watch_free(p);
}

static void say_state(struct pod *p, uint32_t signer, uint32_t from)
{
    static uint8_t bytes[sizeof(struct pod_state) + COHORT_HISTORY_BYTES];
    static struct forged f;
    struct wire_message m = {.type = WIRE_STATE, .round = 1};

    wire_hash(m.done.state, bytes, sizeof bytes);
    forge(&f, p, signer, &m);
    forge_deliver(p, from, VICTIM, f.head, f.size, bytes, sizeof bytes);
}

/* Signed states can be kept and shown to one that has lost what it did since.
 * Only their signers are heard, and without a store more of them: so that it
 * sits out a round that is not behind the one in which it may have released. */
static void an_old_state_leads_nobody_back(void **state)
{
    (void)state;
    for (uint32_t lost = 0; lost < 2; lost++) {
        struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 3);
        const struct gossip *victim;
        pod_begin(p);
        victim = p->engines[VICTIM];
        while (!lost && victim->phase != PHASE_Y && pod_turn(p, 60000))
            ;
        assert_int_equal(victim->fresh, lost);
        for (uint32_t j = 0; j < G; j++)
            if (j != VICTIM && j != LIAR)
                say_state(p, j, LIAR);
        assert_int_equal(victim->round, 0);
        for (uint32_t j = 0; j < 2 + lost; j++) {
            assert_int_equal(victim->round, 0);
            say_state(p, j, j);
        }
        assert_int_equal(victim->round, 1);
        assert_int_equal(victim->released, lost);
        watch_free(p);
    }
}

/* A member that asks all the time is answered now and then. */
static void asking_does_not_multiply(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);
    struct wire_message m = {.type = WIRE_WANT};
    uint64_t before;

    (void)state;
    pod_begin(p);
    while (p->engines[0]->phase != PHASE_U && pod_turn(p, 60000))
        ;
    m.want.members = G;
    before = p->sent[WIRE_KEYS];
    for (int i = 0; i < 1000; i++)
        forge_say(p, LIAR, 0, &m);
    assert_true(p->sent[WIRE_KEYS] > before);
    assert_true(p->sent[WIRE_KEYS] <= before + 8 * G);
    pod_run(p, 60000);
    assert_true(pod_exact(p, 1));
    watch_free(p);
}

/* watch->count: the victim is a bystander in attempt 0. Nobody opens its sum in
 * time, and its certificates, SUMs and CHECKs are kept. */
static bool nobody_opens(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;
    struct watch *w = watch_of(p);

    if (wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
        r.attempt != 0)
        return true;
    if ((w->count && m->from == VICTIM && r.type == WIRE_KEYS) ||
        (r.type == WIRE_Y && p->engines[m->to]->phase == PHASE_OPEN))
        return false; /* nor by an audit */
    if (r.type != WIRE_CERT && r.type != WIRE_SUM && r.type != WIRE_CHECK)
        return true;
    if (w->held_count < WATCH_HELD) {
        struct pod_message *h = &w->held[w->held_count++];
        *h = *m;
        h->head = pod_copy(m->head, m->head_size);
        h->body = pod_copy(m->body, m->body_size);
    }
    return r.type == WIRE_CERT;
}

static void replay_to_victim(struct pod *p)
{
    static const uint8_t order[] = {WIRE_CERT, WIRE_SUM, WIRE_CHECK};
    struct watch *w = watch_of(p);

    for (size_t k = 0; k < sizeof order; k++)
        for (size_t i = 0; i < w->held_count; i++)
            if (w->held[i].type == order[k])
                forge_deliver(p, LIAR, VICTIM, w->held[i].head,
                              w->held[i].head_size, w->held[i].body,
                              w->held[i].body_size);
}

/* A liar contributes something else to attempt 1 and shows one member the sum
 * of attempt 0, which c + 1 holders attest: a round has one sum all the same.
 */
static void nobody_takes_the_sum_of_an_attempt_that_is_over(void **state)
{
    (void)state;
    for (int bystander = 0; bystander < 2; bystander++) {
        struct pod *p =
            active(G, T, 1, bystander ? GOSSIP_CONTINUE : GOSSIP_WAIT, 1);
        struct gossip *victim;
        watch_of(p)->filter = nobody_opens;
        watch_of(p)->count = bystander;
        pod_begin(p);
        victim = p->engines[VICTIM];
        while (p->engines[0]->attempt == 0 && pod_turn(p, 60000))
            ;
        p->engines[LIAR]->plain[0] ^= 1;
        const struct gossip *speaks = bystander ? p->engines[0] : victim;
        while ((speaks->attempt == 0 || !speaks->y_sent) && pod_turn(p, 60000))
            ;
        assert_int_equal(speaks->attempt, 1);
        assert_true(watch_of(p)->held_count > 0);
        replay_to_victim(p);
        watch_of(p)->filter = NULL;
        pod_run(p, 120000);
        for (uint32_t i = 0; i < G; i++) {
            assert_true(p->done[i]);
            assert_memory_equal(&p->final[i], &p->final[0], sizeof *p->final);
        }
        watch_free(p);
    }
}

/* In attempt 0 the victim's slices are late, and the shares come to it alone.
 */
static bool only_a_bystander_opens(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    if (wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
        r.attempt != 0)
        return true;
    if (r.type == WIRE_Y)
        return r.sender != VICTIM;
    return r.type != WIRE_UNMASK || m->to == VICTIM;
}

/* Who is in V and not in U could open the sum of an attempt that the others,
 * one of which then contributes something else, have to try again. */
static void a_bystander_opens_no_sum_of_its_own(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 1);

    (void)state;
    watch_of(p)->filter = only_a_bystander_opens;
    pod_begin(p);
    while ((p->engines[0]->attempt == 0 || !p->engines[0]->y_sent) &&
           pod_turn(p, 60000))
        if (p->engines[0]->attempt == 1 && p->engines[LIAR]->has_plain &&
            !p->engines[LIAR]->y_sent)
            p->engines[LIAR]->plain[0] |= 1;
    assert_int_equal(p->engines[0]->attempt, 1);
    watch_of(p)->filter = NULL;
    pod_run(p, 120000);
    for (uint32_t i = 0; i < G; i++) {
        assert_true(p->done[i]);
        assert_memory_equal(&p->final[i], &p->final[0], sizeof *p->final);
    }
    watch_free(p);
}

/* Beyond what narrow lanes hold, so that something is carried over; the second
 * time another vector. */
static double new_value(uint32_t member, uint64_t round, size_t element)
{
    static size_t calls;
    const double more = pod_lane_bits() == 64 ? 0 : 1e9;

    calls = member == LIAR && element == 0 ? calls + 1 : calls;
    return pod_value(member, round, element) + more +
           (member == LIAR && calls > 1 ? 1 : 0);
}

static double carried[POD_MAX][POD_LENGTH];

static bool dies_absorbing(struct pod *p, uint32_t member,
                           const struct gossip_effect *e)
{
    const struct gossip *g = p->engines[member];

    if (e->kind != GOSSIP_ABSORB || e->absorb.sum == NULL)
        return true;
    if (g->carry != NULL)
        memcpy(carried[member], g->carry, sizeof carried[member]);
    return false;
}

/* All die while the opened sum waits for other pods, which may know it: they
 * come back with it, and nobody opens another one. */
static void a_sum_that_waits_for_pods_outlives_its_members(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_WAIT, 1);
    const struct gossip *g;

    (void)state;
    p->config.keeps_sum = true;
    p->value = new_value;
    p->allow = dies_absorbing;
    pod_begin(p);
    while (p->down[0] + p->down[1] + p->down[2] + p->down[3] + p->down[4] < G &&
           pod_turn(p, 60000))
        ;
    p->allow = NULL;
    for (uint32_t i = 0; i < G; i++) {
        const struct gossip_event timer = {.kind = GOSSIP_TIMER,
                                           .now_ms = p->now_ms};
        p->holds[i] = true;
        pod_revive(p, i);
        pod_step(p, i, &timer);
        g = p->engines[i];
        assert_int_equal(g->phase, PHASE_ABSORB);
        if (g->carry == NULL)
            continue;
        assert_memory_equal(g->carry, carried[i], sizeof carried[i]);
        assert_true(g->carry[1] > 1);
    }
    for (uint32_t i = 0; i < G; i++) {
        p->holds[i] = false;
        pod_kill(p, i);
        pod_revive(p, i);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_ATTEMPT], 0);
    }
    pod_run(p, 60000);
    for (uint32_t i = 0; i < G; i++) {
        assert_true(p->done[i]);
        assert_memory_equal(&p->final[i], &p->final[0], sizeof *p->final);
    }
    if (pod_lane_bits() == 64)
        assert_sum(p, ALL, ALL, 0);
    watch_free(p);
}

/* The shares of attempt 0 come to all but the last two. */
static bool two_open_nothing(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    return m->to < 3 || m->type != WIRE_UNMASK ||
           wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
           r.attempt != 0;
}

static bool waits(const struct pod *p, uint32_t i)
{
    return p->engines[i]->phase == PHASE_ABSORB && p->engines[i]->absorbing_sum;
}

/* Three have opened the sum and wait for other pods. */
static struct pod *three_wait(void)
{
    struct pod *p = active(G, T, 1, GOSSIP_WAIT, 1);

    p->config.keeps_sum = true;
    p->value = pod_lane_bits() == 64 ? NULL : new_value;
    watch_of(p)->filter = two_open_nothing;
    watch_of(p)->keep = true;
    for (uint32_t i = 0; i < G; i++)
        p->holds[i] = true;
    pod_begin(p);
    while ((!waits(p, 0) || !waits(p, 1) || !waits(p, 2)) && pod_turn(p, 60000))
        ;
    for (uint32_t i = 3; i < G; i++) {
        assert_int_equal(p->engines[i]->phase, PHASE_OPEN);
        if (p->engines[i]->carry != NULL)
            memcpy(carried[i], p->engines[i]->carry, sizeof carried[i]);
    }
    return p;
}

static uint64_t who_settled(struct pod *p)
{
    static struct wire_message r;
    const struct watch *w = watch_of(p);
    uint64_t members = 0;

    for (size_t i = 0; i < w->held_count; i++)
        if (w->held[i].type == WIRE_SETTLED &&
            wire_parse(&r, w->held[i].head, w->held[i].head_size, G) == 0)
            members |= UINT64_C(1) << r.sender;
    return members;
}

/* More than g - t come back from a restart and can open nothing any more. They
 * take the sum from those that have it, and vouch for it to nobody. */
static void a_settled_sum_is_taken_by_those_that_cannot_open_it(void **state)
{
    struct pod *p = three_wait();

    (void)state;
    for (uint32_t i = 3; i < G; i++) {
        pod_kill(p, i);
        p->train_ms[i] = 3000;
        pod_revive(p, i);
    }
    while ((!waits(p, 3) || !waits(p, 4)) && pod_turn(p, 60000))
        ;
    for (uint32_t i = 3; i < G; i++) {
        assert_true(p->engines[i]->open.taken);
        if (p->engines[i]->carry != NULL)
            assert_memory_equal(p->engines[i]->carry, carried[i],
                                sizeof carried[i]);
        pod_kill(p, i); /* what it took, and from whom, is on its disk */
        pod_revive(p, i);
    }
    pod_run(p, p->now_ms + 10000);
    assert_true(waits(p, 3) && waits(p, 4) && p->engines[3]->open.taken);
    pod_kill(p, 2);
    pod_lose_disk(p, 2); /* it asks all */
    pod_revive(p, 2);
    pod_run(p, p->now_ms + 10000);
    assert_true(waits(p, 2));
    assert_int_equal(who_settled(p) & 24, 0);
    for (uint32_t i = 0; i < G; i++) {
        p->holds[i] = false;
        pod_kill(p, i);
        pod_revive(p, i);
    }
    pod_run(p, p->now_ms + 60000);
    for (uint32_t i = 0; i < G; i++) {
        assert_true(p->done[i]);
        assert_memory_equal(&p->final[i], &p->final[0], sizeof *p->final);
    }
    if (pod_lane_bits() == 64)
        assert_sum(p, ALL, ALL, 0);
    watch_free(p);
}

/* Its own vector comes later, or that it has none any more: neither counts, as
 * the sum is on its disk with what clipping carries over. */
static void who_takes_a_settled_sum_needs_no_vector(void **state)
{
    struct pod *p = three_wait();

    (void)state;
    if (p->config.clips) { /* what it carries over has to be known first */
        watch_free(p);
        return;
    }
    pod_kill(p, 4);
    p->train_ms[4] = 3000;
    p->decline[4] = GOSSIP_DECLINE_DATA;
    pod_revive(p, 4);
    while (!waits(p, 4) && pod_turn(p, 60000))
        ;
    assert_true(p->training[4].runs);
    while (p->training[4].runs && pod_turn(p, 60000))
        ;
    assert_false(p->training[4].runs);
    assert_true(waits(p, 4));
    assert_false(p->engines[4]->has_plain);
    watch_free(p);
}

/* c liars, who say it in each other's hearing as often as they like, settle
 * nothing; nor do c + 1 of whom one is not in the sum. */
static void too_few_settle_nothing(void **state)
{
    struct pod *p = three_wait();
    struct wire_message m = {.type = WIRE_SETTLED};
    struct gossip *victim = p->engines[4];
    static struct forged f;
    uint8_t lanes[POD_LENGTH * 8];
    const size_t size = POD_LENGTH * victim->open.lane;

    (void)state;
    memset(lanes, 0, sizeof lanes);
    m.settled.members = ALL;
    memcpy(m.settled.state, victim->state_hash, GOSSIP_HASH_BYTES);
    tree_hash(m.settled.hash, lanes, size);
    for (uint32_t k = 0; k < 3; k++) {
        forge(&f, p, LIAR, &m);
        forge_deliver(p, LIAR, 4, f.head, f.size, lanes, size);
    }
    assert_false(waits(p, 4));
    m.settled.members = ALL & ~(1u << 3);
    for (uint32_t k = 1; k < 4; k += 2) {
        forge(&f, p, k, &m);
        forge_deliver(p, k, 4, f.head, f.size, lanes, size);
    }
    assert_false(waits(p, 4));
    m.settled.members = ALL;
    m.settled.state[0] ^= 1;
    for (uint32_t k = 1; k < 4; k += 2) {
        forge(&f, p, k, &m);
        forge_deliver(p, k, 4, f.head, f.size, lanes, size);
    }
    assert_false(waits(p, 4));
    m.settled.state[0] ^= 1;
    for (uint32_t k = 1; k < 4; k += 2) { /* so the others were refused */
        forge(&f, p, k, &m);
        forge_deliver(p, k, 4, f.head, f.size, lanes, size - 1);
        assert_false(waits(p, 4));
        forge_deliver(p, k, 4, f.head, f.size, lanes, size);
    }
    assert_true(victim->open.taken);
    watch_free(p);
}

/* Its pod has made two states since, or the last one, and forgotten what it
 * mixed. */
static void who_waits_for_pods_too_long_takes_the_state(void **state)
{
    (void)state;
    for (uint64_t rounds = 1; rounds <= 4; rounds += 3) {
        struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, rounds);
        p->config.keeps_sum = true;
        p->holds[4] = true;
        pod_begin(p);
        while (p->engines[4]->phase != PHASE_ABSORB && pod_turn(p, 60000))
            ;
        pod_run(p, 60000);
        for (uint32_t i = 0; i < G; i++) {
            assert_true(p->done[i]);
            assert_memory_equal(&p->final[i], &p->final[0], sizeof *p->final);
        }
        watch_free(p);
    }
}

/* Evidence survives a restart, and the same message twice is none. */
static void evidence_is_kept_on_disk_and_cannot_be_made_up(void **state)
{
    struct pod *p = active(G, T, 1, GOSSIP_CONTINUE, 2);
    const uint8_t *heads[2];
    size_t sizes[2];
    static struct wire_message m;
    static struct forged f;
    const struct pod_message *kept = NULL;

    (void)state;
    watch_of(p)->filter = two_faced;
    watch_of(p)->member = WIRE_KEYS;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, 300);
    assert_int_equal(gossip_evidence(p->engines[0], LIAR, heads, sizes), 2);
    pod_kill(p, 0);
    pod_start(p, 0);
    assert_int_equal(gossip_evidence(p->engines[0], LIAR, heads, sizes), 2);
    assert_true(evidence_contradicts(p->engines[2], heads[0], sizes[0],
                                     heads[1], sizes[1]));
    assert_false(evidence_contradicts(p->engines[2], heads[0], sizes[0],
                                      heads[0], sizes[0]));
    read_last(&m, p, WIRE_KEYS, 2, &kept);
    assert_false(evidence_contradicts(p->engines[2], heads[0], sizes[0],
                                      kept->head, kept->head_size));
    m.keys.commit[0] ^= 1; /* signed by another than it names */
    forge(&f, p, 4, &m);
    assert_false(evidence_contradicts(p->engines[2], kept->head,
                                      kept->head_size, f.head, f.size));
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_active_members_finish),
        cmocka_unit_test(ten_active_members_finish),
        cmocka_unit_test(a_member_that_never_comes_is_left_out),
        cmocka_unit_test(a_member_that_comes_late_joins),
        cmocka_unit_test(a_member_lost_between_rounds_is_named),
        cmocka_unit_test(a_false_sum_is_named_and_made_from_copies),
        cmocka_unit_test(without_attestations_sums_are_made_again),
        cmocka_unit_test(a_late_certificate_after_close_releases_nothing),
        cmocka_unit_test(a_releaser_is_bound_to_its_cohort),
        cmocka_unit_test(a_releaser_opens_the_same_sum_again),
        cmocka_unit_test(a_releaser_comes_back_when_the_attempt_is_closed),
        cmocka_unit_test(too_few_closes_do_not_start_a_retry),
        cmocka_unit_test(each_release_has_one_share_of_each_member),
        cmocka_unit_test(a_sum_over_other_survivors_does_not_count),
        cmocka_unit_test(two_faces_harm_nobody_and_leave_evidence),
        cmocka_unit_test(a_proposal_for_a_later_ballot_keeps_nobody_out),
        cmocka_unit_test(a_member_without_its_store_closes_nothing),
        cmocka_unit_test(the_same_set_again_frees_nobody_without_a_store),
        cmocka_unit_test(a_study_that_begins_badly_goes_on),
        cmocka_unit_test(who_released_in_this_attempt_does_not_begin_anew),
        cmocka_unit_test(who_lost_its_store_takes_no_round_from_others),
        cmocka_unit_test(an_old_state_leads_nobody_back),
        cmocka_unit_test(nobody_takes_the_sum_of_an_attempt_that_is_over),
        cmocka_unit_test(a_bystander_opens_no_sum_of_its_own),
        cmocka_unit_test(a_sum_that_waits_for_pods_outlives_its_members),
        cmocka_unit_test(a_settled_sum_is_taken_by_those_that_cannot_open_it),
        cmocka_unit_test(who_takes_a_settled_sum_needs_no_vector),
        cmocka_unit_test(too_few_settle_nothing),
        cmocka_unit_test(who_waits_for_pods_too_long_takes_the_state),
        cmocka_unit_test(asking_does_not_multiply),
        cmocka_unit_test(evidence_is_kept_on_disk_and_cannot_be_made_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
