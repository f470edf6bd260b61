#include "sim/lab/wire.h"

#include "sim/lab/recipe.h"

/* A number for all, or a file. */
static int number_or_file(double *number, const char **file,
                          struct experiment *e, const struct reader *r,
                          const struct reader_value *v, const char *name,
                          struct error *error)
{
    if (v->line == 0)
        return 0;
    if (reader_real(number, r, v->node) == 0 && *number >= 0)
        return 0;
    const char *text = reader_text(r, v->node);
    if (text == NULL || reader_real(number, r, v->node) == 0)
        return reader_fail(r, v->line, error,
                           "%s: found %s, expected milliseconds, 0 or more, or "
                           "a CSV file",
                           name, text == NULL ? "no text" : text);
    return recipe_path(file, e, text, error);
}

enum {
    NET_DROP,
    NET_OFFLINE,
    NET_WAKE,
    NET_BYZANTINE,
    NET_LOSS,
    NET_ON_LOSS,
    NET_COMPUTE,
    NET_LATENCY,
    NET_RATE,
    NET_MESSAGE,
    NET_BARRIER,
    NET_UPLINK,
    NET_BANDWIDTH,
    NET_LAW,
    NET_STRAGGLERS,
    NET_KEYS
};

static const struct reader_key network_keys[NET_KEYS] = {
    {"drop", READER_TEXT, false, 0, 0, "a CSV file: step,from,to"},
    {"offline", READER_ANY, false, 0, 0, "a share or a CSV file: step,node"},
    {"wake", READER_TEXT, false, 0, 0, "a CSV file: tick,i,j"},
    {"byzantine", READER_TEXT, false, 0, 0, "a CSV file: from,to,value"},
    {"loss", READER_REAL, false, 0, 1, ""},
    {"on_loss", READER_WORD, false, 0, 0,
     "self|symmetric|renormalise|lost|returned"},
    {"compute_ms", READER_ANY, false, 0, 0, "milliseconds or a CSV file"},
    {"latency_ms", READER_ANY, false, 0, 0, "milliseconds or a CSV file"},
    {"bytes_per_ms", READER_REAL, false, 1e-9, 1e15, ""},
    {"message_bytes", READER_REAL, false, 0, 1e15, ""},
    {"barrier", READER_WORD, false, 0, 0, "global|neighbourhood|none"},
    {"uplink", READER_WORD, false, 0, 0, "parallel|serial"},
    {"bandwidth_mbit", READER_REAL, false, 1e-9, 1e12, ""},
    {"compute_law", READER_WORD, false, 0, 0,
     "constant|exponential|lognormal|pareto"},
    {"stragglers", READER_MAP, false, 0, 0, ""},
};

static int read_stragglers(struct experiment *e, const struct reader *r,
                           int node, struct error *error)
{
    static const struct reader_key keys[] = {
        {"share", READER_REAL, true, 0, 1, ""},
        {"factor", READER_REAL, true, 1, 1e9, ""},
    };
    struct reader_value v[2];
    int code = reader_map(v, r, node, keys, 2, "stragglers", error);

    if (code == 0) {
        e->straggler_share = v[0].real;
        e->straggler_factor = v[1].real;
    }
    return code;
}

/* A share from 0 to 1 of all nodes in every step, or a file. */
static int read_offline(struct experiment *e, const struct reader *r,
                        const struct reader_value *v, struct error *error)
{
    if (v->line == 0)
        return 0;
    if (reader_real(&e->away, r, v->node) != 0) {
        const char *text = reader_text(r, v->node);
        return text == NULL ? reader_fail(r, v->line, error,
                                          "offline: expected a share from 0 to "
                                          "1, or a CSV file")
                            : recipe_path(&e->offline, e, text, error);
    }
    return e->away >= 0 && e->away <= 1
               ? 0
               : reader_fail(r, v->line, error,
                             "offline: found %g, expected a share from 0 to 1",
                             e->away);
}

/* Keys that would do nothing. */
static int check_network(const struct reader *r, const struct reader_value *v,
                         struct error *error)
{
    if (v[NET_RATE].line != 0 && v[NET_BANDWIDTH].line != 0)
        return reader_fail(r, v[NET_BANDWIDTH].line, error,
                           "network: found bandwidth_mbit: and bytes_per_ms:, "
                           "expected one of them");
    for (size_t k = NET_LAW; k <= NET_STRAGGLERS; k++)
        if (v[k].line != 0 && v[NET_COMPUTE].line == 0)
            return reader_fail(r, v[k].line, error,
                               "network: found %s: and no compute_ms:, "
                               "expected what it is a law of; add it",
                               network_keys[k].name);
    return 0;
}

int wire_read(struct experiment *e, const struct reader *r, int node,
              struct error *error)
{
    struct reader_value v[NET_KEYS];
    const char **files[] = {&e->drop, NULL, &e->wake, &e->byzantine};
    int code = reader_map(v, r, node, network_keys, NET_KEYS, "network", error);

    for (size_t k = 0; code == 0 && k < 4; k++)
        if (v[k].line != 0 && files[k] != NULL)
            code = recipe_path(files[k], e, v[k].text, error);
    if (code == 0)
        code = check_network(r, v, error);
    if (code == 0)
        code = read_offline(e, r, &v[NET_OFFLINE], error);
    if (code == 0 && v[NET_STRAGGLERS].line != 0)
        code = read_stragglers(e, r, v[NET_STRAGGLERS].node, error);
    if (code == 0)
        code = number_or_file(&e->compute_ms, &e->compute, e, r,
                              &v[NET_COMPUTE], "compute_ms", error);
    if (code == 0)
        code = number_or_file(&e->latency_ms, &e->latency, e, r,
                              &v[NET_LATENCY], "latency_ms", error);
    if (code != 0)
        return code;
    e->network_line = reader_line(r, node);
    e->loss = v[NET_LOSS].real;
    e->rule_line = v[NET_ON_LOSS].line;
    e->rule = (enum faults_rule)v[NET_ON_LOSS].word;
    e->bytes_per_ms = v[NET_RATE].real;
    if (v[NET_BANDWIDTH].line != 0) /* a megabit is 125 bytes a millisecond */
        e->bytes_per_ms = v[NET_BANDWIDTH].real * 125;
    e->message_bytes = v[NET_MESSAGE].line == 0 ? -1 : v[NET_MESSAGE].real;
    e->barrier = (enum clock_barrier)v[NET_BARRIER].word;
    e->serial = v[NET_UPLINK].word == 1;
    e->compute_law = (enum clock_law)v[NET_LAW].word;
    for (size_t k = NET_COMPUTE; k < NET_KEYS; k++)
        e->has_clock = e->has_clock || v[k].line != 0;
    return 0;
}
