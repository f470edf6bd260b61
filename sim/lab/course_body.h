/* What a course is made of, for the files course_*.c alone. */

#ifndef LAB_COURSE_BODY_H
#define LAB_COURSE_BODY_H

#include "sim/lab/course.h"
#include "sim/lab/shift.h"
#include "sim/lab/spread.h"
#include "sim/lab/states.h"

struct course {
    struct course_plan plan;
    size_t n, d;
    struct spread spread;
    uint64_t step;
    struct alg_world world;            /* of this step */
    uint64_t *draws;                   /* [n] gradients in this step */
    struct states v[ALG_VECTORS_MAX];  /* [n, d] each */
    double *s;                         /* [n, scalars] */
    struct states send[ALG_SENDS_MAX]; /* [n, d] each, if it has a message */
    double *send_s;                    /* [n] */
    struct states next;                /* [n, d] instead: the new v[0] */
    struct shift shift;                /* its room, where that is in place */
    double *link, *link_send;          /* [links, ...] */
    size_t *first;                     /* [n + 1] links of each node */
    uint32_t *neighbour;               /* [first[n]] */
    size_t *reverse;                   /* [first[n]] the same link, other end */
    double *scratch;                   /* [threads, scratch_size] */
    size_t scratch_size;
    double *mean[ALG_SENDS_MAX];    /* [d] for ALG_MEAN */
    double *partial;                /* [blocks, d + 1] */
    double *start_mean;             /* [d] */
    double *now, *then;             /* [n] virtual time */
    const struct mixing *mixing[3]; /* of this step, by enum alg_matrix */
    struct mixing *real[2];         /* owned, where faults change them */
    struct mixing *average;
    size_t phase;
    bool mixed;        /* next has W v[0] already */
    size_t at_meeting; /* row of plan.wake */
    double links;      /* of the matrix before */
    double vectors, bytes;
    double gradients; /* of this process's nodes */
    struct error *error;
};

/* Gradients taken, of all processes, into process 0. */
void course_gather_gradients(struct course *course);

#endif
