/* An algorithm, seen from one node: what it keeps, what it does alone, what it
 * sends and what it makes of what arrives. Each is one short file alg_*.c
 * against this; docs/lab.md adds one. Update rules: the reference's
 * ALGORITHMS.md.
 *
 * A step has one or more phases. In each, every node writes its message, then
 * every node gets sum_j W_ij message_j and combines. A node may touch only what
 * its struct alg_node points to.
 */

#ifndef LAB_ALG_H
#define LAB_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/lab/compress.h"
#include "sim/lab/slopes.h"
#include "sim/lab/states.h"

enum {
    ALG_VECTORS_MAX = 8,
    ALG_SCALARS_MAX = 2,
    ALG_SENDS_MAX = 2,
    ALG_PHASES_MAX = 2,
    ALG_SCRATCH = 4
};

/* Parameters that an entry of the experiment may give. */
enum alg_takes {
    ALG_STEP = 1 << 0,
    ALG_SERVER_STEP = 1 << 1,
    ALG_LOCAL_STEPS = 1 << 2,
    ALG_BETA = 1 << 3,
    ALG_MU = 1 << 4,
    ALG_RHO = 1 << 5,
    ALG_GAMMA = 1 << 6,
    ALG_TAU = 1 << 7,
    ALG_COMPRESSOR = 1 << 8,
    ALG_ORDER = 1 << 9,
    ALG_DEGREE = 1 << 10,
    ALG_MODE = 1 << 11,
    ALG_SENDS = 1 << 12,
    ALG_TOKENS = 1 << 13,
    ALG_PLACEMENT = 1 << 14
};

/* What it needs to be itself; else it is refused. */
enum alg_needs {
    ALG_ROWS_SUM = 1 << 0,    /* W 1 = 1 */
    ALG_COLUMNS_SUM = 1 << 1, /* 1'W = 1' */
    ALG_DOUBLY = ALG_ROWS_SUM | ALG_COLUMNS_SUM,
    ALG_SYMMETRIC = 1 << 2,
    ALG_TREE = 1 << 3,
    ALG_SLEM = 1 << 4,          /* setting.slem of a symmetric W */
    ALG_ABOVE_THIRD = 1 << 5,   /* lambda_n >= -1/3 */
    ALG_LINKS = 1 << 6,         /* one fixed undirected graph */
    ALG_MEETINGS = 1 << 7,      /* pairs that wake */
    ALG_ON_TOKENS = 1 << 8,     /* its rows are tokens, not nodes */
    ALG_GRADIENTS = 1 << 9,     /* makes no sense for consensus */
    ALG_RANDOM_SENDS = 1 << 10, /* its matrix is drawn, or from sends: */
    ALG_FIXED = 1 << 11,        /* the same W in every step */
    ALG_DIVIDES = 1 << 12,      /* by its step, which is not 0 */
    ALG_COPIES = 1 << 13        /* neighbours add up all that it sends */
};

/* So many draws of noise or batches a step has at most: a step's are keyed by
 * step * ALG_DRAWS + draw. */
enum { ALG_DRAWS = 4096 };

enum alg_matrix {
    ALG_W,       /* the experiment's matrix */
    ALG_COLUMNS, /* its column-stochastic one, where it has two */
    ALG_MEAN     /* exact average of all */
};

struct alg_setting {
    double step, server_step, beta, mu, rho, gamma, tau;
    uint64_t local_steps, degree, tokens;
    bool iclr20; /* CHOCO-SGD's order: mix first */
    bool local;  /* Epidemic Learning's mode: local, not oracle */
    struct compress compressor;
    double slem;
    uint64_t seed;
};

struct alg_world { /* what all nodes of a step have in common */
    const struct problem *problem;
    const struct faults *faults; /* or NULL */
    const struct mixing *mixing;
    const struct states *sent; /* the first message of each node */
    const double *link_send;   /* one message a link, or NULL */
    const size_t *first, *reverse;
    uint64_t *draws; /* [n] */
};

struct alg_node {
    const struct alg_setting *set;
    size_t d;                    /* coordinates */
    size_t n;                    /* nodes */
    uint64_t id;                 /* this node */
    uint64_t place;              /* whose f_i it sees: id, but for tokens */
    uint64_t step;               /* from 0 */
    double *v[ALG_VECTORS_MAX];  /* its state, [d] each; v[0] is measured */
    double *s;                   /* [scalars] */
    double *send[ALG_SENDS_MAX]; /* [d] each: the message of this phase */
    double *send_s;
    double *got[ALG_SENDS_MAX]; /* [d] each: the weighted sum of messages */
    double *got_s;
    double *t[ALG_SCRATCH]; /* [d] each, for the moment */
    struct slopes_way way;

    /* where the graph's links count: */
    size_t links;
    const uint32_t *neighbour;     /* [links] ascending */
    double *link;                  /* [links, link_vectors, d + 1] its own */
    double *link_send;             /* [links, d + 1] one message a link */
    uint64_t draws;                /* gradients so far in this step */
    const struct alg_world *world; /* for the functions below */
};

struct alg {
    const char *name;
    unsigned takes, needs;
    size_t vectors, scalars;    /* per node; all zero but v[0] at the start */
    size_t sends, scalar_sends; /* per phase */
    size_t link_vectors;
    bool link_sends; /* a message of its own for every link */
    size_t phases;   /* 0 means 1 */
    enum alg_matrix matrix[ALG_PHASES_MAX];
    /* Each may be NULL. Without `message` a node sends v[0] and what it got is
     * its new v[0], which combine() may still change in got[0]. Without
     * `combine` what it got is its new v[0] too. */
    void (*init)(struct alg_node *a);
    void (*settle)(struct alg_node *a); /* got[0]: the mean of init's send[0] */
    void (*message)(struct alg_node *a, size_t phase);
    bool only_sends; /* message() leaves v and writes all of send */
    bool descends;   /* with one local step and no mu: v[0] - step gradient */
    void (*combine)(struct alg_node *a, size_t phase);
    /* Two nodes meet; instead of message and combine. one_a_step: else as many
     * meetings as there are nodes. */
    void (*meet)(struct alg_node *a, struct alg_node *b);
    bool one_a_step;
};

/* All of them; NULL ends the list. */
extern const struct alg *const alg_list[];
const struct alg *alg_find(const char *name);
bool alg_uses(const struct alg *alg, enum alg_matrix matrix);

/* g[d]: the gradient of this node's f_i at x[d]; with noise if the problem has
 * some, another draw with every call. */
void alg_gradient(struct alg_node *a, double *g, const double *x);
/* out[d] = x[d] - step gradient at x, of single precision, where
 * problem_descends(): with the bits of alg_gradient() and kernel_sum(). */
void alg_descend(struct alg_node *a, float *out, const float *x);
void alg_compress(const struct alg_node *a, double *out, const double *in,
                  uint64_t draw);
/* Link k: its weight, what its other end sent (send[0], or to this node alone
 * if link_sends), whether that was lost. */
double alg_weight(const struct alg_node *a, size_t k);
const double *alg_received(const struct alg_node *a, size_t k);
bool alg_lost(const struct alg_node *a, size_t k);

/* out = a + factor b */
static inline void alg_add(double *out, const double *a, double factor,
                           const double *b, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = a[k] + factor * b[k];
}

static inline void alg_copy(double *out, const double *a, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = a[k];
}

#endif
