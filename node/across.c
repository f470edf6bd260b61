#include "node/across.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "crypto/grid.h"
#include "crypto/lanes.h"
#include "node/ration.h"

struct across {
    const struct study *study;
    const struct task_ops *ops;
    const struct task *task;
    uint32_t save_slot;
    struct blend *blend;
    bool blends_sum, blends_state;
    struct gossip_effect opened; /* ABSORB that waits for all pods' sum */
    struct gossip_event made;    /* ABSORBED that waits for the average */
    double *sum;                 /* [length_max] all pods' */
    uint64_t engine_wake, told_wake, done_ms;
    bool is_done, leaves;
    struct ration ration; /* of questions */
    uint64_t unheard;     /* questions left out */
    struct mixwire question;
};

/* The sites of this pod may ask, and those of the pods that it meets. */
static int open_ration(struct across *a, size_t words_max, struct error *error)
{
    uint32_t pods[MIX_NEIGHBOURS_MAX + 1];
    size_t count;
    int code = blend_neighbours(pods, &count, a->study, error);

    if (code != 0)
        return code;
    pods[count++] = a->study->pod;
    code = ration_open(&a->ration, pods, count, words_max * sizeof(uint64_t));
    return code == 0 ? 0 : error_set(error, code, "out of memory for the pods");
}

int across_new(struct across **across, const struct across_config *config,
               struct error *error)
{
    struct across *a = calloc(1, sizeof *a);
    int code = -ENOMEM;

    *across = NULL;
    if (a == NULL)
        return error_set(error, code, "out of memory for the pods");
    a->study = config->blend.study;
    a->ops = config->ops;
    a->task = config->task;
    a->save_slot = config->save_slot;
    a->engine_wake = a->told_wake = UINT64_MAX;
    a->sum = calloc(config->length_max + 1, sizeof *a->sum);
    code = a->sum == NULL ? error_set(error, code, "out of memory for the pods")
                          : blend_new(&a->blend, &config->blend, error);
    if (code == 0)
        code = open_ration(a, config->blend.words_max, error);
    if (code != 0)
        across_free(a);
    else
        *across = a;
    return code;
}

void across_free(struct across *a)
{
    if (a == NULL)
        return;
    blend_free(a->blend);
    ration_close(&a->ration);
    free(a->sum);
    free(a);
}

static bool is_question(struct across *a, const struct gossip_event *event)
{
    return mixwire_parse(&a->question, event->posted.head,
                         event->posted.head_size) == 0 &&
           a->question.type == MIXWIRE_WANT;
}

static void charge(struct across *a, const struct gossip_event *event)
{
    const uint32_t pod = event->posted.pod, from = event->posted.from;
    size_t count, bytes = 0;
    const struct mix_effect *list = mix_effects(blend_mix(a->blend), &count);

    for (size_t i = 0; i < count; i++)
        if (list[i].kind == MIX_SEND && list[i].pod == pod &&
            list[i].to == from)
            bytes += list[i].head_size + list[i].word_count * sizeof(uint64_t);
    ration_charge(&a->ration, pod, from, bytes, event->now_ms);
}

/* Questions are rationed before their signature is looked at: that the link is
 * who it says has been shown before. */
static void hear_post(struct across *a, const struct gossip_event *event)
{
    struct mix *mix = blend_mix(a->blend);
    bool asks = is_question(a, event);

    if (asks && !ration_allows(&a->ration, event->posted.pod,
                               event->posted.from, event->now_ms)) {
        a->unheard++;
        mix_tick(mix, event->now_ms);
        return;
    }
    mix_receive(mix, event->posted.pod, event->posted.from, event->posted.head,
                event->posted.head_size, event->posted.body,
                event->posted.body_size, event->now_ms);
    if (asks)
        charge(a, event);
}

void across_hear(struct across *a, const struct gossip_event *event)
{
    struct mix *mix = blend_mix(a->blend);

    mix_clear(mix);
    if (event->kind == GOSSIP_POSTED)
        hear_post(a, event);
    else
        mix_tick(mix, event->now_ms);
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* Whatever was mixed for an earlier ABSORB is not asked for any more. */
static bool take_absorb(struct across *a, const struct gossip_effect *e,
                        uint64_t now_ms)
{
    mix_abandon(blend_mix(a->blend));
    a->blends_sum = a->blends_state = false;
    if (!a->study->exact || e->absorb.sum == NULL)
        return false;
    a->blends_sum = true;
    a->opened = *e;
    struct fixed_shape shape = a->ops->shape(a->task, e->absorb.state);
    blend_lanes(a->blend, e->absorb.round - 1, e->absorb.lanes,
                lanes_bytes(&shape), e->absorb.length,
                count_bits(e->absorb.survivors), now_ms);
    return true;
}

static void take_done(struct across *a, struct outbox *outbox,
                      const struct gossip_effect *e, uint64_t now_ms)
{
    if (a->is_done) /* a sum of all pods has ended the study before */
        return;
    a->is_done = true;
    a->done_ms = now_ms;
    mix_over(blend_mix(a->blend), now_ms);
    outbox_add(outbox, e);
}

bool across_takes(struct across *a, struct outbox *outbox,
                  const struct gossip_effect *e, uint64_t now_ms)
{
    switch (e->kind) {
    case GOSSIP_ABSORB:
        return take_absorb(a, e, now_ms);
    case GOSSIP_WAKE:
        a->engine_wake = e->wake.at_ms;
        return true;
    case GOSSIP_LEAVE:
        a->leaves = true;
        return true;
    case GOSSIP_DONE:
        take_done(a, outbox, e, now_ms);
        return true;
    default:
        return false;
    }
}

static void note_mixed(const struct across *a, struct outbox *outbox,
                       uint64_t round)
{
    struct gossip_effect effect = {.kind = GOSSIP_NOTE};

    effect.note.code = GOSSIP_NOTE_MIXED;
    effect.note.round = round;
    effect.note.detail = blend_left_out(a->blend, &effect.note.members);
    outbox_add(outbox, &effect);
}

/* All pods have the same sum, so all come to this end. */
static void spoil(struct across *a, struct outbox *outbox, uint64_t now_ms)
{
    struct gossip_effect effect = {.kind = GOSSIP_DONE};

    effect.done.reason = GOSSIP_SPOILED;
    effect.done.state = a->opened.absorb.state;
    effect.done.round = a->opened.absorb.round - 1;
    take_done(a, outbox, &effect, now_ms);
    a->leaves = true;
}

/* Narrow lanes were widened, and so no sum of pods wraps. */
static int decode(double *values, const uint64_t *words, uint64_t count,
                  const struct fixed_shape *shape)
{
    const struct grid grid = {.bound = shape->bound,
                              .value_bits = shape->value_bits,
                              .lane_bits = 64};
    size_t at;

    return lanes_bytes(shape) == sizeof *words
               ? fixed_decode(values, words, (uint32_t)count, shape, &at)
               : grid_decode(values, words, shape->length, (uint32_t)count,
                             &grid, &at);
}

const struct gossip_effect *across_sum(struct across *a, struct outbox *outbox,
                                       uint64_t now_ms)
{
    struct gossip_effect *e = &a->opened;
    uint64_t count = 0;

    if (!a->blends_sum || !mix_ready(blend_mix(a->blend)))
        return NULL;
    a->blends_sum = false;
    note_mixed(a, outbox, e->absorb.round - 1);
    const uint64_t *lanes = blend_sum(a->blend, &count);
    struct fixed_shape shape = a->ops->shape(a->task, e->absorb.state);
    assert(shape.length == e->absorb.length);
    if (lanes == NULL || count == 0 || count > a->study->whole->site_count ||
        decode(a->sum, lanes, count, &shape) != 0) {
        spoil(a, outbox, now_ms);
        return NULL;
    }
    e->absorb.sum = a->sum;
    e->absorb.survivors = count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    return e;
}

static double *region_of(const struct across *a, struct fixed_region *region,
                         void *state)
{
    *region = a->ops->mixed(a->task, state);
    return (double *)state + region->offset;
}

bool across_holds(struct across *a, const struct gossip_event *absorbed,
                  void *state)
{
    struct fixed_region region;

    if (a->ops->settle == NULL)
        return false;
    if (a->study->exact) {
        task_settle(a->ops, a->task, state);
        return false;
    }
    const double *values = region_of(a, &region, state);
    if (region.count == 0)
        return false;
    a->made = *absorbed;
    a->blends_state = true;
    blend_values(a->blend, absorbed->absorbed.round - 1, &region, values,
                 absorbed->now_ms);
    return true;
}

bool across_state(struct across *a, struct outbox *outbox,
                  struct gossip_event *absorbed, void *state, uint64_t now_ms)
{
    struct fixed_region region;

    while (a->blends_state && mix_ready(blend_mix(a->blend))) {
        blend_average(a->blend, region_of(a, &region, state));
        note_mixed(a, outbox, a->made.absorbed.round - 1);
        a->ops->settle(a->task, state);
        a->blends_state = false;
        a->made.now_ms = now_ms;
        if (!across_holds(a, &a->made, state)) {
            *absorbed = a->made;
            return true;
        }
    }
    return false;
}

static void add_posts(const struct across *a, struct outbox *outbox)
{
    size_t count;
    const struct mix_effect *list = mix_effects(blend_mix(a->blend), &count);

    for (size_t i = 0; i < count; i++) {
        struct gossip_effect effect = {.kind = GOSSIP_POST};
        if (list[i].kind == MIX_SAVE) {
            outbox_save(outbox, a->save_slot, list[i].head, list[i].head_size);
            continue;
        }
        effect.post.pod = list[i].pod;
        effect.post.to = list[i].to;
        effect.post.head = list[i].head;
        effect.post.head_size = list[i].head_size;
        effect.post.body = (const uint8_t *)list[i].words;
        effect.post.body_size = list[i].word_count * sizeof(uint64_t);
        outbox_add(outbox, &effect);
    }
}

/* Who has finished stays while neighbours may ask for its last offers. */
static void leave(struct across *a, struct outbox *outbox, uint64_t now_ms)
{
    struct gossip_effect effect = {.kind = GOSSIP_LEAVE};
    struct mix_view view;

    if (!a->leaves || !a->is_done)
        return;
    mix_view(blend_mix(a->blend), &view);
    if (!view.all_over && now_ms < a->done_ms + a->study->linger_ms)
        return;
    a->leaves = a->is_done = false;
    outbox_add(outbox, &effect);
}

static void wake(struct across *a, struct outbox *outbox, uint64_t now_ms)
{
    struct gossip_effect effect = {.kind = GOSSIP_WAKE};
    uint64_t at = a->engine_wake, mix = mix_wake(blend_mix(a->blend));

    if (a->blends_state && mix_ready(blend_mix(a->blend)))
        mix = now_ms; /* the engine had its step: a next one for the state */
    if (mix < at)
        at = mix;
    if (a->leaves && a->done_ms + a->study->linger_ms < at)
        at = a->done_ms + a->study->linger_ms;
    if (at == a->told_wake && at > now_ms)
        return;
    a->told_wake = at;
    effect.wake.at_ms = at;
    outbox_add(outbox, &effect);
}

void across_end(struct across *a, struct outbox *outbox, uint64_t now_ms)
{
    add_posts(a, outbox);
    leave(a, outbox, now_ms);
    wake(a, outbox, now_ms);
}

double across_distance(const struct across *a)
{
    return blend_distance(a->blend);
}

void across_view(const struct across *a, struct mix_view *view)
{
    mix_view(blend_mix(a->blend), view);
    view->dropped += a->unheard;
}
