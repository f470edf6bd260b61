#include "sim/deal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/grid.h"
#include "model/task.h"

enum {
    WEIGHT_MAX = 4,
    FIRST_ROWS = 5, /* a gate's usual least */
    ACTIVE_MIN = 5  /* members, where one may lie */
};

static char *copied(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

/* An empty dataset with room for `rows`, in from's columns. */
static struct dataset *empty(const struct dataset *from, size_t rows)
{
    struct dataset *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->path = copied(from->path);
    d->names = calloc(from->column_count, sizeof *d->names);
    d->x = calloc(rows * from->column_count + 1, sizeof *d->x);
    d->y = calloc(rows + 1, sizeof *d->y);
    d->test = calloc(rows + 1, sizeof *d->test);
    bool whole = d->path && d->names && d->x && d->y && d->test;
    for (size_t k = 0; whole && k < from->column_count; k++) {
        d->names[k] = copied(from->names[k]);
        whole = d->names[k] != NULL;
        d->column_count++;
    }
    if (whole)
        return d;
    dataset_free(d);
    return NULL;
}

static void append(struct dataset *to, const struct dataset *from, size_t row)
{
    const size_t width = from->column_count;

    assert(to->column_count == width);
    memcpy(to->x + to->row_count * width, from->x + row * width,
           width * sizeof *to->x);
    to->y[to->row_count] = from->y[row];
    to->test[to->row_count] = from->test[row];
    to->row_count++;
}

static void fingerprint(struct dataset *d)
{
    crypto_generichash_state h;

    crypto_generichash_init(&h, NULL, 0, sizeof d->fingerprint);
    crypto_generichash_update(&h, (const uint8_t *)d->x,
                              d->row_count * d->column_count * sizeof *d->x);
    crypto_generichash_update(&h, (const uint8_t *)d->y,
                              d->row_count * sizeof *d->y);
    crypto_generichash_update(&h, d->test, d->row_count);
    crypto_generichash_final(&h, d->fingerprint, sizeof d->fingerprint);
}

struct dealing {
    struct prg *prg;
    uint32_t count, weights[GOSSIP_MEMBERS_MAX];
    uint32_t turns, served; /* training rows dealt in turn: to each, in all */
    uint32_t holder;        /* of the lot of test rows that is dealt */
    size_t lot, tests;      /* rows left in the lot, and in all */
};

static uint32_t draw_site(struct dealing *d)
{
    uint64_t total = 0;
    uint32_t i = 0;

    for (uint32_t k = 0; k < d->count; k++)
        total += d->weights[k];
    uint64_t draw = prg_below(d->prg, total);
    for (; i + 1 < d->count && draw >= d->weights[i]; i++)
        draw -= d->weights[i];
    return i;
}

/* Who gets the next row. Training rows: each in turn, `turns` times; then at
 * random. Test rows: at random in lots that a gate lets pass, the last of which
 * has what is left over. */
static uint32_t choose(struct dealing *d, bool test)
{
    if (!test && d->served < d->turns * d->count)
        return d->served++ % d->count;
    if (!test)
        return draw_site(d);
    if (d->lot == 0) {
        d->holder = draw_site(d);
        d->lot = d->tests < (size_t)2 * FIRST_ROWS ? d->tests : FIRST_ROWS;
    }
    d->lot--;
    d->tests--;
    return d->holder;
}

int deal_rows(struct dataset **out, uint32_t out_count,
              const struct dataset *const *in, uint32_t in_count,
              struct prg *prg, struct error *error)
{
    struct dealing d = {.prg = prg, .count = out_count};
    size_t rows = 0;
    int status = -ENOMEM;

    assert(out_count >= 1 && out_count <= GOSSIP_MEMBERS_MAX);
    memset(out, 0, out_count * sizeof *out);
    for (uint32_t i = 0; i < in_count; i++) {
        rows += in[i]->row_count;
        for (size_t r = 0; r < in[i]->row_count; r++)
            d.tests += in[i]->test[r] != 0;
    }
    d.turns = (rows - d.tests) / out_count >= FIRST_ROWS ? FIRST_ROWS : 1;
    for (uint32_t i = 0; i < out_count; i++) {
        d.weights[i] = 1 + (uint32_t)prg_below(prg, WEIGHT_MAX);
        if ((out[i] = empty(in[0], rows)) == NULL)
            goto fail;
    }
    for (uint32_t i = 0; i < in_count; i++)
        for (size_t r = 0; r < in[i]->row_count; r++)
            append(out[choose(&d, in[i]->test[r])], in[i], r);
    status = -EINVAL;
    if (d.served < out_count)
        goto fail;
    for (uint32_t i = 0; i < out_count; i++)
        fingerprint(out[i]);
    return 0;
fail:
    for (uint32_t i = 0; i < out_count; i++) {
        dataset_free(out[i]);
        out[i] = NULL;
    }
    return error_set(error, status,
                     status == -ENOMEM
                         ? "out of memory for the rows of %" PRIu32 " sites"
                         : "found fewer training rows than %" PRIu32
                           " sites; ask for fewer --members",
                     out_count);
}

void deal_study_free(struct study *study)
{
    if (study == NULL)
        return;
    for (uint32_t i = 0; study->sites != NULL && i < study->site_count; i++)
        free(study->sites[i].name);
    free(study->sites);
    free(study);
}

int deal_study(struct study **study, const struct study *from, uint32_t members,
               struct error *error)
{
    struct study *s = malloc(sizeof *s);

    assert(members >= 1 && members <= GOSSIP_MEMBERS_MAX);
    *study = NULL;
    if (s == NULL)
        return error_set(error, -ENOMEM, "out of memory for a study");
    *s = *from;
    s->site_count = members;
    s->task.members = members;
    if (s->active)
        s->colluders = study_colluders(true, members);
    s->threshold =
        study_threshold(s->active, s->on_loss, members, s->colluders);
    if ((s->active && members < ACTIVE_MIN) || s->threshold > members ||
        s->colluders + 2 > s->threshold) {
        const uint32_t colluders = s->colluders == 0 ? 1 : s->colluders;
        free(s);
        return error_set(error, -EINVAL,
                         "found %u members, of which %u may %s, expected more "
                         "members: --members with a larger first number",
                         members, colluders,
                         from->active ? "lie (trust: active)" : "collude");
    }
    s->copies = study_copies(s->active, members, s->colluders, s->threshold);
    if (s->task.lane_bits != 64) {
        uint32_t most = grid_value_bits(members, s->task.lane_bits);
        if (s->task.value_bits > most)
            s->task.value_bits = (uint8_t)most;
    }
    s->crash_count = s->restart_count = s->partition_count = 0;
    s->sites = calloc(members, sizeof *s->sites);
    bool whole = s->sites != NULL;
    for (uint32_t i = 0; i < members && whole; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%" PRIu32, i + 1);
        s->sites[i].name = copied(name);
        whole = s->sites[i].name != NULL;
    }
    if (!whole || s->threshold > members) {
        deal_study_free(s);
        return error_set(error, whole ? -EINVAL : -ENOMEM,
                         whole ? "found %" PRIu32 " members, expected at least "
                                 "colluders + 2"
                               : "out of memory for %" PRIu32 " sites",
                         members);
    }
    *study = s;
    return 0;
}

/* Alternates contribute and absorb, one site's vector being the sum. */
static int fit(struct task *task, const struct task_ops *ops,
               struct task_report *report, struct error *error)
{
    uint8_t seed[PRG_SEED_BYTES] = {0};
    struct prg prg;
    int status = -ENOMEM;
    void *state = calloc(1, ops->state_size(task) + 1);
    void *next = calloc(1, ops->state_size(task) + 1);
    void *memory = calloc(1, ops->memory_size(task) + 1);
    double *x = calloc(ops->length_max(task) + 1, sizeof *x);

    prg_seed(&prg, seed);
    if (state == NULL || next == NULL || memory == NULL || x == NULL) {
        error_set(error, status, "out of memory for the pooled fit");
        goto out;
    }
    ops->start(task, state);
    while (ops->shape(task, state).length > 0) {
        struct task_sum sum = {.values = x, .survivors = 1, .members = 1};
        status = ops->contribute(task, x, memory, state, &prg, error);
        if (status != 0)
            goto out;
        ops->absorb(task, next, state, &sum);
        task_settle(ops, task, next);
        void *swap = state;
        state = next;
        next = swap;
    }
    status = ops->report(task, state, report, error);
out:
    free(state);
    free(next);
    free(memory);
    free(x);
    return status;
}

int deal_pooled_fit(struct task_report *report, const struct study *study,
                    const struct dataset *const *datasets, uint32_t count,
                    struct error *error)
{
    struct task_spec spec = study->task;
    uint8_t seed[PRG_SEED_BYTES] = {0};
    struct dataset *pool;
    struct task *task;
    struct prg prg;

    spec.members = 1;
    prg_seed(&prg, seed);
    int status = deal_rows(&pool, 1, datasets, count, &prg, error);
    if (status != 0)
        return status;
    const struct task_ops *ops = task_find(&spec, error);
    status = -EINVAL;
    if (ops != NULL && (status = ops->open(&task, &spec, pool, error)) == 0) {
        status = fit(task, ops, report, error);
        ops->close(task);
    }
    dataset_free(pool);
    return status;
}
