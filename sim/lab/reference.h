/* A CSV file of the reference folder, and the judgement of its columns. */

#ifndef LAB_REFERENCE_H
#define LAB_REFERENCE_H

#include "sim/lab/verify.h"

enum reference_kind {
    REFERENCE_ROOT,  /* errors, through their square roots: 1e-10 */
    REFERENCE_GAP,   /* 1e-13 max(1, value) */
    REFERENCE_PLAIN, /* 1e-10 max(1, |value|) */
    REFERENCE_LOOSE  /* rows 1-5 to 1e-2, the last to 1e-2 or both > 1e6 */
};

struct reference {
    const char *file;
    size_t rows, columns;
    char **names; /* [columns] */
    double *v;    /* [rows, columns] NAN: empty, or not a number */
    char **words; /* [rows] the first field as text */
    double *got;  /* [rows] for the caller */
};

/* Skips, visibly, what is not there, and returns -1. */
int reference_open(struct reference *reference, struct verify *v,
                   const char *file);
void reference_close(struct reference *reference);
double reference_at(const struct reference *reference, size_t row,
                    size_t column);
const char *reference_word(const struct reference *reference, size_t row);
/* One line: reference->got against column `column`. */
void reference_judge(const struct reference *reference, struct verify *v,
                     size_t column, enum reference_kind kind);

#endif
