#include "gossip/mixoffer.h"

#include <sodium.h>
#include <string.h>

static struct mixer_own *keep_own(struct mix *m, const struct mixer_entry *e)
{
    struct mixer_own *own = &m->owns[e->seq % MIXER_OWN];
    struct mixwire message = {.type = MIXWIRE_OFFER};

    own->known = true;
    own->seq = e->seq;
    own->word_count = e->word_count;
    if (e->word_count > 0)
        memcpy(own->words, e->words, e->word_count * sizeof *e->words);
    mixwire_hash(message.hash, e->words, e->word_count);
    mixer_write(m, &own->head, &message, e->seq);
    return own;
}

void mixoffer_make(struct mix *m, const struct mixer_entry *e)
{
    const uint32_t mine = mixer_pod(m)->members;
    const struct mixer_own *own = keep_own(m, e);

    for (size_t i = 0; i < e->out_count; i++)
        for (uint32_t j = m->config.self; j < m->config.pods[e->out[i]].members;
             j += mine)
            mixer_send(m, e->out[i], j, &own->head, own->words,
                       own->word_count);
}

/* A second hash by one signer is told; neither counts more for it. */
static bool add_signer(struct mix *m, struct mixer_offer *o, size_t place,
                       const struct mixwire *message)
{
    for (size_t i = 0; i < o->signer_count; i++) {
        if (o->signers[i].member != message->sender)
            continue;
        if (memcmp(o->signers[i].hash, message->hash, MIXWIRE_HASH_BYTES) != 0)
            m->equivocated |= mixer_bit(place);
        return false;
    }
    if (o->signer_count == m->signers_max)
        return false;
    struct mixer_signer *s = &o->signers[o->signer_count++];
    s->member = message->sender;
    memcpy(s->hash, message->hash, sizeof s->hash);
    memcpy(s->signature, message->signature, sizeof s->signature);
    return true;
}

static void add_words(struct mix *m, struct mixer_entry *e, size_t place,
                      const struct mixwire *message, const uint8_t *body,
                      size_t size)
{
    struct mixer_offer *o = &e->offers[place];
    const uint8_t *wanted = e->begun && e->decided
                                ? e->value.hashes[place]
                                : mixer_believed(m, e, place);
    uint8_t hash[MIXWIRE_HASH_BYTES];

    if (size == 0 || size % 8 != 0 || size / 8 > m->config.words_max ||
        (o->has_words && (wanted == NULL || mixer_holds(e, place, wanted))))
        return;
    crypto_generichash(hash, sizeof hash, body, size, NULL, 0);
    if (memcmp(hash, message->hash, sizeof hash) != 0 ||
        (wanted != NULL && memcmp(hash, wanted, sizeof hash) != 0)) {
        m->dropped++;
        return;
    }
    memcpy(o->words, body, size);
    memcpy(o->hash, hash, sizeof hash);
    o->word_count = size / 8;
    o->has_words = true;
}

static bool known_offer(const struct mixer_offer *o, const struct mixwire *w)
{
    for (size_t i = 0; i < o->signer_count; i++)
        if (o->signers[i].member == w->sender &&
            memcmp(o->signers[i].hash, w->hash, sizeof w->hash) == 0 &&
            memcmp(o->signers[i].signature, w->signature,
                   sizeof w->signature) == 0)
            return true;
    return false;
}

/* The step that so many members of the neighbour have got to. */
static uint64_t reached(const struct mix *m, size_t place)
{
    const uint64_t *said = m->said[place];
    uint64_t most = 0;

    for (size_t i = 0; i < MIXWIRE_MEMBERS_MAX; i++) {
        uint32_t count = 0;
        for (size_t j = 0; said[i] > most && j < MIXWIRE_MEMBERS_MAX; j++)
            count += said[j] >= said[i];
        if (count >= mixer_signers_needed(m, place))
            most = said[i];
    }
    return most;
}

/* True: that member has not been heard to be so far. */
static bool heard(struct mix *m, size_t place, uint32_t member, uint64_t seq)
{
    uint64_t *said = &m->said[place][member];

    if (seq < *said)
        return false;
    *said = seq + 1;
    uint64_t now = reached(m, place);
    if (now > m->ahead[place]) {
        m->ahead[place] = now;
        m->heard_ms[place] = m->now_ms;
        m->gone &= ~mixer_bit(place);
    }
    return true;
}

void mixoffer_receive(struct mix *m, uint32_t from_pod, uint64_t seq,
                      const uint8_t *body, size_t size)
{
    const struct mixwire *w = &m->incoming;
    const int place = mixer_place(m, w->pod);
    struct mixer_entry *e;
    struct mixer_head head;

    if (place < 0) {
        m->dropped++;
        return;
    }
    e = mixer_entry(m, seq);
    bool known = e != NULL && known_offer(&e->offers[place], w), news = false;
    if (!known && (e != NULL || seq >= m->said[place][w->sender])) {
        if (mixer_verify(m, w) != 0) {
            m->dropped++;
            return;
        }
        news = heard(m, (size_t)place, w->sender, seq);
    }
    if (e != NULL) {
        news = !known && add_signer(m, &e->offers[place], (size_t)place, w);
        if (known || news)
            add_words(m, e, (size_t)place, w, body, size);
    }
    if (news && from_pod == w->pod &&
        mixer_signers_needed(m, (size_t)place) > 1) {
        mixer_keep(&head, w);
        mixer_send_fellows(m, &head);
    }
}

void mixoffer_answer(struct mix *m, uint32_t pod, uint32_t to, uint64_t seq)
{
    const struct mixer_own *own = &m->owns[seq % MIXER_OWN];

    if (!own->known || own->seq != seq) {
        own = &m->owns[m->seq % MIXER_OWN];
        if (!m->started || seq > m->seq)
            return;
    }
    mixer_send(m, pod, to, &own->head, own->words, own->word_count);
}
