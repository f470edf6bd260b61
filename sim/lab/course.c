#include "sim/lab/course.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/kernel.h"
#include "sim/lab/chance.h"
#include "sim/lab/shard.h"
#include "sim/lab/spread.h"
#include "sim/lab/states.h"

enum {
    SPACING = 16 /* numbers between what two threads write */
};

struct course {
    struct course_plan plan;
    size_t n, d;
    struct spread spread;
    uint64_t step;
    struct alg_world world;            /* of this step */
    uint64_t *draws;                   /* [n] gradients in this step */
    struct states v[ALG_VECTORS_MAX];  /* [n, d] each */
    double *s;                         /* [n, scalars] */
    struct states send[ALG_SENDS_MAX]; /* [n, d] each, if it has a message */
    double *send_s;                    /* [n] */
    struct states next;                /* [n, d] instead: the new v[0] */
    double *link, *link_send;          /* [links, ...] */
    size_t *first;                     /* [n + 1] links of each node */
    uint32_t *neighbour;               /* [first[n]] */
    size_t *reverse;                   /* [first[n]] the same link, other end */
    double *scratch;                   /* [threads, scratch_size] */
    size_t scratch_size;
    double *mean[ALG_SENDS_MAX];    /* [d] for ALG_MEAN */
    double *partial;                /* [blocks, d + 1] */
    double *start_mean;             /* [d] */
    double *now, *then;             /* [n] virtual time */
    const struct mixing *mixing[3]; /* of this step, by enum alg_matrix */
    struct mixing *real[2];         /* owned, where faults change them */
    struct mixing *average;
    size_t phase;
    bool mixed;        /* next has W v[0] already */
    size_t at_meeting; /* row of plan.wake */
    double links;      /* of the matrix before */
    double vectors, bytes;
    double gradients; /* of this process's nodes */
    struct error *error;
};

/* Rows that are worth a thread of their own: some 10 microseconds. */
static size_t grain(const struct course *c)
{
    return 1 + 8192 / (c->d + 8);
}

static void run_rows(struct course *c, void (*work)(void *context, size_t from,
                                                    size_t to, size_t thread))
{
    spread_rows(&c->spread, c->plan.pool, grain(c), work, c);
}

/* Row i in place, or of single precision a copy; of any content if `blank`. */
static double *row_in(const struct states *x, size_t i, double *room,
                      bool blank)
{
    if (!x->single)
        return states_row(x, i);
    if (!blank)
        kernel_widen(room, states_row(x, i), x->d);
    return room;
}

/* A node's rows: in place, or, of single precision, a copy that end_node()
 * puts back. */
static void point_at(struct alg_node *a, struct course *c, size_t i,
                     size_t thread)
{
    const struct alg *alg = c->plan.alg;
    const size_t wide = states_width(c->d, false);
    const size_t copied = c->plan.single ? wide : 0;
    double *room = c->scratch + thread * c->scratch_size;

    *a = (struct alg_node){.set = &c->plan.setting,
                           .d = c->d,
                           .n = c->n,
                           .id = i,
                           .place = i,
                           .step = c->step,
                           .draws = c->draws[i],
                           .world = &c->world};
    for (size_t k = 0; k < ALG_SCRATCH; k++, room += wide)
        a->t[k] = room;
    for (size_t k = 0; k < ALG_SENDS_MAX; k++, room += wide)
        a->got[k] = room;
    for (size_t k = 0; k < alg->vectors; k++, room += copied)
        a->v[k] = row_in(&c->v[k], i, room, false);
    for (size_t k = 0; k < alg->sends && alg->message != NULL;
         k++, room += copied)
        a->send[k] = row_in(&c->send[k], i, room, alg->only_sends);
    if (alg->only_sends && c->plan.single)
        a->way.x = states_row(&c->v[0], i);
    a->got_s = room;
    a->way.single = c->plan.single;
    a->way.room = room + SPACING;
    a->s = c->s + i * alg->scalars;
    a->send_s = c->send_s + i;
    if (c->next.x != NULL && !c->plan.single)
        a->got[0] = states_row(&c->next, i);
    if (c->first == NULL)
        return;
    a->links = c->first[i + 1] - c->first[i];
    a->neighbour = c->neighbour + c->first[i];
    a->link = c->link + c->first[i] * alg->link_vectors * (c->d + 1);
    a->link_send = c->link_send + c->first[i] * (c->d + 1);
}

/* v[first] and on. What others may be reading meanwhile is left alone. */
static void put_back(const struct alg_node *a, struct course *c, size_t first,
                     bool sends)
{
    const struct alg *alg = c->plan.alg;
    const size_t i = (size_t)a->id;

    if (!c->plan.single)
        return;
    for (size_t k = first; k < alg->vectors; k++)
        states_write(&c->v[k], i, a->v[k]);
    for (size_t k = 0; k < alg->sends && alg->message != NULL && sends; k++)
        states_write(&c->send[k], i, a->send[k]);
}

static void end_node(const struct alg_node *a, struct course *c)
{
    put_back(a, c, 0, !c->plan.alg->only_sends);
}

static size_t place_of(const struct course *c, size_t token)
{
    const struct table *t = c->plan.placement;

    if (t == NULL) {
        struct chance chance =
            chance_of(c->plan.setting.seed, CHANCE_TOKENS, token, c->step);
        return (size_t)chance_below(&chance, c->plan.problem->n);
    }
    size_t row = (size_t)c->step * c->n + token;
    return row < t->rows ? (size_t)t->v[3 * row + 2] : 0;
}

static void begin_node(struct alg_node *a, struct course *c, size_t i,
                       size_t thread)
{
    point_at(a, c, i, thread);
    if (c->plan.alg->needs & ALG_ON_TOKENS)
        a->place = place_of(c, i);
}

static bool is_offline(const struct course *c, size_t i)
{
    return c->plan.faults != NULL && faults_offline(c->plan.faults, c->step, i);
}

static void message_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    for (size_t i = from; i < to; i++) {
        if (is_offline(c, i))
            continue;
        begin_node(&a, c, i, thread);
        c->plan.alg->message(&a, c->phase);
        put_back(&a, c, c->plan.alg->only_sends ? c->plan.alg->vectors : 0,
                 true);
    }
}

/* What liars say instead of what they are; room[d]. */
static void add_lies(struct course *c, double *got, const struct mixing *m,
                     size_t i, const struct states *sent, double *room)
{
    double lie;

    for (size_t e = m->start[i]; e < m->start[i + 1]; e++) {
        size_t j = m->column[e];
        if (j == i || !faults_lie(&lie, c->plan.faults, j, i))
            continue;
        const double *truth = states_read(sent, j, room);
        for (size_t k = 0; k < c->d; k++)
            got[k] += m->weight[e] * (lie - truth[k]);
    }
}

static const struct mixing *mixing_now(const struct course *c)
{
    return c->mixing[c->plan.alg->matrix[c->phase]];
}

static const struct states *sent_now(const struct course *c, size_t k)
{
    return c->plan.alg->message == NULL ? &c->v[0] : &c->send[k];
}

static void mix_row(struct course *c, struct alg_node *a, size_t i)
{
    const struct alg *alg = c->plan.alg;
    const struct mixing *m = mixing_now(c);
    const bool single = c->plan.single;

    for (size_t k = 0; k < alg->sends; k++) {
        const struct states *sent = sent_now(c, k);
        void *row = single ? (void *)a->t[0] : a->got[k];
        if (m->kind == MIXING_AVERAGE)
            alg_copy(a->got[k], c->mean[k], c->d);
        else if (c->mixed && single)
            kernel_widen(a->got[k], states_row(&c->next, i), c->d);
        if (m->kind == MIXING_AVERAGE || c->mixed)
            continue;
        mixing_columns(row, m, i, sent->x, sent->stride, sent->width, single);
        if (single)
            kernel_widen(a->got[k], row, c->d);
        if (c->plan.faults != NULL && c->plan.faults->liar != NULL)
            add_lies(c, a->got[k], m, i, sent, a->t[0]);
    }
    if (alg->scalar_sends > 0 && m->kind == MIXING_AVERAGE)
        a->got_s[0] = 1;
    else if (alg->scalar_sends > 0)
        mixing_row(a->got_s, m, i, c->send_s, 1);
}

static void combine_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    const struct alg *alg = c->plan.alg;
    struct alg_node a;

    for (size_t i = from; i < to; i++) {
        begin_node(&a, c, i, thread);
        mix_row(c, &a, i);
        const bool offline = is_offline(c, i);
        if (alg->combine != NULL && !offline)
            alg->combine(&a, c->phase);
        put_back(&a, c, alg->message == NULL, false);
        if (alg->message == NULL && alg->sends > 0)
            states_write(&c->next, i, a.got[0]);
        else if (alg->combine == NULL && !offline)
            states_write(&c->v[0], i, a.got[0]);
    }
}

/* What is got is the new state, and nothing stands in between. */
static void mix_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    const bool own = c->plan.alg->message == NULL;

    (void)thread;
    states_mix(own ? &c->next : &c->v[0], mixing_now(c), sent_now(c, 0), from,
               to);
}

static void save_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;

    (void)thread;
    states_save(&c->next, mixing_now(c), &c->v[0], from, to);
}

static void shift_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;

    (void)thread;
    states_shift(&c->v[0], mixing_now(c), &c->next, from, to);
}

static bool only_mixes(const struct course *c)
{
    const struct alg *alg = c->plan.alg;

    return alg->combine == NULL && alg->sends == 1 && alg->scalar_sends == 0 &&
           mixing_now(c)->kind != MIXING_AVERAGE && c->plan.faults == NULL;
}

/* Whether all rows of W v[0] are better made at once, before each node goes on
 * with its own. */
static bool mixes_first(const struct course *c)
{
    const struct alg *alg = c->plan.alg;

    return alg->message == NULL && alg->combine != NULL && alg->sends == 1 &&
           mixing_now(c)->kind != MIXING_AVERAGE && c->plan.faults == NULL &&
           states_sliced(&c->v[0]);
}

struct sum {
    struct course *c;
    const struct states *x;
    const double *mean;
    const bool *without; /* rows that do not count */
};

static void sum_blocks(void *context, size_t from, size_t to, size_t thread)
{
    const struct sum *s = context;
    const struct spread *spread = &s->c->spread;
    const size_t d = s->c->d;
    double *room = s->c->scratch + thread * s->c->scratch_size;

    for (size_t b = from; b < to; b++) {
        double *sum = s->c->partial + b * (d + 1);
        if (spread_begins(spread, b))
            memset(sum, 0, (d + 1) * sizeof *sum);
        for (size_t i = spread_first(spread, b); i < spread_last(spread, b);
             i++) {
            if (s->without != NULL && s->without[i])
                continue;
            alg_add(sum, sum, 1, states_read(s->x, i, room), d);
            sum[d] += 1;
        }
    }
}

static void mean_of(double *mean, struct course *c, const struct states *x,
                    const bool *without)
{
    const size_t d = c->d, blocks = c->spread.blocks[c->spread.ranks];
    struct sum sum = {c, x, NULL, without};
    double count = 0;

    spread_blocks(&c->spread, c->plan.pool, c->partial, d + 1, sum_blocks,
                  &sum);
    memset(mean, 0, d * sizeof *mean);
    for (size_t b = 0; b < blocks; b++) {
        alg_add(mean, mean, 1, c->partial + b * (d + 1), d);
        count += c->partial[b * (d + 1) + d];
    }
    for (size_t k = 0; k < d; k++)
        mean[k] /= count;
}

/* The matrices of this step: [ALG_W], [ALG_COLUMNS], [ALG_MEAN]. */
static int take_matrices(struct course *c)
{
    const struct course_plan *p = &c->plan;
    struct sequence *both[2] = {p->mixes, p->columns};

    for (size_t k = 0; k < 2; k++) {
        mixing_free(c->real[k]);
        c->real[k] = NULL;
        if (k == 1 && both[1] == NULL) {
            c->mixing[1] = c->mixing[0];
            continue;
        }
        c->mixing[k] = sequence_at(both[k], c->step);
        if (c->mixing[k] == NULL)
            return -ENOMEM;
        const bool lies = p->faults != NULL && p->faults->liar != NULL &&
                          c->mixing[k]->kind == MIXING_CIRCULANT;
        if (!lies && (p->faults == NULL || faults_none(p->faults)))
            continue;
        c->real[k] = faults_mixing(p->faults, c->mixing[k], c->step, p->rule);
        if ((c->mixing[k] = c->real[k]) == NULL)
            return -ENOMEM;
    }
    c->mixing[ALG_MEAN] = c->average;
    c->world.mixing = c->mixing[ALG_W];
    return 0;
}

static bool has_clock(const struct course *c)
{
    return c->plan.clock != NULL && c->plan.clock->on;
}

/* What goes along a link in an exchange. */
static double link_bytes(const struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const double bits = compress_bits(&c->plan.setting.compressor, c->d);

    return ((double)(alg->sends + alg->link_sends) * bits +
            64 * (double)alg->scalar_sends) /
           8;
}

static struct clock_turn turn_now(const struct course *c)
{
    return (struct clock_turn){.seed = c->plan.setting.seed,
                               .step = c->step,
                               .bytes = link_bytes(c),
                               .computes = c->phase == 0};
}

static void count_sent(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const struct mixing *m = c->mixing[alg->matrix[c->phase]];
    const bool fixed = c->plan.mixes->kind == SEQUENCE_CYCLE &&
                       c->plan.mixes->count == 1 && c->plan.columns == NULL &&
                       c->plan.faults == NULL;
    double links = fixed && c->step > 0 ? c->links : (double)mixing_links(m);

    c->links = links;
    if (alg->matrix[c->phase] == ALG_MEAN)
        links = 2 * (double)c->n; /* to the sum and back */
    if (c->plan.faults != NULL &&
        (c->plan.faults->drop.rows > 0 || c->plan.faults->loss > 0))
        links = (double)mixing_links(sequence_at(c->plan.mixes, c->step));
    double sends = (double)(alg->sends + alg->link_sends);
    c->vectors += links * sends;
    c->bytes += links * link_bytes(c);
}

/* What the nodes of other processes hear of ours, and ours of theirs. */
static void exchange(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const struct mixing *m = mixing_now(c);
    const struct halo_links links = {c->first, c->neighbour};
    const bool fixed = c->plan.mixes->kind == SEQUENCE_CYCLE &&
                       c->real[0] == NULL && c->real[1] == NULL;
    const struct halo *halo = spread_halo(&c->spread, m, &links, fixed);

    if (halo == NULL)
        return;
    for (size_t k = 0; k < alg->sends; k++) {
        const struct states *sent = sent_now(c, k);
        shard_exchange(halo, sent->x, NULL, states_row_size(sent));
    }
    if (alg->scalar_sends > 0)
        shard_exchange(halo, c->send_s, NULL, sizeof *c->send_s);
    if (alg->link_sends)
        shard_exchange(halo, c->link_send, c->first,
                       (c->d + 1) * sizeof *c->link_send);
}

static void run_phase(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const bool *liar = c->plan.faults == NULL ? NULL : c->plan.faults->liar;

    if (alg->message != NULL)
        run_rows(c, message_rows);
    if (mixing_now(c)->kind == MIXING_AVERAGE)
        for (size_t k = 0; k < alg->sends; k++)
            mean_of(c->mean[k], c, sent_now(c, k), liar);
    exchange(c);
    if (only_mixes(c) && alg->message == NULL && states_shifts(mixing_now(c))) {
        run_rows(c, save_rows);
        run_rows(c, shift_rows);
        count_sent(c);
        return;
    }
    c->mixed = mixes_first(c);
    if (c->mixed)
        run_rows(c, mix_rows);
    run_rows(c, only_mixes(c) ? mix_rows : combine_rows);
    if (alg->message == NULL && alg->sends > 0) {
        struct states old = c->v[0];
        c->v[0] = c->next;
        c->next = old;
    }
    count_sent(c);
}

/* Each node at its own pace: the one that is done first; of several the first
 * by number. */
static size_t next_awake(const struct course *c)
{
    size_t first = 0;

    for (size_t i = 1; i < c->n; i++)
        if (c->then[i] < c->then[first])
            first = i;
    return first;
}

static bool is_free(const struct course *c)
{
    return has_clock(c) && c->plan.clock->barrier == CLOCK_NONE;
}

/* then[i]: when i will be done computing, a function of now[i] alone, so that a
 * run goes on from its states and now[]. */
static void set_done(struct course *c, size_t i)
{
    struct clock_turn turn = turn_now(c);

    memcpy(&turn.step, &c->now[i], sizeof turn.step);
    c->then[i] = c->now[i] + clock_compute(c->plan.clock, &turn, i);
}

/* Meeting b, a waits for what it sends to come back; b does not, but where
 * there is a barrier. */
static void pass_time(struct course *c, size_t a, size_t b, uint64_t tick)
{
    struct clock_turn turn = turn_now(c);
    const struct clock_laws *laws = c->plan.clock;

    if (!has_clock(c))
        return;
    turn.step = tick;
    turn.bytes = 8 * (double)c->d;
    const double trip = a == b ? 0
                               : clock_travel(laws, &turn, a, b) +
                                     clock_travel(laws, &turn, b, a);
    if (is_free(c)) {
        c->now[a] = c->then[a] + trip;
        set_done(c, a);
        return;
    }
    const double met =
        fmax(c->now[a], c->now[b]) + clock_compute(laws, &turn, a) + trip / 2;
    for (size_t i = 0; laws->barrier == CLOCK_GLOBAL && i < c->n; i++)
        c->now[i] = met;
    c->now[a] = c->now[b] = met;
}

/* The next pair: from the schedule, or a node (by chance, each alike, or by the
 * clock) and a neighbour of it by chance. */
static int next_pair(size_t pair[2], struct course *c, uint64_t tick)
{
    const struct table *t = c->plan.wake;
    const struct mixing *m = c->mixing[ALG_W];

    if (t != NULL) {
        if (c->at_meeting == t->rows)
            return error_set(c->error, -EINVAL,
                             "wake: found %zu meetings, expected more for this "
                             "many steps",
                             t->rows);
        pair[0] = (size_t)t->v[3 * c->at_meeting + 1];
        pair[1] = (size_t)t->v[3 * c->at_meeting++ + 2];
        return 0;
    }
    struct chance chance =
        chance_of(c->plan.setting.seed, CHANCE_MEET, 0, tick);
    size_t i = (size_t)chance_below(&chance, c->n);
    if (is_free(c))
        i = next_awake(c);
    size_t others = m->start[i + 1] - m->start[i] - 1;
    pair[0] = pair[1] = i;
    if (others == 0)
        return 0;
    size_t e = m->start[i] + (size_t)chance_below(&chance, others);
    pair[1] = m->column[e] == i || (m->column[e] > i) ? m->column[e + 1]
                                                      : m->column[e];
    return 0;
}

/* Both are there and hear each other; faults are those of the step. */
static bool can_meet(const struct course *c, size_t a, size_t b)
{
    const struct faults *f = c->plan.faults;

    return f == NULL ||
           !(faults_offline(f, c->step, a) || faults_offline(f, c->step, b) ||
             faults_lost(f, c->step, a, b) || faults_lost(f, c->step, b, a));
}

static int run_meetings(struct course *c)
{
    const size_t count = c->plan.alg->one_a_step ? 1 : c->n;
    struct alg_node a, b;
    size_t pair[2] = {0, 0};

    for (size_t i = 0; is_free(c) && i < c->n; i++)
        set_done(c, i);
    for (size_t k = 0; k < count; k++) {
        int code = next_pair(pair, c, c->step * count + k);
        if (code != 0)
            return code;
        pass_time(c, pair[0], pair[1], c->step * count + k);
        if (pair[0] == pair[1] || !can_meet(c, pair[0], pair[1]))
            continue;
        begin_node(&a, c, pair[0], 0);
        begin_node(&b, c, pair[1], pool_threads(c->plan.pool));
        c->plan.alg->meet(&a, &b);
        end_node(&a, c);
        end_node(&b, c);
        c->vectors += 2;
        c->bytes += 16 * (double)c->d;
    }
    return 0;
}

static void count_gradients(struct course *c)
{
    if (c->plan.problem->kind == PROBLEM_CONSENSUS)
        return;
    for (size_t i = c->spread.from; i < c->spread.to; i++) {
        c->gradients += (double)c->draws[i];
        c->draws[i] = 0;
    }
}

/* Into process 0. */
static void gather_gradients(struct course *c)
{
    if (c->spread.ranks == 1)
        return;
    const double all = shard_sum(c->gradients);
    c->gradients = shard_rank() == 0 ? all : 0;
}

static int run_clock(struct course *c)
{
    const struct clock_turn turn = turn_now(c);

    if (!has_clock(c))
        return 0;
    struct mixing *sparse =
        mixing_sparse(c->mixing[c->plan.alg->matrix[c->phase]]);
    if (sparse == NULL)
        return -ENOMEM;
    clock_round(c->now, c->then, c->plan.clock, &turn, sparse);
    mixing_free(sparse);
    return 0;
}

int course_step(struct course *c, struct error *error)
{
    const struct alg *alg = c->plan.alg;
    int code = take_matrices(c);

    c->error = error;
    if (code == 0 && alg->meet != NULL)
        code = run_meetings(c);
    for (c->phase = 0; code == 0 && alg->meet == NULL &&
                       c->phase < (alg->phases == 0 ? 1 : alg->phases);
         c->phase++) {
        run_phase(c);
        code = run_clock(c);
    }
    c->phase = 0;
    if (code == -ENOMEM)
        error_set(error, code, "%s: out of memory", alg->name);
    if (code != 0 && c->spread.ranks > 1)
        shard_stop(error->text); /* the others wait for our messages */
    if (code != 0)
        return code;
    count_gradients(c);
    c->step++;
    return 0;
}

static void square_blocks(void *context, size_t from, size_t to, size_t thread)
{
    const struct sum *s = context;
    const struct course *c = s->c;
    const size_t d = c->d;
    const double *best = c->plan.problem->best;
    double *room = c->scratch + thread * c->scratch_size;
    for (size_t b = from; b < to; b++) {
        const bool begins = spread_begins(&c->spread, b);
        double *sums = c->partial + b * (d + 1);
        double cons = begins ? 0 : sums[0], err = begins ? 0 : sums[1];
        for (size_t i = spread_first(&c->spread, b);
             i < spread_last(&c->spread, b); i++) {
            const double *x = states_read(&c->v[0], i, room);
            for (size_t k = 0; k < d && (s->without == NULL || !s->without[i]);
                 k++) {
                double off = x[k] - s->mean[k];
                cons += off * off;
                off = best == NULL ? off : x[k] - best[k];
                err += off * off;
            }
        }
        sums[0] = cons;
        sums[1] = err;
    }
}

static void measure_mass(struct course_row *row, const struct course *c)
{
    double *room = c->scratch, all[] = {0, HUGE_VAL, -HUGE_VAL, 0};
    const bool spread = c->spread.ranks > 1;

    if (spread)
        shard_before(all, 4);
    for (size_t i = c->spread.from; i < c->spread.to; i++) {
        double w = c->s[i * c->plan.alg->scalars];
        all[0] += w;
        all[1] = fmin(all[1], w);
        all[2] = fmax(all[2], w);
        all[3] += states_read(&c->v[1], i, room)[0];
    }
    if (spread) {
        shard_next(all, 4);
        shard_tell(all, sizeof all, c->spread.ranks - 1);
    }
    row->mass = all[0];
    row->least = all[1];
    row->most = all[2];
    row->sum = all[3];
}

static void measure_clock(struct course_row *row, const struct course *c)
{
    row->clock_min = row->clock_max = c->now[0];
    for (size_t i = 0; i < c->n; i++) {
        row->clock_min = fmin(row->clock_min, c->now[i]);
        row->clock_max = fmax(row->clock_max, c->now[i]);
        row->clock_mean += c->now[i] / (double)c->n;
    }
}

void course_measure(struct course_row *row, struct course *c)
{
    const struct problem *p = c->plan.problem;
    const bool *liar = c->plan.faults == NULL ? NULL : c->plan.faults->liar;
    const size_t blocks = c->spread.blocks[c->spread.ranks];
    double *mean = c->mean[0], count = 0;
    struct sum sum = {c, &c->v[0], mean, liar};

    gather_gradients(c);
    *row = (struct course_row){.step = c->step,
                               .vectors = c->vectors,
                               .bytes = c->bytes,
                               .gradients = c->gradients};
    mean_of(mean, c, &c->v[0], liar);
    spread_blocks(&c->spread, c->plan.pool, c->partial, c->d + 1, square_blocks,
                  &sum);
    for (size_t b = 0; b < blocks; b++) {
        row->cons += c->partial[b * (c->d + 1)];
        row->err += c->partial[b * (c->d + 1) + 1];
    }
    for (size_t i = 0; i < c->n; i++)
        count += liar == NULL || !liar[i];
    row->cons /= count;
    row->err /= count;
    row->mean = mean[0];
    row->mse = row->cons;
    for (size_t k = 0; k < c->d; k++)
        row->mse += (mean[k] - c->start_mean[k]) * (mean[k] - c->start_mean[k]);
    if (p->kind != PROBLEM_CONSENSUS && shard_rank() == 0)
        row->gap = problem_value(p, mean) - p->best_value;
    if (c->plan.alg->scalar_sends > 0)
        measure_mass(row, c);
    measure_clock(row, c);
}

static void init_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    for (size_t i = from; i < to; i++) {
        begin_node(&a, c, i, thread);
        alg_copy(a.v[0], c->plan.problem->init + a.place * c->d, c->d);
        if (c->plan.alg->init != NULL)
            c->plan.alg->init(&a);
        end_node(&a, c);
    }
}

static void settle_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    for (size_t i = from; i < to; i++) {
        begin_node(&a, c, i, thread);
        alg_copy(a.got[0], c->mean[0], c->d);
        c->plan.alg->settle(&a);
        end_node(&a, c);
    }
}

/* Off-diagonal entries of the first matrix, and where each lies in the other
 * end's row. */
static int fill_links(struct course *c)
{
    const struct mixing *m = sequence_at(c->plan.mixes, 0);
    struct graph *g = m == NULL ? NULL : mixing_graph(m);

    if (g == NULL)
        return -ENOMEM;
    c->first = g->start;
    c->neighbour = g->to;
    const size_t links = g->start[g->n], width = c->d + 1;
    free(g);
    c->reverse = malloc((links + 1) * sizeof *c->reverse);
    c->link =
        calloc(links * c->plan.alg->link_vectors * width + 1, sizeof *c->link);
    c->link_send = calloc(links * width + 1, sizeof *c->link_send);
    if (c->reverse == NULL || c->link == NULL || c->link_send == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < c->n; i++)
        for (size_t e = c->first[i]; e < c->first[i + 1]; e++) {
            size_t j = c->neighbour[e], back = c->first[j];
            while (c->neighbour[back] != i)
                back++;
            c->reverse[e] = back;
        }
    return 0;
}

static bool allocate(double **to, size_t count)
{
    *to = states_room((count + 1) * sizeof **to);
    return *to != NULL;
}

static bool allocate_states(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const bool single = c->plan.single;
    const size_t from = c->spread.from, to = c->spread.to;
    bool fine = true;

    for (size_t k = 0; k < alg->vectors; k++)
        fine = fine && states_part(&c->v[k], c->n, c->d, single, from, to) == 0;
    for (size_t k = 0; k < alg->sends && alg->message != NULL; k++)
        fine =
            fine && states_part(&c->send[k], c->n, c->d, single, from, to) == 0;
    if (alg->message == NULL && alg->sends > 0)
        fine = fine && states_part(&c->next, c->n, c->d, single, from, to) == 0;
    return fine;
}

/* See point_at(). One more than the threads: a meeting is of two nodes. */
static bool allocate_scratch(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const size_t rows = ALG_SCRATCH + ALG_SENDS_MAX +
                        (c->plan.single ? alg->vectors + alg->sends : 0);
    const size_t size = rows * states_width(c->d, false) +
                        problem_room(c->plan.problem) + 2 * (size_t)SPACING;

    c->scratch_size = (size / SPACING + 1) * SPACING;
    return allocate(&c->scratch,
                    (pool_threads(c->plan.pool) + 1) * c->scratch_size);
}

static int make_room(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const size_t n = c->n, d = c->d;
    bool fine = spread_new(&c->spread, n, alg->meet != NULL) == 0;
    const size_t blocks = fine ? c->spread.blocks[c->spread.ranks] : 0;

    fine = fine && allocate_states(c) && allocate_scratch(c);

    for (size_t k = 0; k < ALG_SENDS_MAX; k++)
        fine = fine && allocate(&c->mean[k], d);
    fine = fine && allocate(&c->s, n * alg->scalars) &&
           allocate(&c->send_s, n) &&
           allocate(&c->partial, blocks * (d + 1) + 1) &&
           allocate(&c->start_mean, d) && allocate(&c->now, n) &&
           allocate(&c->then, n);
    c->draws = calloc(n, sizeof *c->draws);
    c->average = mixing_average(n);
    if (!fine || c->draws == NULL || c->average == NULL)
        return -ENOMEM;
    return (alg->needs & ALG_LINKS) != 0 ? fill_links(c) : 0;
}

double course_bytes(const struct course_plan *plan)
{
    const struct alg *alg = plan->alg;
    const size_t messages = alg->message == NULL ? alg->sends > 0 : alg->sends;
    const size_t d = plan->problem->d;
    const double all = (double)states_bytes(plan->mixes->n, d, plan->single);
    double links = 0;

    if ((alg->needs & ALG_LINKS) != 0 && plan->mixes->count > 0)
        links = (double)mixing_links(plan->mixes->mixes[0]);
    return all * (double)(alg->vectors + messages) +
           8 * (double)d * links * (double)(alg->link_vectors + 1);
}

int course_new(struct course **course, const struct course_plan *plan,
               struct error *error)
{
    struct course *c = calloc(1, sizeof *c);

    *course = NULL;
    if (c == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", plan->alg->name);
    c->plan = *plan;
    c->n = plan->mixes->n;
    c->d = plan->problem->d;
    int code = make_room(c);
    if (code != 0)
        error_set(error, code, "%s: out of memory for %zu nodes of %zu numbers",
                  plan->alg->name, plan->mixes->n, plan->problem->d);
    code = shard_agree(code, error);
    if (code != 0) {
        course_free(c);
        return code;
    }
    c->world = (struct alg_world){
        .problem = plan->problem,
        .faults = plan->faults,
        .sent = &c->send[0],
        .first = c->first,
        .reverse = c->reverse,
        .link_send = plan->alg->link_sends ? c->link_send : NULL,
        .draws = c->draws};
    run_rows(c, init_rows);
    if (plan->alg->settle != NULL) {
        mean_of(c->mean[0], c, &c->send[0], NULL);
        run_rows(c, settle_rows);
    }
    count_gradients(c);
    mean_of(c->start_mean, c, &c->v[0],
            plan->faults == NULL ? NULL : plan->faults->liar);
    *course = c;
    return 0;
}

void course_free(struct course *c)
{
    if (c == NULL)
        return;
    spread_free(&c->spread);
    for (size_t k = 0; k < ALG_VECTORS_MAX; k++)
        states_free(&c->v[k]);
    for (size_t k = 0; k < ALG_SENDS_MAX; k++) {
        states_free(&c->send[k]);
        free(c->mean[k]);
    }
    for (size_t k = 0; k < 2; k++)
        mixing_free(c->real[k]);
    mixing_free(c->average);
    free(c->s);
    free(c->send_s);
    states_free(&c->next);
    free(c->link);
    free(c->link_send);
    free(c->first);
    free(c->neighbour);
    free(c->reverse);
    free(c->scratch);
    free(c->partial);
    free(c->start_mean);
    free(c->now);
    free(c->then);
    free(c->draws);
    free(c);
}

struct pieces {
    struct course_piece *all;
    size_t count;
    bool spread;
};

static void add_piece(struct pieces *p, void *at, size_t size,
                      enum course_share share)
{
    assert(p->count < COURSE_PIECES_MAX);
    p->all[p->count++] = (struct course_piece){
        .at = at, .size = size, .share = p->spread ? share : COURSE_ALL};
}

static void add_rows(struct pieces *p, const struct course *c, void *at,
                     size_t unit, const size_t *first)
{
    const size_t units = first == NULL ? c->n : first[c->n];

    if (at == NULL || units * unit == 0)
        return;
    add_piece(p, at, units * unit, COURSE_ROWS);
    p->all[p->count - 1].unit = unit;
    p->all[p->count - 1].first = first;
}

/* Messages too: a node that is offline leaves its last one. */
size_t course_pieces(struct course_piece pieces[COURSE_PIECES_MAX],
                     struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const size_t link = (c->d + 1) * sizeof *c->link;
    struct pieces p = {pieces, 0, c->spread.ranks > 1};

    gather_gradients(c);
    add_piece(&p, &c->gradients, sizeof c->gradients, COURSE_FIRST);
    add_piece(&p, &c->step, sizeof c->step, COURSE_ALL);
    add_piece(&p, &c->at_meeting, sizeof c->at_meeting, COURSE_ALL);
    add_piece(&p, &c->links, sizeof c->links, COURSE_ALL);
    add_piece(&p, &c->vectors, sizeof c->vectors, COURSE_ALL);
    add_piece(&p, &c->bytes, sizeof c->bytes, COURSE_ALL);
    add_piece(&p, c->now, c->n * sizeof *c->now, COURSE_ALL);
    add_piece(&p, c->then, c->n * sizeof *c->then, COURSE_ALL);
    for (size_t k = 0; k < alg->vectors; k++)
        add_rows(&p, c, c->v[k].x, states_row_size(&c->v[k]), NULL);
    for (size_t k = 0; k < alg->sends; k++)
        add_rows(&p, c, c->send[k].x, states_row_size(&c->send[k]), NULL);
    add_rows(&p, c, c->s, alg->scalars * sizeof *c->s, NULL);
    add_rows(&p, c, c->send_s, sizeof *c->send_s, NULL);
    if (c->first != NULL) {
        add_rows(&p, c, c->link, alg->link_vectors * link, c->first);
        add_rows(&p, c, c->link_send, link, c->first);
    }
    return p.count;
}

size_t course_part(void **at, const struct course_piece *p,
                   const struct course *c, size_t rank)
{
    const struct spread *s = &c->spread;

    if (rank >= s->ranks)
        return 0;
    size_t from = s->start[rank], to = s->start[rank + 1];
    if (p->first != NULL) {
        from = p->first[from];
        to = p->first[to];
    }
    *at = (char *)p->at + from * p->unit;
    return (to - from) * p->unit;
}

const double *course_state(const struct course *c, size_t i)
{
    return course_vector(c, 0, i);
}

size_t course_rows(const struct course *c)
{
    return c->n;
}

const double *course_vector(const struct course *c, size_t v, size_t i)
{
    assert(v < c->plan.alg->vectors && i < c->n);
    return states_read(&c->v[v], i, c->scratch);
}
