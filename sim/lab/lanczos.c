#include "sim/lab/lanczos.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/kernel.h"
#include "sim/lab/chance.h"

static const double still = 1e-12;

enum { FIRST_LOOK = 32 };

struct process {
    const struct lanczos_operator *a;
    double *x, *before, *next; /* [n] */
    double *alpha, *beta;      /* [most] the tridiagonal matrix */
    size_t steps, most;
};

static void remove_mean(double *x, const struct lanczos_operator *a)
{
    double mean = 0;

    if (!a->apart)
        return;
    for (size_t i = 0; i < a->n; i++)
        mean += x[i] / (double)a->n;
    for (size_t i = 0; i < a->n; i++)
        x[i] -= mean;
}

static void start(struct process *p)
{
    const size_t n = p->a->n;
    struct chance chance = chance_of(0, CHANCE_START, 0, 0);

    for (size_t i = 0; i < n; i++)
        p->x[i] = chance_normal(&chance);
    remove_mean(p->x, p->a);
    const double size = sqrt(kernel_dot(p->x, p->x, n));
    for (size_t i = 0; i < n; i++)
        p->x[i] /= size;
}

/* False if nothing is left: the matrix is then all of it. */
static bool step(struct process *p)
{
    const size_t n = p->a->n, k = p->steps;
    const double last = k == 0 ? 0 : p->beta[k - 1];

    p->a->product(p->next, p->x, p->a->context);
    const double alpha = kernel_dot(p->next, p->x, n);
    for (size_t i = 0; i < n; i++)
        p->next[i] -= alpha * p->x[i] + last * p->before[i];
    remove_mean(p->next, p->a);
    const double beta = sqrt(kernel_dot(p->next, p->next, n));
    double *old = p->before;
    p->alpha[k] = alpha;
    p->beta[k] = beta;
    p->steps++;
    if (!(beta > 1e-14 * (fabs(alpha) + last + 1e-300)))
        return false;
    p->before = p->x;
    p->x = p->next;
    p->next = old;
    for (size_t i = 0; i < n; i++)
        p->x[i] /= beta;
    return true;
}

/* How many eigenvalues lie below x: Sturm's sequence. */
static size_t below(const struct process *p, double x)
{
    size_t count = 0;
    double d = 1;

    for (size_t k = 0; k < p->steps; k++) {
        const double beta = k == 0 ? 0 : p->beta[k - 1];
        d = p->alpha[k] - x - beta * beta / d;
        if (fabs(d) < 1e-300)
            d = -1e-300;
        count += d < 0;
    }
    return count;
}

/* The eigenvalue that has `rank` others below it. */
static double eigenvalue(const struct process *p, size_t rank)
{
    double low = 0, high = 0;

    for (size_t k = 0; k < p->steps; k++) { /* Gershgorin's circles */
        const double around = p->beta[k] + (k == 0 ? 0 : p->beta[k - 1]);
        low = fmin(low, p->alpha[k] - around);
        high = fmax(high, p->alpha[k] + around);
    }
    for (int halvings = 0; halvings < 70; halvings++) {
        const double middle = low + (high - low) / 2;
        if (below(p, middle) > rank)
            high = middle;
        else
            low = middle;
    }
    return low + (high - low) / 2;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= still * fmax(1, fabs(a));
}

static int run(double *least, double *most, struct process *p)
{
    size_t look = FIRST_LOOK;

    *least = *most = (double)NAN;
    start(p);
    while (p->steps < p->most) {
        const bool more = step(p);
        if (more && p->steps < look)
            continue;
        const double low = eigenvalue(p, 0), high = eigenvalue(p, p->steps - 1);
        const bool done = !more || (near(low, *least) && near(high, *most));
        *least = low;
        *most = high;
        if (done)
            return 0;
        look += look / 2;
    }
    return -EDOM;
}

int lanczos_ends(double *least, double *most, const struct lanczos_operator *a)
{
    const size_t n = a->n, steps = 20 * n + 1000;
    struct process p = {.a = a, .most = steps};
    double *room = calloc(3 * n, sizeof *room);
    int code = -ENOMEM;

    p.alpha = malloc(steps * sizeof *p.alpha);
    p.beta = malloc(steps * sizeof *p.beta);
    if (room != NULL && p.alpha != NULL && p.beta != NULL) {
        p.x = room;
        p.before = room + n;
        p.next = room + 2 * n;
        code = run(least, most, &p);
    }
    free(room);
    free(p.alpha);
    free(p.beta);
    return code;
}
