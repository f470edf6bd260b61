#include "sim/lab/fastest.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/cholesky.h"

/* LAPACK: its upper triangles of columns are our lower ones of rows. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda,
             int *info, size_t uplo_size);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda,
             int *info, size_t uplo_size);

enum { SHARPER_MAX = 13, TURNS_MAX = 60, HALVINGS_MAX = 60 };
static const double sharper = 8;

/* minimise sharp s - log det(s I - M) - log det(s I + M) - sum log(slack),
 * M = W - 11'/n, W = I - sum w_e (e_i - e_j)(e_i - e_j)' */
struct barrier {
    const struct graph *graph;
    bool nonnegative;
    size_t n, edges;
    uint32_t (*pair)[2];  /* [edges] */
    double *w;            /* [edges + 1], the last is s */
    double *trial;        /* [edges + 1] */
    double *m;            /* [n, n] */
    double *low, *high;   /* [n, n] of s I + M, s I - M: factors, inverses */
    double *low2, *high2; /* [n, n] their squares */
    double *gradient;     /* [edges + 1] */
    double *hessian;      /* [edges + 1, edges + 1] */
    double *slack;        /* [n] the diagonal of W */
};

/* All arrays in one piece, which the caller frees as b->w. */
static bool open_barrier(struct barrier *b, const struct graph *g,
                         bool nonnegative)
{
    const size_t n = g->n, edges = g->start[n] / 2, size = edges + 1;
    double *room = calloc(5 * n * n + 4 * size + size * size + n, sizeof *room);
    size_t count = 0;

    if (room == NULL)
        return false;
    *b = (struct barrier){.graph = g,
                          .nonnegative = nonnegative,
                          .n = n,
                          .edges = edges,
                          .w = room,
                          .trial = room + size,
                          .gradient = room + 2 * size};
    b->pair = (uint32_t(*)[2])(room + 3 * size); /* 8 bytes each, as doubles */
    b->hessian = room + 4 * size;
    b->m = b->hessian + size * size;
    b->low = b->m + n * n;
    b->high = b->low + n * n;
    b->low2 = b->high + n * n;
    b->high2 = b->low2 + n * n;
    b->slack = b->high2 + n * n;
    for (size_t i = 0; i < n; i++)
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++)
            if (i < g->to[e]) {
                b->pair[count][0] = (uint32_t)i;
                b->pair[count++][1] = g->to[e];
            }
    return true;
}

/* M and the diagonal of W for w. */
static void set_matrix(struct barrier *b, const double *w)
{
    const size_t n = b->n;

    for (size_t i = 0; i < n; i++) {
        b->slack[i] = 1;
        for (size_t j = 0; j < n; j++)
            b->m[i * n + j] = (i == j) - 1 / (double)n;
    }
    for (size_t e = 0; e < b->edges; e++) {
        const size_t i = b->pair[e][0], j = b->pair[e][1];
        b->m[i * n + i] -= w[e];
        b->m[j * n + j] -= w[e];
        b->m[i * n + j] += w[e];
        b->m[j * n + i] += w[e];
        b->slack[i] -= w[e];
        b->slack[j] -= w[e];
    }
}

static bool factor(double *a, size_t n)
{
    const int size = (int)n;
    int info = 0;

    dpotrf_("U", &size, a, &size, &info, 1);
    return info == 0;
}

/* From the factor to the inverse, in place. */
static void invert(double *a, size_t n)
{
    const int size = (int)n;
    int info = 0;

    dpotri_("U", &size, a, &size, &info, 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            a[j * n + i] = a[i * n + j];
}

/* Leaves factors in low and high. HUGE_VAL outside the domain. */
static double value(struct barrier *b, const double *w, double sharp)
{
    const size_t n = b->n;
    const double s = w[b->edges];
    double sum = sharp * s;

    set_matrix(b, w);
    for (size_t k = 0; k < n * n; k++) {
        double eye = k % (n + 1) == 0 ? s : 0;
        b->low[k] = eye + b->m[k];
        b->high[k] = eye - b->m[k];
    }
    if (!factor(b->low, n) || !factor(b->high, n))
        return HUGE_VAL;
    for (size_t i = 0; i < n; i++)
        sum -= 2 * log(b->low[i * n + i]) + 2 * log(b->high[i * n + i]);
    for (size_t i = 0; b->nonnegative && i < n; i++)
        sum -= b->slack[i] > 0 ? log(b->slack[i]) : -HUGE_VAL;
    for (size_t e = 0; b->nonnegative && e < b->edges; e++)
        sum -= w[e] > 0 ? log(w[e]) : -HUGE_VAL;
    return isnan(sum) ? HUGE_VAL : sum;
}

static void square(double *out, const double *a, size_t n)
{
    const int size = (int)n;

    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1,
                a, size, a, size, 0, out, size);
}

/* (e_i - e_j)' A (e_k - e_l) of edges e = (i, j) and f = (k, l). */
static double between(const struct barrier *b, const double *a, size_t e,
                      size_t f)
{
    const size_t n = b->n, i = b->pair[e][0], j = b->pair[e][1];
    const size_t k = b->pair[f][0], l = b->pair[f][1];

    return a[i * n + k] - a[i * n + l] - a[j * n + k] + a[j * n + l];
}

static void add_entry_barrier(struct barrier *b, double *g, double *h)
{
    const size_t size = b->edges + 1;

    for (size_t e = 0; e < b->edges; e++) {
        g[e] -= 1 / b->w[e];
        h[e * size + e] += 1 / (b->w[e] * b->w[e]);
        for (size_t side = 0; side < 2; side++) {
            const size_t i = b->pair[e][side];
            const double inverse = 1 / b->slack[i];
            g[e] += inverse;
            for (size_t f = 0; f < b->edges; f++)
                if (b->pair[f][0] == i || b->pair[f][1] == i)
                    h[e * size + f] += inverse * inverse;
        }
    }
}

/* Gradient and Hessian at w, where value() has just been. */
static void derivatives(struct barrier *b, double sharp)
{
    const size_t n = b->n, edges = b->edges, size = edges + 1;
    double *g = b->gradient, *h = b->hessian;

    invert(b->low, n);
    invert(b->high, n);
    square(b->low2, b->low, n);
    square(b->high2, b->high, n);
    memset(h, 0, size * size * sizeof *h);
    g[edges] = sharp;
    for (size_t i = 0; i < n; i++) {
        g[edges] -= b->low[i * n + i] + b->high[i * n + i];
        h[edges * size + edges] += b->low2[i * n + i] + b->high2[i * n + i];
    }
    for (size_t e = 0; e < edges; e++) {
        g[e] = between(b, b->low, e, e) - between(b, b->high, e, e);
        h[edges * size + e] = h[e * size + edges] =
            between(b, b->high2, e, e) - between(b, b->low2, e, e);
        for (size_t f = 0; f < edges; f++) {
            double low = between(b, b->low, e, f);
            double high = between(b, b->high, e, f);
            h[e * size + f] = low * low + high * high;
        }
    }
    if (b->nonnegative)
        add_entry_barrier(b, g, h);
}

/* Newton with halved steps until the decrement is small. */
static bool centre(struct barrier *b, double sharp)
{
    const size_t size = b->edges + 1;
    double here = value(b, b->w, sharp);

    for (int turn = 0; turn < TURNS_MAX; turn++) {
        double decrement = 0, step = 1, there = HUGE_VAL;
        derivatives(b, sharp);
        memcpy(b->trial, b->gradient, size * sizeof *b->trial);
        if (!factor(b->hessian, size))
            return false;
        cholesky_solve(b->gradient, b->hessian, size);
        for (size_t e = 0; e < size; e++)
            decrement += b->trial[e] * b->gradient[e];
        for (int k = 0; k < HALVINGS_MAX; k++) {
            for (size_t e = 0; e < size; e++)
                b->trial[e] = b->w[e] - step * b->gradient[e];
            there = value(b, b->trial, sharp);
            if (there < here)
                break;
            step /= 2;
        }
        if (!(there < here)) { /* as far as rounding lets it */
            value(b, b->w, sharp);
            return true;
        }
        memcpy(b->w, b->trial, size * sizeof *b->w);
        here = there;
        if (decrement < 1e-10)
            break;
    }
    return true;
}

int fastest_weights(double *weight, const struct graph *g, bool nonnegative,
                    struct error *error)
{
    const size_t edges = g->start[g->n] / 2;
    struct barrier b;
    if (g->n > FASTEST_NODES_MAX || edges > FASTEST_EDGES_MAX)
        return error_set(error, -E2BIG,
                         "weights: found %zu nodes and %zu links, expected at "
                         "most %d and %d for fdla and fmmc; take rule: "
                         "best-constant",
                         g->n, edges, FASTEST_NODES_MAX, FASTEST_EDGES_MAX);
    if (!open_barrier(&b, g, nonnegative))
        return error_set(error, -ENOMEM, "weights: out of memory");
    for (size_t e = 0; e < edges; e++)
        b.w[e] = 1 / (double)(2 + graph_degree_max(g));
    b.w[edges] = 2;
    /* a Hessian that rounding spoils is as near as doubles come */
    double sharp = 1;
    for (int k = 0; k < SHARPER_MAX && centre(&b, sharp); k++)
        sharp *= sharper;
    memcpy(weight, b.w, edges * sizeof *weight);
    free(b.w);
    return 0;
}
