#include "sim/lab/weights.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/lab/fastest.h"
#include "sim/lab/spectrum.h"

const char weights_rules[] =
    "metropolis|max-degree|lazy-metropolis|best-constant|fdla|fmmc|uniform";

static double alike(double own, double other, double constant)
{
    (void)own;
    (void)other;
    return constant;
}

static double by_own(double own, double other, double constant)
{
    (void)other;
    return constant / (1 + own);
}

static int fill_fastest(struct mixing **mixing, const struct graph *g,
                        bool nonnegative, struct error *error)
{
    const size_t edges = g->start[g->n] / 2;
    double *w = malloc((edges + 1) * sizeof *w);
    struct mixing_entry *entries = malloc((4 * edges + g->n) * sizeof *entries);
    size_t count = 0, next = 0;
    int code = -ENOMEM;

    if (w == NULL || entries == NULL)
        error_set(error, code, "weights: out of memory");
    else
        code = fastest_weights(w, g, nonnegative, error);
    for (size_t i = 0; code == 0 && i < g->n; i++) {
        uint32_t a = (uint32_t)i;
        entries[count++] = (struct mixing_entry){a, a, 1};
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            uint32_t b = g->to[e];
            if (a > b)
                continue;
            entries[count++] = (struct mixing_entry){a, b, w[next]};
            entries[count++] = (struct mixing_entry){b, a, w[next]};
            entries[count++] = (struct mixing_entry){a, a, -w[next]};
            entries[count++] = (struct mixing_entry){b, b, -w[next++]};
        }
    }
    if (code == 0 && (*mixing = mixing_of(entries, count, g->n)) == NULL)
        code = error_set(error, -ENOMEM, "weights: out of memory");
    free(entries);
    free(w);
    return code;
}

int weights_of(struct mixing **mixing, const struct graph *g,
               enum weights_rule rule, struct error *error)
{
    double constant = 1 / (1 + (double)graph_degree_max(g)), least, most;

    *mixing = NULL;
    if (rule == WEIGHTS_FDLA || rule == WEIGHTS_FMMC)
        return fill_fastest(mixing, g, rule == WEIGHTS_FMMC, error);
    if (rule == WEIGHTS_BEST) {
        int code = spectrum_laplacian(&least, &most, g, error);
        if (code != 0)
            return code;
        constant = 2 / (least + most);
    }
    if (rule == WEIGHTS_LAZY || rule == WEIGHTS_METROPOLIS)
        *mixing = mixing_metropolis(g);
    else if (rule == WEIGHTS_UNIFORM)
        *mixing = mixing_weigh(g, by_own, 1);
    else
        *mixing = mixing_weigh(g, alike, constant);
    if (*mixing == NULL)
        return error_set(error, -ENOMEM, "weights: out of memory");
    if (rule == WEIGHTS_LAZY)
        mixing_laze(*mixing);
    return 0;
}

struct mixing *weights_among(const struct graph *g, const bool *on)
{
    struct graph_edges edges = {0};

    for (size_t i = 0; i < g->n; i++)
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++)
            if (on[i] && on[g->to[e]] && i < g->to[e])
                graph_add(&edges, i, g->to[e]);
    struct graph *among = graph_of(&edges, g->n);
    struct mixing *m = among == NULL ? NULL : mixing_metropolis(among);
    graph_free(among);
    return m;
}
