#include "node/member.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/across.h"
#include "node/check.h"
#include "node/jobs.h"
#include "node/outbox.h"
#include "node/solo.h"

struct member {
    const struct study *study;
    struct jobs jobs;
    struct gossip *gossip; /* or, of a pod of one without masks: */
    struct solo *solo;
    bool tell_data;        /* the origin is not yet on disk */
    bool has_stepped;      /* the engine, in the step under way */
    struct outbox out;     /* of the step under way */
    struct across *across; /* NULL: one pod */
};

static int out_of_memory(struct error *error)
{
    error_set(error, -ENOMEM, "out of memory for the study's vectors");
    return -ENOMEM;
}

static int check_origin(struct member *m, const struct gossip_record *record,
                        struct error *error)
{
    struct gossip_field fields[GOSSIP_FIELDS_MAX];

    memcpy(m->jobs.origin, m->jobs.dataset->fingerprint,
           JOBS_FINGERPRINT_BYTES);
    study_fields(fields, m->jobs.origin + JOBS_FINGERPRINT_BYTES, m->study);
    m->tell_data = record == NULL;
    if (record == NULL)
        return 0;
    if (record->size != JOBS_ORIGIN_BYTES ||
        memcmp(record->bytes + JOBS_FINGERPRINT_BYTES,
               m->jobs.origin + JOBS_FINGERPRINT_BYTES, GOSSIP_HASH_BYTES) != 0)
        return error_set(error, -EINVAL,
                         "%s: found records of another study, or of this one "
                         "before its file was changed; put the old study file "
                         "back, or remove the store to begin anew",
                         m->study->path);
    if (sodium_memcmp(record->bytes, m->jobs.origin, JOBS_FINGERPRINT_BYTES) !=
        0)
        return error_set(
            error, -ESTALE,
            "%s: the rows differ from those the study began with; put the old "
            "file back, or remove the store to begin anew",
            m->jobs.dataset->path);
    return 0;
}

/* The member's own records; the engine's go into engine[GOSSIP_SLOTS]. */
static int take_records(struct member *m, struct gossip_record *engine,
                        size_t *engine_count, const struct gossip_record *saved,
                        size_t count, struct error *error)
{
    const struct gossip_record *data = NULL, *memory = NULL;

    *engine_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (saved[i].slot == MEMBER_SLOT_DATA)
            data = &saved[i];
        else if (saved[i].slot == MEMBER_SLOT_MIX)
            continue; /* start_across's */
        else if (saved[i].slot == MEMBER_SLOT_MEMORY)
            memory = &saved[i];
        else if (saved[i].slot < GOSSIP_SLOTS && *engine_count < GOSSIP_SLOTS)
            engine[(*engine_count)++] = saved[i];
    }
    if (memory != NULL && memory->size != m->jobs.memory_size)
        return error_set(error, -EINVAL,
                         "found a record of %zu bytes in the store, expected "
                         "%zu: it is not this study's; remove the store",
                         memory->size, m->jobs.memory_size);
    if (memory != NULL)
        memcpy(m->jobs.memory, memory->bytes, memory->size);
    return check_origin(m, data, error);
}

static void derive(uint8_t seed[PRG_SEED_BYTES], const uint8_t *from,
                   const char *use)
{
    crypto_generichash(seed, PRG_SEED_BYTES, (const uint8_t *)use, strlen(use),
                       from, PRG_SEED_BYTES);
}

static void network_hash(uint8_t hash[GOSSIP_HASH_BYTES],
                         const struct study *study)
{
    char text[STUDY_NAME_SIZE + 32];

    snprintf(text, sizeof text, "starling network %s", study->name);
    crypto_generichash(hash, GOSSIP_HASH_BYTES, (const uint8_t *)text,
                       strlen(text), NULL, 0);
}

void member_bind(struct gossip_config *config, const struct study *study)
{
    struct gossip_field fields[GOSSIP_FIELDS_MAX];

    network_hash(config->network, study);
    study_roster(config->roster, study);
    study_fields(fields, config->charter, study);
}

static int verify_plainly(void *context, const uint8_t *signature,
                          const char *domain, const uint8_t *message,
                          size_t size, const uint8_t *key)
{
    (void)context;
    return identity_verify(signature, domain, message, size, key);
}

static void fill_config(struct gossip_config *c, const struct member *m,
                        const struct member_config *config)
{
    const struct study *s = m->study;

    c->self = m->jobs.self;
    c->members = s->site_count;
    c->threshold = s->threshold;
    c->colluders = s->colluders;
    c->copies = s->copies;
    c->on_loss = s->on_loss;
    c->active = s->active;
    c->check = s->verify;
    c->deadline_ms = s->deadline_ms;
    c->grace_ms = s->grace_ms;
    c->linger_ms = s->linger_ms;
    c->wait_ms = s->wait_ms;
    network_hash(c->network, s);
    study_roster(c->roster, s);
    for (uint32_t i = 0; i < s->site_count; i++)
        memcpy(c->keys[i], s->sites[i].key.sign, IDENTITY_KEY_BYTES);
    memcpy(c->sign_secret, config->identity->sign_secret,
           IDENTITY_SECRET_BYTES);
    derive(c->seed, config->seed, "engine");
    c->state_size = m->jobs.state_size;
    c->length_max = m->jobs.length_max;
    if (m->jobs.ops->lanes_max != NULL)
        c->lanes_max = m->jobs.ops->lanes_max(m->jobs.task);
    c->keeps_sum = config->pods != NULL;
    c->clips = s->task.lane_bits == 16 || s->task.lane_bits == 32;
    c->verify = config->verify == NULL ? verify_plainly : config->verify;
    c->verify_context = config->verify_context;
    c->share = config->share;
    c->share_context = config->share_context;
}

static int stuck(const struct member *m, const char *why, struct error *error)
{
    return error_set(error, why == NULL ? -ENOMEM : -EINVAL,
                     "study %s cannot go on from its store: %s", m->study->name,
                     why == NULL ? "out of memory" : why);
}

static int start_solo(struct member *m, const struct gossip_record *saved,
                      size_t count, struct error *error)
{
    struct solo_config c = {.state_size = m->jobs.state_size,
                            .length_max = m->jobs.length_max,
                            .state = m->jobs.list[0].state};
    const struct gossip_record *state = NULL;
    const char *why;

    m->jobs.ops->start(m->jobs.task, m->jobs.list[0].state);
    c.shape = m->jobs.ops->shape(m->jobs.task, m->jobs.list[0].state);
    for (size_t i = 0; i < count; i++)
        if (saved[i].slot == GOSSIP_SLOT_STATE)
            state = &saved[i];
    m->solo = solo_new(&c, state, &why);
    return m->solo != NULL ? 0 : stuck(m, why, error);
}

static int start_engine(struct member *m, const struct member_config *config,
                        const struct gossip_record *saved, size_t count,
                        struct error *error)
{
    struct gossip_field fields[GOSSIP_FIELDS_MAX];
    struct gossip_config c = {0};
    const char *why = NULL;
    uint8_t *state = m->jobs.list[0].state;

    if (m->study->unmasked)
        return start_solo(m, saved, count, error);
    fill_config(&c, m, config);
    c.field_count = study_fields(fields, c.charter, m->study);
    c.fields = fields;
    m->jobs.ops->start(m->jobs.task, state);
    c.state = state;
    c.shape = m->jobs.ops->shape(m->jobs.task, state);
    m->gossip = gossip_new(&c, saved, count, &why);
    sodium_memzero(&c, sizeof c);
    return m->gossip != NULL ? 0 : stuck(m, why, error);
}

static int start_across(struct member *m, const struct member_config *config,
                        const struct gossip_record *saved, size_t count,
                        struct error *error)
{
    struct across_config c = {
        .blend = {.study = config->study,
                  .pods = config->pods,
                  .self = config->self,
                  .words_max = m->jobs.length_max + 1,
                  .sign_secret = config->identity->sign_secret,
                  .verify =
                      config->verify == NULL ? verify_plainly : config->verify,
                  .verify_context = config->verify_context},
        .ops = m->jobs.ops,
        .task = m->jobs.task,
        .length_max = m->jobs.length_max,
        .save_slot = MEMBER_SLOT_MIX};
    struct gossip_config bound = {0};

    if (config->pods == NULL)
        return 0;
    member_bind(&bound, config->study);
    memcpy(c.blend.network, bound.network, sizeof c.blend.network);
    memcpy(c.blend.charter, bound.charter, sizeof c.blend.charter);
    for (size_t i = 0; i < count; i++)
        if (saved[i].slot == MEMBER_SLOT_MIX)
            c.blend.saved = &saved[i];
    return across_new(&m->across, &c, error);
}

static int check_config(const struct member_config *config, struct error *error)
{
    const struct study *s = config->study;
    const struct study_site *site = &s->sites[config->self];

    assert(config->self < s->site_count);
    assert(s->site_count >= 3 || (s->site_count == 1 && s->unmasked));
    assert(s->task.feature_count + s->task.categorical_count > 0);
    if (!site->has_key ||
        memcmp(&site->key, &config->identity->open, sizeof site->key) == 0)
        return 0;
    return error_set(error, -EACCES,
                     "%s:%u: found another key for '%s' than this node's own, "
                     "expected the one that 'starling init' printed here",
                     s->path, site->line, site->name);
}

/* Everything but the engine. */
static int open_task(struct member **member, const struct member_config *config,
                     struct error *error)
{
    struct member *m = calloc(1, sizeof *m);
    struct error why = {""};
    int code = -EINVAL;

    *member = NULL;
    if (m == NULL)
        return out_of_memory(error);
    m->study = m->jobs.study = config->study;
    m->jobs.dataset = config->dataset;
    m->jobs.self = config->self;
    m->jobs.policy = config->policy;
    crypto_generichash(m->jobs.key, sizeof m->jobs.key, (const uint8_t *)"task",
                       4, config->identity->sign_secret, IDENTITY_SECRET_BYTES);
    m->jobs.ops = task_find(&m->study->task, error);
    if (m->jobs.ops == NULL)
        goto fail;
    code = m->jobs.ops->open(&m->jobs.task, &m->study->task, m->jobs.dataset,
                             &why);
    if (code != 0) {
        m->jobs.task = NULL;
        error_set(error, code, "%s: %s", m->study->path, why.text);
        goto fail;
    }
    if ((code = jobs_open(&m->jobs, error)) != 0)
        goto fail;
    *member = m;
    return 0;
fail:
    member_free(m);
    return code;
}

int member_new(struct member **member, const struct member_config *config,
               const struct gossip_record *saved, size_t count,
               struct error *error)
{
    struct gossip_record engine[GOSSIP_SLOTS];
    size_t engine_count = 0;
    struct member *m = NULL;
    int code = check_config(config, error);

    *member = NULL;
    if (code == 0)
        code = open_task(&m, config, error);
    if (code == 0)
        code = take_records(m, engine, &engine_count, saved, count, error);
    if (code == 0)
        code = start_engine(m, config, engine, engine_count, error);
    if (code == 0)
        code = start_across(m, config, saved, count, error);
    if (code != 0)
        member_free(m);
    else
        *member = m;
    return code;
}

void member_free(struct member *m)
{
    if (m == NULL)
        return;
    gossip_free(m->gossip);
    solo_free(m->solo);
    across_free(m->across);
    if (m->jobs.ops != NULL && m->jobs.task != NULL)
        m->jobs.ops->close(m->jobs.task);
    jobs_free(&m->jobs);
    outbox_free(&m->out);
    free(m);
}

/* The engine's effects, but for those that pods hold back. */
static void take_effect(struct member *m, const struct gossip_effect *e,
                        uint64_t now_ms)
{
    if (m->across != NULL && across_takes(m->across, &m->out, e, now_ms))
        return;
    if (e->kind == GOSSIP_CONTRIBUTE)
        jobs_contribute(&m->jobs, e);
    else if (e->kind == GOSSIP_ABSORB)
        jobs_absorb(&m->jobs, e);
    else
        outbox_add(&m->out, e);
}

/* The step of the engine, its effects taken over: they live until the next one,
 * which may only come when they have been carried out. */
static void step_engine(struct member *m, const struct gossip_event *event)
{
    const struct gossip_effect *list = NULL;
    struct gossip_event fed = *event;
    size_t count = 0;

    assert(!m->has_stepped);
    m->has_stepped = true;
    if (event->kind == GOSSIP_ABSORBED)
        fed.absorbed.shape =
            m->jobs.ops->shape(m->jobs.task, m->jobs.absorb_next);
    if (m->solo != NULL)
        solo_step(m->solo, &fed, &list, &count);
    else
        gossip_step(m->gossip, &fed, &list, &count);
    for (size_t i = 0; i < count; i++)
        take_effect(m, &list[i], event->now_ms);
}

static void feed(struct member *m, const struct gossip_event *event)
{
    bool made = event->kind == GOSSIP_ABSORBED, held = false;
    struct gossip_event mixed;

    if (made && m->across == NULL)
        task_settle(m->jobs.ops, m->jobs.task, m->jobs.absorb_next);
    else if (made)
        held = across_holds(m->across, event, m->jobs.absorb_next);
    /* What the engine would only learn the time from gives way to the mixed
     * state; else that waits for the next step, which follows at once. */
    bool idle =
        held || event->kind == GOSSIP_TIMER || event->kind == GOSSIP_POSTED;
    if (m->across != NULL && idle &&
        across_state(m->across, &m->out, &mixed, m->jobs.absorb_next,
                     event->now_ms))
        step_engine(m, &mixed);
    else if (!held)
        step_engine(m, event);
    if (m->across == NULL)
        return;
    const struct gossip_effect *sum =
        across_sum(m->across, &m->out, event->now_ms);
    if (sum != NULL)
        jobs_absorb(&m->jobs, sum);
}

void member_step(struct member *m, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count)
{
    struct gossip_event fed = *event;
    bool save_memory = false;
    bool answer =
        event->kind == GOSSIP_CONTRIBUTED || event->kind == GOSSIP_ABSORBED;

    m->out.count = 0;
    m->has_stepped = false;
    if (m->across != NULL)
        across_hear(m->across, event);
    if (answer && !jobs_take(&m->jobs, event, &save_memory))
        fed = (struct gossip_event){.kind = GOSSIP_TIMER,
                                    .now_ms = event->now_ms};
    if (m->tell_data)
        outbox_save(&m->out, MEMBER_SLOT_DATA, m->jobs.origin,
                    sizeof m->jobs.origin);
    m->tell_data = false;
    if (save_memory)
        outbox_save(&m->out, MEMBER_SLOT_MEMORY, m->jobs.memory,
                    m->jobs.memory_size);
    feed(m, &fed);
    if (event->kind == GOSSIP_CONTRIBUTED)
        sodium_memzero(m->jobs.x, m->jobs.length_max * sizeof *m->jobs.x);
    if (m->across != NULL)
        across_end(m->across, &m->out, event->now_ms);
    *effects = m->out.effects;
    *count = m->out.count;
}

bool member_has_job(const struct member *m)
{
    return m->jobs.count > 0;
}

void member_work(struct member *m, struct gossip_event *done)
{
    jobs_work(&m->jobs, done);
}

const char *member_decline(const struct member *m)
{
    return m->jobs.decline.text;
}

const char *member_audit(struct member *m)
{
    bool waits = m->jobs.audit_waits;

    m->jobs.audit_waits = false;
    return waits ? m->jobs.audit : NULL;
}

void member_pods(const struct member *m, struct mix_view *view)
{
    *view = (struct mix_view){0};
    if (m->across != NULL)
        across_view(m->across, view);
}

double member_distance(const struct member *m)
{
    return m->across == NULL ? 0 : across_distance(m->across);
}

void member_view(const struct member *m, struct gossip_view *view)
{
    if (m->solo != NULL)
        solo_view(m->solo, view);
    else
        gossip_view(m->gossip, view);
}

size_t member_evidence(const struct member *m, uint32_t accused,
                       const uint8_t *heads[2], size_t sizes[2])
{
    return m->solo != NULL ? 0
                           : gossip_evidence(m->gossip, accused, heads, sizes);
}

const char *member_phase(const struct member *m)
{
    struct gossip_view view;

    member_view(m, &view);
    return m->jobs.ops->phase(m->jobs.task, view.state);
}

double member_loss(const struct member *m)
{
    struct gossip_view view;

    member_view(m, &view);
    return m->jobs.ops->loss(m->jobs.task, view.state);
}

struct task_watch member_watch(const struct member *m)
{
    const double none = (double)NAN;
    struct gossip_view view;

    if (m->jobs.ops->watch == NULL)
        return (struct task_watch){none, none, none};
    member_view(m, &view);
    return m->jobs.ops->watch(m->jobs.task, view.state);
}

int member_report(const struct member *m, struct task_report *report,
                  struct error *error)
{
    struct gossip_view view;

    member_view(m, &view);
    return m->jobs.ops->report(m->jobs.task, view.state, report, error);
}

const void *member_plain(const struct member *m, uint64_t *round,
                         struct fixed_shape *shape)
{
    return m->solo != NULL ? NULL : gossip_plain(m->gossip, round, shape);
}

int member_check(const struct member_config *config, char *text, size_t size,
                 struct error *error)
{
    return check_write(text, size, config, error);
}
