/* A square matrix as numpy's save() writes it (format versions 1 to 3). */

#ifndef LAB_NPY_H
#define LAB_NPY_H

#include <stdio.h>

#include "sim/lab/table.h"

/* What is not zero. weighted: the numbers are not of a whole or truth type.
 * Little-endian floats of 4 or 8 bytes, whole numbers of 1, 4 or 8, bool. The
 * matrix is empty before. Returns 0, -EINVAL, -ENOMEM with the file's name. */
int npy_read(struct table_matrix *matrix, FILE *file, const char *path,
             struct error *error);

#endif
