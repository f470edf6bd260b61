#include "node/blend.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { RESENDS_PER_DEADLINE = 20, BALLOTS_PER_DEADLINE = 4 };

struct blend {
    const struct study *study;
    struct schedule *schedule;
    struct mix *mix;
    uint32_t stages;
    const struct mixing *now; /* of the step under way; NULL: exact */
    uint32_t in[MIX_NEIGHBOURS_MAX], out[MIX_NEIGHBOURS_MAX];
    size_t in_count, out_count, word_count;
    uint64_t *words; /* [words_max] this pod's, then the sum */
    double *values;  /* [words_max] the average */
    double distance; /* of what the newest was made of */
};

/* Pods ever heard or hearing, ascending. Returns their number, which may be
 * beyond the maximum. */
static size_t meet(uint32_t list[MIX_NEIGHBOURS_MAX], const struct study *s,
                   const struct schedule *schedule)
{
    const uint32_t self = s->pod, count = s->pod_count;
    size_t met = 0;

    for (uint32_t p = 0; p < count; p++) {
        bool meets = s->exact && p != self;
        for (size_t k = 0; !s->exact && k < schedule->count; k++) {
            const struct mixing *m = schedule->mixes[k];
            meets =
                meets || (p != self && (mixing_find(m, self, p) != SIZE_MAX ||
                                        mixing_find(m, p, self) != SIZE_MAX));
        }
        if (meets && met < MIX_NEIGHBOURS_MAX)
            list[met] = p;
        met += meets;
    }
    return met;
}

static int check_count(size_t count, const struct study *s, struct error *error)
{
    if (count <= MIX_NEIGHBOURS_MAX)
        return 0;
    return error_set(error, -EINVAL,
                     "%s: pods: found %zu neighbours of pod %u, expected "
                     "at most %d; choose a graph with fewer links",
                     s->path, count, s->pod, MIX_NEIGHBOURS_MAX);
}

int blend_neighbours(uint32_t list[MIX_NEIGHBOURS_MAX], size_t *count,
                     const struct study *study, struct error *error)
{
    struct schedule *schedule = schedule_new(&study->mixing);

    if (schedule == NULL)
        return error_set(error, -ENOMEM, "out of memory for the pods");
    *count = meet(list, study, schedule);
    schedule_free(schedule);
    return check_count(*count, study, error);
}

static int start_mix(struct blend *b, const struct blend_config *config,
                     struct error *error)
{
    const struct study *s = config->study;
    uint32_t list[MIX_NEIGHBOURS_MAX];
    const char *why;
    struct mix_config c = {
        .pod = s->pod,
        .self = config->self,
        .pod_count = s->pod_count,
        .pods = config->pods,
        .exact = s->exact,
        .stages = b->stages,
        .neighbours = list,
        .neighbour_count = meet(list, s, b->schedule),
        .words_max = config->words_max,
        .patience_ms = s->patience_ms,
        .resend_ms = s->deadline_ms / RESENDS_PER_DEADLINE + 1,
        .ballot_ms = s->deadline_ms / BALLOTS_PER_DEADLINE + 1,
        .verify = config->verify,
        .verify_context = config->verify_context};

    int code = check_count(c.neighbour_count, s, error);
    if (code != 0)
        return code;
    memcpy(c.network, config->network, sizeof c.network);
    memcpy(c.charter, config->charter, sizeof c.charter);
    memcpy(c.sign_secret, config->sign_secret, sizeof c.sign_secret);
    b->mix = mix_new(&c, config->saved == NULL ? NULL : config->saved->bytes,
                     config->saved == NULL ? 0 : config->saved->size, &why);
    sodium_memzero(c.sign_secret, sizeof c.sign_secret);
    return b->mix != NULL
               ? 0
               : error_set(error, -EINVAL, "%s: pods: %s", s->path, why);
}

int blend_new(struct blend **blend, const struct blend_config *config,
              struct error *error)
{
    struct blend *b = calloc(1, sizeof *b);
    int code = -ENOMEM;

    *blend = NULL;
    if (b == NULL)
        return error_set(error, code, "out of memory for the pods");
    b->study = config->study;
    b->stages = config->study->task.tracks ? 2 : 1;
    b->schedule = schedule_new(&config->study->mixing);
    b->words = calloc(config->words_max + 1, sizeof *b->words);
    b->values = calloc(config->words_max + 1, sizeof *b->values);
    if (b->schedule == NULL || b->words == NULL || b->values == NULL)
        error_set(error, code, "out of memory for the pods");
    else
        code = start_mix(b, config, error);
    if (code != 0)
        blend_free(b);
    else
        *blend = b;
    return code;
}

void blend_free(struct blend *b)
{
    if (b == NULL)
        return;
    mix_free(b->mix);
    schedule_free(b->schedule);
    free(b->words);
    free(b->values);
    free(b);
}

/* Whom this pod hears in a step, and who hears it. */
static void look(struct blend *b, uint64_t step)
{
    const uint32_t self = b->study->pod;

    b->now = b->study->exact ? NULL : schedule_at(b->schedule, step);
    b->in_count = b->out_count = 0;
    for (uint32_t p = 0; p < b->study->pod_count; p++) {
        if (p == self)
            continue;
        if (b->now == NULL || mixing_find(b->now, self, p) != SIZE_MAX)
            b->in[b->in_count++] = p;
        if (b->now == NULL || mixing_find(b->now, p, self) != SIZE_MAX)
            b->out[b->out_count++] = p;
    }
}

static void begin(struct blend *b, uint64_t round, uint32_t stage,
                  uint64_t now_ms)
{
    mix_begin(b->mix,
              &(struct mix_step){.round = round,
                                 .stage = stage,
                                 .in = b->in,
                                 .out = b->out,
                                 .in_count = b->in_count,
                                 .out_count = b->out_count,
                                 .words = b->words,
                                 .word_count = b->word_count},
              now_ms);
}

static uint64_t widen(const uint8_t *lane, size_t bytes)
{
    uint64_t word = 0;

    for (size_t k = 0; k < bytes; k++)
        word |= (uint64_t)lane[k] << 8 * k;
    return word;
}

void blend_lanes(struct blend *b, uint64_t round, const void *lanes,
                 size_t lane_bytes, size_t length, uint32_t count,
                 uint64_t now_ms)
{
    assert(lanes != NULL);
    look(b, round);
    for (size_t i = 0; i < length; i++)
        b->words[i] =
            widen((const uint8_t *)lanes + i * lane_bytes, lane_bytes);
    b->words[length] = count;
    b->word_count = length + 1;
    begin(b, round, 0, now_ms);
}

const uint64_t *blend_sum(struct blend *b, uint64_t *count)
{
    for (size_t i = 0; i < b->in_count; i++) {
        const uint64_t *other = mix_taken(b->mix, b->in[i]);
        if (other == NULL)
            return NULL;
        for (size_t k = 0; k < b->word_count; k++)
            b->words[k] += other[k];
    }
    *count = b->words[b->word_count - 1];
    return b->words;
}

/* A matrix of step k mixes the model that step k begins with; the tracker that
 * comes before it in a round is mixed by the step's before. */
void blend_values(struct blend *b, uint64_t round,
                  const struct fixed_region *region, const double *values,
                  uint64_t now_ms)
{
    _Static_assert(sizeof *values == sizeof *b->words, "a word holds one");

    look(b, round + region->stage + 1 - b->stages);
    memcpy(b->words, values, region->count * sizeof *values);
    b->word_count = region->count;
    begin(b, round, region->stage, now_ms);
}

static bool finite(const uint64_t *words, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        double value;
        memcpy(&value, &words[k], sizeof value);
        if (!isfinite(value))
            return false;
    }
    return true;
}

static void add(double *out, double weight, const uint64_t *words, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        double value;
        memcpy(&value, &words[k], sizeof value);
        out[k] += weight * value;
    }
}

static double apart(const uint64_t *a, const uint64_t *b, size_t count)
{
    double sum = 0;

    for (size_t k = 0; k < count; k++) {
        double values[2];
        memcpy(&values[0], &a[k], sizeof values[0]);
        memcpy(&values[1], &b[k], sizeof values[1]);
        sum += (values[0] - values[1]) * (values[0] - values[1]);
    }
    return sum;
}

/* In the order of the row; who is missing leaves its weight to this pod. */
void blend_average(struct blend *b, double *values)
{
    const struct mixing *m = b->now;
    const uint32_t self = b->study->pod;
    const uint64_t *from[MIX_NEIGHBOURS_MAX + 1] = {NULL};
    double own = 0;

    b->distance = 0;
    memset(b->values, 0, b->word_count * sizeof *b->values);
    for (size_t e = m->start[self]; e < m->start[self + 1]; e++) {
        const uint64_t **words = &from[e - m->start[self]];
        *words =
            m->column[e] == self ? b->words : mix_taken(b->mix, m->column[e]);
        if (*words != NULL && m->column[e] != self &&
            !finite(*words, b->word_count))
            *words = NULL;
        if (*words == NULL || m->column[e] == self)
            own += m->weight[e];
    }
    for (size_t e = m->start[self]; e < m->start[self + 1]; e++) {
        const uint64_t *words = from[e - m->start[self]];
        if (words == NULL)
            continue;
        add(b->values, words == b->words ? own : m->weight[e], words,
            b->word_count);
        if (words != b->words)
            b->distance += m->weight[e] * apart(words, b->words, b->word_count);
    }
    memcpy(values, b->values, b->word_count * sizeof *values);
}

double blend_distance(const struct blend *b)
{
    return b->distance;
}

struct mix *blend_mix(struct blend *b)
{
    return b->mix;
}

uint32_t blend_left_out(const struct blend *b, uint64_t *taken)
{
    struct mix_view view;
    uint32_t count = 0;

    mix_view(b->mix, &view);
    *taken = view.taken;
    for (size_t i = 0; i < b->in_count; i++)
        count += mix_taken(b->mix, b->in[i]) == NULL;
    return count;
}
