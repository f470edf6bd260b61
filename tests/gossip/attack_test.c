#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "crypto/tree.h"
#include "gossip/engine.h"
#include "gossip/forge.h"
#include "gossip/mail.h"

enum { ALL = 15, G = 4, T = 3, LIAR = 1, VICTIM = 3 };

static const struct gossip *victim(const struct pod *p)
{
    return p->engines[VICTIM];
}

/* Drops what the liar really says, of the types in watch->count, to the victim.
 */
static bool muted(struct pod *p, struct pod_message *m)
{
    return m->from != LIAR || m->to != VICTIM ||
           (watch_of(p)->count >> m->type & 1) == 0;
}

static struct pod *staged(int types, uint64_t until_ms)
{
    struct pod *p = watch_new(G, T, 2);

    watch_of(p)->filter = muted;
    watch_of(p)->count = types;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, until_ms);
    return p;
}

static void assert_finishes(struct pod *p)
{
    watch_of(p)->count = 0;
    pod_run(p, p->now_ms + 60000);
    assert_true(pod_exact(p, 2));
    watch_free(p);
}

/* The newest message of a type from one member to another. */
static const struct pod_message *heard(struct pod *p, uint8_t type,
                                       uint32_t from, uint32_t to)
{
    struct watch *w = watch_of(p);

    for (size_t i = w->held_count; i > 0; i--)
        if (w->held[i - 1].type == type && w->held[i - 1].from == from &&
            w->held[i - 1].to == to)
            return &w->held[i - 1];
    fail_msg("no %s from %u to %u", wire_name(type), from, to);
    return NULL;
}

static void read_heard(struct wire_message *m, struct pod *p, uint8_t type,
                       uint32_t from, uint32_t to)
{
    const struct pod_message *h = heard(p, type, from, to);

    assert_int_equal(wire_parse(m, h->head, h->head_size, p->members), 0);
}

static void no_strange_notes(const struct pod *p)
{
    for (uint32_t i = 0; i < p->members; i++) {
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_EQUIVOCATED], 0);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_DIFFERS], 0);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_BAD_SHARE], 0);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_DIVERGED], 0);
    }
}

/* Attack 7. The head as it was, or with round and attempt made to fit. */
static void replay(struct pod *p, const struct pod_message *h, uint32_t relay,
                   uint32_t to, bool fit)
{
    static struct wire_message m;
    static uint8_t head[GOSSIP_HEAD_MAX];
    size_t size = h->head_size;

    if (p->down[to] || p->left[to] || relay == to)
        return;
    memcpy(head, h->head, size);
    if (fit) {
        assert_int_equal(wire_parse(&m, h->head, h->head_size, p->members), 0);
        m.round = p->engines[to]->round;
        m.attempt = p->engines[to]->attempt;
        assert_int_equal(pack_head(head, sizeof head, &size, &m, m.body,
                                   m.body_size, m.signature),
                         0);
    }
    forge_deliver(p, relay, to, head, size, h->body, h->body_size);
}

/* Runs p, and repeats at random what `from` heard, to anybody by anybody. */
static void run_with_replays(struct pod *p, struct watch *from, bool own_hello)
{
    struct prg prg;
    uint8_t seed[PRG_SEED_BYTES] = {77};

    prg_seed(&prg, seed);
    for (int turn = 0; pod_turn(p, 60000); turn++) {
        if (turn == 700 && !p->down[2]) { /* so that there are attempts */
            pod_kill(p, 2);
            pod_revive(p, 2);
        }
        for (int k = 0; k < 2 && from->held_count > 0 && turn < 20000; k++) {
            struct pod_message h =
                from->held[prg_below(&prg, from->held_count)];
            uint32_t relay = (uint32_t)prg_below(&prg, p->members);
            uint32_t to = (uint32_t)prg_below(&prg, p->members);
            if (h.type == WIRE_HELLO && relay == h.from && !own_hello)
                continue;
            if (h.type == WIRE_WANT && turn > 2000)
                continue;
            replay(p, &h, relay, to, prg_below(&prg, 2) == 1);
        }
    }
}

/* Attack 7: other rounds, attempts and receivers of the same study. */
static void replayed_messages_of_the_same_study_change_nothing(void **state)
{
    struct pod *p = watch_new(G, T, 4);
    struct watch *w = watch_of(p);

    (void)state;
    w->keep = true;
    pod_begin(p);
    run_with_replays(p, w, true);
    assert_true(pod_exact(p, 4));
    assert_true(p->note_count[0][GOSSIP_NOTE_ATTEMPT] > 0);
    no_strange_notes(p);
    watch_free(p);
}

/* Attack 7: what its sender signed in an earlier attempt is worth nothing. */
static void messages_of_an_earlier_attempt_are_not_taken(void **state)
{
    struct pod *p = staged(1 << WIRE_SHARES, 100);
    static struct wire_message keys, recv;

    (void)state;
    read_heard(&keys, p, WIRE_KEYS, LIAR, VICTIM);
    recv = (struct wire_message){.type = WIRE_RECV};
    pod_run(p, 5500);
    assert_int_equal(victim(p)->attempt, 1);
    assert_int_equal(victim(p)->have_keys, ALL);
    assert_int_equal(victim(p)->phase, PHASE_SHARES);
    for (uint64_t attempt = 0; attempt < 2; attempt++) {
        assert_int_equal(victim(p)->equivocated, 0);
        assert_int_equal(victim(p)->have_recvs >> LIAR & 1, 0);
        keys.attempt = recv.attempt = attempt;
        forge_say(p, LIAR, VICTIM, &keys);
        forge_say(p, LIAR, VICTIM, &recv);
    }
    assert_int_equal(victim(p)->equivocated, 1 << LIAR);
    assert_int_equal(victim(p)->have_recvs >> LIAR & 1, 1);
    watch_free(p);
}

/* Attack 7: another study of the same members. */
static void messages_of_another_study_change_nothing(void **state)
{
    struct pod *other = watch_new(G, T, 2), *p = watch_new(G, T, 2);

    (void)state;
    watch_of(other)->keep = true;
    other->config.charter[9] ^= 1;
    other->starts = 100; /* other randomness, too */
    pod_begin(other);
    pod_run(other, 60000);
    pod_begin(p);
    run_with_replays(p, watch_of(other), false);
    assert_true(pod_exact(p, 2));
    no_strange_notes(p);
    watch_free(p);
    watch_free(other);
}

/* Attack 7: a greeting from another study, passed on, mutes nobody. */
static void a_relayed_greeting_of_another_study_mutes_nobody(void **state)
{
    struct pod *p = watch_new(G, T, 2);
    struct wire_message m = {.type = WIRE_HELLO};
    static struct forged f;

    (void)state;
    pod_begin(p);
    m.hello.charter[0] = 1;
    forge(&f, p, 0, &m);
    forge_deliver(p, 2, VICTIM, f.head, f.size, NULL, 0);
    assert_int_equal(victim(p)->differs, 0);
    forge_deliver(p, 0, VICTIM, f.head, f.size, NULL, 0);
    assert_int_equal(victim(p)->differs, 1);
    watch_free(p);
}

static bool after_unmask(struct pod *p, struct pod_message *m)
{
    return (watch_of(p)->count & 1) == 0 || m->type != WIRE_UNMASK ||
           p->now_ms > 6000;
}

/* Attack 7: the certificate of an earlier attempt does not displace the sum
 * that is being opened. */
static void an_old_certificate_does_not_stall_the_opening(void **state)
{
    struct pod *p = watch_new(G, T, 1);
    struct watch *w = watch_of(p);
    static struct wire_message m;

    (void)state;
    w->filter = after_unmask;
    w->count = 1;
    pod_begin(p);
    pod_run(p, 100);
    assert_int_equal(victim(p)->phase, PHASE_OPEN);
    m = (struct wire_message){.type = WIRE_CERT, .attempt = 7};
    m.propose.kind = WIRE_V;
    m.propose.value = victim(p)->agree[WIRE_V].value;
    m.propose.value.said[0][0] ^= 1;
    forge_quorum(&m.propose.quorum, p, WIRE_COMMIT, 7, 0, 7, &m.propose.value);
    forge_say(p, 0, VICTIM, &m);
    assert_int_equal(victim(p)->open.attempt, 0);
    w->count = 0;
    pod_run(p, 4000);
    assert_true(pod_exact(p, 1));
    watch_free(p);
}

/* Attack 7: nor does one of U, or after a while one of V. */
static void an_old_certificate_of_either_kind_is_too_late(void **state)
{
    struct pod *p = watch_new(G, T, 1);
    static struct wire_message m;

    (void)state;
    watch_of(p)->filter = after_unmask;
    watch_of(p)->count = 1;
    pod_begin(p);
    for (int kind = WIRE_KINDS; kind-- > 0;) {
        pod_run(p, kind == WIRE_U ? 100 : 4000);
        assert_int_equal(victim(p)->phase, PHASE_OPEN);
        m = (struct wire_message){.type = WIRE_CERT, .attempt = 7};
        m.propose.kind = (enum wire_kind)kind;
        m.propose.value = victim(p)->agree[kind].value;
        forge_quorum(&m.propose.quorum, p, WIRE_COMMIT, 7, 0, 7,
                     &m.propose.value);
        forge_say(p, 0, VICTIM, &m);
        assert_int_equal(victim(p)->open.attempt, 0);
        assert_true(victim(p)->open.has_v && victim(p)->open.has_u);
    }
    watch_free(p);
}

/* Attack 7: what answers a WANT goes to who asked, on its own link only. */
static void a_relayed_want_is_not_answered(void **state)
{
    struct pod *p = staged(0, 10);
    struct wire_message m = {.type = WIRE_WANT};
    size_t queued;

    (void)state;
    m.want.members = G; /* lacks everything */
    static struct forged f;
    forge(&f, p, LIAR, &m);
    queued = p->queued;
    forge_deliver(p, 2, VICTIM, f.head, f.size, NULL, 0);
    assert_int_equal(p->queued, queued);
    forge_deliver(p, LIAR, VICTIM, f.head, f.size, NULL, 0);
    assert_true(p->queued > queued);
    watch_free(p);
}

/* Attack 8. */
static void a_second_vector_in_one_round_is_refused(void **state)
{
    struct pod *p = watch_new(G, T, 2);
    double x[POD_LENGTH] = {0};
    struct gossip_event e = {.kind = GOSSIP_CONTRIBUTED};

    (void)state;
    pod_begin(p);
    e.contributed.x = x;
    pod_step(p, 0, &e);
    assert_int_equal(p->note_count[0][GOSSIP_NOTE_REFUSED], 1);
    pod_run(p, 10);
    e.now_ms = p->now_ms;
    pod_step(p, 0, &e);
    assert_int_equal(p->note_count[0][GOSSIP_NOTE_REFUSED], 2);
    while (p->note_count[0][GOSSIP_NOTE_OPENED] == 0)
        assert_true(pod_turn(p, 1000));
    e.now_ms = p->now_ms; /* of the round before: not even looked at */
    pod_step(p, 0, &e);
    assert_int_equal(p->note_count[0][GOSSIP_NOTE_REFUSED], 2);
    pod_run(p, 60000);
    assert_true(pod_exact(p, 2));
    watch_free(p);
}

static void say_sealed(struct pod *p, const uint8_t *sealed, uint32_t to)
{
    struct wire_message m = {.type = WIRE_SHARES};
    uint64_t before = pod_dropped(p, VICTIM);

    m.shares.to = to;
    memcpy(m.shares.sealed, sealed, WIRE_SEALED_BYTES);
    forge_say(p, LIAR, VICTIM, &m);
    assert_false(victim(p)->have_shares >> LIAR & 1);
    assert_false(victim(p)->have_sealed >> LIAR & 1);
    if (to == VICTIM)
        assert_true(pod_dropped(p, VICTIM) > before);
}

/* Attack 9. */
static void altered_swapped_and_reflected_shares_are_refused(void **state)
{
    struct pod *p = staged(1 << WIRE_SHARES, 100);
    static struct wire_message m, other;

    (void)state;
    read_heard(&m, p, WIRE_SHARES, LIAR, VICTIM);
    for (size_t at = 0; at < WIRE_SEALED_BYTES; at++) {
        uint8_t sealed[WIRE_SEALED_BYTES];
        memcpy(sealed, m.shares.sealed, sizeof sealed);
        sealed[at] ^= (uint8_t)(1 << at % 8);
        say_sealed(p, sealed, VICTIM);
    }
    read_heard(&other, p, WIRE_SHARES, LIAR, 2);
    say_sealed(p, other.shares.sealed, VICTIM); /* another's */
    say_sealed(p, m.shares.sealed, 2);          /* said to be another's */
    read_heard(&other, p, WIRE_SHARES, VICTIM, LIAR);
    say_sealed(p, other.shares.sealed, VICTIM); /* its own, thrown back */
    read_heard(&other, p, WIRE_SHARES, 2, VICTIM);
    say_sealed(p, other.shares.sealed, VICTIM); /* by another sender */
    forge_say(p, LIAR, VICTIM, &m);
    assert_true(victim(p)->have_shares >> LIAR & 1);
    assert_finishes(p);
}

static void assert_no_keys(struct pod *p, struct wire_message *m)
{
    uint64_t before = pod_dropped(p, VICTIM);

    forge_say(p, LIAR, VICTIM, m);
    assert_false(victim(p)->have_keys >> LIAR & 1);
    assert_int_equal(pod_dropped(p, VICTIM), before + 1);
}

/* Attacks 10 and 20. */
static void weak_and_repeated_keys_are_refused(void **state)
{
    struct pod *p = staged(1 << WIRE_KEYS, 2);
    static const uint8_t weak[][X25519_BYTES] = {
        {0}, {1}, {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
                   0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
                   0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
                   0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}};
    static struct wire_message good, m;

    (void)state;
    read_heard(&good, p, WIRE_KEYS, LIAR, VICTIM);
    assert_true(victim(p)->have_keys >> 2 & 1);
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        m = good;
        memcpy(m.keys.epk, weak[i], X25519_BYTES);
        assert_no_keys(p, &m);
        m = good;
        memcpy(m.keys.mpk, weak[i], X25519_BYTES);
        assert_no_keys(p, &m);
    }
    m = good;
    memcpy(m.keys.epk, good.keys.mpk, X25519_BYTES);
    assert_no_keys(p, &m);
    for (uint32_t j = 2; j < 4; j++) { /* another's, the victim's own */
        m = good;
        memcpy(m.keys.epk, victim(p)->keys[j].epk, X25519_BYTES);
        assert_no_keys(p, &m);
        m = good;
        memcpy(m.keys.mpk, victim(p)->keys[j].mpk, X25519_BYTES);
        assert_no_keys(p, &m);
        m = good;
        memcpy(m.keys.epk, victim(p)->keys[j].mpk, X25519_BYTES);
        assert_no_keys(p, &m);
        m = good;
        memcpy(m.keys.mpk, victim(p)->keys[j].epk, X25519_BYTES);
        assert_no_keys(p, &m);
    }
    forge_say(p, LIAR, VICTIM, &good);
    assert_true(victim(p)->have_keys >> LIAR & 1);
    assert_finishes(p);
}

/* Attack 20. */
static void unknown_and_pretended_senders_are_dropped(void **state)
{
    struct pod *p = staged(1 << WIRE_KEYS, 2);
    static struct wire_message m;
    static uint8_t head[GOSSIP_HEAD_MAX];
    size_t size;

    (void)state;
    read_heard(&m, p, WIRE_KEYS, LIAR, VICTIM);
    for (uint32_t sender = 0; sender < 70; sender++) {
        m.sender = sender;
        if (sender == LIAR)
            continue;
        assert_int_equal(pack_head(head, sizeof head, &size, &m, m.body,
                                   m.body_size, m.signature),
                         0);
        uint64_t before = pod_dropped(p, VICTIM);
        forge_deliver(p, LIAR, VICTIM, head, size, NULL, 0);
        assert_int_equal(pod_dropped(p, VICTIM), before + 1);
    }
    no_strange_notes(p);
    assert_finishes(p);
}

/* Attack 20. */
static void two_keys_of_one_member_exclude_it_and_are_told(void **state)
{
    struct pod *p = staged(0, 1);
    static struct wire_message m;

    (void)state;
    read_heard(&m, p, WIRE_KEYS, LIAR, VICTIM);
    m.keys.commit[0] ^= 1;
    for (uint32_t j = 0; j < G; j++)
        if (j != LIAR)
            forge_say(p, LIAR, j, &m);
    for (uint32_t j = 0; j < G; j++) {
        assert_true(j == LIAR ||
                    p->note_count[j][GOSSIP_NOTE_EQUIVOCATED] == 1);
        assert_true(j == LIAR ||
                    p->note_members[j][GOSSIP_NOTE_EQUIVOCATED] == 1 << LIAR);
    }
    pod_run(p, 4000); /* a cohort without it is none: nobody sums */
    assert_int_equal(p->sent[WIRE_Y], 0);
    watch_free(p);
}

static bool few_unmasks(struct pod *p, struct pod_message *m)
{
    if (m->to != VICTIM)
        return true;
    return m->type != WIRE_UNMASK && m->type != WIRE_SUM &&
           m->type != WIRE_CERT && m->type != WIRE_WANT &&
           (m->type != WIRE_KEYS || p->now_ms < 50);
}

/* Attack 11. */
static void a_wrong_share_is_named_and_others_rebuild(void **state)
{
    struct pod *p = watch_new(G, T, 1);
    static struct wire_message m;

    (void)state;
    watch_of(p)->filter = few_unmasks;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, 100);
    assert_int_equal(victim(p)->phase, PHASE_OPEN);
    read_heard(&m, p, WIRE_UNMASK, LIAR, VICTIM);
    m.unmask.shares[2][7] ^= 1;
    forge_say(p, LIAR, VICTIM, &m);
    read_heard(&m, p, WIRE_UNMASK, 0, VICTIM);
    forge_say(p, 0, VICTIM, &m);
    assert_false(victim(p)->rebuilt); /* exactly t, one is wrong */
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_SHARE], 1);
    read_heard(&m, p, WIRE_UNMASK, 2, VICTIM);
    forge_say(p, 2, VICTIM, &m);
    assert_true(victim(p)->rebuilt);
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_SHARE], 1);
    assert_int_equal(p->note_members[VICTIM][GOSSIP_NOTE_BAD_SHARE], 1 << LIAR);
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_DEAL], 0);
    watch_of(p)->filter = NULL;
    pod_run(p, 60000);
    assert_true(pod_exact(p, 1));
    watch_free(p);
}

/* Attack 11: right shares of another certificate are none. */
static void shares_under_another_certificate_do_not_count(void **state)
{
    struct pod *p = watch_new(G, T, 1);
    static struct wire_message m;

    (void)state;
    watch_of(p)->filter = few_unmasks;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, 100);
    read_heard(&m, p, WIRE_UNMASK, 0, VICTIM);
    forge_say(p, 0, VICTIM, &m);
    read_heard(&m, p, WIRE_UNMASK, LIAR, VICTIM);
    m.unmask.cert[0] ^= 1;
    forge_say(p, LIAR, VICTIM, &m);
    assert_int_equal(victim(p)->have_unmasks, ALL & ~4);
    assert_false(victim(p)->rebuilt);
    read_heard(&m, p, WIRE_UNMASK, 2, VICTIM);
    forge_say(p, 2, VICTIM, &m);
    assert_true(victim(p)->rebuilt);
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_SHARE], 0);
    watch_free(p);
}

/* Of U the victim learns nothing, and no UNMASK. */
static bool without_u(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    if (wire_parse(&r, m->head, m->head_size, p->members) != 0 ||
        m->to != VICTIM)
        return true;
    return m->type != WIRE_CERT && m->type != WIRE_WANT &&
           m->type != WIRE_UNMASK && m->type != WIRE_SUM &&
           (m->type != WIRE_COMMIT || r.vote.kind == WIRE_V);
}

/* Attack 11: all shares are here before U is, so that more right ones are at
 * hand than are needed. */
static void nobody_is_named_for_a_right_share(void **state)
{
    struct pod *p = watch_new(5, T, 1);
    static struct wire_message m;

    (void)state;
    watch_of(p)->filter = without_u;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, 100);
    assert_int_equal(victim(p)->phase, PHASE_U);
    for (uint32_t j = 0; j < 5; j++) {
        if (j == VICTIM)
            continue;
        read_heard(&m, p, WIRE_UNMASK, j, VICTIM);
        m.unmask.shares[2][7] ^= j == LIAR;
        forge_say(p, j, VICTIM, &m);
    }
    const struct mail *cert = &p->engines[0]->agree[WIRE_U].cert;
    forge_deliver(p, 0, VICTIM, cert->bytes, cert->size, NULL, 0);
    assert_true(victim(p)->rebuilt);
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_SHARE], 1);
    assert_int_equal(p->note_members[VICTIM][GOSSIP_NOTE_BAD_SHARE], 1 << LIAR);
    watch_free(p);
}

/* Once, as the liar's KEYS leave it: it deals another share than they say, or
 * commits to another b than it deals, in its own books as well. */
static bool dealing(struct pod *p, struct pod_message *m)
{
    struct gossip *liar = p->engines[LIAR];
    static struct wire_message k;
    static struct forged f;

    if (m->from != LIAR || m->type != WIRE_KEYS)
        return true;
    if (watch_of(p)->number == 0) {
        watch_of(p)->number = 1;
        liar->deal[VICTIM][watch_of(p)->count] ^= 1;
    } else if (watch_of(p)->number == 2 && watch_of(p)->count++ < G - 1) {
        assert_int_equal(wire_parse(&k, m->head, m->head_size, p->members), 0);
        k.keys.commit[0] ^= 1;
        forge(&f, p, LIAR, &k);
        assert_int_equal(wire_parse(&k, f.head, f.size, p->members), 0);
        memcpy(liar->keys[LIAR].commit, k.keys.commit, GOSSIP_HASH_BYTES);
        wire_hash(liar->keys[LIAR].hash, k.body, k.body_size);
        mail_keep(&liar->keys_mail[LIAR], f.head, f.size);
        memcpy(m->head, f.head, f.size);
    }
    return true;
}

/* Attack 11: it would be blamed for the dealer's fault. */
static void a_share_other_than_announced_is_refused(void **state)
{
    (void)state;
    for (int at = 0; at < WIRE_SECRETS_BYTES; at += SHAMIR_BYTES) {
        struct pod *p = watch_new(G, T, 2);
        watch_of(p)->filter = dealing;
        watch_of(p)->count = at;
        pod_begin(p);
        pod_run(p, 100);
        assert_int_equal(victim(p)->have_keys, ALL);
        assert_int_equal(victim(p)->have_shares, ALL & ~(1 << LIAR));
        assert_true(pod_dropped(p, VICTIM) > 0);
        assert_int_equal(p->engines[2]->have_shares, ALL);
        assert_finishes(p);
    }
}

/* Attack 11: true shares of a secret that was never committed to. */
static void a_deal_of_another_secret_is_named(void **state)
{
    struct pod *p = watch_new(G, T, 1);

    (void)state;
    watch_of(p)->filter = dealing;
    watch_of(p)->number = 2;
    pod_begin(p);
    pod_run(p, 100);
    assert_int_equal(victim(p)->phase, PHASE_OPEN);
    assert_true(engine_count(victim(p)->have_unmasks) >= T);
    assert_false(victim(p)->rebuilt);
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_SHARE], 0);
    assert_int_equal(p->note_count[VICTIM][GOSSIP_NOTE_BAD_DEAL], 1);
    assert_int_equal(p->note_members[VICTIM][GOSSIP_NOTE_BAD_DEAL], 1 << LIAR);
    watch_free(p);
}

static void say_y(struct pod *p, struct wire_message *m)
{
    const struct pod_message *h = heard(p, WIRE_Y, LIAR, VICTIM);
    static struct forged f;

    forge(&f, p, LIAR, m);
    forge_deliver(p, LIAR, VICTIM, f.head, f.size, h->body, h->body_size);
}

/* Attacks 14 and 26. */
static void a_vector_under_another_v_or_state_is_not_counted(void **state)
{
    struct pod *p = staged(1 << WIRE_Y, 100);
    static struct wire_message good, m;

    (void)state;
    read_heard(&good, p, WIRE_Y, LIAR, VICTIM);
    for (int what = 0; what < 4; what++) {
        uint64_t before = pod_dropped(p, VICTIM);
        m = good;
        if (what == 0)
            m.y.hash_v[0] ^= 1;
        else if (what == 1)
            m.y.state[0] ^= 1;
        else if (what == 2)
            m.y.members = 7;
        else
            m.parts = 1;
        say_y(p, &m);
        assert_int_equal(pod_dropped(p, VICTIM), before + 1);
        for (int place = 0; place < 2; place++)
            assert_false(victim(p)->kept_from[place] >> LIAR & 1);
        assert_false(victim(p)->recv_sent);
    }
    say_y(p, &good);
    assert_true(victim(p)->recv_sent);
    assert_finishes(p);
}

/* Attack 14: lanes that are not what was signed. */
static void altered_lanes_are_not_kept(void **state)
{
    struct pod *p = staged(1 << WIRE_Y, 100);
    const struct pod_message *h = heard(p, WIRE_Y, LIAR, VICTIM);
    uint8_t *body = pod_copy(h->body, h->body_size);

    (void)state;
    for (size_t at = 0; at < h->body_size; at++) {
        body[at] ^= 1;
        forge_deliver(p, LIAR, VICTIM, h->head, h->head_size, body,
                      h->body_size);
        body[at] ^= 1;
        assert_false(victim(p)->recv_sent);
        memset(p->engines[VICTIM]->kept_from, 0,
               sizeof p->engines[VICTIM]->kept_from);
    }
    for (size_t size = 0; size < h->body_size; size++)
        forge_deliver(p, LIAR, VICTIM, h->head, h->head_size, body, size);
    for (int place = 0; place < 2; place++)
        assert_false(victim(p)->kept_from[place] >> LIAR & 1);
    free(body);
    watch_free(p);
}

static bool few_sums(struct pod *p, struct pod_message *m)
{
    (void)p;
    return m->to != VICTIM || m->type != WIRE_SUM;
}

/* Slice sums from whoever, over whatever, are not taken. */
static void sums_count_only_from_holders_with_the_signed_lanes(void **state)
{
    struct pod *p = watch_new(G, T, 1);
    static struct wire_message good, m;
    static struct forged f;
    const struct pod_message *h;
    uint8_t *body;

    (void)state;
    watch_of(p)->filter = few_sums;
    watch_of(p)->keep = true;
    pod_begin(p);
    pod_run(p, 60);
    h = heard(p, WIRE_SUM, LIAR, VICTIM);
    read_heard(&good, p, WIRE_SUM, LIAR, VICTIM);
    uint64_t slice = UINT64_C(1) << good.sum.slice;
    assert_int_equal(victim(p)->open.have & slice, 0);
    body = pod_copy(h->body, h->body_size);
    for (int what = 0; what < 5; what++) {
        uint32_t sender = LIAR;
        m = good;
        if (what == 0)
            sender = (LIAR + 2) % G == VICTIM ? 0 : (LIAR + 3) % G;
        else if (what == 1)
            m.sum.cert[0] ^= 1;
        else if (what == 2)
            body[3] ^= 1;
        else if (what == 3) { /* beyond what U can sum to */
            memset(body, 0xff, h->body_size);
            tree_hash(m.sum.hash, body, h->body_size);
        }
        forge(&f, p, sender, &m);
        forge_deliver(p, sender, VICTIM, f.head, f.size, body,
                      h->body_size - (what == 4 ? 2 : 0));
        assert_int_equal(victim(p)->open.have & slice, 0);
        memcpy(body, h->body, h->body_size);
    }
    forge_deliver(p, 0, VICTIM, h->head, h->head_size, body, h->body_size);
    assert_int_equal(victim(p)->open.have & slice, slice);
    free(body);
    watch_of(p)->filter = NULL;
    pod_run(p, 60000);
    assert_true(pod_exact(p, 1));
    watch_free(p);
}

/* Under wait without wait_ms nobody can stop a study. */
static void a_stop_that_the_charter_does_not_know_is_dropped(void **state)
{
    struct pod *p = watch_new(G, T, 2);
    struct wire_message m = {.type = WIRE_STOP};

    (void)state;
    pod_begin(p);
    m.stop.members = 4;
    forge_say(p, LIAR, VICTIM, &m);
    assert_int_equal(pod_dropped(p, VICTIM), 1);
    pod_run(p, 60000);
    assert_true(pod_exact(p, 2));
    watch_free(p);
}

/* Attack 23: what the next delivery brings is first tried mutilated. */
static void mutilate(struct pod *p)
{
    size_t best = SIZE_MAX;
    uint64_t at_ms = UINT64_MAX;

    for (size_t k = 0; k < p->queued; k++)
        if (p->queue[k].at_ms < at_ms) {
            at_ms = p->queue[k].at_ms;
            best = k;
        }
    if (best == SIZE_MAX || p->left[p->queue[best].to])
        return;
    struct pod_message m = p->queue[best];
    uint8_t *head = pod_copy(m.head, m.head_size);
    for (size_t at = 0; at < m.head_size; at++) {
        uint8_t flip = (uint8_t)(1u << (at + m.head_size) % 8);
        head[at] ^= flip;
        forge_deliver(p, m.from, m.to, head, m.head_size, m.body, m.body_size);
        head[at] ^= flip;
        if (p->now_ms % 3 == 0)
            forge_deliver(p, m.from, m.to, head, at, m.body, m.body_size);
    }
    free(head);
}

static void no_mutilated_message_does_harm(void **state)
{
    struct pod *p = watch_new(3, 3, 2);

    (void)state;
    pod_begin(p);
    for (int turn = 0; turn < 100000; turn++) {
        mutilate(p);
        if (!pod_turn(p, 60000))
            break;
    }
    assert_true(pod_exact(p, 2));
    assert_true(p->now_ms < 3000);
    no_strange_notes(p);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(pod_dropped(p, i) > 1000);
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replayed_messages_of_the_same_study_change_nothing),
        cmocka_unit_test(messages_of_an_earlier_attempt_are_not_taken),
        cmocka_unit_test(messages_of_another_study_change_nothing),
        cmocka_unit_test(a_relayed_greeting_of_another_study_mutes_nobody),
        cmocka_unit_test(an_old_certificate_does_not_stall_the_opening),
        cmocka_unit_test(an_old_certificate_of_either_kind_is_too_late),
        cmocka_unit_test(a_relayed_want_is_not_answered),
        cmocka_unit_test(a_second_vector_in_one_round_is_refused),
        cmocka_unit_test(altered_swapped_and_reflected_shares_are_refused),
        cmocka_unit_test(weak_and_repeated_keys_are_refused),
        cmocka_unit_test(unknown_and_pretended_senders_are_dropped),
        cmocka_unit_test(two_keys_of_one_member_exclude_it_and_are_told),
        cmocka_unit_test(a_wrong_share_is_named_and_others_rebuild),
        cmocka_unit_test(shares_under_another_certificate_do_not_count),
        cmocka_unit_test(nobody_is_named_for_a_right_share),
        cmocka_unit_test(a_share_other_than_announced_is_refused),
        cmocka_unit_test(a_deal_of_another_secret_is_named),
        cmocka_unit_test(a_vector_under_another_v_or_state_is_not_counted),
        cmocka_unit_test(altered_lanes_are_not_kept),
        cmocka_unit_test(sums_count_only_from_holders_with_the_signed_lanes),
        cmocka_unit_test(a_stop_that_the_charter_does_not_know_is_dropped),
        cmocka_unit_test(no_mutilated_message_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
