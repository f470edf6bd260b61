#include "sim/lab/named.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/lab/social.h"

static int path(struct graph_edges *e, const struct named_spec *s, size_t n,
                struct error *error)
{
    (void)s, (void)error;
    for (size_t i = 0; i + 1 < n; i++)
        graph_add(e, i, i + 1);
    return 0;
}

static int ring(struct graph_edges *e, const struct named_spec *s, size_t n,
                struct error *error)
{
    (void)s, (void)error;
    for (size_t i = 0; i < n; i++)
        graph_add(e, i, (i + 1) % n);
    return 0;
}

static int star(struct graph_edges *e, const struct named_spec *s, size_t n,
                struct error *error)
{
    (void)s, (void)error;
    for (size_t i = 1; i < n; i++)
        graph_add(e, 0, i);
    return 0;
}

static void clique(struct graph_edges *e, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        for (size_t j = i + 1; j < to; j++)
            graph_add(e, i, j);
}

static int complete(struct graph_edges *e, const struct named_spec *s, size_t n,
                    struct error *error)
{
    (void)s, (void)error;
    clique(e, 0, n);
    return 0;
}

static int sides(size_t *a, size_t *b, const struct named_spec *s, size_t n,
                 struct error *error)
{
    *a = s->rows;
    *b = s->columns;
    assert(n > 0);
    if (*a == 0 && *b == 0) {
        *a = 1;
        for (size_t r = 1; r * r <= n; r++)
            if (n % r == 0)
                *a = r;
    }
    if (*a == 0 && *b > 0)
        *a = n / *b;
    if (*b == 0 && *a > 0)
        *b = n / *a;
    if (*a * *b == n && *b > 0)
        return 0;
    return error_set(error, -EINVAL,
                     "%s of %zu rows and %zu columns: found %zu nodes, "
                     "expected %zu",
                     s->name, *a, *b, n, *a * *b);
}

static int grid(struct graph_edges *e, const struct named_spec *s, size_t n,
                struct error *error)
{
    const size_t wraps = strcmp(s->name, "torus") == 0;
    size_t a = 1, b = 1;
    int code = sides(&a, &b, s, n, error);

    for (size_t r = 0; code == 0 && r < a; r++)
        for (size_t c = 0; c < b; c++) {
            size_t i = r * b + c;
            if (c + 1 < b || wraps)
                graph_add(e, i, r * b + (c + 1 < b ? c + 1 : 0));
            if (r + 1 < a || wraps)
                graph_add(e, i, (r + 1 < a ? r + 1 : 0) * b + c);
        }
    return code;
}

static int hypercube(struct graph_edges *e, const struct named_spec *s,
                     size_t n, struct error *error)
{
    if ((n & (n - 1)) != 0)
        return error_set(error, -EINVAL,
                         "%s: found %zu nodes, expected a power of two",
                         s->name, n);
    for (size_t i = 0; i < n; i++)
        for (size_t bit = 1; bit < n; bit *= 2)
            graph_add(e, i, i ^ bit);
    return 0;
}

static int bintree(struct graph_edges *e, const struct named_spec *s, size_t n,
                   struct error *error)
{
    (void)error;
    for (size_t i = 1; i < n; i++) {
        graph_add(e, i, (i - 1) / 2);
        if (strcmp(s->name, "halfthird") == 0)
            graph_add(e, i, (i - 1) / 3);
    }
    return 0;
}

/* Two complete trees of which one's leaves are mostly inner in the other. */
static int double_bintree(struct graph_edges *e, const struct named_spec *s,
                          size_t n, struct error *error)
{
    (void)s, (void)error;
    for (size_t i = 1; i < n; i++) {
        graph_add(e, i, (i - 1) / 2);
        graph_add(e, n - 1 - i, n - 1 - (i - 1) / 2);
    }
    return 0;
}

static int circulant(struct graph_edges *e, const struct named_spec *s,
                     size_t n, struct error *error)
{
    if (s->offset_count == 0)
        return error_set(error, -EINVAL,
                         "circulant: found no offsets, expected such as "
                         "offsets: [1, 2]");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < s->offset_count; k++)
            graph_add(e, i, (i + s->offsets[k]) % n);
    return 0;
}

static int lattice4(struct graph_edges *e, const struct named_spec *s, size_t n,
                    struct error *error)
{
    (void)s, (void)error;
    for (size_t i = 0; i < n; i++) {
        graph_add(e, i, (i + 1) % n);
        graph_add(e, i, (i + 2) % n);
    }
    return 0;
}

static int exp_undirected(struct graph_edges *e, const struct named_spec *s,
                          size_t n, struct error *error)
{
    (void)s, (void)error;
    for (size_t i = 0; i < n; i++)
        for (size_t hop = 1; hop < n; hop *= 2)
            graph_add(e, i, (i + hop) % n);
    return 0;
}

static int barbell(struct graph_edges *e, const struct named_spec *s, size_t n,
                   struct error *error)
{
    const size_t half = s->clique == 0 ? n / 2 : s->clique;

    if (2 * half > n || half == 0)
        return error_set(error, -EINVAL,
                         "barbell: found %zu nodes, expected at least %zu", n,
                         2 * half);
    clique(e, 0, half);
    clique(e, n - half, n);
    for (size_t i = half - 1; i < n - half; i++)
        graph_add(e, i, i + 1); /* the bar; one edge if nothing is left */
    return 0;
}

static int lollipop(struct graph_edges *e, const struct named_spec *s, size_t n,
                    struct error *error)
{
    const size_t head = s->clique == 0 ? (n + 1) / 2 : s->clique;

    if (head > n)
        return error_set(error, -EINVAL,
                         "lollipop: found %zu nodes, expected at least the "
                         "clique's %zu",
                         n, head);
    clique(e, 0, head);
    for (size_t i = head - 1; i + 1 < n; i++)
        graph_add(e, i, i + 1);
    return 0;
}

static int wheel(struct graph_edges *e, const struct named_spec *s, size_t n,
                 struct error *error)
{
    for (size_t i = 1; i < n; i++)
        graph_add(e, i, i + 1 < n ? i + 1 : 1);
    return star(e, s, n, error);
}

/* The largest divisor that is at most the root, and what it divides into. */
static size_t square_side(size_t n)
{
    size_t a = 1;

    for (size_t r = 1; r * r <= n; r++)
        if (n % r == 0)
            a = r;
    return n / a;
}

/* Cliques whose first nodes form a ring. */
static int hierarchical(struct graph_edges *e, const struct named_spec *s,
                        size_t n, struct error *error)
{
    const size_t size = s->clique == 0 ? square_side(n) : s->clique;

    if (size < 2 || n % size != 0)
        return error_set(error, -EINVAL,
                         "%s: found %zu nodes in cliques of %zu, expected "
                         "clique: a divisor of the nodes, at least 2",
                         s->name, n, size);
    for (size_t from = 0; from < n; from += size) {
        clique(e, from, from + size);
        graph_add(e, from, (from + size) % n);
    }
    return 0;
}

static int social(struct graph_edges *e, const struct named_spec *s, size_t n,
                  struct error *error)
{
    return social_edges(e, s->name, n, error);
}

/* Watts' connected caveman: every clique lends one edge to the next. */
static int caveman(struct graph_edges *e, const struct named_spec *s, size_t n,
                   struct error *error)
{
    const size_t size = s->clique == 0 ? square_side(n) : s->clique;

    if (size < 2 || n % size != 0)
        return error_set(error, -EINVAL,
                         "caveman: found %zu nodes in cliques of %zu, expected "
                         "clique: a divisor of the nodes, at least 2",
                         n, size);
    for (size_t from = 0; from < n; from += size) {
        for (size_t i = from; i < from + size; i++)
            for (size_t j = i + 1; j < from + size; j++)
                if (n == size || i != from || j != from + 1)
                    graph_add(e, i, j);
        graph_add(e, from, (from + n - 1) % n);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*build)(struct graph_edges *edges, const struct named_spec *spec,
                 size_t n, struct error *error);
} builders[] = {
    {"path", path},
    {"ring", ring},
    {"star", star},
    {"complete", complete},
    {"grid", grid},
    {"torus", grid},
    {"hypercube", hypercube},
    {"bintree", bintree},
    {"circulant", circulant},
    {"barbell", barbell},
    {"lollipop", lollipop},
    {"wheel", wheel},
    {"caveman", caveman},
    {"halfthird", bintree},
    {"double-bintree", double_bintree},
    {"lattice4", lattice4},
    {"exponential-undirected", exp_undirected},
    {"hierarchical", hierarchical},
    {"karate", social},
    {"davis", social},
    {"florentine", social},
};

const char *const named_list[] = {"path",
                                  "ring",
                                  "star",
                                  "complete",
                                  "grid",
                                  "torus",
                                  "hypercube",
                                  "bintree",
                                  "circulant",
                                  "barbell",
                                  "lollipop",
                                  "wheel",
                                  "caveman",
                                  "halfthird",
                                  "double-bintree",
                                  "lattice4",
                                  "exponential-undirected",
                                  "hierarchical",
                                  "karate",
                                  "davis",
                                  "florentine",
                                  NULL};

int named_graph(struct graph **graph, const struct named_spec *spec, size_t n,
                struct error *error)
{
    struct graph_edges edges = {0};

    *graph = NULL;
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        if (strcmp(builders[i].name, spec->name) != 0)
            continue;
        int code = builders[i].build(&edges, spec, n, error);
        *graph = graph_of(&edges, n);
        if (code != 0) {
            graph_free(*graph);
            *graph = NULL;
            return code;
        }
        return *graph != NULL ? 0 : error_set(error, -ENOMEM, "out of memory");
    }
    return -ENOENT;
}
