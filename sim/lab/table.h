/* Numbers in text files: CSV tables, edge lists, MatrixMarket, GraphML, .npy.
 * A mistake is told with file and line. */

#ifndef LAB_TABLE_H
#define LAB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/mixing.h"
#include "model/error.h"

struct table {
    size_t rows, columns;
    double *v;      /* [rows, columns] */
    uint32_t *line; /* [rows] in the file */
};

/* `names`: "step,from,to", what the columns are. A first line that says just
 * that is skipped; it must be there if `header`. A name with a star, the last
 * one, stands for any number of columns ("a*": a0,a1,...). names NULL: any
 * number of columns. */
int table_read(struct table *table, const char *path, const char *names,
               bool header, struct error *error);
void table_free(struct table *table);

/* table->v[row, column] as a whole number below `bound`. */
int table_index(size_t *value, const struct table *table, size_t row,
                size_t column, size_t bound, const char *path, const char *what,
                struct error *error);

/* Edges of a file by its name's end: .mtx, .graphml, .npy, else "i j" or
 * "i j weight" lines. weighted: it gives weights. Owned entries, both
 * directions as the file means them. */
struct table_matrix {
    struct mixing_entry *entries;
    size_t count, room;
    size_t n; /* 0: the file does not say */
    bool weighted;
};
int table_matrix(struct table_matrix *matrix, const char *path,
                 struct error *error);
int table_add(struct table_matrix *matrix, size_t row, size_t column,
              double weight, const char *path, struct error *error);
/* "PATH:LINE: found another line, expected ..."; returns -EINVAL. */
int table_bad_line(const char *path, size_t line, const char *expected,
                   struct error *error);
void table_matrix_free(struct table_matrix *matrix);

#endif
