#include "sim/lab/geometry.h"

enum { SIDE = 1009 };

struct graph *geometry_graph(size_t n, size_t percent)
{
    struct graph_edges edges = {0};
    const long long reach = (long long)(percent * percent) * SIDE * SIDE;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            long long dx = (long long)((577 * i + 101) % SIDE) -
                           (long long)((577 * j + 101) % SIDE);
            long long dy = (long long)((31 * i * i + 7 * i + 3) % SIDE) -
                           (long long)((31 * j * j + 7 * j + 3) % SIDE);
            if ((dx * dx + dy * dy) * 10000 <= reach)
                graph_add(&edges, i, j);
        }
    return graph_of(&edges, n);
}

size_t geometry_radius(size_t n)
{
    for (size_t percent = 1; percent <= 142; percent++) {
        struct graph *g = geometry_graph(n, percent);
        size_t parts = g == NULL ? 0 : graph_parts(g);
        graph_free(g);
        if (parts == 1)
            return percent;
    }
    return 0;
}
