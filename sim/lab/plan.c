#include "sim/lab/plan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/circulant.h"
#include "sim/lab/fit.h"
#include "sim/lab/matrices.h"
#include "sim/lab/range.h"

struct three {
    double v[3];
    uint32_t line;
};

static int compare_three(const void *a, const void *b)
{
    const struct three *x = a, *y = b;

    for (size_t c = 0; c < 3; c++)
        if (x->v[c] < y->v[c] || x->v[c] > y->v[c])
            return x->v[c] < y->v[c] ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* Each row keeps its line, which a later message names. */
static int sort_three(struct table *t, struct error *error)
{
    struct three *rows = malloc((t->rows + 1) * sizeof *rows);

    if (rows == NULL)
        return error_set(error, -ENOMEM, "network: out of memory");
    for (size_t r = 0; r < t->rows; r++) {
        memcpy(rows[r].v, t->v + 3 * r, sizeof rows[r].v);
        rows[r].line = t->line[r];
    }
    qsort(rows, t->rows, sizeof *rows, compare_three);
    for (size_t r = 0; r < t->rows; r++) {
        memcpy(t->v + 3 * r, rows[r].v, sizeof rows[r].v);
        t->line[r] = rows[r].line;
    }
    free(rows);
    return 0;
}

/* bounds[columns]: what a column's whole numbers stay below; 0: any number. */
static int read_schedule(struct table *t, const char *path, const char *names,
                         const size_t *bounds, size_t columns,
                         struct error *error)
{
    size_t value;

    if (path == NULL)
        return 0;
    int code = table_read(t, path, names, false, error);
    for (size_t r = 0; code == 0 && r < t->rows; r++)
        for (size_t c = 0; code == 0 && c < columns; c++)
            if (bounds[c] > 0)
                code = table_index(&value, t, r, c, bounds[c], path,
                                   "a step or node", error);
    return code;
}

/* No row's value in this column is below 0. */
static int check_least(const struct table *t, size_t column, const char *path,
                       struct error *error)
{
    for (size_t r = 0; r < t->rows; r++)
        if (!(t->v[r * t->columns + column] >= 0))
            return error_set(error, -EINVAL,
                             "%s:%u: found %.17g milliseconds, expected 0 or "
                             "more",
                             path, t->line[r], t->v[r * t->columns + column]);
    return 0;
}

static int load_problem(struct plan *p, struct error *error)
{
    const struct experiment *e = p->experiment;
    int code;

    if (e->kind == PROBLEM_CONSENSUS)
        code = problem_consensus(&p->problem, p->n, e->init, error);
    else if (e->kind == PROBLEM_QUADRATIC)
        code = problem_quadratic(&p->problem, p->n, e->file, e->init, error);
    else if (e->kind == PROBLEM_MODEL)
        code = problem_model(&p->problem, p->n, &e->model, e->init, error);
    else
        code = problem_logistic(&p->problem, p->n, e->file, e->lambda, e->init,
                                error);
    p->problem.noise = e->noise;
    if (code == 0)
        code = problem_solve(&p->problem, error);
    return code == 0 ? 0 : experiment_blame(e, e->problem_line, code, error);
}

static int load_compute(struct plan *p, struct error *error)
{
    const char *path = p->experiment->compute;
    struct table t;
    size_t i = 0;

    if (path == NULL)
        return 0;
    int code = table_read(&t, path, NULL, false, NULL);
    if (code != 0 || t.columns != 1) {
        if (code == 0)
            table_free(&t);
        code = table_read(&t, path, "node,ms", false, error);
    }
    if (code != 0)
        return code;
    p->compute = calloc(p->n, sizeof *p->compute);
    if (p->compute == NULL)
        code = -ENOMEM;
    else if (t.rows != p->n)
        code = error_set(error, -EINVAL,
                         "%s: found %zu rows, expected %zu, one for each node",
                         path, t.rows, p->n);
    if (code == 0)
        code = check_least(&t, t.columns - 1, path, error);
    for (size_t r = 0; code == 0 && r < t.rows; r++) {
        i = r;
        if (t.columns == 2)
            code = table_index(&i, &t, r, 0, p->n, path, "a node", error);
        if (code == 0)
            p->compute[i] = t.v[(r + 1) * t.columns - 1];
    }
    table_free(&t);
    return code;
}

/* At its own pace a node that takes no time would be the only one. */
static int check_pace(const struct plan *p, struct error *error)
{
    const struct experiment *e = p->experiment;
    bool fine = p->compute != NULL || e->compute_ms > 0;

    for (size_t i = 0; p->compute != NULL && i < p->n; i++)
        fine = fine && p->compute[i] > 0;
    return fine || !e->has_clock || e->barrier != CLOCK_NONE
               ? 0
               : error_set(error, -EINVAL,
                           "barrier: found none and computing that takes no "
                           "time, expected compute_ms: above 0");
}

static int load_network(struct plan *p, struct error *error)
{
    const struct experiment *e = p->experiment;
    const size_t any = (size_t)1 << 52;
    int code = read_schedule(&p->faults.drop, e->drop, "step,from,to",
                             (size_t[]){any, p->n, p->n}, 3, error);

    if (code == 0)
        code = read_schedule(&p->faults.offline, e->offline, "step,node",
                             (size_t[]){any, p->n}, 2, error);
    if (code == 0)
        code =
            read_schedule(&p->faults.byzantine, e->byzantine, "from,to,value",
                          (size_t[]){p->n, p->n, 0}, 3, error);
    if (code == 0)
        code = read_schedule(&p->wake, e->wake, "tick,i,j",
                             (size_t[]){any, p->n, p->n}, 3, error);
    if (code == 0)
        code = read_schedule(&p->latency, e->latency, "from,to,ms",
                             (size_t[]){p->n, p->n, 0}, 3, error);
    if (code == 0 && e->latency != NULL)
        code = check_least(&p->latency, 2, e->latency, error);
    if (code == 0)
        code = load_compute(p, error);
    if (code == 0)
        code = check_pace(p, error);
    if (code == 0)
        code = sort_three(&p->wake, error);
    if (code == 0)
        code = sort_three(&p->latency, error);
    if (code != 0)
        return experiment_blame(e, e->network_line, code, error);
    p->faults.loss = e->loss;
    p->faults.away = e->away;
    code = faults_prepare(&p->faults, p->n, error);
    return code == 0 ? 0 : experiment_blame(e, e->network_line, code, error);
}

static void set_clock(struct plan *p)
{
    const struct experiment *e = p->experiment;
    p->clock =
        (struct clock_laws){.on = e->has_clock,
                            .barrier = e->barrier,
                            .serial = e->serial,
                            .compute = p->compute,
                            .compute_ms = e->compute_ms,
                            .latency = p->latency.rows > 0 ? &p->latency : NULL,
                            .latency_ms = e->latency_ms,
                            .bytes_per_ms = e->bytes_per_ms,
                            .message_bytes = e->message_bytes,
                            .law = e->compute_law,
                            .straggler_share = e->straggler_share,
                            .straggler_factor = e->straggler_factor};
}

int plan_open(struct plan **plan, const struct experiment *experiment,
              size_t threads, struct error *error)
{
    struct plan *p = calloc(1, sizeof *p);
    int code = -ENOMEM;

    *plan = NULL;
    if (p == NULL || (p->pool = pool_new(threads)) == NULL) {
        error_set(error, code, "%s: out of memory", experiment->path);
        goto fail;
    }
    p->experiment = experiment;
    p->n = experiment->nodes;
    if (p->n == 0 && (code = matrices_nodes(&p->n, experiment, error)) != 0)
        goto fail;
    if ((code = load_problem(p, error)) != 0)
        goto fail;
    if ((code = load_network(p, error)) != 0)
        goto fail;
    set_clock(p);
    *plan = p;
    return 0;
fail:
    plan_close(p);
    return code;
}

void plan_close(struct plan *p)
{
    if (p == NULL)
        return;
    problem_free(&p->problem);
    faults_free(&p->faults);
    table_free(&p->wake);
    table_free(&p->latency);
    free(p->compute);
    pool_free(p->pool);
    free(p);
}

static int read_placement(struct plan_run *run, const struct plan *p,
                          const struct experiment_entry *entry, size_t *tokens,
                          struct error *error)
{
    struct table *t = &run->placement;
    const size_t any = (size_t)1 << 52;
    int code = read_schedule(t, entry->placement, "step,token,node",
                             (size_t[]){any, any, p->n}, 3, error);
    double most = 0;

    *tokens = (size_t)entry->setting.tokens;
    if (code == 0 && entry->placement != NULL)
        code = sort_three(t, error);
    if (code != 0 || entry->placement == NULL)
        return code;
    for (size_t r = 0; r < t->rows; r++)
        most = fmax(most, t->v[3 * r + 1]);
    *tokens = (size_t)most + 1;
    for (size_t r = 0; r < t->rows; r++)
        if ((size_t)t->v[3 * r] != r / *tokens ||
            (size_t)t->v[3 * r + 1] != r % *tokens)
            return error_set(error, -EINVAL,
                             "%s: found no node for token %zu in step %zu, "
                             "expected one for every token in every step",
                             entry->placement, r % *tokens, r / *tokens);
    if (t->rows < *tokens * p->experiment->steps)
        return error_set(error, -EINVAL,
                         "%s: found %zu steps, expected %llu as the experiment "
                         "has",
                         entry->placement, t->rows / *tokens,
                         (unsigned long long)p->experiment->steps);
    return 0;
}

static int set_spectrum(struct plan_run *run,
                        const struct experiment_entry *entry,
                        struct error *error)
{
    struct sequence *s = run->course.mixes;
    const unsigned needs = entry->alg->needs;
    const bool must = (needs & (ALG_SLEM | ALG_ABOVE_THIRD)) != 0;

    run->spectrum = (struct spectrum){0};
    if (s->kind != SEQUENCE_CYCLE || s->count != 1)
        return 0;
    if (s->n > SPECTRUM_QUICK_MAX && !must && !circulant_is(s->mixes[0]))
        return 0;
    int code = spectrum_of(&run->spectrum, s->mixes[0], error);
    struct mixing_sums sums;
    mixing_check(&sums, s->mixes[0]);
    run->spectrum.rows_sum = sums.row_worst < 1e-9;
    run->spectrum.columns_sum = sums.column_worst < 1e-9;
    run->has_spectrum = code == 0;
    run->course.setting.slem = run->spectrum.slem;
    if (code == -EDOM && (needs & ALG_SLEM) == 0) {
        snprintf(run->note, sizeof run->note,
                 "%s: %.100s; the range of W's eigenvalues is not checked",
                 entry->label, error->text);
        return 0;
    }
    return code;
}

int plan_run(struct plan_run *run, struct plan *p,
             const struct experiment_entry *entry, uint64_t seed,
             struct error *error)
{
    const struct experiment *e = p->experiment;
    size_t rows = p->n;
    int code = 0;

    *run = (struct plan_run){0};
    run->course =
        (struct course_plan){.alg = entry->alg,
                             .setting = entry->setting,
                             .problem = &p->problem,
                             .wake = p->wake.rows > 0 ? &p->wake : NULL,
                             .clock = &p->clock,
                             .pool = p->pool,
                             .single = e->single};
    range_rules(run->course.rules, entry, e);
    run->course.setting.seed = seed;
    p->faults.seed = seed;
    if (!faults_none(&p->faults) || p->faults.liar != NULL)
        run->course.faults = &p->faults;
    if ((entry->alg->needs & ALG_ON_TOKENS) != 0)
        code = read_placement(run, p, entry, &rows, error);
    if (code == 0)
        code = matrices_build(&run->course.mixes, &run->course.columns, e,
                              entry, rows, seed, error);
    if (code == 0 && run->placement.rows > 0)
        run->course.placement = &run->placement;
    if (code == 0)
        code = set_spectrum(run, entry, error);
    if (code == 0)
        code = matrices_check(run->note, sizeof run->note, &run->course,
                              &run->spectrum, e, entry, error);
    if (code == 0)
        code = fit_check(run, p, entry, error);
    if (code != 0)
        plan_run_free(run);
    return code;
}

void plan_run_free(struct plan_run *run)
{
    sequence_free(run->course.mixes);
    sequence_free(run->course.columns);
    table_free(&run->placement);
    run->course.mixes = run->course.columns = NULL;
}
