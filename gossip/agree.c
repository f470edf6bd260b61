#include "gossip/agree.h"

#include <string.h>

#include "gossip/cohort.h"
#include "gossip/evidence.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/pack.h"
#include "gossip/record.h"
#include "gossip/round.h"
#include "gossip/value.h"

enum { BALLOTS_PER_DEADLINE = 8, BALLOT_GROWTHS = 4 };

static uint64_t ballot_length(const struct gossip *g, uint32_t ballot)
{
    uint64_t base = g->config.deadline_ms / BALLOTS_PER_DEADLINE;

    return (base + 1) << (ballot < BALLOT_GROWTHS ? ballot : BALLOT_GROWTHS);
}

uint32_t agree_proposer(const struct gossip *g, uint32_t ballot)
{
    return (uint32_t)((g->round + g->attempt + ballot) % g->config.members);
}

void agree_reset(struct agree *a)
{
    struct mail mails[] = {a->proposal_mail, a->prepare, a->commit, a->locked,
                           a->cert};

    memset(a, 0, sizeof *a);
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++)
        mails[i].size = 0;
    a->proposal_mail = mails[0];
    a->prepare = mails[1];
    a->commit = mails[2];
    a->locked = mails[3];
    a->cert = mails[4];
}

/* The lock rule: nothing but the locked value, unless a later quorum for
 * another one is shown. */
static bool unlocked(const struct agree *a)
{
    const struct wire_quorum *quorum = &a->proposal.propose.quorum;
    uint8_t locked[GOSSIP_HASH_BYTES];

    if (a->own.quorum.members == 0)
        return true;
    wire_value_hash(locked, &a->own.value);
    if (memcmp(locked, a->proposal_hash, sizeof locked) == 0)
        return true;
    return quorum->members != 0 && quorum->ballot > a->own.quorum.ballot;
}

int agree_check(const struct gossip *g, const struct wire_message *m,
                enum wire_type type)
{
    struct wire_message vote = {
        .type = type, .round = m->round, .attempt = m->attempt};
    const struct wire_quorum *quorum = &m->propose.quorum;
    uint8_t body[256];

    if (engine_count(quorum->members) < g->config.threshold)
        return -1;
    vote.vote.kind = m->propose.kind;
    vote.vote.ballot = quorum->ballot;
    wire_value_hash(vote.vote.value, &m->propose.value);
    if (pack_body(body, sizeof body, &vote.body_size, &vote) != 0)
        return -1;
    vote.body = body;
    for (uint32_t j = 0; j < g->config.members; j++) {
        if ((quorum->members & engine_bit(j)) == 0)
            continue;
        vote.sender = j;
        vote.signature = quorum->signatures[j];
        if (mail_verify(g, &vote) != 0)
            return -1;
    }
    return 0;
}

static void raise_lock(struct lock *lock, const struct wire_message *m)
{
    if (lock->quorum.members != 0 &&
        lock->quorum.ballot >= m->propose.quorum.ballot)
        return;
    lock->value = m->propose.value;
    lock->quorum = m->propose.quorum;
}

/* One proposal is kept, this ballot's rather than any later one: a liar may
 * sign those beforehand, to keep the others out. */
static bool makes_way(const struct agree *a, uint32_t ballot)
{
    uint32_t kept = a->proposal.propose.ballot;

    return !a->has_proposal || kept < a->ballot ||
           (kept > ballot && ballot == a->ballot);
}

void agree_receive_propose(struct gossip *g, const struct wire_message *m,
                           const uint8_t *head, size_t size)
{
    struct agree *a = &g->agree[m->propose.kind];
    const struct wire_quorum *quorum = &m->propose.quorum;

    if (m->sender != g->config.self)
        evidence_compare(g, m, head, size);
    if (a->certified || m->propose.ballot < a->ballot ||
        m->propose.ballot - a->ballot > g->config.members ||
        m->sender != agree_proposer(g, m->propose.ballot) ||
        !makes_way(a, m->propose.ballot))
        return;
    if (quorum->members != 0 && (quorum->ballot >= m->propose.ballot ||
                                 agree_check(g, m, WIRE_PREPARE) != 0)) {
        g->dropped++;
        return;
    }
    if (quorum->members != 0)
        evidence_quorum(g, m, WIRE_PREPARE);
    if (memcmp(m->propose.value.state, g->state_hash, GOSSIP_HASH_BYTES) != 0 &&
        (g->diverged & engine_bit(m->sender)) == 0) {
        g->diverged |= engine_bit(m->sender);
        mail_note(g, GOSSIP_NOTE_DIVERGED, engine_bit(m->sender), 0, NULL);
    }
    a->proposal = *m;
    a->has_proposal = true;
    wire_value_hash(a->proposal_hash, &m->propose.value);
    if (head != a->proposal_mail.bytes)
        mail_keep(&a->proposal_mail, head, size);
    if (quorum->members != 0)
        raise_lock(&a->best, m);
}

bool agree_is_late(const struct gossip *g, const struct wire_message *m)
{
    if (m->type != WIRE_PREPARE && m->type != WIRE_COMMIT)
        return false;
    const struct agree *a = &g->agree[m->vote.kind];
    const struct vote *ours = &a->commits[g->config.self];
    const struct vote *kept = m->type == WIRE_PREPARE ? &a->prepares[m->sender]
                                                      : &a->commits[m->sender];
    if (kept->cast &&
        memcmp(kept->signature, m->signature, IDENTITY_SIGNATURE_BYTES) != 0)
        return false;
    if (a->certified)
        return memcmp(a->hash, m->vote.value, GOSSIP_HASH_BYTES) == 0;
    return m->type == WIRE_PREPARE && ours->cast &&
           ours->ballot == m->vote.ballot && ours->ballot == a->ballot &&
           memcmp(ours->value, m->vote.value, GOSSIP_HASH_BYTES) == 0;
}

void agree_receive_vote(struct gossip *g, const struct wire_message *m)
{
    struct agree *a = &g->agree[m->vote.kind];
    struct vote *vote = m->type == WIRE_PREPARE ? &a->prepares[m->sender]
                                                : &a->commits[m->sender];

    if (vote->cast &&
        (vote->ballot > m->vote.ballot ||
         (vote->ballot == m->vote.ballot &&
          memcmp(vote->value, m->vote.value, GOSSIP_HASH_BYTES) != 0)))
        return; /* the same may come again: with the signature that is right */
    vote->cast = true;
    vote->ballot = m->vote.ballot;
    memcpy(vote->value, m->vote.value, GOSSIP_HASH_BYTES);
    memcpy(vote->signature, m->signature, IDENTITY_SIGNATURE_BYTES);
}

void agree_receive_lock(struct gossip *g, const struct wire_message *m)
{
    struct agree *a = &g->agree[m->propose.kind];

    if (a->certified)
        return;
    if (m->propose.quorum.members != 0) {
        if (m->propose.quorum.ballot > m->propose.ballot ||
            agree_check(g, m, WIRE_PREPARE) != 0) {
            g->dropped++;
            return;
        }
        evidence_quorum(g, m, WIRE_PREPARE);
        raise_lock(&a->best, m);
    }
    if (a->reported[m->sender] <= m->propose.ballot)
        a->reported[m->sender] = m->propose.ballot + 1;
}

static void certify(struct gossip *g, struct wire_message *m)
{
    struct agree *a = &g->agree[m->propose.kind];

    a->certified = true;
    a->value = m->propose.value;
    wire_value_hash(a->hash, &a->value);
    m->type = WIRE_CERT;
    mail_write(g, &a->cert, m);
}

void agree_receive_cert(struct gossip *g, const struct wire_message *m)
{
    struct agree *a = &g->agree[m->propose.kind];
    struct wire_message ours;

    if (a->certified)
        return;
    if (agree_check(g, m, WIRE_COMMIT) != 0) {
        g->dropped++;
        return;
    }
    evidence_quorum(g, m, WIRE_COMMIT);
    ours = *m;
    certify(g, &ours);
}

static void enter(struct gossip *g, enum wire_kind kind, uint32_t ballot)
{
    struct agree *a = &g->agree[kind];
    struct wire_message m = {.type = WIRE_LOCK};

    a->running = true;
    a->ballot = ballot;
    a->ballot_began_ms = g->now_ms;
    a->ballot_ends_ms = g->now_ms + ballot_length(g, ballot);
    if (a->has_proposal && a->proposal.propose.ballot < ballot)
        a->has_proposal = false;
    if (ballot == 0)
        return;
    a->reported[g->config.self] = ballot + 1;
    m.propose.kind = kind;
    m.propose.ballot = ballot;
    m.propose.value = a->own.value;
    m.propose.quorum = a->own.quorum;
    mail_write(g, &a->locked, &m);
    mail_send_all(g, &a->locked);
}

/* The newest ballot in which c + 1 members are. */
static uint32_t later_ballot(const struct gossip *g, const struct agree *a)
{
    uint32_t best = a->ballot;
    bool any = false;

    for (uint32_t i = 0; i < g->config.members && !any; i++)
        any = a->reported[i] > best + 1;
    for (uint32_t i = 0; i < g->config.members && any; i++) {
        uint32_t count = 0;
        uint32_t ballot = a->reported[i] ? a->reported[i] - 1 : 0;
        for (uint32_t j = 0; j < g->config.members; j++)
            count += (a->reported[j] > ballot ||
                      (a->prepares[j].cast && a->prepares[j].ballot >= ballot));
        if (ballot > best && count > g->config.colluders)
            best = ballot;
    }
    return best;
}

static bool move(struct gossip *g, enum wire_kind kind)
{
    struct agree *a = &g->agree[kind];
    struct wire_value value;
    uint64_t evidence, heard;
    uint32_t later = later_ballot(g, a);

    if (later > a->ballot) {
        enter(g, kind, later);
        return true;
    }
    if (!a->running) {
        if (!value_candidate(g, kind, &value, &evidence, &heard) ||
            !value_sound(g, &value))
            return false;
        enter(g, kind, a->ballot);
        return true;
    }
    if (g->now_ms >= a->ballot_ends_ms ||
        members_gone(g, agree_proposer(g, a->ballot))) {
        enter(g, kind, a->ballot + 1);
        return true;
    }
    return false;
}

/* Enough was heard to propose: in ballot 0 everybody that can still be heard,
 * later t reports of locks, and everybody's for a quarter of the ballot. */
static bool heard_enough(const struct gossip *g, const struct agree *a,
                         uint64_t heard)
{
    uint64_t missing = engine_all(g) & ~heard & ~members_all_gone(g);

    if (cohort_changes(g)) /* only those who can still be in it */
        missing &= a == &g->agree[WIRE_U] ? g->agree[WIRE_V].value.members
                                          : g->have_keys & ~g->declined;
    uint64_t patience = (a->ballot_ends_ms - a->ballot_began_ms) / 4;

    if (engine_count(heard) < g->config.threshold)
        return false;
    return missing == 0 || g->now_ms >= a->ballot_began_ms + patience;
}

/* Where the cohort may change, U is fixed well before its members give the
 * attempt up, so that a certificate still finds them ready to release. */
static bool is_too_late(const struct gossip *g, enum wire_kind kind)
{
    return kind == WIRE_U && cohort_changes(g) && g->now_ms >= g->deadline_ms;
}

static bool propose(struct gossip *g, enum wire_kind kind)
{
    struct agree *a = &g->agree[kind];
    struct wire_message m = {.type = WIRE_PROPOSE}, said;
    uint64_t heard = 0, looked = 0;

    if (!a->running || a->proposed_ballot == a->ballot + 1 ||
        agree_proposer(g, a->ballot) != g->config.self)
        return false;
    m.propose.ballot = a->ballot;
    m.propose.kind = kind;
    for (uint32_t j = 0; j < g->config.members; j++)
        if (a->reported[j] > a->ballot)
            heard |= engine_bit(j);
    if ((a->ballot > 0 && !heard_enough(g, a, heard)) || is_too_late(g, kind))
        return false;
    if (a->best.quorum.members != 0) {
        m.propose.value = a->best.value;
        m.propose.quorum = a->best.quorum;
    } else {
        if (!value_candidate(g, kind, &m.propose.value, &m.propose.evidence,
                             &looked) ||
            !value_sound(g, &m.propose.value) || !heard_enough(g, a, looked) ||
            !cohort_may_try(g, m.propose.value.members))
            return false;
        value_show(g, &m);
    }
    a->proposed_ballot = a->ballot + 1;
    mail_write(g, &a->proposal_mail, &m);
    wire_parse(&said, a->proposal_mail.bytes, a->proposal_mail.size,
               g->config.members);
    agree_receive_propose(g, &said, a->proposal_mail.bytes,
                          a->proposal_mail.size);
    mail_send_all(g, &a->proposal_mail);
    return true;
}

/* Signs our vote, counts it, puts it on disk, then says it. */
static void cast(struct gossip *g, enum wire_kind kind, enum wire_type type,
                 struct mail *mail)
{
    struct agree *a = &g->agree[kind];
    struct wire_message m = {.type = type}, said;

    m.vote.kind = kind;
    m.vote.ballot = a->ballot;
    memcpy(m.vote.value, a->proposal_hash, GOSSIP_HASH_BYTES);
    mail_write(g, mail, &m);
    wire_parse(&said, mail->bytes, mail->size, g->config.members);
    agree_receive_vote(g, &said);
    if (kind == WIRE_U && type == WIRE_PREPARE)
        memcpy(g->prepared, a->proposal_hash, GOSSIP_HASH_BYTES);
    record_promise(g);
    mail_send_all(g, mail);
}

static bool prepare(struct gossip *g, enum wire_kind kind)
{
    struct agree *a = &g->agree[kind];
    const struct wire_message *p = &a->proposal;
    const struct vote *ours = &a->prepares[g->config.self];

    if (!a->has_proposal || p->propose.ballot != a->ballot ||
        (ours->cast && ours->ballot >= a->ballot))
        return false;
    if (!value_sound(g, &p->propose.value) || !unlocked(a) ||
        is_too_late(g, kind) || !cohort_may_try(g, p->propose.value.members))
        return false;
    if (p->propose.quorum.members == 0 && !value_shown(g, p))
        return false;
    if (!a->running)
        enter(g, kind, a->ballot);
    cast(g, kind, WIRE_PREPARE, &a->prepare);
    return true;
}

static uint64_t agreeing(const struct gossip *g, const struct vote *votes,
                         uint32_t ballot, const uint8_t *value,
                         struct wire_quorum *quorum)
{
    quorum->ballot = ballot;
    quorum->members = 0;
    for (uint32_t j = 0; j < g->config.members; j++) {
        if (!votes[j].cast || votes[j].ballot != ballot ||
            memcmp(votes[j].value, value, GOSSIP_HASH_BYTES) != 0)
            continue;
        quorum->members |= engine_bit(j);
        memcpy(quorum->signatures[j], votes[j].signature,
               IDENTITY_SIGNATURE_BYTES);
    }
    return engine_count(quorum->members);
}

static bool commit(struct gossip *g, enum wire_kind kind)
{
    struct agree *a = &g->agree[kind];
    const struct vote *ours = &a->commits[g->config.self];
    struct wire_message m = {.type = WIRE_LOCK};

    if (!a->has_proposal || a->proposal.propose.ballot != a->ballot ||
        (ours->cast && ours->ballot >= a->ballot) || is_too_late(g, kind) ||
        !value_sound(g, &a->proposal.propose.value))
        return false;
    if (agreeing(g, a->prepares, a->ballot, a->proposal_hash,
                 &m.propose.quorum) < g->config.threshold)
        return false;
    m.propose.kind = kind;
    m.propose.ballot = a->ballot;
    m.propose.value = a->proposal.propose.value;
    a->own.value = m.propose.value;
    a->own.quorum = m.propose.quorum;
    raise_lock(&a->best, &m);
    mail_write(g, &a->locked, &m);
    cast(g, kind, WIRE_COMMIT, &a->commit);
    return true;
}

static bool certified_by(struct gossip *g, enum wire_kind kind,
                         const struct wire_value *value)
{
    struct agree *a = &g->agree[kind];
    uint8_t hash[GOSSIP_HASH_BYTES];
    uint32_t cast = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        cast += a->commits[j].cast;
    if (cast < g->config.threshold)
        return false;
    struct wire_message m = {.type = WIRE_CERT};
    wire_value_hash(hash, value);
    for (uint32_t j = 0; j < g->config.members; j++) {
        if (!a->commits[j].cast ||
            agreeing(g, a->commits, a->commits[j].ballot, hash,
                     &m.propose.quorum) < g->config.threshold)
            continue;
        m.propose.kind = kind;
        m.propose.ballot = a->commits[j].ballot;
        m.propose.value = *value;
        certify(g, &m);
        return true;
    }
    return false;
}

bool agree_advance(struct gossip *g, enum wire_kind kind)
{
    struct agree *a = &g->agree[kind];

    if (a->certified)
        return false;
    if (a->has_proposal && certified_by(g, kind, &a->proposal.propose.value))
        return true;
    if (a->best.quorum.members != 0 && certified_by(g, kind, &a->best.value))
        return true;
    return move(g, kind) || propose(g, kind) || prepare(g, kind) ||
           commit(g, kind);
}

uint64_t agree_wake(const struct gossip *g, enum wire_kind kind)
{
    const struct agree *a = &g->agree[kind];
    uint64_t quarter = (a->ballot_ends_ms - a->ballot_began_ms) / 4;

    if (!a->running || a->certified)
        return UINT64_MAX;
    if (a->ballot_began_ms + quarter > g->now_ms)
        return a->ballot_began_ms + quarter;
    return a->ballot_ends_ms;
}

const struct wire_value *agree_prepared(const struct gossip *g,
                                        enum wire_kind kind)
{
    const struct agree *a = &g->agree[kind];
    const struct vote *ours = &a->prepares[g->config.self];

    if (!a->has_proposal || !ours->cast ||
        memcmp(ours->value, a->proposal_hash, GOSSIP_HASH_BYTES) != 0)
        return NULL;
    return &a->proposal.propose.value;
}
