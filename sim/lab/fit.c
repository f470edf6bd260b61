#include "sim/lab/fit.h"

#include <errno.h>
#include <math.h>

#include "sim/lab/spectrum.h"

static int refuse(const struct plan *p, const struct experiment_entry *entry,
                  const char *found, const char *expected, struct error *error)
{
    return error_set(error, -EINVAL, "%s:%u: %s: found %s, expected %s",
                     p->experiment->path, entry->line, entry->label, found,
                     expected);
}

static int check_compressor(const struct plan *p,
                            const struct experiment_entry *entry,
                            struct error *error)
{
    const size_t k = entry->setting.compressor.k, d = p->problem.d;

    return k <= d ? 0
                  : error_set(error, -EINVAL,
                              "%s:%u: %s: found k: %zu, expected at most %zu, "
                              "the coordinates there are",
                              p->experiment->path, entry->line, entry->label, k,
                              d);
}

/* Without a barrier a node would mix with whatever it last heard, which is
 * another algorithm: clocks alone that drift apart would time what no network
 * computes. */
static int check_barrier(const struct plan *p,
                         const struct experiment_entry *entry,
                         struct error *error)
{
    const bool free = p->clock.on && p->clock.barrier == CLOCK_NONE;

    return !free || entry->alg->meet != NULL
               ? 0
               : error_set(error, -EINVAL,
                           "%s:%u: %s: found barrier: none, expected it with "
                           "pairwise and adpsgd only, as all others wait for "
                           "this step's messages; use barrier: neighbourhood",
                           p->experiment->path, entry->line, entry->label);
}

/* Enough meetings for every step, each along a link. */
static int check_wake(const struct plan_run *run, const struct plan *p,
                      const struct experiment_entry *entry, struct error *error)
{
    const struct experiment *e = p->experiment;
    const struct table *t = run->course.wake;
    const size_t each = entry->alg->one_a_step ? 1 : p->n;

    if (t == NULL || (entry->alg->needs & ALG_MEETINGS) == 0)
        return 0;
    if (t->rows / each < e->steps)
        return error_set(error, -EINVAL,
                         "%s:%u: %s: found %zu meetings, expected %llu: %zu in "
                         "each step",
                         e->path, entry->line, entry->label, t->rows,
                         (unsigned long long)e->steps * each, each);
    const struct sequence *s = run->course.mixes;
    const struct mixing *m =
        s->kind == SEQUENCE_CYCLE && s->count == 1 ? s->mixes[0] : NULL;
    for (size_t r = 0; r < t->rows; r++) {
        const size_t i = (size_t)t->v[3 * r + 1], j = (size_t)t->v[3 * r + 2];
        const bool link = m == NULL || m->kind == MIXING_AVERAGE ||
                          mixing_find(m, i, j) != SIZE_MAX;
        if (i == j || !link)
            return error_set(error, -EINVAL,
                             "%s:%u: found a meeting of %zu and %zu, expected "
                             "two nodes that a link joins",
                             e->wake, t->line[r], i, j);
    }
    return 0;
}

static bool is_offline(const struct faults *f)
{
    return f->offline.rows > 0 || f->away > 0;
}

/* What is sent to each link alone, to one other or into an exact mean is
 * nobody's to replace; an exact mean waits for all; a copy that has missed a
 * difference stays wrong. */
static int check_faults(const struct plan *p,
                        const struct experiment_entry *entry,
                        struct error *error)
{
    const struct alg *alg = entry->alg;
    const struct faults *f = &p->faults;
    const bool mean = alg_uses(alg, ALG_MEAN) && alg->meet == NULL;

    if (f->liar != NULL && (mean || alg->meet != NULL || alg->link_sends))
        return refuse(p, entry, "byzantine: nodes",
                      "none, as it sends no state for all neighbours that "
                      "they could replace",
                      error);
    if ((alg->needs & ALG_COPIES) != 0 && !entry->unsafe && !faults_none(f))
        return refuse(p, entry, "messages that are lost or nodes offline",
                      "none, as neighbours add up the differences that it "
                      "sends and would never know it again",
                      error);
    if (mean && is_offline(f))
        return refuse(p, entry, "offline: nodes",
                      "none, as it averages all nodes exactly", error);
    return 0;
}

/* Its rows are tokens: what is of nodes would be taken as theirs. */
static int check_tokens(const struct plan_run *run, const struct plan *p,
                        const struct experiment_entry *entry,
                        struct error *error)
{
    const struct faults *f = &p->faults;
    const struct clock_laws *c = &p->clock;

    if ((entry->alg->needs & ALG_ON_TOKENS) == 0)
        return 0;
    if (run->course.mixes->n > p->n)
        return error_set(error, -EINVAL,
                         "%s:%u: %s: found %zu tokens, expected at most %zu, "
                         "the nodes there are",
                         p->experiment->path, entry->line, entry->label,
                         run->course.mixes->n, p->n);
    if (f->liar != NULL || is_offline(f) || f->drop.rows > 0)
        return refuse(p, entry, "byzantine:, offline: or drop:",
                      "none of them, as its states wander from node to node",
                      error);
    if (c->compute != NULL || c->latency != NULL || c->straggler_share > 0)
        return refuse(p, entry, "times that differ from node to node",
                      "the same for all, as its states wander", error);
    return 0;
}

static bool is_one_way(const struct mixing *m)
{
    for (size_t i = 0; i < m->n; i++)
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++) {
            if (fpclassify(m->weight[e]) == FP_ZERO)
                continue;
            const size_t back = mixing_find(m, m->column[e], i);
            if (back == SIZE_MAX || fpclassify(m->weight[back]) == FP_ZERO)
                return true;
        }
    return false;
}

/* Of circulants only if asked: their graph stands for both ways. */
static int one_way(bool *found, const struct sequence *s, bool circulants)
{
    *found = false;
    for (size_t k = 0; s != NULL && s->kind == SEQUENCE_CYCLE && !*found &&
                       k < s->count && s->mixes[k]->kind != MIXING_AVERAGE;
         k++) {
        if (s->mixes[k]->kind == MIXING_CIRCULANT && !circulants)
            continue;
        struct mixing *m = mixing_sparse(s->mixes[k]);
        if (m == NULL)
            return -ENOMEM;
        *found = is_one_way(m);
        mixing_free(m);
    }
    return 0;
}

/* Pairs and neighbours that answer each other go both ways, and so do the
 * Metropolis weights of who is online. */
static int check_ways(const struct plan_run *run, const struct plan *p,
                      const struct experiment_entry *entry, struct error *error)
{
    const struct alg *alg = entry->alg;
    const bool both = alg->meet != NULL || alg->link_sends;
    bool rows, columns;

    if (!both && !is_offline(&p->faults))
        return 0;
    if (one_way(&rows, run->course.mixes, both) != 0 ||
        one_way(&columns, run->course.columns, both) != 0)
        return error_set(error, -ENOMEM, "%s: out of memory", entry->label);
    if (!rows && !columns)
        return 0;
    return refuse(p, entry, "links that go one way only",
                  alg->meet != NULL ? "both ways, as two that meet both move"
                  : alg->link_sends ? "both ways, as neighbours answer each "
                                      "other"
                                    : "both ways with offline: nodes, as those "
                                      "left mix by Metropolis weights",
                  error);
}

/* Beyond, a step's noise and batches would be those of the next step. */
static int check_draws(const struct plan *p,
                       const struct experiment_entry *entry,
                       struct error *error)
{
    const struct experiment *e = p->experiment;
    const uint64_t steps = entry->setting.local_steps;

    if (steps <= ALG_DRAWS || !(e->noise > 0 || e->model.batch > 0))
        return 0;
    return error_set(error, -EINVAL,
                     "%s:%u: %s: found local_steps: %llu, expected at most %d "
                     "with noise: or batch:",
                     e->path, entry->line, entry->label,
                     (unsigned long long)steps, ALG_DRAWS);
}

/* The largest eigenvalue of the graph's Laplacian, or twice the largest degree,
 * which is no less, where that is small enough. -EDOM if it is not found. */
static int largest(double *most, const struct mixing *m, double small,
                   struct error *error)
{
    struct graph *graph = mixing_graph(m);
    double least;
    int code = 0;

    if (graph == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    *most = 2 * (double)graph_degree_max(graph);
    if (*most >= small && graph->n > SPECTRUM_QUICK_MAX)
        code = -EDOM;
    else if (*most >= small)
        code = spectrum_laplacian(&least, most, graph, error);
    graph_free(graph);
    return code;
}

/* Without gradients LT-ADMM's modes are those of the Laplacian, and one of
 * eigenvalue l shrinks only while K beta rho l / 2 < 4 / 3. */
static int check_admm(const struct plan_run *run, const struct plan *p,
                      const struct experiment_entry *entry, struct error *error)
{
    const struct alg_setting *s = &entry->setting;
    const double each = (double)s->local_steps * s->beta * s->rho;
    const double limit = 8.0 / 3;
    double most = 0;

    if ((entry->alg->takes & ALG_RHO) == 0 || entry->unsafe)
        return 0;
    int code = largest(&most, run->course.mixes->mixes[0], limit / each, error);
    if (code == -EDOM || (code == 0 && each * most < limit))
        return 0;
    if (code != 0)
        return code;
    return error_set(error, -EINVAL,
                     "%s:%u: %s: found local_steps beta rho l = %.6g, where l "
                     "= %.6g is the largest eigenvalue of the graph's "
                     "Laplacian, expected it below 8/3, else nodes part; take "
                     "a smaller beta",
                     p->experiment->path, entry->line, entry->label,
                     each * most, most);
}

int fit_check(const struct plan_run *run, const struct plan *p,
              const struct experiment_entry *entry, struct error *error)
{
    int code = check_barrier(p, entry, error);

    if (code == 0)
        code = check_compressor(p, entry, error);
    if (code == 0)
        code = check_draws(p, entry, error);
    if (code == 0)
        code = check_faults(p, entry, error);
    if (code == 0)
        code = check_tokens(run, p, entry, error);
    if (code == 0)
        code = check_ways(run, p, entry, error);
    if (code == 0)
        code = check_wake(run, p, entry, error);
    return code == 0 ? check_admm(run, p, entry, error) : code;
}
