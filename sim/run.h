/* One run of a world: a study with its rows, and what a seed makes of them. Not
 * for users of sim/runs.h. */

#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "model/task.h"
#include "sim/options.h"
#include "sim/world.h"

/* A study with its rows, read once for all seeds. */
struct run_input {
    struct study *study;
    struct dataset *datasets[GOSSIP_MEMBERS_MAX];
    struct task_report pooled; /* what all rows in one place give */
    bool has_pooled;
};

/* One world to be, and what it needs of its own. */
struct run {
    struct study *study; /* dealt; NULL: the input's */
    struct dataset *dealt[GOSSIP_MEMBERS_MAX];
    struct world_config config;
    struct world *world;
    bool all_return;
};

int run_read(struct run_input *input, const char *path, struct error *error);
int run_pool(struct run_input *input, struct error *error); /* the fit */
void run_input_free(struct run_input *input);

/* The world of a seed, not yet run. Free also after an error. */
int run_new(struct run *run, const struct run_input *input,
            const struct options *options, uint64_t seed, FILE *trace,
            struct error *error);
void run_free(struct run *run);

#endif
