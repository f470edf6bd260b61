#include "sim/lab/spectrum.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/lab/arnoldi.h"
#include "sim/lab/circulant.h"
#include "sim/lab/lanczos.h"

/* LAPACK as Fortran has it; Debian ships its C header elsewhere. */
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a,
            const int *lda, double *w, double *work, const int *lwork,
            int *info);
void dgeev_(const char *jobvl, const char *jobvr, const int *n, double *a,
            const int *lda, double *wr, double *wi, double *vl, const int *ldvl,
            double *vr, const int *ldvr, double *work, const int *lwork,
            int *info);

/* OpenBLAS adds in another order on another number of threads. */
void openblas_set_num_threads(int count) __attribute__((weak));

static void one_thread(void)
{
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(1);
}

static int no_memory(struct error *error)
{
    error_set(error, -ENOMEM, "spectrum: out of memory");
    return -ENOMEM;
}

/* values[n] ascending; a[n, n] symmetric is destroyed. */
static int symmetric(double *values, double *a, size_t n, struct error *error)
{
    const int size = (int)n, room = 64 * size;
    double *work = calloc((size_t)room + 1, sizeof *work);
    int info = -1;

    if (work == NULL)
        return no_memory(error);
    one_thread();
    dsyev_("N", "U", &size, a, &size, values, work, &room, &info);
    free(work);
    if (info != 0) {
        error_set(error, -EINVAL,
                  "spectrum: LAPACK's dsyev does not converge (%d)", info);
        return -EINVAL;
    }
    return 0;
}

static int general(double *re, double *im, double *a, size_t n,
                   struct error *error)
{
    const int size = (int)n, room = 64 * size, one = 1;
    double *work = calloc((size_t)room + 1, sizeof *work), none = 0;
    int info = -1;

    if (work == NULL)
        return no_memory(error);
    one_thread();
    dgeev_("N", "N", &size, a, &size, re, im, &none, &one, &none, &one, work,
           &room, &info);
    free(work);
    if (info != 0) {
        error_set(error, -EINVAL,
                  "spectrum: LAPACK's dgeev does not converge (%d)", info);
        return -EINVAL;
    }
    return 0;
}

/* The largest singular value of W - J, from the eigenvalues of its square. */
static int norm_of(double *norm, const double *w, size_t n, double *values,
                   struct error *error)
{
    double *square = calloc(n * n, sizeof *square);
    double *off = malloc(n * n * sizeof *off);

    if (square == NULL || off == NULL) {
        free(square);
        free(off);
        return no_memory(error);
    }
    for (size_t i = 0; i < n * n; i++)
        off[i] = w[i] - 1 / (double)n;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++) {
            double left = off[k * n + i];
            for (size_t j = 0; j < n; j++)
                square[i * n + j] += left * off[k * n + j];
        }
    int code = symmetric(values, square, n, error);
    *norm = code == 0 ? sqrt(fmax(values[n - 1], 0)) : (double)NAN;
    free(square);
    free(off);
    return code;
}

static int directed(struct spectrum *s, double *w, size_t n, double *values,
                    struct error *error)
{
    double *im = malloc(n * sizeof *im), first = 0, second = 0;
    int code = norm_of(&s->norm, w, n, values, error);

    if (code == 0 && im == NULL)
        code = no_memory(error);
    if (code == 0)
        code = general(values, im, w, n, error);
    for (size_t i = 0; code == 0 && i < n; i++) {
        double size = hypot(values[i], im[i]);
        second = size > first ? first : fmax(second, size);
        first = fmax(first, size);
    }
    free(im);
    s->lambda2 = s->slem = second;
    s->lambda_n = (double)NAN;
    s->gap = 1 - second;
    return code;
}

struct pair { /* W and W' */
    const struct mixing *rows, *columns;
    double *room; /* [n] */
};

static void product(double *y, const double *x, const void *context)
{
    const struct mixing *m = context;

    for (size_t i = 0; i < m->n; i++) {
        y[i] = 0;
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            y[i] += m->weight[e] * x[m->column[e]];
    }
}

static void less_mean(double *y, const double *x, size_t n)
{
    double mean = 0;

    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        y[i] -= mean;
}

/* W - 11'/n has W's eigenvalues but the one at 1, if the rows or the columns
 * sum to 1. */
static void product_off(double *y, const double *x, const void *context)
{
    const struct mixing *m = context;

    product(y, x, m);
    less_mean(y, x, m->n);
}

static void product_square(double *y, const double *x, const void *context)
{
    const struct pair *p = context;

    product_off(p->room, x, p->rows);
    product_off(y, p->room, p->columns);
}

static int no_end(int code, struct error *error)
{
    if (code == -ENOMEM)
        return no_memory(error);
    return code == 0 ? 0
                     : error_set(error, code,
                                 "spectrum: the iteration does not converge: "
                                 "its eigenvalues lie too close");
}

static struct mixing *turned(const struct mixing *m)
{
    const size_t count = m->start[m->n];
    struct mixing_entry *entries = malloc((count + 1) * sizeof *entries);
    struct mixing *t = NULL;

    for (size_t i = 0; entries != NULL && i < m->n; i++)
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            entries[e] =
                (struct mixing_entry){m->column[e], (uint32_t)i, m->weight[e]};
    if (entries != NULL)
        t = mixing_of(entries, count, m->n);
    free(entries);
    return t;
}

static int directed_sparse(struct spectrum *s, const struct mixing *m,
                           struct error *error)
{
    struct mixing *columns = turned(m);
    double *room = malloc(m->n * sizeof *room), least, most = 0;
    const struct pair pair = {m, columns, room};
    int code = columns == NULL || room == NULL ? -ENOMEM : 0;

    if (code == 0)
        code = lanczos_ends(
            &least, &most,
            &(struct lanczos_operator){m->n, product_square, &pair, false});
    if (code == 0)
        code = arnoldi_modulus(&s->slem, m->n, product_off, m);
    mixing_free(columns);
    free(room);
    s->norm = sqrt(fmax(most, 0));
    s->lambda2 = s->slem;
    s->lambda_n = (double)NAN;
    s->gap = 1 - s->slem;
    return no_end(code, error);
}

static int sparse_of(struct spectrum *s, const struct mixing *m,
                     struct error *error)
{
    struct mixing_sums sums;

    mixing_check(&sums, m);
    *s = (struct spectrum){.symmetric = sums.asymmetry < 1e-9};
    if (!(sums.row_worst < 1e-9) && !(sums.column_worst < 1e-9))
        return error_set(error, -EDOM,
                         "spectrum: found row %zu of W that sums to %.10g, "
                         "expected 1 where there are more than %d nodes",
                         sums.row, sums.row_sum, SPECTRUM_NODES_MAX);
    one_thread();
    if (!s->symmetric)
        return directed_sparse(s, m, error);
    const struct lanczos_operator w = {m->n, product, m, true};
    int code = lanczos_ends(&s->lambda_n, &s->lambda2, &w);
    s->slem = s->norm = fmax(fabs(s->lambda2), fabs(s->lambda_n));
    s->gap = 1 - s->slem;
    return no_end(code, error);
}

int spectrum_sparse(struct spectrum *s, const struct mixing *m,
                    struct error *error)
{
    struct mixing *rows = mixing_sparse(m);

    if (rows == NULL)
        return no_memory(error);
    int code = sparse_of(s, rows, error);
    mixing_free(rows);
    return code;
}

int spectrum_of(struct spectrum *s, const struct mixing *m, struct error *error)
{
    const size_t n = m->n;
    struct mixing_sums sums;
    int code;

    *s = (struct spectrum){.symmetric = true, .gap = 1};
    if (m->kind == MIXING_AVERAGE || n == 1)
        return 0;
    if (n > SPECTRUM_NODES_MAX) {
        if (!circulant_is(m))
            return spectrum_sparse(s, m, error);
        circulant_spectrum(s, m);
        return 0;
    }
    double *w = malloc(n * n * sizeof *w), *values = calloc(n, sizeof *values);
    if (w == NULL || values == NULL) {
        code = no_memory(error);
        goto done;
    }
    mixing_dense(w, m);
    double asymmetry = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            asymmetry = fmax(asymmetry, fabs(w[i * n + j] - w[j * n + i]));
    mixing_check(&sums, m);
    s->symmetric = asymmetry < 1e-9;
    if (!s->symmetric) {
        code = directed(s, w, n, values, error);
        goto done;
    }
    code = symmetric(values, w, n, error);
    if (code != 0)
        goto done;
    s->lambda2 = values[n - 2];
    s->lambda_n = values[0];
    s->slem = s->norm = fmax(fabs(s->lambda2), fabs(s->lambda_n));
    s->gap = 1 - s->slem;
done:
    free(w);
    free(values);
    return code;
}

int spectrum_values(double *values, const struct mixing *m, struct error *error)
{
    double *w = malloc(m->n * m->n * sizeof *w);

    if (w == NULL)
        return no_memory(error);
    mixing_dense(w, m);
    int code = symmetric(values, w, m->n, error);
    free(w);
    return code;
}

static void product_laplacian(double *y, const double *x, const void *context)
{
    const struct graph *g = context;

    for (size_t i = 0; i < g->n; i++) {
        y[i] = (double)graph_degree(g, i) * x[i];
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++)
            y[i] -= x[g->to[e]];
    }
}

int spectrum_laplacian(double *least, double *most, const struct graph *g,
                       struct error *error)
{
    const size_t n = g->n;
    const struct lanczos_operator operator= {n, product_laplacian, g, true};

    if (n > SPECTRUM_NODES_MAX)
        return no_end(lanczos_ends(least, most, &operator), error);
    double *l = calloc(n * n + 1, sizeof *l);
    double *values = calloc(n + 1, sizeof *values);
    int code = 0;
    if (l == NULL || values == NULL)
        code = no_memory(error);
    for (size_t i = 0; code == 0 && i < n; i++) {
        l[i * n + i] = (double)graph_degree(g, i);
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++)
            l[i * n + g->to[e]] = -1;
    }
    if (code == 0)
        code = symmetric(values, l, n, error);
    *least = code == 0 ? values[n > 1] : (double)NAN;
    *most = code == 0 ? values[n - 1] : (double)NAN;
    free(l);
    free(values);
    return code;
}
