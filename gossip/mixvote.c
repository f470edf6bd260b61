#include "gossip/mixvote.h"

#include <string.h>

enum { DOUBLINGS = 4, BALLOT_MAX = 1 << 30, PROMISE_HEAD = 16 };

static uint32_t proposer(const struct mix *m, uint32_t ballot)
{
    return (uint32_t)((m->seq + ballot) % mixer_pod(m)->members);
}

static void enter(struct mix *m, uint32_t ballot)
{
    uint32_t times = ballot < DOUBLINGS ? ballot : DOUBLINGS;

    m->ballot = ballot;
    m->proposed = m->prepared = m->committed = m->has_proposal = false;
    m->proposal_head.size = m->prepare_head.size = m->commit_head.size = 0;
    m->ballot_ends_ms = m->now_ms + (m->config.ballot_ms << times);
    if (!m->config.exact)
        m->ballot_ends_ms += m->config.patience_ms;
}

void mixvote_begin(struct mix *m)
{
    struct mixer_promise *p = mixer_promise(m);

    memset(m->prepares, 0, sizeof m->prepares);
    memset(m->commits, 0, sizeof m->commits);
    memset(m->reached, 0, sizeof m->reached);
    if (p->seq != m->seq)
        *p = (struct mixer_promise){.seq = m->seq};
    enter(m, p->voted);
}

static uint8_t *put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

static uint64_t get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* Of each stage: seq: u64, voted: u32, size: u32, the lock as the PROPOSE that
 * would show it. */
static void save(struct mix *m)
{
    uint8_t *at = m->record;

    for (size_t i = 0; i < m->config.stages; i++) {
        struct mixer_promise *p = &m->promises[i];
        struct mixer_head head = {0};
        if (p->locked)
            head.size = mixwire_write(head.bytes, &p->lock, m->study, NULL);
        at = put(put(put(at, p->seq, 8), p->voted, 4), head.size, 4);
        memcpy(at, head.bytes, head.size);
        at += head.size;
    }
    /* An earlier SAVE of these effects shares the record: it says more now. */
    for (size_t k = 0; k < m->effect_count; k++)
        if (m->effects[k].kind == MIX_SAVE)
            m->effects[k].head_size = (size_t)(at - m->record);
    m->effects[m->effect_count++] =
        (struct mix_effect){.kind = MIX_SAVE,
                            .head = m->record,
                            .head_size = (size_t)(at - m->record)};
}

int mixvote_load(struct mix *m, const uint8_t *record, size_t size)
{
    for (size_t i = 0; i < m->config.stages; i++) {
        struct mixer_promise *p = &m->promises[i];
        if (size < PROMISE_HEAD)
            return -1;
        size_t lock = get(record + 12, 4);
        p->seq = get(record, 8);
        p->voted = (uint32_t)get(record + 8, 4);
        record += PROMISE_HEAD;
        size -= PROMISE_HEAD;
        p->locked = lock > 0;
        if (lock > size ||
            (p->locked && mixwire_parse(&p->lock, record, lock) != 0))
            return -1;
        p->lock_ballot = p->locked ? p->lock.quorum.ballot : 0;
        record += lock;
        size -= lock;
    }
    return size == 0 ? 0 : -1;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, MIXWIRE_HASH_BYTES) == 0;
}

/* t true votes of one ballot for the value. */
static bool quorum_stands(struct mix *m, const struct mixwire *shown,
                          enum mixwire_type type)
{
    const struct mixwire_quorum *q = &shown->quorum;
    struct mixwire *vote = &m->scratch;

    if (mixer_count(q->members) < mixer_pod(m)->threshold)
        return false;
    *vote = (struct mixwire){.type = type,
                             .stage = shown->stage,
                             .pod = m->config.pod,
                             .round = shown->round,
                             .ballot = q->ballot};
    mixwire_value_hash(vote->hash, &shown->value);
    for (uint32_t j = 0; j < MIXWIRE_MEMBERS_MAX; j++) {
        if ((q->members >> j & 1) == 0)
            continue;
        if (j >= mixer_pod(m)->members)
            return false;
        vote->sender = j;
        memcpy(vote->signature, q->signatures[j], sizeof vote->signature);
        if (mixer_verify(m, vote) != 0)
            return false;
    }
    return true;
}

/* What is waited for before a value may leave a neighbour out. */
static bool waits_for(const struct mix *m, size_t place)
{
    uint64_t since = m->began_ms;
    bool alone = (m->ever_in & ~m->gone) == 0;

    if (m->config.exact)
        return true;
    if (m->ahead[place] > m->seq + MIXER_OWN)
        return false; /* it has thrown away what we would ask for */
    if (m->gone & mixer_bit(place)) /* alone: at the pace of before */
        return alone && m->now_ms < m->began_ms + m->usual_ms;
    if (m->heard_ms[place] > since)
        since = m->heard_ms[place];
    return m->now_ms < since + m->config.patience_ms;
}

static bool may_propose(struct mix *m, const struct mixer_entry *e,
                        struct mixwire_value *value)
{
    value->used = 0;
    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        const uint8_t *hash = mixer_believed(m, e, k);
        if ((e->in & mixer_bit(k)) == 0)
            continue;
        if (hash != NULL && mixer_holds(e, k, hash)) {
            value->used |= mixer_bit(k);
            memcpy(value->hashes[k], hash, MIXWIRE_HASH_BYTES);
        } else if (waits_for(m, k)) {
            return false;
        }
    }
    return true;
}

/* A member votes for what it could have proposed itself, but for the time. */
static bool may_prepare(struct mix *m, const struct mixer_entry *e)
{
    const struct mixer_promise *kept = mixer_promise(m);
    const struct mixwire *p = &m->proposal;

    if ((p->value.used & ~e->in) != 0 ||
        (m->config.exact && p->value.used != e->in))
        return false;
    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        const uint8_t *hash = mixer_believed(m, e, k);
        if ((p->value.used & mixer_bit(k)) == 0)
            continue;
        if (hash == NULL || !same(hash, p->value.hashes[k]) ||
            !mixer_holds(e, k, hash))
            return false;
    }
    if (!kept->locked)
        return true;
    uint8_t mine[MIXWIRE_HASH_BYTES], theirs[MIXWIRE_HASH_BYTES];
    mixwire_value_hash(mine, &kept->lock.value);
    mixwire_value_hash(theirs, &p->value);
    return same(mine, theirs) ||
           (p->quorum.members != 0 && p->quorum.ballot > kept->lock_ballot &&
            p->quorum.ballot < m->ballot);
}

static void propose(struct mix *m, struct mixer_entry *e)
{
    const struct mixer_promise *kept = mixer_promise(m);
    struct mixwire *p = &m->scratch;

    *p = (struct mixwire){.type = MIXWIRE_PROPOSE};
    if (kept->locked) {
        p->value = kept->lock.value;
        p->quorum = kept->lock.quorum;
    } else if (!may_propose(m, e, &p->value)) {
        return;
    }
    p->ballot = m->ballot;
    m->proposed = true;
    mixer_write(m, &m->proposal_head, p, m->seq);
    m->proposal = *p;
    m->has_proposal = true;
    mixer_send_fellows(m, &m->proposal_head);
}

static void cast(struct mixer_vote *votes, const struct mixwire *message)
{
    struct mixer_vote *v = &votes[message->sender];

    if (v->cast && v->ballot >= message->ballot)
        return;
    v->cast = true;
    v->ballot = message->ballot;
    memcpy(v->hash, message->hash, sizeof v->hash);
    memcpy(v->signature, message->signature, sizeof v->signature);
}

static void gather(struct mixwire_quorum *q, const struct mix *m,
                   const struct mixer_vote *votes, uint32_t ballot,
                   const uint8_t *hash)
{
    q->ballot = ballot;
    q->members = 0;
    for (uint32_t j = 0; j < mixer_pod(m)->members; j++) {
        if (!votes[j].cast || votes[j].ballot != ballot ||
            !same(votes[j].hash, hash))
            continue;
        q->members |= mixer_bit(j);
        memcpy(q->signatures[j], votes[j].signature, sizeof q->signatures[j]);
    }
}

static void vote(struct mix *m, enum mixwire_type type,
                 const uint8_t hash[MIXWIRE_HASH_BYTES],
                 struct mixer_head *head, struct mixer_vote *votes)
{
    struct mixwire *v = &m->scratch;

    *v = (struct mixwire){.type = type, .ballot = m->ballot};
    memcpy(v->hash, hash, sizeof v->hash);
    mixer_write(m, head, v, m->seq);
    cast(votes, v);
    mixer_send_fellows(m, head);
}

static void decide(struct mix *m, struct mixer_entry *e,
                   const struct mixwire *cert)
{
    struct mixwire *c = &m->scratch;
    uint64_t missing = e->in & ~cert->value.used;

    if (c != cert)
        *c = *cert;
    c->type = MIXWIRE_CERT;
    e->value = c->value;
    e->decided = true;
    mixer_write(m, &e->cert, c, e->seq);
    if (missing == 0)
        m->usual_ms = (3 * m->usual_ms + m->now_ms - m->began_ms) / 4;
    for (size_t k = 0; k < m->config.neighbour_count; k++)
        if ((missing & mixer_bit(k)) &&
            (m->ahead[k] == 0 || m->heard_ms[k] < m->began_ms))
            m->gone |= mixer_bit(k); /* late is not gone */
    m->alone += missing != 0;
}

static void step(struct mix *m, struct mixer_entry *e)
{
    struct mixer_promise *kept = mixer_promise(m);
    uint8_t hash[MIXWIRE_HASH_BYTES];
    struct mixwire *p = &m->proposal;

    if (!m->has_proposal) {
        if (proposer(m, m->ballot) == m->config.self && !m->proposed)
            propose(m, e);
        if (!m->has_proposal)
            return;
    }
    mixwire_value_hash(hash, &p->value);
    if (!m->prepared && m->ballot + 1 > kept->voted && may_prepare(m, e)) {
        m->prepared = true;
        kept->voted = m->ballot + 1;
        save(m);
        vote(m, MIXWIRE_PREPARE, hash, &m->prepare_head, m->prepares);
    }
    if (!m->committed) {
        struct mixwire_quorum q;
        gather(&q, m, m->prepares, m->ballot, hash);
        if (m->prepared && mixer_count(q.members) >= mixer_pod(m)->threshold) {
            m->committed = kept->locked = true;
            kept->lock = *p;
            kept->lock.quorum = q;
            kept->lock_ballot = m->ballot;
            save(m);
            vote(m, MIXWIRE_COMMIT, hash, &m->commit_head, m->commits);
        }
    }
    m->scratch = *p;
    gather(&m->scratch.quorum, m, m->commits, p->ballot, hash);
    if (mixer_count(m->scratch.quorum.members) < mixer_pod(m)->threshold)
        return;
    decide(m, e, &m->scratch);
}

void mixvote_run(struct mix *m)
{
    struct mixer_entry *e = mixer_current(m);

    if (e->decided)
        return;
    if (m->now_ms >= m->ballot_ends_ms && m->ballot < BALLOT_MAX)
        enter(m, m->ballot + 1);
    step(m, e);
}

/* As many as are believed take a member along to a later ballot: no liar does,
 * but into its own if that comes next, which leaves the ballots of others. */
static void follow(struct mix *m, const struct mixwire *message)
{
    uint32_t count = 0, ballot = message->ballot;

    if (m->reached[message->sender] < ballot)
        m->reached[message->sender] = ballot;
    for (uint32_t j = 0; j < mixer_pod(m)->members; j++)
        count += m->reached[j] >= ballot;
    if (ballot > m->ballot && ballot < BALLOT_MAX &&
        (count >= mixer_pod(m)->believed ||
         (message->type == MIXWIRE_PROPOSE && ballot == m->ballot + 1)))
        enter(m, ballot);
}

static void receive_propose(struct mix *m, const struct mixwire *message)
{
    if (message->ballot < m->ballot || message->ballot >= BALLOT_MAX ||
        message->sender != proposer(m, message->ballot) ||
        (message->ballot == m->ballot && m->has_proposal))
        return;
    if (message->quorum.members != 0 &&
        !quorum_stands(m, message, MIXWIRE_PREPARE)) {
        m->dropped++;
        return;
    }
    follow(m, message);
    if (message->ballot != m->ballot)
        return;
    m->proposal = *message;
    m->has_proposal = true;
    mixer_keep(&m->proposal_head, message);
}

static void receive_cert(struct mix *m, const struct mixwire *message)
{
    struct mixer_entry *e = mixer_current(m);

    if (e->decided || (message->value.used & ~e->in) != 0)
        return;
    if (!quorum_stands(m, message, MIXWIRE_COMMIT)) {
        m->dropped++;
        return;
    }
    decide(m, e, message);
}

void mixvote_receive(struct mix *m, const struct mixwire *message)
{
    if (mixer_current(m)->decided)
        return;
    switch (message->type) {
    case MIXWIRE_PROPOSE:
        receive_propose(m, message);
        break;
    case MIXWIRE_PREPARE:
        cast(m->prepares, message);
        follow(m, message);
        break;
    case MIXWIRE_COMMIT:
        cast(m->commits, message);
        follow(m, message);
        break;
    case MIXWIRE_CERT:
        receive_cert(m, message);
        break;
    default:
        break;
    }
}

uint64_t mixvote_wake(const struct mix *m)
{
    const struct mixer_entry *e = &m->entries[m->seq % MIXER_KEPT];
    uint64_t wake = m->ballot_ends_ms, paced = m->began_ms + m->usual_ms;

    if (paced > m->now_ms && paced < wake)
        wake = paced;
    if (e->decided)
        return UINT64_MAX;
    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        uint64_t since =
            m->heard_ms[k] > m->began_ms ? m->heard_ms[k] : m->began_ms;
        uint64_t at = since + m->config.patience_ms;
        if ((e->in & mixer_bit(k)) && at > m->now_ms && at < wake)
            wake = at;
    }
    return wake;
}

void mixvote_answer(struct mix *m, uint32_t to, struct mixer_entry *e)
{
    const struct mixer_head *mine[] = {&m->proposal_head, &m->prepare_head,
                                       &m->commit_head};

    if (e->decided) {
        mixer_send(m, m->config.pod, to, &e->cert, NULL, 0);
        return;
    }
    for (size_t i = 0; e->seq == m->seq && i < 3; i++)
        if (mine[i]->size != 0)
            mixer_send(m, m->config.pod, to, mine[i], NULL, 0);
}
