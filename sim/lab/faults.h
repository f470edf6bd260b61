/* What the network and the nodes do wrong: messages that are lost, nodes that
 * are offline, nodes that send what they like. */

#ifndef LAB_FAULTS_H
#define LAB_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "gossip/mixing.h"
#include "model/error.h"
#include "sim/lab/table.h"

enum faults_rule {
    FAULTS_SELF,        /* the receiver adds the missing weight to its own */
    FAULTS_SYMMETRIC,   /* a link counts only if both directions arrive */
    FAULTS_RENORMALISE, /* the receiver divides by what is left */
    FAULTS_LOST,        /* the sender's share is gone */
    FAULTS_RETURNED     /* the sender's share comes back to it */
};

extern const char faults_rules[]; /* in this order, parted by '|' */

struct faults {
    struct table drop;      /* step,from,to sorted */
    struct table offline;   /* step,node sorted */
    struct table byzantine; /* from,to,value sorted */
    bool *liar;             /* [n] or NULL: nodes that send what they like */
    double loss;            /* each message, by chance */
    double away;            /* each node in each step, by chance */
    uint64_t seed;
};

/* Sorts the tables, marks the liars. */
int faults_prepare(struct faults *faults, size_t n, struct error *error);
void faults_free(struct faults *faults);

bool faults_lost(const struct faults *faults, uint64_t step, size_t from,
                 size_t to);
bool faults_offline(const struct faults *faults, uint64_t step, size_t node);
bool faults_any_offline(const struct faults *faults, uint64_t step);
/* What `from` sends to `to` in every coordinate. */
bool faults_lie(double *value, const struct faults *faults, size_t from,
                size_t to);
bool faults_none(const struct faults *faults); /* of lost and offline */

/* The matrix that `step` really has; owned. NULL if out of memory. */
struct mixing *faults_mixing(const struct faults *faults,
                             const struct mixing *mixing, uint64_t step,
                             enum faults_rule rule);

#endif
