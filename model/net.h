/* Fully connected networks on one flat array of parameters: no hidden layer and
 * one output is logistic regression, K outputs softmax regression.
 *
 * Layer l is W[1 + in, out], row 0 the biases; layers follow one another. Rows
 * x[rows, 1 + inputs] begin with 1. One output is a logit and y is 0 or 1; K
 * outputs are softmax's and y is 0..K - 1. The loss is the negative log
 * likelihood; gradients are by backpropagation (Rumelhart, Hinton, Williams,
 * Nature 323, 1986).
 *
 * model/net_kernel.h computes; model/net32.h and model/net64.h are that one
 * source, compiled for float and for double.
 */

#ifndef MODEL_NET_H
#define MODEL_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

enum {
    NET_HIDDEN_MAX = 8,
    NET_LAYERS_MAX = NET_HIDDEN_MAX + 1,
    NET_OUTPUTS_MAX = 1000,
    NET_BLOCK = 256 /* rows that go through the layers together */
};

enum net_activation { NET_RELU, NET_TANH };

struct net {
    size_t layers;                     /* 1 + hidden ones */
    size_t sizes[NET_LAYERS_MAX + 1];  /* inputs, hidden layers, outputs */
    size_t offset[NET_LAYERS_MAX + 1]; /* of each layer; [layers]: the end */
    enum net_activation activation;
};

/* hidden[hidden_count], each 1 or more, hidden_count <= NET_HIDDEN_MAX. */
void net_init(struct net *net, size_t inputs, const size_t *hidden,
              size_t hidden_count, size_t outputs, enum net_activation act);
size_t net_count(const struct net *net); /* of parameters */

/* w[net_count]: weights uniform in +- sqrt(6 / (in + out)), or sqrt(6 / in) for
 * relu (Glorot, Bengio, AISTATS 2010; He et al., ICCV 2015), biases and output
 * layers of networks without hidden ones 0. Equal bits on every machine. */
void net_start(double *w, const struct net *net, struct prg *prg);

/* Sums over rows of one split. */
enum net_sum { NET_LOSS, NET_CORRECT, NET_BRIER, NET_SUMS };

/* One site's local training, from `start` on. */
struct net_descent {
    const struct net *net;
    const void *x;    /* [rows, 1 + inputs] of the kernel's reals */
    const int32_t *y; /* [rows] */
    size_t rows;
    const double *start; /* [count] */
    const double *shift; /* [count] added to every gradient, or NULL */
    double step, momentum;
    double ridge; /* weight of half the squares, biases left out */
    double mu;    /* of half the squared distance from start */
    uint64_t steps;
    size_t batch;    /* rows in a step; 0: all, in order */
    struct prg *prg; /* orders the rows; NULL if batch is 0 */
};

/* The members of net32 and net64. `work` is theirs to use, work_size bytes. */
struct net_kernel {
    size_t real_size;
    size_t (*work_size)(const struct net *net, size_t rows);
    /* gradient[count] of the mean loss over rows, which is returned */
    double (*gradient)(double *gradient, const struct net *net, const double *w,
                       const void *x, const int32_t *y, size_t rows,
                       void *work);
    /* sums[NET_SUMS] at w[count]; with one output also p[rows] unless NULL */
    void (*measure)(double *sums, double *p, const struct net *net,
                    const double *w, const void *x, const int32_t *y,
                    size_t rows, void *work);
    /* delta[count]: where the steps lead, minus start */
    void (*descend)(double *delta, const struct net_descent *descent,
                    void *work);
};

#endif
