/* A graph as GraphML writes it: only the elements node and edge count. */

#ifndef LAB_GRAPHML_H
#define LAB_GRAPHML_H

#include <stdio.h>

#include "sim/lab/table.h"

/* The matrix is empty before. Returns 0, -EINVAL, -EIO, -ENOMEM with the file's
 * name. */
int graphml_read(struct table_matrix *matrix, FILE *file, const char *path,
                 struct error *error);

#endif
