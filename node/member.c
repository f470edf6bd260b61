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
#include "node/gate.h"
#include "node/outbox.h"
#include "node/solo.h"

enum {
    JOBS = 2,
    FINGERPRINT_BYTES = sizeof((struct dataset *)0)->fingerprint,
    ORIGIN_BYTES = FINGERPRINT_BYTES + GOSSIP_HASH_BYTES
};

/* What a thread needs to work while the engine goes on: copies. */
struct job {
    enum gossip_effect_kind kind; /* CONTRIBUTE or ABSORB */
    uint64_t round, serial;
    uint8_t *state; /* [state_size] */
    uint8_t *next;  /* [state_size] */
    double *sum;    /* [length_max] */
    bool has_sum;
    uint64_t survivors;
};

struct member {
    const struct study *study;
    const struct dataset *dataset;
    uint32_t self;
    const struct task_ops *ops;
    struct task *task;
    struct gossip *gossip; /* or, of a pod of one without masks: */
    struct solo *solo;
    const struct gate_policy *policy;
    uint8_t key[PRG_SEED_BYTES]; /* of the task's randomness */
    size_t state_size, memory_size, length_max;
    /* jobs[head] is the worker's until its answer comes back; the other place
     * is the engine's side's, so no lock is needed. */
    struct job jobs[JOBS];
    size_t head, job_count;
    uint64_t serial, contribute_serial, absorb_serial;
    void *absorb_next; /* [state_size] the engine's, for the newest ABSORB */
    double *x;         /* [length_max] wiped after use */
    uint8_t *memory, *memory_new; /* [memory_size] */
    uint8_t origin[ORIGIN_BYTES]; /* whose rows, whose charter */
    bool tell_data;               /* origin not yet on disk */
    bool audit_waits;
    char audit[GATE_LINE_SIZE], audit_new[GATE_LINE_SIZE];
    struct error decline, decline_new;
    struct outbox out;     /* of the step under way */
    struct across *across; /* NULL: one pod */
};

static int out_of_memory(struct error *error)
{
    error_set(error, -ENOMEM, "out of memory for the study's vectors");
    return -ENOMEM;
}

static void *at_least_one(size_t count, size_t size)
{
    return calloc(count == 0 ? 1 : count, size);
}

static int take_memory(struct member *m, struct error *error)
{
    m->state_size = m->ops->state_size(m->task);
    m->memory_size = m->ops->memory_size(m->task);
    m->length_max = m->ops->length_max(m->task);
    for (size_t i = 0; i < JOBS; i++) {
        m->jobs[i].state = at_least_one(m->state_size, 1);
        m->jobs[i].next = at_least_one(m->state_size, 1);
        m->jobs[i].sum = at_least_one(m->length_max, sizeof(double));
        if (m->jobs[i].state == NULL || m->jobs[i].next == NULL ||
            m->jobs[i].sum == NULL)
            return out_of_memory(error);
    }
    m->x = at_least_one(m->length_max, sizeof *m->x);
    m->memory = at_least_one(m->memory_size, 1);
    m->memory_new = at_least_one(m->memory_size, 1);
    if (m->x == NULL || m->memory == NULL || m->memory_new == NULL)
        return out_of_memory(error);
    return 0;
}

static int check_origin(struct member *m, const struct gossip_record *record,
                        struct error *error)
{
    struct gossip_field fields[GOSSIP_FIELDS_MAX];

    memcpy(m->origin, m->dataset->fingerprint, FINGERPRINT_BYTES);
    study_fields(fields, m->origin + FINGERPRINT_BYTES, m->study);
    m->tell_data = record == NULL;
    if (record == NULL)
        return 0;
    if (record->size != ORIGIN_BYTES ||
        memcmp(record->bytes + FINGERPRINT_BYTES, m->origin + FINGERPRINT_BYTES,
               GOSSIP_HASH_BYTES) != 0)
        return error_set(error, -EINVAL,
                         "%s: found records of another study, or of this one "
                         "before its file was changed; put the old study file "
                         "back, or remove the store to begin anew",
                         m->study->path);
    if (sodium_memcmp(record->bytes, m->origin, FINGERPRINT_BYTES) != 0)
        return error_set(
            error, -ESTALE,
            "%s: the rows differ from those the study began with; put the old "
            "file back, or remove the store to begin anew",
            m->dataset->path);
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
    if (memory != NULL && memory->size != m->memory_size)
        return error_set(error, -EINVAL,
                         "found a record of %zu bytes in the store, expected "
                         "%zu: it is not this study's; remove the store",
                         memory->size, m->memory_size);
    if (memory != NULL)
        memcpy(m->memory, memory->bytes, memory->size);
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

    c->self = m->self;
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
    c->state_size = m->state_size;
    c->length_max = m->length_max;
    if (m->ops->lanes_max != NULL)
        c->lanes_max = m->ops->lanes_max(m->task);
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
    struct solo_config c = {.state_size = m->state_size,
                            .length_max = m->length_max,
                            .state = m->jobs[0].state};
    const struct gossip_record *state = NULL;
    const char *why;

    m->ops->start(m->task, m->jobs[0].state);
    c.shape = m->ops->shape(m->task, m->jobs[0].state);
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
    uint8_t *state = m->jobs[0].state;

    if (m->study->unmasked)
        return start_solo(m, saved, count, error);
    fill_config(&c, m, config);
    c.field_count = study_fields(fields, c.charter, m->study);
    c.fields = fields;
    m->ops->start(m->task, state);
    c.state = state;
    c.shape = m->ops->shape(m->task, state);
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
                  .words_max = m->length_max + 1,
                  .sign_secret = config->identity->sign_secret,
                  .verify =
                      config->verify == NULL ? verify_plainly : config->verify,
                  .verify_context = config->verify_context},
        .ops = m->ops,
        .task = m->task,
        .length_max = m->length_max,
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
    m->study = config->study;
    m->dataset = config->dataset;
    m->self = config->self;
    m->policy = config->policy;
    crypto_generichash(m->key, sizeof m->key, (const uint8_t *)"task", 4,
                       config->identity->sign_secret, IDENTITY_SECRET_BYTES);
    m->ops = task_find(&m->study->task, error);
    if (m->ops == NULL)
        goto fail;
    code = m->ops->open(&m->task, &m->study->task, m->dataset, &why);
    if (code != 0) {
        m->task = NULL;
        error_set(error, code, "%s: %s", m->study->path, why.text);
        goto fail;
    }
    if ((code = take_memory(m, error)) != 0)
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

static void wipe_free(void *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void member_free(struct member *m)
{
    if (m == NULL)
        return;
    gossip_free(m->gossip);
    solo_free(m->solo);
    across_free(m->across);
    if (m->ops != NULL && m->task != NULL)
        m->ops->close(m->task);
    for (size_t i = 0; i < JOBS; i++) {
        free(m->jobs[i].state);
        free(m->jobs[i].next);
        free(m->jobs[i].sum);
    }
    wipe_free(m->x, m->length_max * sizeof *m->x);
    wipe_free(m->memory, m->memory_size);
    wipe_free(m->memory_new, m->memory_size);
    sodium_memzero(m->key, sizeof m->key);
    outbox_free(&m->out);
    free(m);
}

/* Third jobs replace the one that has not begun: the engine waits only for the
 * newest answer. */
static struct job *queue(struct member *m)
{
    struct job *job;

    if (m->job_count < JOBS)
        m->job_count++;
    job = &m->jobs[(m->head + m->job_count - 1) % JOBS];
    job->serial = ++m->serial;
    return job;
}

static void queue_contribute(struct member *m, const struct gossip_effect *e)
{
    struct job *job = queue(m);

    job->kind = GOSSIP_CONTRIBUTE;
    job->round = e->contribute.round;
    memcpy(job->state, e->contribute.state, m->state_size);
    m->contribute_serial = job->serial;
}

static void queue_absorb(struct member *m, const struct gossip_effect *e)
{
    struct job *job = queue(m);

    job->kind = GOSSIP_ABSORB;
    job->round = e->absorb.round;
    job->has_sum = e->absorb.sum != NULL;
    job->survivors = e->absorb.survivors;
    if (job->has_sum) {
        assert(e->absorb.length <= m->length_max);
        memcpy(job->state, e->absorb.state, m->state_size);
        memcpy(job->sum, e->absorb.sum,
               e->absorb.length * sizeof *e->absorb.sum);
    } else {
        memcpy(job->next, e->absorb.next, m->state_size);
    }
    m->absorb_next = e->absorb.next;
    m->absorb_serial = job->serial;
}

/* Takes the answer of jobs[head] in. Returns whether the engine still wants
 * it. */
static bool take_answer(struct member *m, const struct gossip_event *event,
                        bool *save_memory)
{
    assert(m->job_count > 0);
    const struct job *job = &m->jobs[m->head];
    bool absorbed = event->kind == GOSSIP_ABSORBED;
    assert(absorbed == (job->kind == GOSSIP_ABSORB));
    bool wanted =
        job->serial == (absorbed ? m->absorb_serial : m->contribute_serial);

    m->head = (m->head + 1) % JOBS;
    m->job_count--;
    if (absorbed) {
        if (wanted && job->has_sum)
            memcpy(m->absorb_next, job->next, m->state_size);
        return wanted;
    }
    memcpy(m->audit, m->audit_new, sizeof m->audit);
    m->audit_waits = true;
    if (wanted && event->contributed.decline != 0)
        m->decline = m->decline_new;
    *save_memory =
        wanted && event->contributed.decline == 0 && m->memory_size > 0;
    if (*save_memory)
        memcpy(m->memory, m->memory_new, m->memory_size);
    return wanted;
}

/* The engine's effects, but for those that pods hold back. */
static void take_effect(struct member *m, const struct gossip_effect *e,
                        uint64_t now_ms)
{
    if (m->across != NULL && across_takes(m->across, &m->out, e, now_ms))
        return;
    if (e->kind == GOSSIP_CONTRIBUTE)
        queue_contribute(m, e);
    else if (e->kind == GOSSIP_ABSORB)
        queue_absorb(m, e);
    else
        outbox_add(&m->out, e);
}

/* One step of the engine, its effects taken over. */
static void step_engine(struct member *m, const struct gossip_event *event)
{
    const struct gossip_effect *list = NULL;
    struct gossip_event fed = *event;
    size_t count = 0;

    if (event->kind == GOSSIP_ABSORBED)
        fed.absorbed.shape = m->ops->shape(m->task, m->absorb_next);
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
        task_settle(m->ops, m->task, m->absorb_next);
    else if (made)
        held = across_holds(m->across, event, m->absorb_next);
    if (!held)
        step_engine(m, event);
    if (m->across == NULL)
        return;
    const struct gossip_effect *sum =
        across_sum(m->across, &m->out, event->now_ms);
    if (sum != NULL)
        queue_absorb(m, sum);
    if (across_state(m->across, &m->out, &mixed, m->absorb_next, event->now_ms))
        step_engine(m, &mixed);
}

void member_step(struct member *m, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count)
{
    struct gossip_event fed = *event;
    bool save_memory = false;
    bool answer =
        event->kind == GOSSIP_CONTRIBUTED || event->kind == GOSSIP_ABSORBED;

    m->out.count = 0;
    if (m->across != NULL)
        across_hear(m->across, event);
    if (answer && !take_answer(m, event, &save_memory))
        fed = (struct gossip_event){.kind = GOSSIP_TIMER,
                                    .now_ms = event->now_ms};
    if (m->tell_data)
        outbox_save(&m->out, MEMBER_SLOT_DATA, m->origin, sizeof m->origin);
    m->tell_data = false;
    if (save_memory)
        outbox_save(&m->out, MEMBER_SLOT_MEMORY, m->memory, m->memory_size);
    feed(m, &fed);
    if (event->kind == GOSSIP_CONTRIBUTED)
        sodium_memzero(m->x, m->length_max * sizeof *m->x);
    if (m->across != NULL)
        across_end(m->across, &m->out, event->now_ms);
    *effects = m->out.effects;
    *count = m->out.count;
}

bool member_has_job(const struct member *m)
{
    return m->job_count > 0;
}

/* The same for the same study, round and state: a member that comes back
 * computes its vector again, and two openings of one sum are to be equal. */
static void draw_from(struct prg *prg, const struct member *m,
                      const struct job *job)
{
    uint8_t seed[PRG_SEED_BYTES], round[8];
    crypto_generichash_state h;

    for (size_t i = 0; i < sizeof round; i++)
        round[i] = (uint8_t)(job->round >> 8 * i);
    crypto_generichash_init(&h, m->key, sizeof m->key, sizeof seed);
    crypto_generichash_update(&h, m->origin, sizeof m->origin);
    crypto_generichash_update(&h, round, sizeof round);
    crypto_generichash_update(&h, job->state, m->state_size);
    crypto_generichash_final(&h, seed, sizeof seed);
    prg_seed(prg, seed);
    sodium_memzero(&h, sizeof h);
    sodium_memzero(seed, sizeof seed);
}

static uint32_t contribute(struct member *m, const struct job *job)
{
    struct gate_request request = {
        .study = m->study,
        .dataset = m->dataset,
        .policy = m->policy,
        .self = m->self,
        .round = job->round,
        .phase = m->ops->phase(m->task, job->state),
        .shape = m->ops->shape(m->task, job->state),
        .values = m->x,
    };
    enum gossip_decline no;
    struct prg prg;

    draw_from(&prg, m, job);
    request.length = request.shape.length;
    assert(request.length <= m->length_max);
    memcpy(m->memory_new, m->memory, m->memory_size);
    int code = m->ops->contribute(m->task, m->x, m->memory_new, job->state,
                                  &prg, &m->decline_new);
    prg_wipe(&prg);
    if (code == 0)
        no = gate_ask(&request, &m->decline_new);
    else
        no = code == -ERANGE ? GOSSIP_DECLINE_RANGE : GOSSIP_DECLINE_DATA;
    gate_line(m->audit_new, &request, no, &m->decline_new);
    return no;
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static void absorb(struct member *m, struct job *job, struct gossip_event *done)
{
    struct task_sum sum = {.values = job->sum,
                           .survivors = job->survivors,
                           .members = count_bits(job->survivors)};

    if (job->has_sum)
        m->ops->absorb(m->task, job->next, job->state, &sum);
    done->absorbed.round = job->round;
    done->absorbed.shape = m->ops->shape(m->task, job->next);
    if (m->ops->mixed != NULL)
        done->absorbed.mixed = m->ops->mixed(m->task, job->next);
}

void member_work(struct member *m, struct gossip_event *done)
{
    assert(m->jobs[m->head].serial != 0);
    struct job *job = &m->jobs[m->head];

    *done = (struct gossip_event){.kind = GOSSIP_ABSORBED};
    if (job->kind == GOSSIP_ABSORB) {
        absorb(m, job, done);
        return;
    }
    done->kind = GOSSIP_CONTRIBUTED;
    done->contributed.round = job->round;
    done->contributed.x = m->x;
    done->contributed.decline = contribute(m, job);
}

const char *member_decline(const struct member *m)
{
    return m->decline.text;
}

const char *member_audit(struct member *m)
{
    bool waits = m->audit_waits;

    m->audit_waits = false;
    return waits ? m->audit : NULL;
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
    return m->ops->phase(m->task, view.state);
}

double member_loss(const struct member *m)
{
    struct gossip_view view;

    member_view(m, &view);
    return m->ops->loss(m->task, view.state);
}

struct task_watch member_watch(const struct member *m)
{
    const double none = (double)NAN;
    struct gossip_view view;

    if (m->ops->watch == NULL)
        return (struct task_watch){none, none, none};
    member_view(m, &view);
    return m->ops->watch(m->task, view.state);
}

int member_report(const struct member *m, struct task_report *report,
                  struct error *error)
{
    struct gossip_view view;

    member_view(m, &view);
    return m->ops->report(m->task, view.state, report, error);
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
