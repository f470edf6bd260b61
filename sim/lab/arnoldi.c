#include "sim/lab/arnoldi.h"

#include <arpack/arpack.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "sim/lab/chance.h"

enum { WANTED = 4, BASIS = 60, RESTARTS = 100 };

static const double accuracy = 1e-11;

struct process {
    int n;
    double *start, *basis, *work, *room; /* [n], [n, BASIS], [3 n], [ROOM] */
    int parameters[11], places[14];
};

enum { ROOM = 3 * BASIS * BASIS + 6 * BASIS };

/* ARPACK says what it wants multiplied. */
static int iterate(struct process *p,
                   void (*product)(double *y, const double *x,
                                   const void *context),
                   const void *context)
{
    int wish = 0, info = 1; /* the start is ours */

    for (;;) {
        dnaupd_c(&wish, "I", p->n, "LM", WANTED, accuracy, p->start, BASIS,
                 p->basis, p->n, p->parameters, p->places, p->work, p->room,
                 ROOM, &info);
        if (wish != -1 && wish != 1)
            return info;
        product(p->work + p->places[1] - 1, p->work + p->places[0] - 1,
                context);
    }
}

static int largest(double *modulus, struct process *p)
{
    double re[WANTED + 1] = {0}, im[WANTED + 1] = {0}, none[1];
    double room[3 * BASIS];
    int select[BASIS] = {0}, info = 0;

    dneupd_c(0, "A", select, re, im, none, 1, 0, 0, room, "I", p->n, "LM",
             WANTED, accuracy, p->start, BASIS, p->basis, p->n, p->parameters,
             p->places, p->work, p->room, ROOM, &info);
    if (info != 0 || p->parameters[4] < 1)
        return -EDOM;
    *modulus = 0;
    for (int k = 0; k < p->parameters[4] && k <= WANTED; k++)
        *modulus = fmax(*modulus, hypot(re[k], im[k]));
    return 0;
}

int arnoldi_modulus(double *modulus, size_t n,
                    void (*product)(double *y, const double *x,
                                    const void *context),
                    const void *context)
{
    struct process p = {.n = (int)n,
                        .parameters = {1, 0, RESTARTS, 1, 0, 0, 1}};
    struct chance chance = chance_of(0, CHANCE_START, 0, 0);
    const size_t size = n * (BASIS + 4) + ROOM;
    double *all = n > INT_MAX / BASIS ? NULL : calloc(size, sizeof *all);

    if (all == NULL)
        return -ENOMEM;
    p.start = all;
    p.work = p.start + n;
    p.basis = p.work + 3 * n;
    p.room = p.basis + n * BASIS;
    for (size_t i = 0; i < n; i++)
        p.start[i] = chance_normal(&chance);
    int code =
        iterate(&p, product, context) == 0 ? largest(modulus, &p) : -EDOM;
    free(all);
    return code;
}
