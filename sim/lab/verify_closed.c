#include "sim/lab/verify_closed.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/spectrum.h"

enum { N = 16, D = 4 };

/* NULL if it is none. */
static struct graph *named(const char *name, size_t n)
{
    const struct named_spec spec = {.name = name};
    struct graph *graph = NULL;

    named_graph(&graph, &spec, n, NULL);
    return graph;
}

static void optimum(struct verify *v, const json_t *expected, const char *what,
                    const struct problem *p)
{
    const json_t *best = json_object_get(expected, "x_star");
    char text[64];

    snprintf(text, sizeof text, "%s: coordinates", what);
    verify_near(v, "closed_forms.json", text, (double)json_array_size(best),
                (double)p->d, 0);
    for (size_t k = 0; k < p->d; k++) {
        snprintf(text, sizeof text, "%s: x*_%zu", what, k);
        verify_near(v, "closed_forms.json", text,
                    json_number_value(json_array_get(best, k)), p->best[k],
                    1e-12);
    }
    snprintf(text, sizeof text, "%s: F*", what);
    verify_near(v, "closed_forms.json", text, verify_number(expected, "F_star"),
                p->best_value, 1e-13 * fmax(1, p->best_value));
}

static void optima(struct verify *v, const json_t *root)
{
    struct problem p;
    double zeta = 0, g[D];

    if (problem_quadratic(&p, N, rig_path(&v->rig, "q.csv"), NULL, NULL) == 0 &&
        problem_solve(&p, NULL) == 0) {
        const json_t *expected = json_object_get(root, "problem");
        optimum(v, expected, "Q", &p);
        for (size_t i = 0; i < N; i++) {
            problem_gradient(g, &p, i, p.best, NULL, NULL);
            for (size_t k = 0; k < D; k++)
                zeta += g[k] * g[k] / N;
        }
        verify_near(v, "closed_forms.json", "Q: zeta^2",
                    verify_number(expected, "zeta2"), zeta, 1e-12);
        double most = 0, least = HUGE_VAL; /* its A_i are diagonal */
        for (size_t i = 0; i < (size_t)N * D; i++) {
            most = fmax(most, p.a[i * D + i % D]);
            least = fmin(least, p.a[i * D + i % D]);
        }
        verify_near(v, "closed_forms.json", "Q: L",
                    verify_number(expected, "L"), most, 0);
        verify_near(v, "closed_forms.json", "Q: mu",
                    verify_number(expected, "mu"), least, 0);
        verify_near(v, "closed_forms.json", "Q: n and d",
                    verify_number(expected, "n") +
                        verify_number(expected, "d") / 10,
                    N + D / 10.0, 1e-12);
    }
    problem_free(&p);
    if (problem_logistic(&p, N, rig_path(&v->rig, "l.csv"), 0.1, NULL, NULL) ==
            0 &&
        problem_solve(&p, NULL) == 0)
        optimum(v, json_object_get(root, "logistic"), "LOG", &p);
    problem_free(&p);
}

static void dgd_limits(struct verify *v, const json_t *root)
{
    const char *eta;
    json_t *both;

    json_object_foreach(json_object_get(root, "dgd_limits_by_eta"), eta,
                        both) for (size_t k = 0; k < 2; k++)
    {
        const char *order = k == 0 ? "cta" : "atc";
        const json_t *e = json_object_get(both, order);
        struct lab *lab =
            rig_runf(&v->rig,
                     "version: 1\nnodes: 16\ngraph: {name: ring}\nsteps: 6000\n"
                     "every: 6000\nproblem: {kind: quadratic, file: q.csv}\n"
                     "algorithms:\n- {name: dgd-%s, step: %s, label: a}\n",
                     order, eta);
        const struct course_row *row = verify_row(lab, "a", 1);
        char what[96];
        snprintf(what, sizeof what, "DGD-%s, step %s: err", order, eta);
        verify_error(v, "closed_forms.json", what, verify_number(e, "err"),
                     row->err);
        snprintf(what, sizeof what, "DGD-%s, step %s: cons", order, eta);
        verify_error(v, "closed_forms.json", what, verify_number(e, "cons"),
                     row->cons);
        snprintf(what, sizeof what, "DGD-%s, step %s: gap", order, eta);
        verify_near(v, "closed_forms.json", what, verify_number(e, "gap"),
                    row->gap, 1e-13);
        snprintf(what, sizeof what, "DGD-%s, step %s: mean's bias", order, eta);
        verify_near(v, "closed_forms.json", what,
                    verify_number(e, "mean_bias_norm"),
                    verify_root(row->err - row->cons), 1e-10);
        lab_free(lab);
    }
}

/* Metropolis weights of a named graph: the eigenvalues by their closed form's
 * place, LAPACK. */
static void stationary(struct verify *v, const json_t *root)
{
    json_t *e;
    size_t k;

    json_array_foreach(json_object_get(root, "sgd_stationary"), k, e)
    {
        const char *name = json_string_value(json_object_get(e, "graph"));
        const size_t n = (size_t)verify_number(e, "n");
        const double h = verify_number(e, "h"), s = verify_number(e, "sigma2"),
                     eta = verify_number(e, "eta");
        double *values = malloc((n + 1) * sizeof *values), cta = 0, atc = 0;
        struct graph *g = name == NULL ? NULL : named(name, n);
        struct mixing *m = NULL;
        char what[96];
        if (g == NULL || weights_of(&m, g, WEIGHTS_METROPOLIS, NULL) != 0 ||
            spectrum_values(values, m, NULL) != 0)
            cta = atc = (double)NAN;
        else
            for (size_t i = 0; i + 1 < n; i++) { /* the last one is 1 */
                double l = values[i], keep = l - eta * h;
                cta += eta * eta * s / (double)n / (1 - keep * keep);
                keep = l * (1 - eta * h);
                atc += eta * eta * s / (double)n * l * l / (1 - keep * keep);
            }
        snprintf(what, sizeof what, "%s %zu: var_mean", name, n);
        verify_near(v, "closed_forms.json", what, verify_number(e, "var_mean"),
                    eta * s / ((double)n * h * (2 - eta * h)), 1e-12);
        snprintf(what, sizeof what, "%s %zu: cons_cta", name, n);
        verify_near(v, "closed_forms.json", what, verify_number(e, "cons_cta"),
                    cta, 1e-12);
        snprintf(what, sizeof what, "%s %zu: cons_atc", name, n);
        verify_near(v, "closed_forms.json", what, verify_number(e, "cons_atc"),
                    atc, 1e-12);
        mixing_free(m);
        graph_free(g);
        free(values);
    }
}

static void formulas(struct verify *v, const json_t *root)
{
    json_t *e;
    const char *key;
    char what[96];
    size_t k;

    json_array_foreach(json_object_get(root, "epidemic_beta"), k, e)
    {
        const double n = verify_number(e, "n"), s = verify_number(e, "s");
        snprintf(what, sizeof what, "epidemic n=%.0f s=%.0f: oracle", n, s);
        verify_near(v, "closed_forms.json", what, verify_number(e, "oracle"),
                    (1 - s / (n - 1)) / (s + 1), 1e-12);
        snprintf(what, sizeof what, "epidemic n=%.0f s=%.0f: local", n, s);
        verify_near(v, "closed_forms.json", what, verify_number(e, "local"),
                    (1 - pow(1 - s / (n - 1), n)) / s - 1 / (n - 1), 1e-12);
    }
    json_object_foreach(json_object_get(root, "pairwise_complete_lambda2"), key,
                        e)
    {
        snprintf(what, sizeof what, "pairwise complete %s: lambda2", key);
        verify_near(v, "closed_forms.json", what, json_number_value(e),
                    1 - 1 / (strtod(key, NULL) - 1), 1e-12);
    }
    json_object_foreach(json_object_get(root, "pairwise_ring_lambda2"), key, e)
    {
        const double n = strtod(key, NULL);
        snprintf(what, sizeof what, "pairwise ring %s: lambda2", key);
        verify_near(v, "closed_forms.json", what, json_number_value(e),
                    1 - (1 - cos(2 * 3.141592653589793 / n)) / n, 1e-12);
    }
}

static void choco_gammas(struct verify *v, const json_t *root)
{
    json_t *e;
    size_t k;

    json_array_foreach(json_object_get(root, "choco_theory_gamma"), k, e)
    {
        const char *name = json_string_value(json_object_get(e, "graph"));
        const double w = verify_number(e, "omega");
        struct graph *g =
            name == NULL ? NULL : named(name, (size_t)verify_number(e, "n"));
        struct mixing *m = NULL;
        struct spectrum s = {.gap = (double)NAN};
        char what[96];
        if (g != NULL && weights_of(&m, g, WEIGHTS_METROPOLIS, NULL) == 0)
            spectrum_of(&s, m, NULL);
        const double d = s.gap, b = 1 - s.lambda_n; /* ||I - W|| */
        const double gamma =
            d * d * w /
            (16 * d + d * d + 4 * b * b + 2 * d * b * b - 8 * d * w);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: gamma", name, w);
        verify_near(v, "closed_forms.json", what, verify_number(e, "gamma"),
                    gamma, 1e-12);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: rate", name, w);
        verify_near(v, "closed_forms.json", what,
                    verify_number(e, "rate_bound"), 1 - d * d * w / 82, 1e-12);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: delta", name, w);
        verify_near(v, "closed_forms.json", what, verify_number(e, "delta"), d,
                    1e-9);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: beta", name, w);
        verify_near(v, "closed_forms.json", what, verify_number(e, "beta"), b,
                    1e-9);
        mixing_free(m);
        graph_free(g);
    }
}

/* How many values a section has; a list's or object's own, all the way down. */
static size_t count_values(json_t *json)
{
    json_t *item;
    const char *key;
    size_t k, count = 0;

    if (!json_is_object(json) && !json_is_array(json))
        return json != NULL;
    json_object_foreach(json, key, item) count += count_values(item);
    json_array_foreach(json, k, item) count += count_values(item);
    return count;
}

/* So that nothing that is there, or was, goes unread. */
static void sections(struct verify *v, const json_t *root)
{
    static const struct {
        const char *name;
        int values;
    } all[] = {
        {"problem", 5 + D + 1},           {"logistic", D + 1},
        {"dgd_limits_by_eta", 3 * 2 * 4}, {"sgd_stationary", 5 * 8},
        {"epidemic_beta", 12 * 4},        {"pairwise_complete_lambda2", 6},
        {"pairwise_ring_lambda2", 6},     {"choco_theory_gamma", 6 * 7}};

    verify_near(v, "closed_forms.json", "sections",
                (double)json_object_size(root), 8, 0);
    for (size_t k = 0; k < 8; k++)
        verify_near(v, "closed_forms.json", all[k].name,
                    (double)count_values(json_object_get(root, all[k].name)),
                    (double)all[k].values, 0);
}

static void closed_forms(struct verify *v)
{
    json_t *root = verify_json(v, "closed_forms.json");

    if (root == NULL)
        return;
    sections(v, root);
    optima(v, root);
    dgd_limits(v, root);
    stationary(v, root);
    formulas(v, root);
    choco_gammas(v, root);
    json_decref(root);
}

enum { LABELS_MAX = 64, STATE_STEPS = 5 };

struct watched {
    const json_t *root;
    double worst[LABELS_MAX];
    char labels[LABELS_MAX][64];
    size_t steps[LABELS_MAX]; /* how many of the file's were compared */
    size_t count;
};

static size_t place_of(struct watched *s, const char *label)
{
    size_t at = 0;

    while (at < s->count && strcmp(s->labels[at], label) != 0)
        at++;
    assert(at < LABELS_MAX);
    if (at == s->count)
        snprintf(s->labels[s->count++], sizeof s->labels[0], "%s", label);
    return at;
}

static double state_error(const json_t *rows, const struct course *course)
{
    double worst = 0;

    if (json_array_size(rows) != course_rows(course))
        return HUGE_VAL;
    for (size_t i = 0; i < course_rows(course); i++) {
        const json_t *row = json_array_get(rows, i);
        if (json_array_size(row) != D)
            return HUGE_VAL;
        for (size_t k = 0; k < D; k++) {
            const json_t *x = json_array_get(row, k);
            const double want =
                json_is_number(x) ? json_number_value(x) : (double)NAN;
            worst =
                verify_worst(worst, fabs(want - course_state(course, i)[k]) /
                                        fmax(1, fabs(want)));
        }
    }
    return worst;
}

static void compare_states(void *context, const char *label,
                           const struct course_row *row,
                           const struct course *course)
{
    struct watched *s = context;
    const size_t at = place_of(s, label);
    char step[32];

    snprintf(step, sizeof step, "%llu", (unsigned long long)row->step);
    const json_t *rows = json_object_get(json_object_get(s->root, label), step);
    if (rows == NULL)
        return;
    s->steps[at]++;
    /* divergence and near-ties: only the first steps */
    if (row->step <= 5 || (strcmp(label, "deepsqueeze_grid64") != 0 &&
                           strcmp(label, "choco_sgd_sign") != 0))
        s->worst[at] = verify_worst(s->worst[at], state_error(rows, course));
}

static void states(struct verify *v)
{
    json_t *root = verify_json(v, "quad_states.json");
    struct watched s = {.root = root};
    const struct lab_options options = {
        .threads = v->rig.threads, .watch = compare_states, .context = &s};
    char what[96];

    if (root == NULL)
        return;
    lab_free(rig_run(&v->rig, rig_quadratic, &options));
    for (size_t i = 0; i < s.count; i++) {
        snprintf(what, sizeof what, "%s: all states, worst", s.labels[i]);
        const size_t there =
            json_object_size(json_object_get(root, s.labels[i]));
        const bool all = there == STATE_STEPS && s.steps[i] == there;
        verify_near(v, "quad_states.json", what, 0, all ? s.worst[i] : HUGE_VAL,
                    1e-10);
    }
    verify_near(v, "quad_states.json", "algorithms",
                (double)json_object_size(root), (double)s.count, 0);
    json_decref(root);
}

void verify_closed_facts(struct verify *v)
{
    closed_forms(v);
    states(v);
}
