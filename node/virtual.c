#include "node/virtual.h"

#include <errno.h>

static int unknown_site(const struct study *study, const struct reader *r,
                        int node, const char *name, struct error *error)
{
    const char *nearest = study_nearest(study, name);

    return reader_fail(r, reader_line(r, node), error,
                       "found the site '%.40s', expected one of 'sites'%s%s%s",
                       name, nearest == NULL ? "" : "; did you mean '",
                       nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "'?");
}

static int find_site(uint32_t *site, const struct study *study,
                     const struct reader *r, int node, const char *name,
                     struct error *error)
{
    int place = name == NULL ? -1 : study_site(study, name);

    if (place < 0)
        return unknown_site(study, r, node, name == NULL ? "" : name, error);
    *site = (uint32_t)place;
    return 0;
}

static int read_latency(struct study *study, const struct reader *r, int node,
                        struct error *error)
{
    static const struct reader_key keys[] = {
        {"min", READER_INTEGER, true, 0, 1e9, ""},
        {"max", READER_INTEGER, true, 0, 1e9, ""},
    };
    struct reader_value v[2];
    double both;

    if (!reader_is_map(r, node)) {
        if (reader_real(&both, r, node) != 0 || both < 0 || both > 1e9)
            return reader_fail(r, reader_line(r, node), error,
                               "latency_ms: expected a number from 0 to 1e9 or "
                               "{min: 5, max: 60}");
        study->latency_min_ms = study->latency_max_ms = (uint64_t)both;
        return 0;
    }
    int code = reader_map(v, r, node, keys, 2, "latency_ms", error);
    if (code != 0)
        return code;
    if (v[0].integer > v[1].integer)
        return reader_fail(r, v[0].line, error,
                           "latency_ms: found min above max, expected min "
                           "first");
    study->latency_min_ms = v[0].integer;
    study->latency_max_ms = v[1].integer;
    return 0;
}

/* A list of at most STUDY_RULES_MAX rules. */
static int check_list(const struct reader *r, int list, const char *name,
                      struct error *error)
{
    size_t count = reader_count(r, list);

    if (count <= STUDY_RULES_MAX)
        return 0;
    return reader_fail(r, reader_line(r, list), error,
                       "%s: found %zu rules, expected %d at most", name, count,
                       STUDY_RULES_MAX);
}

static int read_crashes(struct study *study, const struct reader *r, int list,
                        struct error *error)
{
    static const struct reader_key keys[] = {
        {"site", READER_TEXT, true, 0, 0, "a site's name"},
        {"round", READER_INTEGER, true, 0, 1e6, ""},
        {"at", READER_WORD, true, 0, 0, "before-y|after-y"},
    };
    struct reader_value v[3];
    int code = check_list(r, list, "crash", error);

    for (size_t i = 0; code == 0 && i < reader_count(r, list); i++) {
        struct study_crash *crash = &study->crash[i];
        code =
            reader_map(v, r, reader_item(r, list, i), keys, 3, "crash", error);
        if (code == 0)
            code =
                find_site(&crash->site, study, r, v[0].node, v[0].text, error);
        if (code != 0)
            break;
        crash->round = v[1].integer;
        crash->after_y = v[2].word == 1;
        study->crash_count = i + 1;
    }
    return code;
}

static int read_restarts(struct study *study, const struct reader *r, int list,
                         struct error *error)
{
    static const struct reader_key keys[] = {
        {"site", READER_TEXT, true, 0, 0, "a site's name"},
        {"after_ms", READER_INTEGER, true, 0, 1e12, ""},
    };
    struct reader_value v[2];
    int code = check_list(r, list, "restart", error);

    for (size_t i = 0; code == 0 && i < reader_count(r, list); i++) {
        struct study_restart *restart = &study->restart[i];
        code = reader_map(v, r, reader_item(r, list, i), keys, 2, "restart",
                          error);
        if (code == 0)
            code = find_site(&restart->site, study, r, v[0].node, v[0].text,
                             error);
        if (code != 0)
            break;
        restart->after_ms = v[1].integer;
        study->restart_count = i + 1;
    }
    return code;
}

static int read_groups(struct study_partition *partition,
                       const struct study *study, const struct reader *r,
                       int list, struct error *error)
{
    const size_t most = sizeof partition->groups / sizeof *partition->groups;
    size_t count = reader_count(r, list);
    uint64_t seen = 0;

    if (count < 1 || count > most)
        return reader_fail(r, reader_line(r, list), error,
                           "groups: found %zu, expected 1 to %zu lists of "
                           "sites",
                           count, most);
    partition->group_count = count;
    for (size_t g = 0; g < count; g++) {
        int group = reader_item(r, list, g);
        if (!reader_is_list(r, group))
            return reader_fail(r, reader_line(r, group), error,
                               "groups: expected a list of lists of sites");
        for (size_t i = 0; i < reader_count(r, group); i++) {
            int item = reader_item(r, group, i);
            uint32_t site = 0;
            int code =
                find_site(&site, study, r, item, reader_text(r, item), error);
            if (code != 0)
                return code;
            if ((seen >> site & 1) != 0)
                return reader_fail(r, reader_line(r, item), error,
                                   "groups: found '%s' twice, expected it once",
                                   study->sites[site].name);
            seen |= UINT64_C(1) << site;
            partition->groups[g] |= UINT64_C(1) << site;
        }
    }
    return 0;
}

static int read_partitions(struct study *study, const struct reader *r,
                           int list, struct error *error)
{
    static const struct reader_key keys[] = {
        {"groups", READER_LIST, true, 0, 0, ""},
        {"from_ms", READER_INTEGER, true, 0, 1e12, ""},
        {"to_ms", READER_INTEGER, true, 0, 1e12, ""},
    };
    struct reader_value v[3];
    int code = check_list(r, list, "partition", error);

    for (size_t i = 0; code == 0 && i < reader_count(r, list); i++) {
        struct study_partition *partition = &study->partition[i];
        code = reader_map(v, r, reader_item(r, list, i), keys, 3, "partition",
                          error);
        if (code == 0)
            code = read_groups(partition, study, r, v[0].node, error);
        if (code == 0 && v[1].integer >= v[2].integer)
            code = reader_fail(r, v[1].line, error,
                               "partition: found from_ms not before to_ms, "
                               "expected it earlier");
        if (code != 0)
            break;
        partition->from_ms = v[1].integer;
        partition->to_ms = v[2].integer;
        study->partition_count = i + 1;
    }
    return code;
}

int virtual_read(struct study *study, const struct reader *r, int node,
                 struct error *error)
{
    enum { LATENCY, BANDWIDTH, LOSS, CRASH, RESTART, END, PARTITION, KEYS };
    static const struct reader_key keys[KEYS] = {
        {"latency_ms", READER_ANY, false, 0, 0, "a number or {min, max}"},
        {"bandwidth_mbit", READER_REAL, false, 0, 1e9, ""},
        {"loss", READER_REAL, false, 0, 1, ""},
        {"crash", READER_LIST, false, 0, 0, ""},
        {"restart", READER_LIST, false, 0, 0, ""},
        {"end_ms", READER_INTEGER, false, 1, 1e12, ""},
        {"partition", READER_LIST, false, 0, 0, ""},
    };
    struct reader_value v[KEYS];
    int code = reader_map(v, r, node, keys, KEYS, "network", error);

    if (code != 0)
        return code;
    for (int k = CRASH; k < KEYS; k++)
        if (study->pod_count > 0 && k != END && v[k].line != 0)
            return reader_fail(r, v[k].line, error,
                               "network: found %s with pods, expected none: "
                               "it is about the sites of a single pod; remove "
                               "the key",
                               keys[k].name);
    study->bandwidth_mbit = v[BANDWIDTH].real;
    study->loss = v[LOSS].real;
    if (v[END].line != 0)
        study->end_ms = v[END].integer;
    if (v[LATENCY].line != 0)
        code = read_latency(study, r, v[LATENCY].node, error);
    if (code == 0 && v[CRASH].line != 0)
        code = read_crashes(study, r, v[CRASH].node, error);
    if (code == 0 && v[RESTART].line != 0)
        code = read_restarts(study, r, v[RESTART].node, error);
    if (code == 0 && v[PARTITION].line != 0)
        code = read_partitions(study, r, v[PARTITION].node, error);
    return code;
}
