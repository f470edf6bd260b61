#include "sim/lab/moments.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/rig.h"

static int set_lambda2(struct moments *m)
{
    const struct graph *g = m->graph;
    const size_t n = g->n, links = g->start[n];
    struct mixing_entry *entries = malloc((4 * links + n) * sizeof *entries);
    struct spectrum spectrum = {0};
    size_t count = 0;

    if (entries == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        entries[count++] = (struct mixing_entry){(uint32_t)i, (uint32_t)i, 1};
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            double p = 0.5 / (double)n / (double)graph_degree(g, i);
            uint32_t a = (uint32_t)i, b = g->to[e];
            entries[count++] = (struct mixing_entry){a, a, -p};
            entries[count++] = (struct mixing_entry){b, b, -p};
            entries[count++] = (struct mixing_entry){a, b, p};
            entries[count++] = (struct mixing_entry){b, a, p};
        }
    }
    struct mixing *w = mixing_of(entries, count, n);
    int code = w == NULL ? -1 : spectrum_of(&spectrum, w, NULL);
    m->lambda2 = spectrum.lambda2;
    mixing_free(w);
    free(entries);
    return code;
}

int moments_open(struct moments *m, const char *graph, size_t n)
{
    const struct named_spec spec = {.name = graph};

    *m = (struct moments){0};
    m->m = malloc(n * n * sizeof *m->m);
    m->next = malloc(n * n * sizeof *m->next);
    if (m->m == NULL || m->next == NULL ||
        named_graph(&m->graph, &spec, n, NULL) != 0 || set_lambda2(m) != 0) {
        moments_close(m);
        return -1;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            m->m[i * n + j] = ((i == j) - 1 / (double)n) / (double)n;
    return 0;
}

void moments_close(struct moments *m)
{
    graph_free(m->graph);
    free(m->m);
    free(m->next);
    *m = (struct moments){0};
}

/* next += p W m W, where W averages a and b. */
static void add_meeting(struct moments *m, size_t a, size_t b, double p)
{
    const size_t n = m->graph->n;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const size_t rows[2] = {i == b ? a : i, i == a ? b : i};
            const size_t columns[2] = {j == b ? a : j, j == a ? b : j};
            double sum = 0;
            for (size_t r = 0; r < 2; r++)
                for (size_t c = 0; c < 2; c++)
                    sum += m->m[rows[r] * n + columns[c]];
            m->next[i * n + j] += p * sum / 4;
        }
}

void moments_advance(struct moments *m, size_t ticks)
{
    const struct graph *g = m->graph;
    const size_t n = g->n;

    for (size_t t = 0; t < ticks; t++) {
        memset(m->next, 0, n * n * sizeof *m->next);
        for (size_t i = 0; i < n; i++)
            for (size_t e = g->start[i]; e < g->start[i + 1]; e++)
                add_meeting(m, i, g->to[e],
                            1 / (double)n / (double)graph_degree(g, i));
        memcpy(m->m, m->next, n * n * sizeof *m->m);
    }
}

double moments_error(const struct moments *m)
{
    const size_t n = m->graph->n;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += rig_start(i) * m->m[i * n + j] * rig_start(j);
    return sum;
}
