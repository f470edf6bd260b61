#include "node/solo.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_BYTES = 8 };

enum waiting { BEGIN, FOR_VECTOR, FOR_STATE, ENDED };

struct solo {
    size_t state_size;
    uint64_t round;
    struct fixed_shape shape;
    bool knows_shape, finished;
    enum waiting waiting;
    uint8_t *record; /* [ROUND_BYTES + state_size] the state in it is ours */
    uint8_t hash[GOSSIP_HASH_BYTES]; /* of it */
    uint8_t *next;                   /* [state_size] */
    uint64_t *lanes;                 /* [length_max] */
    double *sum;                     /* [length_max] */
    size_t length_max;
    struct gossip_effect effects[SOLO_EFFECTS];
    size_t count;
};

static uint8_t *state_of(const struct solo *s)
{
    return s->record + ROUND_BYTES;
}

static void hash_state(struct solo *s)
{
    crypto_generichash(s->hash, sizeof s->hash, state_of(s), s->state_size,
                       NULL, 0);
}

static void write_round(struct solo *s)
{
    for (size_t i = 0; i < ROUND_BYTES; i++)
        s->record[i] = (uint8_t)(s->round >> 8 * i);
}

static int load(struct solo *s, const struct gossip_record *saved)
{
    if (saved->size != ROUND_BYTES + s->state_size)
        return -1;
    memcpy(s->record, saved->bytes, saved->size);
    for (size_t i = 0; i < ROUND_BYTES; i++)
        s->round |= (uint64_t)saved->bytes[i] << 8 * i;
    s->knows_shape = false;
    return 0;
}

struct solo *solo_new(const struct solo_config *config,
                      const struct gossip_record *saved, const char **why)
{
    struct solo *s = calloc(1, sizeof *s);

    *why = NULL;
    if (s == NULL)
        return NULL;
    s->state_size = config->state_size;
    s->length_max = config->length_max;
    s->shape = config->shape;
    s->knows_shape = true;
    s->record = calloc(ROUND_BYTES + s->state_size, 1);
    s->next = calloc(s->state_size + 1, 1);
    s->lanes = calloc(s->length_max + 1, sizeof *s->lanes);
    s->sum = calloc(s->length_max + 1, sizeof *s->sum);
    if (s->record == NULL || s->next == NULL || s->lanes == NULL ||
        s->sum == NULL) {
        solo_free(s);
        return NULL;
    }
    memcpy(state_of(s), config->state, s->state_size);
    if (saved == NULL || load(s, saved) == 0) {
        hash_state(s);
        return s;
    }
    *why = "a saved state is of another size";
    solo_free(s);
    return NULL;
}

static void wipe(struct solo *s)
{
    sodium_memzero(s->lanes, s->length_max * sizeof *s->lanes);
    sodium_memzero(s->sum, s->length_max * sizeof *s->sum);
}

void solo_free(struct solo *s)
{
    if (s == NULL)
        return;
    if (s->lanes != NULL && s->sum != NULL)
        wipe(s);
    free(s->record);
    free(s->next);
    free(s->lanes);
    free(s->sum);
    free(s);
}

static struct gossip_effect *add(struct solo *s, enum gossip_effect_kind kind)
{
    assert(s->count < SOLO_EFFECTS);
    s->effects[s->count] = (struct gossip_effect){.kind = kind};
    return &s->effects[s->count++];
}

static void note(struct solo *s, enum gossip_note code, uint32_t detail)
{
    struct gossip_effect *e = add(s, GOSSIP_NOTE);

    e->note.code = code;
    e->note.round = s->round;
    e->note.members = 1;
    e->note.detail = detail;
}

static void end(struct solo *s, enum gossip_reason reason, uint32_t decline)
{
    struct gossip_effect *e = add(s, GOSSIP_DONE);

    s->waiting = ENDED;
    s->finished = reason == GOSSIP_FINISHED;
    e->done.reason = reason;
    e->done.state = state_of(s);
    e->done.round = s->round;
    e->done.members = decline == 0 ? 0 : 1;
    e->done.decline = decline;
    add(s, GOSSIP_LEAVE);
}

static void ask_state(struct solo *s, bool has_sum)
{
    struct gossip_effect *e = add(s, GOSSIP_ABSORB);

    s->waiting = FOR_STATE;
    e->absorb.round = s->round + has_sum;
    e->absorb.state = state_of(s);
    e->absorb.next = s->next;
    e->absorb.sum = has_sum ? s->sum : NULL;
    e->absorb.lanes = has_sum ? s->lanes : NULL;
    e->absorb.length = has_sum ? s->shape.length : 0;
    e->absorb.survivors = has_sum;
}

static void begin_round(struct solo *s)
{
    if (!s->knows_shape) {
        memcpy(s->next, state_of(s), s->state_size);
        ask_state(s, false);
        return;
    }
    if (s->shape.length == 0) {
        end(s, GOSSIP_FINISHED, 0);
        return;
    }
    struct gossip_effect *e = add(s, GOSSIP_CONTRIBUTE);
    e->contribute.round = s->round;
    e->contribute.state = state_of(s);
    s->waiting = FOR_VECTOR;
}

static void take_vector(struct solo *s, const struct gossip_event *event)
{
    uint32_t decline = event->contributed.decline;
    size_t at;

    assert(s->shape.length <= s->length_max);
    if (decline == 0 &&
        (fixed_encode(s->lanes, event->contributed.x, &s->shape, &at) != 0 ||
         fixed_decode(s->sum, s->lanes, 1, &s->shape, &at) != 0))
        decline = GOSSIP_DECLINE_RANGE; /* the gate has looked before */
    if (decline != 0) {
        note(s, GOSSIP_NOTE_DECLINED, decline);
        end(s, GOSSIP_DECLINED, decline);
        return;
    }
    note(s, GOSSIP_NOTE_OPENED, 0);
    ask_state(s, true);
}

static void take_state(struct solo *s, const struct gossip_event *event)
{
    s->round = event->absorbed.round;
    s->shape = event->absorbed.shape;
    memcpy(state_of(s), s->next, s->state_size);
    hash_state(s);
    wipe(s);
    if (s->knows_shape) {
        struct gossip_effect *e = add(s, GOSSIP_SAVE);
        write_round(s);
        e->save.slot = GOSSIP_SLOT_STATE;
        e->save.bytes = s->record;
        e->save.size = ROUND_BYTES + s->state_size;
    }
    s->knows_shape = true;
    begin_round(s);
}

void solo_step(struct solo *s, const struct gossip_event *event,
               const struct gossip_effect **effects, size_t *count)
{
    s->count = 0;
    if (s->waiting == BEGIN)
        begin_round(s);
    else if (s->waiting == FOR_VECTOR && event->kind == GOSSIP_CONTRIBUTED &&
             event->contributed.round == s->round)
        take_vector(s, event);
    else if (s->waiting == FOR_STATE && event->kind == GOSSIP_ABSORBED)
        take_state(s, event);
    *effects = s->effects;
    *count = s->count;
}

void solo_view(const struct solo *s, struct gossip_view *view)
{
    *view = (struct gossip_view){.round = s->round,
                                 .finished = s->finished,
                                 .ended = s->waiting == ENDED,
                                 .state = state_of(s)};
    memcpy(view->state_hash, s->hash, sizeof s->hash); /* asked often */
}
