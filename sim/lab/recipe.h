/* The keys graph: and weights: of an experiment, at its top or in an entry. */

#ifndef LAB_RECIPE_H
#define LAB_RECIPE_H

#include "sim/lab/experiment.h"

int recipe_graph(struct experiment_graph *graph, struct experiment *experiment,
                 const struct reader *reader, int node, struct error *error);
int recipe_weights(struct experiment_weights *weights,
                   struct experiment *experiment, const struct reader *reader,
                   int node, struct error *error);

/* Copies, owned by the experiment. A relative path is relative to its file. */
int recipe_text(const char **to, struct experiment *experiment,
                const char *text, struct error *error);
int recipe_path(const char **to, struct experiment *experiment,
                const char *text, struct error *error);

#endif
