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
    double *v;    /* [rows, columns] NAN where the column is text */
    char **words; /* [rows, columns] NULL where the column is numbers */
    double *got;  /* [rows] for the caller */
};

/* `header`: the file's first line; a '$' behind a name marks a column of text.
 * A file that is missing, or has another header, another number of rows or
 * anything but numbers elsewhere is a fact that fails; then returns -1. */
int reference_open(struct reference *reference, struct verify *v,
                   const char *file, const char *header, size_t rows);
void reference_close(struct reference *reference);
double reference_at(const struct reference *reference, size_t row,
                    size_t column);
/* Requires a column of text. */
const char *reference_word(const struct reference *reference, size_t row,
                           size_t column);
/* One line: reference->got against column `column`. */
void reference_judge(const struct reference *reference, struct verify *v,
                     size_t column, enum reference_kind kind);

#endif
