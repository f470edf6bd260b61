/* What an experiment leaves in its folder: trajectories.csv, spectrum.json,
 * manifest.json, report.html. */

#ifndef LAB_SHEET_H
#define LAB_SHEET_H

#include "sim/lab/course.h"
#include "sim/lab/plan.h"

enum { SHEET_LABEL_SIZE = 128, SHEET_GRAPH_MAX = 100 };

struct sheet_column { /* of one entry */
    const struct experiment_entry *entry;
    char label[SHEET_LABEL_SIZE]; /* the entry's, "@VALUE" in a sweep */
    struct course_row *rows;      /* [seed_count, row_count] */
    struct spectrum spectrum;
    bool has_spectrum;
};

struct sheet {
    const struct experiment *experiment;
    struct sheet_column *columns; /* [column_count] */
    size_t column_count;
    size_t row_count;
    size_t nodes;
    struct graph *graph; /* of the first column if it is small, or NULL */
    size_t threads;
    double wall_seconds;
};

/* All files are written beside their places and then moved there: all, or
 * none. */
int sheet_write(const struct sheet *sheet, const char *folder,
                struct error *error);

#endif
