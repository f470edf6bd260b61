/* result.json, rounds.csv: FORMATS section 1 in docs/formats.md. Written to a
 * temporary name and renamed: never half a file. */

#ifndef NODE_RESULT_H
#define NODE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/gossip.h"
#include "model/error.h"
#include "model/task.h"
#include "node/study.h"

struct result_site {
    const char *name;
    uint64_t n_train, n_test, bytes_sent;
    double local_auc, global_auc; /* NAN: null */
};

/* One opened sum, as one member saw it. */
struct result_round {
    uint64_t round, virtual_ms;
    uint64_t survivors; /* bitmap */
    double loss;        /* NAN: empty */
    uint64_t bytes_sent;
    uint64_t awaited; /* bitmap: members waited for in this round */
    char phase[32];
    struct task_watch watch; /* NANs: empty */
    double distance; /* of pods: to the neighbours, node/blend.h; NAN: empty */
    uint32_t left_out; /* neighbours that were mixed without */
};

struct result {
    const struct study *study;
    const struct task_report *report;
    const struct result_site *sites; /* [site_count] */
    size_t site_count;
    const struct result_round *rounds; /* [round_count] */
    size_t round_count;
    uint8_t state_hash[GOSSIP_HASH_BYTES];
    bool sum_exact; /* known in simulation; false: written as null */
    bool knows_sum_exact;
    bool simulated; /* false: virtual_seconds and the seed are null */
    double virtual_seconds, wall_seconds;
    const char *const *notes; /* [note_count] beside the report's own */
    size_t note_count;
    uint64_t revealed; /* bitmaps, as in struct gossip_view */
    uint64_t accused;
};

/* Makes the folder if it is not there. rounds.csv first, result.json last: its
 * presence says that the run is complete. Returns 0 or a negative errno. */
int result_write(const struct result *result, const char *folder,
                 struct error *error);

/* What the merged result of a cluster needs of one site's result.json. */
struct result_part {
    char site[STUDY_NAME_SIZE];
    uint64_t n_train, n_test, bytes_sent;
    double local_auc, global_auc; /* NAN: null */
    uint64_t rounds;
    char state_hash[2 * GOSSIP_HASH_BYTES + 1];
    struct task_coefficient *coefficients; /* [coefficient_count], owned */
    size_t coefficient_count;
};

/* Reads `path`; `site` NULL: its only per_site entry. Free with
 * result_free_part. -EINVAL: not such a file; the error says what is missing.
 */
int result_read_site(struct result_part *part, const char *path,
                     const char *site, struct error *error);
void result_free_part(struct result_part *part);

#endif
