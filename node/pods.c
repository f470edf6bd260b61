#include "node/pods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { POD_SITES_MIN = 3 };

enum {
    SITES,
    GRAPH,
    K,
    EDGES,
    WEIGHTS,
    METHOD,
    MODE,
    PATIENCE,
    RESTART,
    ROWS,
    KEYS
};

static const struct reader_key pods_keys[KEYS] = {
    {"sites", READER_LIST, true, 0, 0, ""},
    {"graph", READER_WORD, false, 0, 0,
     "ring|complete|torus|exponential|base|edges"},
    {"k", READER_INTEGER, false, 1, 64, ""},
    {"edges", READER_LIST, false, 0, 0, ""},
    {"weights", READER_WORD, false, 0, 0, "metropolis|lazy-metropolis"},
    {"method", READER_WORD, false, 0, 0, "gt-atc|dgd-atc"},
    {"mode", READER_WORD, false, 0, 0, "gossip|exact"},
    {"patience_ms", READER_INTEGER, false, 1, 86400000, ""},
    {"restart", READER_INTEGER, false, 0, 1000000, ""},
    {"rows", READER_INTEGER, false, 1, 1e12, ""},
};

static int no_memory(const struct study *study, struct error *error)
{
    return error_set(error, -ENOMEM, "%s: out of memory", study->path);
}

/* pod_of[site_count]: the pod + 1 of each site so far. */
static int read_pod(struct study *study, uint32_t p, uint32_t *pod_of,
                    const struct reader *r, int list, struct error *error)
{
    struct study_pod *pod = &study->pods[p];
    const size_t count = reader_is_list(r, list) ? reader_count(r, list) : 0;
    const uint32_t line = reader_line(r, list);

    if (count != 1 && (count < POD_SITES_MIN || count > GOSSIP_MEMBERS_MAX))
        return reader_fail(r, line, error,
                           "pods: found %zu sites in pod %u, expected a list "
                           "of %d to %d site names",
                           count, p, POD_SITES_MIN, GOSSIP_MEMBERS_MAX);
    pod->sites = calloc(count, sizeof *pod->sites);
    if (pod->sites == NULL)
        return no_memory(study, error);
    for (size_t i = 0; i < count; i++) {
        int item = reader_item(r, list, i);
        const char *name = reader_text(r, item);
        int site = name == NULL ? -1 : study_site(study, name);
        if (site < 0)
            return reader_fail(r, reader_line(r, item), error,
                               "pods: found '%.60s' in pod %u, expected the "
                               "name of one of the sites",
                               name == NULL ? "" : name, p);
        if (pod_of[site] != 0)
            return reader_fail(r, reader_line(r, item), error,
                               "pods: found '%.60s' in pod %u and in pod %u, "
                               "expected every site in one pod",
                               name, pod_of[site] - 1, p);
        pod_of[site] = p + 1;
        pod->sites[pod->site_count++] = (uint32_t)site;
    }
    return 0;
}

static int read_members(struct study *study, const struct reader *r, int list,
                        struct error *error)
{
    const size_t count = reader_count(r, list);
    int code = 0;

    if (count < 2 || count > PODS_MAX)
        return reader_fail(r, reader_line(r, list), error,
                           "pods: found %zu, expected 2 to %d lists of site "
                           "names",
                           count, PODS_MAX);
    study->pods = calloc(count, sizeof *study->pods);
    uint32_t *pod_of = calloc(study->site_count + 1, sizeof *pod_of);
    if (study->pods == NULL || pod_of == NULL) {
        free(pod_of);
        return no_memory(study, error);
    }
    for (uint32_t p = 0; p < count && code == 0; p++) {
        study->pod_count = p + 1;
        code = read_pod(study, p, pod_of, r, reader_item(r, list, p), error);
    }
    for (uint32_t i = 0; i < study->site_count && code == 0; i++)
        if (pod_of[i] == 0)
            code = reader_fail(r, study->sites[i].line, error,
                               "pods: found site '%s' in no pod, expected "
                               "every site in one pod",
                               study->sites[i].name);
    free(pod_of);
    return code;
}

static int read_edges(struct study *study, const struct reader *r, int list,
                      struct error *error)
{
    const size_t count = reader_count(r, list);
    uint32_t(*edges)[2] = calloc(count + 1, sizeof *edges);

    if (edges == NULL)
        return no_memory(study, error);
    study->mixing.edges = (const uint32_t(*)[2])edges;
    study->mixing.edge_count = count;
    for (size_t e = 0; e < count; e++) {
        int pair = reader_item(r, list, e);
        double ends[2] = {-1, -1};
        bool fine = reader_is_list(r, pair) && reader_count(r, pair) == 2;
        for (size_t i = 0; fine && i < 2; i++)
            fine = reader_real(&ends[i], r, reader_item(r, pair, i)) == 0 &&
                   ends[i] >= 0 && ends[i] < study->pod_count &&
                   ends[i] == (uint32_t)ends[i];
        if (!fine || ends[0] == ends[1])
            return reader_fail(r, reader_line(r, pair), error,
                               "edges: expected two different pods, each from "
                               "0 to %u, such as [0, 1]",
                               study->pod_count - 1);
        edges[e][0] = (uint32_t)ends[0];
        edges[e][1] = (uint32_t)ends[1];
    }
    return 0;
}

static int check_graph(struct study *study, const struct reader *r,
                       const struct reader_value *v, uint32_t line,
                       struct error *error)
{
    struct schedule_spec *s = &study->mixing;
    const char *why;

    s->graph = (enum schedule_graph)v[GRAPH].word;
    s->weights = (enum schedule_weights)v[WEIGHTS].word;
    s->n = study->pod_count;
    s->k = v[K].integer;
    if (v[EDGES].line != 0 && s->graph != SCHEDULE_EDGES)
        return reader_fail(r, v[EDGES].line, error,
                           "edges: expected them with 'graph: edges' only");
    if (v[K].line != 0 && s->graph != SCHEDULE_BASE)
        return reader_fail(r, v[K].line, error,
                           "k: expected it with 'graph: base' only");
    if (v[WEIGHTS].line != 0 &&
        (s->graph == SCHEDULE_EXPONENTIAL || s->graph == SCHEDULE_BASE))
        return reader_fail(r, v[WEIGHTS].line, error,
                           "weights: this graph has weights of its own; remove "
                           "the key");
    if (v[EDGES].line != 0) {
        int code = read_edges(study, r, v[EDGES].node, error);
        if (code != 0)
            return code;
    }
    why = schedule_refuses(s);
    return why == NULL
               ? 0
               : reader_fail(r, v[GRAPH].line == 0 ? line : v[GRAPH].line,
                             error, "graph: %s", why);
}

static int check_mode(struct study *study, const struct reader *r,
                      const struct reader_value *v, struct error *error)
{
    struct task_spec *t = &study->task;

    study->exact = v[MODE].word == 1;
    study->patience_ms = v[PATIENCE].line == 0 ? 1000 : v[PATIENCE].integer;
    t->tracks = v[METHOD].word == 0 && !study->exact;
    t->restart = (uint32_t)v[RESTART].integer;
    t->rows = (double)v[ROWS].integer;
    t->pods = study->exact ? 1 : study->pod_count;
    if (study->exact && study->site_count > PODS_EXACT_SITES_MAX)
        return reader_fail(r, v[MODE].line, error,
                           "mode: found 'exact' with %u sites, expected at "
                           "most %d: their sum must fit one lane",
                           study->site_count, PODS_EXACT_SITES_MAX);
    if (study->exact && v[METHOD].line != 0)
        return reader_fail(r, v[METHOD].line, error,
                           "method: expected it with 'mode: gossip' only; "
                           "remove the key");
    return 0;
}

int pods_check_masks(const struct study *study, const struct reader *r,
                     uint32_t pods_line, uint32_t masks_line,
                     struct error *error)
{
    uint32_t alone = 0;

    for (uint32_t p = 0; p < study->pod_count; p++)
        alone += study->pods[p].site_count == 1;
    if (!study->unmasked && alone > 0)
        return reader_fail(r, pods_line, error,
                           "pods: found a pod of one site, expected %d to %d: "
                           "its own vector would be the sum; for research, "
                           "'sum: {masks: none}' says that this is meant",
                           POD_SITES_MIN, GOSSIP_MEMBERS_MAX);
    if (!study->unmasked)
        return 0;
    if (alone == 0 || alone < study->pod_count)
        return reader_fail(r, masks_line, error,
                           "masks: found 'none' with %s, expected pods of one "
                           "site each; where sites are together every sum is "
                           "masked, remove the key",
                           study->pod_count == 0 ? "no pods"
                                                 : "pods of several sites");
    if (study->exact || study->active)
        return reader_fail(r, masks_line, error,
                           "masks: found 'none' with '%s', expected "
                           "'trust: semi-honest' and 'mode: gossip'",
                           study->active ? "trust: active" : "mode: exact");
    return 0;
}

int pods_read(struct study *study, const struct reader *r, int node,
              struct error *error)
{
    struct reader_value v[KEYS];
    int code = reader_map(v, r, node, pods_keys, KEYS, "pods", error);

    if (code == 0)
        code = read_members(study, r, v[SITES].node, error);
    if (code == 0)
        code = check_graph(study, r, v, reader_line(r, node), error);
    if (code == 0)
        code = check_mode(study, r, v, error);
    return code;
}

void pods_free(struct study *study)
{
    for (uint32_t p = 0; p < study->pod_count; p++)
        free(study->pods[p].sites);
    free(study->pods);
    free((void *)(uintptr_t)study->mixing.edges);
}

void pods_view(struct study *view, struct study_site *sites,
               const struct study *whole, uint32_t pod)
{
    const struct study_pod *p = &whole->pods[pod];

    *view = *whole;
    view->sites = sites;
    view->site_count = p->site_count;
    view->colluders = p->colluders;
    view->threshold = p->threshold;
    view->copies = p->copies;
    view->task.members = whole->exact ? whole->site_count : p->site_count;
    view->whole = whole;
    view->pod = pod;
    for (uint32_t i = 0; i < p->site_count; i++)
        sites[i] = whole->sites[p->sites[i]];
}

void pods_find(const struct study *whole, uint32_t site, uint32_t *pod,
               uint32_t *member)
{
    for (uint32_t p = 0; p < whole->pod_count; p++)
        for (uint32_t i = 0; i < whole->pods[p].site_count; i++)
            if (whole->pods[p].sites[i] == site) {
                *pod = p;
                *member = i;
            }
}

struct pods_table {
    struct mix_pod *pods;                /* [pod_count] */
    uint8_t (*keys)[IDENTITY_KEY_BYTES]; /* [site_count] pod by pod */
};

struct pods_table *pods_table_new(const struct study *whole)
{
    struct pods_table *t = calloc(1, sizeof *t);
    size_t used = 0;

    if (t == NULL)
        return NULL;
    t->pods = calloc(whole->pod_count, sizeof *t->pods);
    t->keys = calloc(whole->site_count, sizeof *t->keys);
    if (t->pods == NULL || t->keys == NULL) {
        pods_table_free(t);
        return NULL;
    }
    for (uint32_t p = 0; p < whole->pod_count; p++) {
        const struct study_pod *pod = &whole->pods[p];
        t->pods[p] = (struct mix_pod){
            .members = pod->site_count,
            .threshold = pod->threshold,
            .believed = whole->active ? pod->colluders + 1 : 1,
            .keys = (const uint8_t(*)[IDENTITY_KEY_BYTES])(t->keys + used)};
        for (uint32_t i = 0; i < pod->site_count; i++)
            memcpy(t->keys[used++], whole->sites[pod->sites[i]].key.sign,
                   IDENTITY_KEY_BYTES);
    }
    return t;
}

const struct mix_pod *pods_table_of(const struct pods_table *t)
{
    return t->pods;
}

void pods_table_free(struct pods_table *t)
{
    if (t == NULL)
        return;
    free(t->pods);
    free(t->keys);
    free(t);
}
