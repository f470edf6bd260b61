#include "node/jobs.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct error *error)
{
    return error_set(error, -ENOMEM, "out of memory for the study's vectors");
}

static void *at_least_one(size_t count, size_t size)
{
    return calloc(count == 0 ? 1 : count, size);
}

int jobs_open(struct jobs *w, struct error *error)
{
    w->state_size = w->ops->state_size(w->task);
    w->memory_size = w->ops->memory_size(w->task);
    w->length_max = w->ops->length_max(w->task);
    for (size_t i = 0; i < JOBS_MAX; i++) {
        w->list[i].state = at_least_one(w->state_size, 1);
        w->list[i].next = at_least_one(w->state_size, 1);
        w->list[i].sum = at_least_one(w->length_max, sizeof(double));
        if (w->list[i].state == NULL || w->list[i].next == NULL ||
            w->list[i].sum == NULL)
            return no_memory(error);
    }
    w->x = at_least_one(w->length_max, sizeof *w->x);
    w->memory = at_least_one(w->memory_size, 1);
    w->memory_new = at_least_one(w->memory_size, 1);
    if (w->x == NULL || w->memory == NULL || w->memory_new == NULL)
        return no_memory(error);
    return 0;
}

static void wipe_free(void *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void jobs_free(struct jobs *w)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        free(w->list[i].state);
        free(w->list[i].next);
        free(w->list[i].sum);
    }
    wipe_free(w->x, w->length_max * sizeof *w->x);
    wipe_free(w->memory, w->memory_size);
    wipe_free(w->memory_new, w->memory_size);
    sodium_memzero(w->key, sizeof w->key);
}

/* Third jobs replace the one that has not begun: the engine waits only for the
 * newest answer. */
static struct job *queue(struct jobs *w)
{
    struct job *job;

    if (w->count < JOBS_MAX)
        w->count++;
    job = &w->list[(w->head + w->count - 1) % JOBS_MAX];
    job->serial = ++w->serial;
    return job;
}

void jobs_contribute(struct jobs *w, const struct gossip_effect *e)
{
    struct job *job = queue(w);

    job->kind = GOSSIP_CONTRIBUTE;
    job->round = e->contribute.round;
    memcpy(job->state, e->contribute.state, w->state_size);
    w->contribute_serial = job->serial;
}

void jobs_absorb(struct jobs *w, const struct gossip_effect *e)
{
    struct job *job = queue(w);

    job->kind = GOSSIP_ABSORB;
    job->round = e->absorb.round;
    job->has_sum = e->absorb.sum != NULL;
    job->survivors = e->absorb.survivors;
    if (job->has_sum) {
        assert(e->absorb.length <= w->length_max);
        memcpy(job->state, e->absorb.state, w->state_size);
        memcpy(job->sum, e->absorb.sum,
               e->absorb.length * sizeof *e->absorb.sum);
    } else {
        memcpy(job->next, e->absorb.next, w->state_size);
    }
    w->absorb_next = e->absorb.next;
    w->absorb_serial = job->serial;
}

bool jobs_take(struct jobs *w, const struct gossip_event *event,
               bool *save_memory)
{
    assert(w->count > 0);
    const struct job *job = &w->list[w->head];
    bool absorbed = event->kind == GOSSIP_ABSORBED;
    assert(absorbed == (job->kind == GOSSIP_ABSORB));
    bool wanted =
        job->serial == (absorbed ? w->absorb_serial : w->contribute_serial);

    w->head = (w->head + 1) % JOBS_MAX;
    w->count--;
    if (absorbed) {
        if (wanted && job->has_sum)
            memcpy(w->absorb_next, job->next, w->state_size);
        return wanted;
    }
    memcpy(w->audit, w->audit_new, sizeof w->audit);
    w->audit_waits = true;
    if (wanted && event->contributed.decline != 0)
        w->decline = w->decline_new;
    *save_memory =
        wanted && event->contributed.decline == 0 && w->memory_size > 0;
    if (*save_memory)
        memcpy(w->memory, w->memory_new, w->memory_size);
    return wanted;
}

/* The same for the same study, round and state: a member that comes back
 * computes its vector again, and two openings of one sum are to be equal. */
static void draw_from(struct prg *prg, const struct jobs *w,
                      const struct job *job)
{
    uint8_t seed[PRG_SEED_BYTES], round[8];
    crypto_generichash_state h;

    for (size_t i = 0; i < sizeof round; i++)
        round[i] = (uint8_t)(job->round >> 8 * i);
    crypto_generichash_init(&h, w->key, sizeof w->key, sizeof seed);
    crypto_generichash_update(&h, w->origin, sizeof w->origin);
    crypto_generichash_update(&h, round, sizeof round);
    crypto_generichash_update(&h, job->state, w->state_size);
    crypto_generichash_final(&h, seed, sizeof seed);
    prg_seed(prg, seed);
    sodium_memzero(&h, sizeof h);
    sodium_memzero(seed, sizeof seed);
}

static uint32_t contribute(struct jobs *w, const struct job *job)
{
    struct gate_request request = {
        .study = w->study,
        .dataset = w->dataset,
        .policy = w->policy,
        .self = w->self,
        .round = job->round,
        .phase = w->ops->phase(w->task, job->state),
        .shape = w->ops->shape(w->task, job->state),
        .values = w->x,
    };
    enum gossip_decline no;
    struct prg prg;

    draw_from(&prg, w, job);
    request.length = request.shape.length;
    assert(request.length <= w->length_max);
    memcpy(w->memory_new, w->memory, w->memory_size);
    int code = w->ops->contribute(w->task, w->x, w->memory_new, job->state,
                                  &prg, &w->decline_new);
    prg_wipe(&prg);
    if (code == 0)
        no = gate_ask(&request, &w->decline_new);
    else
        no = code == -ERANGE ? GOSSIP_DECLINE_RANGE : GOSSIP_DECLINE_DATA;
    gate_line(w->audit_new, &request, no, &w->decline_new);
    return no;
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static void absorb(struct jobs *w, struct job *job, struct gossip_event *done)
{
    struct task_sum sum = {.values = job->sum,
                           .survivors = job->survivors,
                           .members = count_bits(job->survivors)};

    if (job->has_sum)
        w->ops->absorb(w->task, job->next, job->state, &sum);
    done->absorbed.round = job->round;
    done->absorbed.shape = w->ops->shape(w->task, job->next);
    if (w->ops->mixed != NULL)
        done->absorbed.mixed = w->ops->mixed(w->task, job->next);
}

void jobs_work(struct jobs *w, struct gossip_event *done)
{
    assert(w->list[w->head].serial != 0);
    struct job *job = &w->list[w->head];

    *done = (struct gossip_event){.kind = GOSSIP_ABSORBED};
    if (job->kind == GOSSIP_ABSORB) {
        absorb(w, job, done);
        return;
    }
    done->kind = GOSSIP_CONTRIBUTED;
    done->contributed.round = job->round;
    done->contributed.x = w->x;
    done->contributed.decline = contribute(w, job);
}
