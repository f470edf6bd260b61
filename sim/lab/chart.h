/* One chart of report.html as SVG: a measure of every column on a log scale,
 * with a band where several seeds give an interval. */

#ifndef LAB_CHART_H
#define LAB_CHART_H

#include <stddef.h>
#include <stdio.h>

#include "sim/lab/sheet.h"

/* What lies along x: a member of struct course_row, or the step. */
struct chart_axis {
    const char *name;
    size_t offset; /* in struct course_row; SIZE_MAX: the step */
};

/* Nothing is drawn if no value is above 0. */
void chart_draw(FILE *file, const struct sheet *sheet, const char *title,
                size_t offset, const struct chart_axis *x);

/* Mean over the seeds of a column's row; half a 95 % interval if half is not
 * NULL, 0 of one seed. */
double chart_mean(double *half, const struct sheet *sheet, size_t column,
                  size_t row, size_t offset);

/* Whether intervals are drawn: of several seeds and few columns. */
bool chart_bands(const struct sheet *sheet);

/* How column i is drawn. In a sweep of few values an algorithm keeps its
 * colour, and the line says the value. */
const char *chart_colour(const struct sheet *sheet, size_t i);
const char *chart_dash(const struct sheet *sheet, size_t i);

/* Text of the user's, with what HTML would take for itself written out. */
void chart_text(FILE *file, const char *words);

#endif
