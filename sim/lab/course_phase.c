#include "sim/lab/course_phase.h"

#include "gossip/kernel.h"
#include "sim/lab/course_clock.h"
#include "sim/lab/course_node.h"
#include "sim/lab/course_sums.h"
#include "sim/lab/shard.h"

static void message_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    course_node_open(&a, c, thread);
    for (size_t i = from; i < to; i++) {
        if (course_node_offline(c, i))
            continue;
        course_node_begin(&a, c, i);
        c->plan.alg->message(&a, c->phase);
        course_node_put(
            &a, c, c->plan.alg->only_sends ? c->plan.alg->vectors : 0, true);
    }
}

/* The same without a copy in double precision. */
static void descend_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    course_node_open(&a, c, thread);
    for (size_t i = from; i < to; i++) {
        if (course_node_offline(c, i))
            continue;
        course_node_name(&a, c, i);
        alg_descend(&a, states_row(&c->send[0], i), states_row(&c->v[0], i));
    }
}

static bool descends(const struct course *c)
{
    const struct alg_setting *set = &c->plan.setting;

    return c->plan.single && c->plan.alg->descends && set->local_steps == 1 &&
           !(set->mu > 0) && problem_descends(c->plan.problem);
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

    course_node_open(&a, c, thread);
    for (size_t i = from; i < to; i++) {
        course_node_begin(&a, c, i);
        mix_row(c, &a, i);
        const bool offline = course_node_offline(c, i);
        if (alg->combine != NULL && !offline)
            alg->combine(&a, c->phase);
        course_node_put(&a, c, alg->message == NULL, false);
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

static bool only_mixes(const struct course *c)
{
    const struct alg *alg = c->plan.alg;

    return alg->combine == NULL && alg->sends == 1 && alg->scalar_sends == 0 &&
           mixing_now(c)->kind != MIXING_AVERAGE && c->plan.faults == NULL;
}

/* Whether all rows of W v[0] are better made at once, before each node goes on
 * with its own: what that reads would drive the states out of the cache. */
static bool mixes_first(const struct course *c)
{
    const struct alg *alg = c->plan.alg;

    return alg->message == NULL && alg->combine != NULL && alg->sends == 1 &&
           mixing_now(c)->kind != MIXING_AVERAGE && c->plan.faults == NULL &&
           states_far(&c->v[0]);
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
    c->bytes += links * course_clock_bytes(c);
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

static void save_rows(void *context, size_t from, size_t to, size_t thread)
{
    shift_save(&((struct course *)context)->shift, from, to, thread);
}

static void shift_rows(void *context, size_t from, size_t to, size_t thread)
{
    shift_pass(&((struct course *)context)->shift, from, to, thread);
}

size_t course_phase_shift(struct course *c, size_t most)
{
    const struct mixing *mixings[SHIFT_ROUNDS_MAX];

    most = most < SHIFT_ROUNDS_MAX ? most : SHIFT_ROUNDS_MAX;
    for (size_t k = 0; k < most; k++)
        mixings[k] = sequence_at(c->plan.mixes, c->step + k);
    shift_plan(&c->shift, &c->v[0], mixings, most);
    course_node_run(c, save_rows);
    course_node_run(c, shift_rows);
    for (size_t k = 0; k < c->shift.count; k++) {
        c->mixing[ALG_W] = mixings[k];
        count_sent(c);
    }
    return c->shift.count;
}

void course_phase_run(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const bool *liar = c->plan.faults == NULL ? NULL : c->plan.faults->liar;

    if (c->shift.room != NULL) {
        course_phase_shift(c, 1);
        return;
    }
    if (alg->message != NULL)
        course_node_run(c, descends(c) ? descend_rows : message_rows);
    if (mixing_now(c)->kind == MIXING_AVERAGE)
        for (size_t k = 0; k < alg->sends; k++)
            course_sums_mean(c->mean[k], c, sent_now(c, k), liar);
    exchange(c);
    c->mixed = mixes_first(c);
    if (c->mixed)
        course_node_run(c, mix_rows);
    course_node_run(c, only_mixes(c) ? mix_rows : combine_rows);
    if (alg->message == NULL && alg->sends > 0) {
        struct states old = c->v[0];
        c->v[0] = c->next;
        c->next = old;
    }
    count_sent(c);
}
