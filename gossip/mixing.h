/* A mixing matrix W, receiver i putting weight W_ij on sender j, as sparse rows
 * that always hold the diagonal, or as a circulant, or as the average of all.
 */

#ifndef GOSSIP_MIXING_H
#define GOSSIP_MIXING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/graph.h"

enum mixing_kind { MIXING_SPARSE, MIXING_CIRCULANT, MIXING_AVERAGE };
enum { MIXING_OFFSETS_MAX = 66 };

struct mixing {
    enum mixing_kind kind;
    size_t n;
    size_t *start;       /* sparse: [n + 1] */
    uint32_t *column;    /* [start[n]] ascending in each row */
    double *weight;      /* [start[n]] */
    size_t offset_count; /* circulant: W_{i, i + offset mod n} */
    size_t offset[MIXING_OFFSETS_MAX];
    double share[MIXING_OFFSETS_MAX];
};

struct mixing_entry {
    uint32_t row, column;
    double weight;
};

/* Entries in any order; repeated ones add up; a row's missing diagonal is 0.
 * NULL if out of memory. Sorts `entries`. */
struct mixing *mixing_of(struct mixing_entry *entries, size_t count, size_t n);
struct mixing *mixing_average(size_t n);
/* weight() of every link of a graph, from the degrees of the node that receives
 * and of the one that sends; a node keeps what is left. NULL if out of memory.
 */
struct mixing *mixing_weigh(const struct graph *graph,
                            double (*weight)(double own, double other,
                                             double constant),
                            double constant);
/* 1 / (1 + max(d_i, d_j)). Xiao and Boyd, "Fast linear iterations for
 * distributed averaging", Systems and Control Letters 53, 2004. */
struct mixing *mixing_metropolis(const struct graph *graph);
struct mixing *mixing_circulant(size_t n, const size_t *offsets,
                                const double *shares, size_t count);
void mixing_free(struct mixing *mixing);
/* The same matrix with its rows written out. */
struct mixing *mixing_sparse(const struct mixing *mixing);
/* (I + W) / 2 of sparse rows, in place. */
void mixing_laze(struct mixing *mixing);

/* out[d] = sum_j W_ij x_j of row i; x[n, d]. Not for MIXING_AVERAGE. The terms
 * are added in the row's order. */
void mixing_row(double *out, const struct mixing *mixing, size_t i,
                const double *x, size_t d);
/* The same, of d columns of rows that begin `stride` apart; `single`: of floats
 * in single precision, else of doubles. */
void mixing_columns(void *out, const struct mixing *mixing, size_t i,
                    const void *x, size_t stride, size_t d, bool single);

/* The place of (i, j) among the entries of sparse rows, or SIZE_MAX. */
size_t mixing_find(const struct mixing *mixing, size_t i, size_t j);
size_t mixing_links(const struct mixing *mixing); /* off the diagonal, not 0 */

struct mixing_sums {
    double row_worst, column_worst; /* largest |sum - 1| */
    size_t row, column;             /* where */
    double row_sum, column_sum;     /* there */
    double asymmetry;               /* largest |W_ij - W_ji| */
    double least;                   /* smallest entry */
};
void mixing_check(struct mixing_sums *sums, const struct mixing *mixing);

void mixing_dense(double *dense, const struct mixing *mixing); /* [n, n] */
/* The undirected graph of the pattern. NULL if out of memory. */
struct graph *mixing_graph(const struct mixing *mixing);

#endif
