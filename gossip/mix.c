#include "gossip/mix.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/mixoffer.h"
#include "gossip/mixvote.h"

enum { WANT_DOUBLINGS = 3 };

static int make_entry(struct mix *m, struct mixer_entry *e)
{
    const size_t n = m->config.neighbour_count, words = m->config.words_max + 1;

    e->words = calloc(words, sizeof *e->words);
    e->offers = calloc(n + 1, sizeof *e->offers);
    if (e->words == NULL || e->offers == NULL)
        return -1;
    for (size_t k = 0; k < n; k++) {
        struct mixer_offer *o = &e->offers[k];
        o->signers = calloc(m->signers_max, sizeof *o->signers);
        o->words = calloc(words, sizeof *o->words);
        if (o->signers == NULL || o->words == NULL)
            return -1;
    }
    return 0;
}

static void free_entry(struct mix *m, struct mixer_entry *e)
{
    for (size_t k = 0; e->offers != NULL && k < m->config.neighbour_count;
         k++) {
        free(e->offers[k].signers);
        free(e->offers[k].words);
    }
    free(e->offers);
    free(e->words);
}

struct mix *mix_new(const struct mix_config *config, const uint8_t *saved,
                    size_t saved_size, const char **why)
{
    struct mix *m = calloc(1, sizeof *m);

    *why = "out of memory";
    if (m == NULL)
        return NULL;
    assert(config->neighbour_count <= MIX_NEIGHBOURS_MAX);
    assert(config->stages >= 1 && config->stages <= MIXER_STAGES);
    m->config = *config;
    memcpy(m->neighbours, config->neighbours,
           config->neighbour_count * sizeof *m->neighbours);
    for (size_t k = 0; k < config->neighbour_count; k++) {
        const struct mix_pod *p = &config->pods[m->neighbours[k]];
        if (2 * (size_t)p->believed > m->signers_max)
            m->signers_max = 2 * (size_t)p->believed;
    }
    mixwire_study(m->study, config->network, config->charter);
    m->want_ms = UINT64_MAX;
    m->usual_ms = config->patience_ms;
    m->early = calloc(mixer_pod(m)->members, sizeof *m->early);
    m->said = calloc(config->neighbour_count + 1, sizeof *m->said);
    if (m->early == NULL || m->said == NULL)
        goto fail;
    for (size_t i = 0; i < MIXER_STAGES; i++)
        m->promises[i].seq = UINT64_MAX;
    for (size_t i = 0; i < MIXER_KEPT; i++)
        if (make_entry(m, &m->entries[i]) != 0)
            goto fail;
    for (size_t i = 0; i < MIXER_OWN; i++) {
        m->owns[i].words =
            calloc(config->words_max + 1, sizeof *m->owns[i].words);
        if (m->owns[i].words == NULL)
            goto fail;
    }
    *why = "a saved record is damaged";
    /* Who is alone in its pod has nobody to keep a vote for, and what it voted
     * for may be gone when it comes back. */
    if (mixer_pod(m)->members == 1)
        saved = NULL;
    if (saved != NULL && mixvote_load(m, saved, saved_size) != 0)
        goto fail;
    return m;
fail:
    mix_free(m);
    return NULL;
}

void mix_free(struct mix *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < MIXER_KEPT; i++)
        free_entry(m, &m->entries[i]);
    for (size_t i = 0; i < MIXER_OWN; i++)
        free(m->owns[i].words);
    free(m->early);
    free(m->said);
    sodium_memzero(m->config.sign_secret, sizeof m->config.sign_secret);
    free(m);
}

void mix_clear(struct mix *m)
{
    m->effect_count = 0;
    m->arena_used = 0;
}

static void move_clock(struct mix *m, uint64_t now_ms)
{
    if (now_ms > m->now_ms)
        m->now_ms = now_ms;
}

static void run(struct mix *m)
{
    if (m->running)
        mixvote_run(m);
}

/* Who has made this step already will not offer it again by itself. */
static bool was_missed(const struct mix *m, const struct mixer_entry *e)
{
    for (size_t k = 0; k < m->config.neighbour_count; k++)
        if ((e->in & mixer_bit(k)) && m->ahead[k] > m->seq &&
            !e->offers[k].has_words)
            return true;
    return false;
}

static void keep_early(struct mix *m, uint64_t seq, const uint8_t *head,
                       size_t size)
{
    const struct mixwire *w = &m->incoming;
    struct mixer_early *early = &m->early[w->sender];
    const int place = w->type == MIXWIRE_PROPOSE   ? 0
                      : w->type == MIXWIRE_PREPARE ? 1
                                                   : 2;

    if (w->type == MIXWIRE_CERT || seq <= m->seq ||
        seq > m->seq + MIXER_FUTURE || size > sizeof early->heads[0].bytes)
        return;
    if (early->seq != seq)
        memset(early->has, 0, sizeof early->has);
    early->seq = seq;
    early->has[place] = true;
    early->heads[place].size = size;
    memcpy(early->heads[place].bytes, head, size);
}

static void take_early(struct mix *m)
{
    for (int place = 0; place < 3; place++)
        for (uint32_t j = 0; j < mixer_pod(m)->members; j++) {
            struct mixer_early *early = &m->early[j];
            if (early->seq != m->seq || !early->has[place])
                continue;
            early->has[place] = false;
            if (mixwire_parse(&m->incoming, early->heads[place].bytes,
                              early->heads[place].size) == 0 &&
                mixer_verify(m, &m->incoming) == 0)
                mixvote_receive(m, &m->incoming);
        }
}

void mix_begin(struct mix *m, const struct mix_step *step, uint64_t now_ms)
{
    const uint64_t seq = step->round * m->config.stages + step->stage;
    struct mixer_entry *e;

    move_clock(m, now_ms);
    assert(step->word_count <= m->config.words_max);
    assert(step->out_count <= MIX_NEIGHBOURS_MAX);
    m->seq = seq;
    m->running = m->started = true;
    e = mixer_entry(m, seq);
    assert(e != NULL);
    e->begun = true;
    e->decided = false;
    e->in = 0;
    for (size_t i = 0; i < step->in_count; i++) {
        int place = mixer_place(m, step->in[i]);
        assert(place >= 0);
        e->in |= mixer_bit((size_t)place);
    }
    m->ever_in |= e->in;
    memcpy(e->out, step->out, step->out_count * sizeof *e->out);
    e->out_count = step->out_count;
    e->word_count = step->word_count;
    if (step->word_count > 0)
        memcpy(e->words, step->words, step->word_count * sizeof *e->words);
    m->began_ms = m->now_ms;
    m->want_every_ms = m->config.resend_ms;
    m->want_ms = m->now_ms + m->want_every_ms;
    mixvote_begin(m);
    mixoffer_make(m, e);
    take_early(m);
    if (was_missed(m, e))
        m->want_ms = m->now_ms;
    run(m);
}

void mix_abandon(struct mix *m)
{
    m->running = false;
}

void mix_over(struct mix *m, uint64_t now_ms)
{
    struct mixwire message = {.type = MIXWIRE_OVER};
    struct mixer_head head;

    move_clock(m, now_ms);
    m->running = false;
    m->is_over = true;
    mixer_write(m, &head, &message, m->seq);
    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        const struct mix_pod *there = &m->config.pods[m->neighbours[k]];
        const uint32_t partner = m->config.self % there->members;
        for (uint32_t j = 0; j < there->members; j++)
            if (j == partner ||
                mixer_pod(m)->believed > 1) /* than one's word */
                mixer_send(m, m->neighbours[k], j, &head, NULL, 0);
    }
}

static void answer_fellow(struct mix *m, uint32_t to, uint64_t seq,
                          uint64_t have, bool decided)
{
    struct mixer_entry *e = &m->entries[seq % MIXER_KEPT];

    if (!e->known || e->seq != seq || !e->begun)
        return;
    for (size_t k = 0; k < m->config.neighbour_count; k++)
        if ((e->in & ~have & mixer_bit(k)) &&
            (!e->decided || (e->value.used & mixer_bit(k))))
            mixer_send_offer(m, m->config.pod, to, e, k);
    if (!decided)
        mixvote_answer(m, to, e);
}

static void dispatch(struct mix *m, uint32_t from_pod, uint32_t from,
                     uint64_t seq)
{
    const struct mixwire *w = &m->incoming;
    const int place = mixer_place(m, w->pod);

    if (w->type == MIXWIRE_WANT) {
        if (from_pod != w->pod || from != w->sender)
            return; /* nobody relays one: a replay would multiply */
        if (w->pod == m->config.pod)
            answer_fellow(m, w->sender, seq, w->have, w->decided);
        else if (place >= 0)
            mixoffer_answer(m, w->pod, w->sender, seq);
        return;
    }
    if (w->type == MIXWIRE_OVER) {
        if (place < 0)
            return;
        m->said_over[place] |= mixer_bit(w->sender);
        if (mixer_count(m->said_over[place]) >=
            mixer_signers_needed(m, (size_t)place))
            m->over |= mixer_bit((size_t)place);
        return;
    }
    if (m->running && w->pod == m->config.pod && seq == m->seq)
        mixvote_receive(m, w);
}

/* Between pods everybody speaks for itself; only fellows pass on. */
static bool is_misplaced(const struct mix *m, uint32_t from_pod, uint32_t from)
{
    const struct mixwire *w = &m->incoming;

    return (from_pod != m->config.pod &&
            (w->pod != from_pod || w->sender != from)) ||
           (w->pod == m->config.pod && w->sender == m->config.self);
}

void mix_receive(struct mix *m, uint32_t from_pod, uint32_t from,
                 const uint8_t *head, size_t head_size, const uint8_t *body,
                 size_t body_size, uint64_t now_ms)
{
    struct mixwire *w = &m->incoming;

    move_clock(m, now_ms);
    if (mixwire_parse(w, head, head_size) != 0 ||
        w->pod >= m->config.pod_count || w->stage >= m->config.stages ||
        w->sender >= m->config.pods[w->pod].members ||
        w->round > UINT64_MAX / 4 || is_misplaced(m, from_pod, from)) {
        m->dropped++;
        return;
    }
    uint64_t seq = w->round * m->config.stages + w->stage;
    if (w->type == MIXWIRE_OFFER)
        mixoffer_receive(m, from_pod, seq, body, body_size);
    else if (w->type != MIXWIRE_WANT && w->type != MIXWIRE_OVER &&
             (!m->running || seq != m->seq || w->pod != m->config.pod ||
              mixer_current(m)->decided)) {
        if (w->pod == m->config.pod) /* not yet worth a signature check */
            keep_early(m, seq, head, head_size);
        return;
    } else if (mixer_verify(m, w) != 0)
        m->dropped++;
    else
        dispatch(m, from_pod, from, seq);
    run(m);
}

static uint64_t lacks(struct mix *m)
{
    const struct mixer_entry *e = mixer_current(m);
    uint64_t lacking = 0;

    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        const uint8_t *hash =
            e->decided ? e->value.hashes[k] : mixer_believed(m, e, k);
        uint64_t asked = e->decided ? e->value.used : e->in;
        if ((asked & mixer_bit(k)) &&
            (hash == NULL || !mixer_holds(e, k, hash)))
            lacking |= mixer_bit(k);
    }
    return lacking;
}

static void want(struct mix *m)
{
    const struct mix_pod *pod = mixer_pod(m);
    const uint32_t g = pod->members;
    struct mixwire w = {.type = MIXWIRE_WANT};
    uint64_t lacking = lacks(m);
    struct mixer_head head;

    w.have = ~lacking;
    w.decided = mixer_current(m)->decided;
    mixer_write(m, &head, &w, m->seq);
    m->tick++;
    for (uint32_t i = 0; i < 2 && i + 1 < g; i++)
        mixer_send(m, m->config.pod,
                   (m->config.self + 1 + (m->tick + i) % (g - 1)) % g, &head,
                   NULL, 0);
    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        uint32_t there = m->neighbours[k];
        if (lacking & mixer_bit(k))
            mixer_send(m, there,
                       (m->config.self + m->tick) %
                           m->config.pods[there].members,
                       &head, NULL, 0);
    }
    if (m->want_every_ms < m->config.resend_ms << WANT_DOUBLINGS)
        m->want_every_ms *= 2;
    m->want_ms = m->now_ms + m->want_every_ms;
}

void mix_tick(struct mix *m, uint64_t now_ms)
{
    move_clock(m, now_ms);
    run(m);
    if (m->running && !mix_ready(m) && m->now_ms >= m->want_ms)
        want(m);
}

const struct mix_effect *mix_effects(const struct mix *m, size_t *count)
{
    *count = m->effect_count;
    return m->effects;
}

uint64_t mix_wake(const struct mix *m)
{
    if (!m->running || mix_ready(m))
        return UINT64_MAX;
    uint64_t votes = mixvote_wake(m);
    return votes < m->want_ms ? votes : m->want_ms;
}

bool mix_ready(const struct mix *m)
{
    const struct mixer_entry *e = &m->entries[m->seq % MIXER_KEPT];

    if (!m->running || !e->begun || !e->decided)
        return false;
    for (size_t k = 0; k < m->config.neighbour_count; k++)
        if ((e->value.used & mixer_bit(k)) &&
            !mixer_holds(e, k, e->value.hashes[k]))
            return false;
    return true;
}

const uint64_t *mix_taken(const struct mix *m, uint32_t pod)
{
    const struct mixer_entry *e = &m->entries[m->seq % MIXER_KEPT];
    int place = mixer_place(m, pod);

    assert(mix_ready(m) && place >= 0);
    return e->value.used & mixer_bit((size_t)place) &&
                   e->offers[place].word_count == e->word_count
               ? e->offers[place].words
               : NULL;
}

void mix_view(const struct mix *m, struct mix_view *view)
{
    const struct mixer_entry *e = &m->entries[m->seq % MIXER_KEPT];

    *view = (struct mix_view){.dropped = m->dropped,
                              .equivocated = m->equivocated,
                              .gone = m->gone,
                              .over = m->over,
                              .all_over = mixer_count(m->over) ==
                                          m->config.neighbour_count,
                              .bytes_sent = m->bytes_sent,
                              .alone = m->alone};
    if (m->started && e->decided)
        view->taken = e->value.used;
}
