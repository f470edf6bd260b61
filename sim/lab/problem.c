#include "sim/lab/problem.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/cholesky.h"
#include "sim/lab/table.h"

enum { NEWTON_MAX = 100 };

static int no_memory(struct error *error)
{
    error_set(error, -ENOMEM, "problem: out of memory");
    return -ENOMEM;
}

/* p->n and, unless 0, p->d say what the file must have. */
static int read_init(struct problem *p, const char *path, struct error *error)
{
    struct table t;

    if (path == NULL) {
        p->init = calloc(p->n * p->d + 1, sizeof *p->init);
        return p->init == NULL ? no_memory(error) : 0;
    }
    int code = table_read(&t, path, NULL, false, error);
    if (code != 0)
        return code;
    if (t.rows != p->n || (p->d != 0 && t.columns != p->d)) {
        code = error_set(error, -EINVAL,
                         "%s:%zu: found %zu rows of %zu numbers, expected %zu "
                         "rows, one for each node%s",
                         path, t.rows, t.rows, t.columns, p->n,
                         p->d != 0 && t.columns != p->d
                             ? ", of as many numbers as the problem has"
                             : "");
        table_free(&t);
        return code;
    }
    p->d = t.columns;
    p->init = t.v;
    free(t.line);
    return 0;
}

int problem_consensus(struct problem *p, size_t n, const char *init,
                      struct error *error)
{
    *p = (struct problem){.kind = PROBLEM_CONSENSUS, .n = n};
    return read_init(p, init, error);
}

static int take_matrix_row(struct problem *p, uint8_t *seen,
                           const struct table *t, size_t r, const char *path,
                           struct error *error)
{
    const size_t d = p->d;
    const double *v = t->v + r * t->columns;
    size_t i, k;
    int code = table_index(&i, t, r, 0, p->n, path, "node", error);

    if (code == 0)
        code = table_index(&k, t, r, 1, d, path, "k", error);
    if (code != 0)
        return code;
    if (seen[i * d + k]++ != 0)
        return error_set(error, -EINVAL,
                         "%s:%u: found row %zu of node %zu again, expected it "
                         "once",
                         path, t->line[r], k, i);
    p->c[i * d + k] = v[2];
    memcpy(p->a + (i * d + k) * d, v + 3, d * sizeof *p->a);
    return 0;
}

/* The gradient of f_i is A_i (x - c_i) only then. */
static int check_symmetric(const struct problem *p, const char *path,
                           struct error *error)
{
    const size_t d = p->d;

    for (size_t r = 0; r < p->n * d; r++)
        for (size_t l = 0; l < r % d; l++) {
            const double one = p->a[r * d + l];
            const double other = p->a[((r - r % d) + l) * d + r % d];
            if (!(fabs(one - other) <= 1e-12 * fmax(1, fabs(one))))
                return error_set(error, -EINVAL,
                                 "%s: found %.17g and %.17g across the "
                                 "diagonal of node %zu's A, expected a "
                                 "symmetric one",
                                 path, one, other, r / d);
        }
    return 0;
}

int problem_quadratic(struct problem *p, size_t n, const char *file,
                      const char *init, struct error *error)
{
    struct table t;
    int code = table_read(&t, file, "node,k,c,a*", true, error);

    *p = (struct problem){.kind = PROBLEM_QUADRATIC, .n = n};
    if (code != 0)
        return code;
    p->d = t.columns - 3;
    if (t.rows != n * p->d) {
        code = error_set(error, -EINVAL,
                         "%s: found %zu rows, expected %zu: %zu for each of "
                         "%zu nodes",
                         file, t.rows, n * p->d, p->d, n);
        table_free(&t);
        return code;
    }
    uint8_t *seen = calloc(n * p->d, 1);
    p->a = malloc(n * p->d * p->d * sizeof *p->a);
    p->c = malloc(n * p->d * sizeof *p->c);
    if (seen == NULL || p->a == NULL || p->c == NULL)
        code = no_memory(error);
    for (size_t r = 0; code == 0 && r < t.rows; r++)
        code = take_matrix_row(p, seen, &t, r, file, error);
    free(seen);
    table_free(&t);
    if (code == 0)
        code = check_symmetric(p, file, error);
    return code == 0 ? read_init(p, init, error) : code;
}

static int take_samples(struct problem *p, const struct table *t,
                        const char *path, struct error *error)
{
    size_t i;
    int code = 0;

    for (size_t r = 0; r < t->rows; r++) {
        double y = t->v[r * t->columns + 1];
        if ((code = table_index(&i, t, r, 0, p->n, path, "node", error)) != 0)
            return code;
        if (!(fabs(y) >= 1 && fabs(y) <= 1))
            return error_set(error, -EINVAL,
                             "%s:%u: found %.17g as y, expected -1 or 1", path,
                             t->line[r], y);
        p->start[i + 1]++;
    }
    for (i = 0; i < p->n; i++) {
        if (p->start[i + 1] == 0)
            return error_set(error, -EINVAL,
                             "%s: found no row of node %zu, expected at least "
                             "one for each of %zu nodes",
                             path, i, p->n);
        p->start[i + 1] += p->start[i];
    }
    return 0;
}

static void place_samples(struct problem *p, size_t *next,
                          const struct table *t)
{
    memcpy(next, p->start, p->n * sizeof *next);
    for (size_t r = 0; r < t->rows; r++) {
        const double *v = t->v + r * t->columns;
        size_t to = next[(size_t)v[0]]++;
        p->y[to] = v[1];
        memcpy(p->z + to * p->d, v + 2, p->d * sizeof *p->z);
    }
}

int problem_logistic(struct problem *p, size_t n, const char *file,
                     double lambda, const char *init, struct error *error)
{
    struct table t;
    int code = table_read(&t, file, "node,y,z*", true, error);

    *p = (struct problem){.kind = PROBLEM_LOGISTIC, .n = n, .lambda = lambda};
    if (code != 0)
        return code;
    p->d = t.columns - 2;
    size_t *next = calloc(n, sizeof *next);
    p->start = calloc(n + 1, sizeof *p->start);
    p->z = malloc((t.rows * p->d + 1) * sizeof *p->z);
    p->y = malloc((t.rows + 1) * sizeof *p->y);
    if (next == NULL || p->start == NULL || p->z == NULL || p->y == NULL)
        code = no_memory(error);
    if (code == 0)
        code = take_samples(p, &t, file, error);
    if (code == 0)
        place_samples(p, next, &t);
    free(next);
    table_free(&t);
    return code == 0 ? read_init(p, init, error) : code;
}

int problem_model(struct problem *p, size_t n, const struct learner_spec *spec,
                  const char *init, struct error *error)
{
    *p = (struct problem){.kind = PROBLEM_MODEL, .n = n};
    int code = learner_read(&p->learner, spec, n, error);

    if (code != 0)
        return code;
    p->d = learner_size(p->learner);
    code = read_init(p, init, error);
    for (size_t i = 0;
         code == 0 && init == NULL && i < n && p->learner->hidden > 0; i++)
        learner_init(p->init + i * p->d, p->learner, spec->seed);
    return code;
}

void problem_free(struct problem *p)
{
    free(p->init);
    free(p->a);
    free(p->c);
    free(p->start);
    free(p->z);
    free(p->y);
    free(p->best);
    learner_free(p->learner);
    *p = (struct problem){0};
}

static double dot(const double *a, const double *b, size_t d)
{
    double sum = 0;

    for (size_t k = 0; k < d; k++)
        sum += a[k] * b[k];
    return sum;
}

static void quadratic_gradient(double *g, const struct problem *p, size_t i,
                               const double *x)
{
    const size_t d = p->d;
    const double *c = p->c + i * d;

    for (size_t k = 0; k < d; k++) {
        const double *row = p->a + (i * d + k) * d;
        double sum = 0;
        for (size_t l = 0; l < d; l++)
            sum += row[l] * (x[l] - c[l]);
        g[k] = sum;
    }
}

static void logistic_gradient(double *g, const struct problem *p, size_t i,
                              const double *x)
{
    const size_t d = p->d, rows = p->start[i + 1] - p->start[i];

    for (size_t k = 0; k < d; k++)
        g[k] = 0;
    for (size_t r = p->start[i]; r < p->start[i + 1]; r++) {
        const double *z = p->z + r * d;
        double slope = -p->y[r] / (1 + exp(p->y[r] * dot(z, x, d)));
        for (size_t k = 0; k < d; k++)
            g[k] += slope * z[k];
    }
    for (size_t k = 0; k < d; k++)
        g[k] = g[k] / (double)rows + p->lambda * x[k];
}

bool problem_descends(const struct problem *p)
{
    return p->kind == PROBLEM_MODEL && slopes_is_deep(p->learner) &&
           !(p->noise > 0) && !(p->learner->lambda > 0);
}

size_t problem_room(const struct problem *p)
{
    return p->kind == PROBLEM_MODEL ? slopes_room(p->learner) : 0;
}

void problem_gradient(double *g, const struct problem *p, size_t i,
                      const double *x, struct chance *chance,
                      const struct slopes_way *way)
{
    assert(i < p->n);
    if (p->kind == PROBLEM_QUADRATIC)
        quadratic_gradient(g, p, i, x);
    else if (p->kind == PROBLEM_LOGISTIC)
        logistic_gradient(g, p, i, x);
    else if (p->kind == PROBLEM_MODEL)
        slopes_of(g, p->learner, i, x, chance, way);
    else
        memset(g, 0, p->d * sizeof *g);
}

static double node_value(const struct problem *p, size_t i, const double *x)
{
    const size_t d = p->d;
    double sum = 0;

    if (p->kind == PROBLEM_QUADRATIC) {
        for (size_t k = 0; k < d; k++)
            for (size_t l = 0; l < d; l++)
                sum += (x[k] - p->c[i * d + k]) * p->a[(i * d + k) * d + l] *
                       (x[l] - p->c[i * d + l]);
        return sum / 2;
    }
    for (size_t r = p->start[i]; r < p->start[i + 1]; r++) {
        double m = -p->y[r] * dot(p->z + r * d, x, d);
        sum += m > 0 ? m + log1p(exp(-m)) : log1p(exp(m));
    }
    return sum / (double)(p->start[i + 1] - p->start[i]) +
           p->lambda / 2 * dot(x, x, d);
}

double problem_value(const struct problem *p, const double *x)
{
    double sum = 0;

    if (p->kind == PROBLEM_CONSENSUS)
        return 0;
    if (p->kind == PROBLEM_MODEL)
        return learner_value(p->learner, x);
    for (size_t i = 0; i < p->n; i++)
        sum += node_value(p, i, x);
    return sum / (double)p->n;
}

/* g[d] and h[d, d] of n F. */
static void derivatives(double *g, double *h, double *one,
                        const struct problem *p, const double *x)
{
    const size_t d = p->d;

    memset(g, 0, d * sizeof *g);
    memset(h, 0, d * d * sizeof *h);
    for (size_t i = 0; i < p->n; i++) {
        problem_gradient(one, p, i, x, NULL, NULL);
        for (size_t k = 0; k < d; k++)
            g[k] += one[k];
        if (p->kind == PROBLEM_QUADRATIC) {
            for (size_t k = 0; k < d * d; k++)
                h[k] += p->a[i * d * d + k];
            continue;
        }
        const size_t rows = p->start[i + 1] - p->start[i];
        for (size_t r = p->start[i]; r < p->start[i + 1]; r++) {
            const double *z = p->z + r * d;
            double q = 1 / (1 + exp(-dot(z, x, d)));
            for (size_t k = 0; k < d; k++)
                for (size_t l = 0; l < d; l++)
                    h[k * d + l] += q * (1 - q) / (double)rows * z[k] * z[l];
        }
        for (size_t k = 0; k < d; k++)
            h[k * d + k] += p->lambda;
    }
}

int problem_solve(struct problem *p, struct error *error)
{
    const size_t d = p->d;

    if (p->kind == PROBLEM_CONSENSUS || p->kind == PROBLEM_MODEL)
        return 0;
    double *work = malloc((d * d + 2 * d) * sizeof *work);
    p->best = calloc(d, sizeof *p->best);
    if (work == NULL || p->best == NULL) {
        free(work);
        return no_memory(error);
    }
    double *h = work, *g = work + d * d, *one = g + d;
    double before = HUGE_VAL;
    int code = 0;
    for (int turn = 0; code == 0 && turn < NEWTON_MAX; turn++) {
        double size = 0;
        derivatives(g, h, one, p, p->best);
        if (cholesky_factor(h, d, 1e-14, 0) != d) {
            code = error_set(error, -EDOM,
                             "problem: found an F without a single optimum, "
                             "expected a positive definite one; more data, or "
                             "lambda above 0");
            break;
        }
        cholesky_solve(g, h, d);
        for (size_t k = 0; k < d; k++) {
            p->best[k] -= g[k];
            size = fmax(size, fabs(g[k]) / (1 + fabs(p->best[k])));
        }
        if (size < 1e-15 || (size < 1e-12 && size >= before))
            break;
        before = size;
    }
    free(work);
    p->best_value = problem_value(p, p->best);
    return code;
}
