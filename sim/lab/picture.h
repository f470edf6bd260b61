/* DIR/report.html: curves of an experiment in one self-contained file, against
 * rounds, bytes and virtual time, and its graph when it is small. */

#ifndef LAB_PICTURE_H
#define LAB_PICTURE_H

#include <stdio.h>

#include "sim/lab/sheet.h"

void picture_write(FILE *file, const struct sheet *sheet);

#endif
