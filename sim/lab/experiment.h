/* An experiment file (FORMATS.md section 2), read and checked as far as one can
 * without its data. */

#ifndef LAB_EXPERIMENT_H
#define LAB_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "node/reader.h"
#include "sim/lab/alg.h"
#include "sim/lab/clock.h"
#include "sim/lab/faults.h"
#include "sim/lab/named.h"
#include "sim/lab/problem.h"
#include "sim/lab/weights.h"

struct experiment_graph {
    uint32_t line; /* 0: not given */
    const char *file;
    struct named_spec spec; /* spec.name NULL: a file */
    bool seeded;            /* spec.seed was given */
};

struct experiment_weights {
    uint32_t line; /* 0: not given */
    enum weights_rule rule;
    const char **files; /* [file_count] used in turn; 0: the rule */
    size_t file_count;
    const char *columns; /* of directed methods, besides files[0] */
};

struct experiment_entry {
    uint32_t line;
    const struct alg *alg;
    const char *label;
    struct alg_setting setting;
    struct experiment_graph graph;
    struct experiment_weights weights;
    const char *sends, *placement; /* files or NULL */
    bool unsafe;
    uint32_t rule_line; /* 0: not given */
    enum faults_rule rule;
};

struct experiment {
    const char *path;
    size_t nodes; /* 0: what the first matrix has */
    uint64_t steps, every;
    bool single; /* precision: float32 */
    struct experiment_graph graph;
    struct experiment_weights weights;
    enum problem_kind kind;
    uint32_t problem_line;
    const char *file, *init;
    double lambda, noise;
    struct learner_spec model;
    struct experiment_entry *entries; /* [entry_count] */
    size_t entry_count;
    const char *sweep_key;     /* or NULL */
    const char **sweep_values; /* [sweep_count] as they are written */
    uint32_t sweep_line;
    size_t sweep_count;
    uint64_t *seeds; /* [seed_count], at least one */
    size_t seed_count;
    uint32_t network_line;
    const char *drop, *offline, *wake, *byzantine, *compute, *latency;
    double loss, away; /* shares of messages, of nodes */
    enum clock_law compute_law;
    double straggler_share, straggler_factor;
    double compute_ms, latency_ms, bytes_per_ms, message_bytes;
    bool has_clock, serial;
    enum clock_barrier barrier;
    uint32_t rule_line; /* 0: not given */
    enum faults_rule rule;
    char **texts; /* all that is owned as text */
    size_t text_count;
    struct reader *reader;
};

/* Returns 0 or a negative errno with "FILE:LINE: ..." */
int experiment_read(struct experiment **experiment, const char *path,
                    struct error *error);
/* The same after a value in the reader has changed. The entries stay in their
 * place, the seeds as they are. */
int experiment_again(struct experiment *experiment, struct error *error);
void experiment_free(struct experiment *experiment);

/* "FILE:LINE: " before what `error` already says; returns `code`. */
int experiment_blame(const struct experiment *experiment, uint32_t line,
                     int code, struct error *error);

#endif
