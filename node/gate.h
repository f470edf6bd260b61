/* The one door out: what derives from a site's rows is shown here before it is
 * masked and sent. The questions come in a fixed order, the first no counts:
 * does the charter allow it? the site's own policy? the disclosure rules?
 * Whatever the answer, one line for the site's audit log comes out of it; no
 * value ever stands in a line or an error. */

#ifndef NODE_GATE_H
#define NODE_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/fixed.h"
#include "gossip/gossip.h"
#include "model/dataset.h"
#include "model/error.h"
#include "node/study.h"

enum { GATE_ROWS_MIN = 5, GATE_LINE_SIZE = 1024 };

struct gate_policy {
    size_t rows_min; /* a site with fewer training rows sends nothing, nor one
                        with fewer test rows, unless it has none */
    bool unmasked;   /* it takes part where the charter has `masks: none` */
};

struct gate_request {
    const struct study *study;
    const struct dataset *dataset;
    const struct gate_policy *policy; /* NULL: GATE_ROWS_MIN */
    uint32_t self;
    uint64_t round;
    const char *phase;        /* what the vector is: "means" */
    struct fixed_shape shape; /* what the charter's task sums now */
    const double *values;     /* [length] */
    size_t length;
};

/* Whether the values may be summed; why not, with a sentence in error. */
enum gossip_decline gate_ask(const struct gate_request *request,
                             struct error *error);

/* The audit line of a decision; `error` is read if it was a no. */
void gate_line(char line[GATE_LINE_SIZE], const struct gate_request *request,
               enum gossip_decline decision, const struct error *error);

#endif
