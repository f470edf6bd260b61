#include "sim/lab/chart.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    WIDTH = 460,
    HEIGHT = 300,
    LEFT = 58,
    RIGHT = 16,
    BOTTOM = 44,
    TOP = 28,
    POINTS_MAX = 400,
    COLOURS = 10,
    DASHES = 5,
    DECADES_MAX = 60,
    BANDS_MAX = 6
};

/* Told apart on white and on black. */
static const char *const colours[COLOURS] = {
    "#2a86c8", "#e0433f", "#2fa84f", "#a070d0", "#f08020",
    "#12aebc", "#a5714a", "#e070b8", "#888888", "#b0a812"};
static const char *const dashes[DASHES] = {"none", "6 3", "2 2", "9 3 2 3",
                                           "1 4"};

static const double floor_value = 1e-32; /* below it is rounding */
static const double diverged = 1e6;      /* times what it began with */
static const double climb_most = 3;      /* decades of it above the others */

struct frame {
    double x_most, low, high; /* log10 of y */
    size_t y;                 /* offset in struct course_row */
    struct chart_axis x;
    size_t each; /* every so many rows are drawn */
};

static double at(const struct course_row *row, size_t offset)
{
    double v;

    if (offset == SIZE_MAX)
        return (double)row->step;
    memcpy(&v, (const char *)row + offset, sizeof v);
    return v;
}

double chart_mean(double *half, const struct sheet *s, size_t column,
                  size_t row, size_t offset)
{
    const size_t seeds = s->experiment->seed_count;
    const struct course_row *rows = s->columns[column].rows + row;
    double mean = 0, square = 0;

    for (size_t k = 0; k < seeds; k++)
        mean += at(&rows[k * s->row_count], offset) / (double)seeds;
    for (size_t k = 0; half != NULL && k < seeds; k++) {
        const double off = at(&rows[k * s->row_count], offset) - mean;
        square += off * off;
    }
    if (half != NULL)
        *half = seeds < 2
                    ? 0
                    : 1.959963984540054 *
                          sqrt(square / (double)(seeds - 1) / (double)seeds);
    return mean;
}

static bool values_by_dash(const struct experiment *e)
{
    return e->sweep_count > 1 && e->sweep_count <= DASHES &&
           e->entry_count > 1 && e->entry_count <= COLOURS;
}

bool chart_bands(const struct sheet *s)
{
    return s->experiment->seed_count > 1 && s->column_count <= BANDS_MAX;
}

const char *chart_colour(const struct sheet *s, size_t i)
{
    const struct experiment *e = s->experiment;

    return colours[(values_by_dash(e) ? i % e->entry_count : i) % COLOURS];
}

const char *chart_dash(const struct sheet *s, size_t i)
{
    const struct experiment *e = s->experiment;

    return dashes[(values_by_dash(e) ? i / e->entry_count : i / COLOURS) %
                  DASHES];
}

void chart_text(FILE *file, const char *words)
{
    for (; *words != '\0'; words++)
        if (strchr("<>&'\"", *words) != NULL)
            fprintf(file, "&#%d;", *words);
        else
            fputc(*words, file);
}

/* The nearest of 1, 2, 5 times a power of ten, as a log10, below or above. */
static double round_log(double x, bool up)
{
    static const double parts[] = {0, 0.30102999566398120, 0.69897000433601880,
                                   1};
    const double power = floor(x), slack = 1e-9;
    double found = power;

    for (size_t k = 0; k < 4; k++) {
        if (up && power + parts[k] >= x - slack)
            return power + parts[k];
        if (power + parts[k] <= x + slack)
            found = power + parts[k];
    }
    return found;
}

static bool is_drawn(double y)
{
    return y > floor_value && isfinite(y);
}

/* Whether a column ends far above where it began. */
static bool diverges(const struct frame *f, const struct sheet *s, size_t i)
{
    const double last = chart_mean(NULL, s, i, s->row_count - 1, f->y);
    double first = 0;

    for (size_t r = 0; r < s->row_count && !(first > 0); r++)
        first = chart_mean(NULL, s, i, r, f->y);
    return !isfinite(last) || last > first * diverged;
}

static void widen(struct frame *f, const struct sheet *s, size_t i)
{
    for (size_t r = 0; r < s->row_count; r += f->each) {
        const double x = chart_mean(NULL, s, i, r, f->x.offset);
        const double y = chart_mean(NULL, s, i, r, f->y);
        if (isfinite(x))
            f->x_most = fmax(f->x_most, x);
        if (!is_drawn(y))
            continue;
        f->low = fmin(f->low, log10(y));
        f->high = fmax(f->high, log10(y));
    }
}

/* False if there is nothing to draw. */
static bool measure(struct frame *f, const struct sheet *s)
{
    f->each = 1 + s->row_count / POINTS_MAX;
    f->x_most = 0;
    f->low = HUGE_VAL;
    f->high = -HUGE_VAL;
    for (size_t i = 0; i < s->column_count; i++)
        if (!diverges(f, s, i))
            widen(f, s, i);
    const double most = f->high + climb_most;
    for (size_t i = 0; i < s->column_count; i++)
        if (diverges(f, s, i))
            widen(f, s, i);
    if (!(f->x_most > 0) || !(f->low <= f->high))
        return false;
    if (isfinite(most))
        f->high = fmin(f->high, fmax(most, f->low));
    f->low = fmax(f->low, f->high - DECADES_MAX);
    if (f->high - f->low > 2) {
        f->low = floor(f->low);
        f->high = ceil(f->high);
    } else {
        f->low = round_log(f->low, false);
        f->high = round_log(f->high, true);
    }
    if (f->high - f->low < 0.3)
        f->high = round_log(f->low + 0.3, true);
    return true;
}

static double place_x(const struct frame *f, double x)
{
    return LEFT + x / f->x_most * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct frame *f, double power)
{
    const double part = (power - f->low) / (f->high - f->low);

    return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP);
}

/* The row after r that is drawn: the last one always is. */
static size_t next_row(const struct frame *f, const struct sheet *s, size_t r)
{
    return r + 1 < s->row_count && r + f->each >= s->row_count
               ? s->row_count - 1
               : r + f->each;
}

static void curve(FILE *file, const struct frame *f, const struct sheet *s,
                  size_t i)
{
    bool drawing = false;

    fprintf(file,
            "<path fill='none' stroke='%s' stroke-width='1.5' "
            "stroke-dasharray='%s' d='",
            chart_colour(s, i), chart_dash(s, i));
    for (size_t r = 0; r < s->row_count; r = next_row(f, s, r)) {
        const double y = chart_mean(NULL, s, i, r, f->y);
        if (!is_drawn(y) || log10(y) > f->high || log10(y) < f->low) {
            drawing = false;
            continue;
        }
        fprintf(file, "%c%.1f %.1f", drawing ? 'L' : 'M',
                place_x(f, chart_mean(NULL, s, i, r, f->x.offset)),
                place_y(f, log10(y)));
        drawing = true;
    }
    fputs("'><title>", file);
    chart_text(file, s->columns[i].label);
    fputs("</title></path>\n", file);
}

static double clamped(const struct frame *f, double y)
{
    return is_drawn(y) ? fmin(fmax(log10(y), f->low), f->high) : f->low;
}

/* The interval over the seeds: above the mean forth, below it back, there at
 * most a decade, as it may reach below 0. */
static void band(FILE *file, const struct frame *f, const struct sheet *s,
                 size_t i)
{
    double half, y;
    char before = 'M';
    size_t r = 0;

    fprintf(file, "<path fill='%s' fill-opacity='0.15' d='",
            chart_colour(s, i));
    for (; r < s->row_count; r = next_row(f, s, r), before = 'L') {
        y = chart_mean(&half, s, i, r, f->y);
        if (!isfinite(y) || !isfinite(half))
            break;
        fprintf(file, "%c%.1f %.1f", before,
                place_x(f, chart_mean(NULL, s, i, r, f->x.offset)),
                place_y(f, clamped(f, y + half)));
    }
    for (r = r < s->row_count ? r : s->row_count; r-- > 0;) {
        if (r % f->each != 0 && r + 1 != s->row_count)
            continue;
        y = chart_mean(&half, s, i, r, f->y);
        if (isfinite(y) && isfinite(half))
            fprintf(file, "L%.1f %.1f",
                    place_x(f, chart_mean(NULL, s, i, r, f->x.offset)),
                    place_y(f, clamped(f, fmax(y - half, y / 10))));
    }
    fputs("'/>\n", file);
}

static void tick_y(FILE *file, const struct frame *f, double power, bool whole)
{
    const double y = place_y(f, power);

    fprintf(file,
            "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' class='g'/>"
            "<text x='%d' y='%.1f' text-anchor='end'>",
            LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4);
    if (whole)
        fprintf(file, "1e%.0f</text>\n", power);
    else
        fprintf(file, "%.3g</text>\n", pow(10, power));
}

static void ticks_y(FILE *file, const struct frame *f)
{
    const double decades = ceil((f->high - f->low) / 8), slack = 1e-9;
    const bool wide = f->high - f->low > 2;
    double power = f->low;

    while (power <= f->high + slack) {
        tick_y(file, f, power, wide);
        power = wide ? power + decades : round_log(power + 0.01, true);
    }
}

static void ticks_x(FILE *file, const struct frame *f)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    const double step = pow(10, round_log(log10(f->x_most / 5), true));
    const int count = (int)(f->x_most / step * (1 + 1e-9));
    double unit = 1;
    size_t k = 0;

    for (; step / unit >= 2000 && k < 4; k++)
        unit *= 1000;
    for (int i = 0; i <= count; i++) {
        fprintf(file, "<text x='%.1f' y='%d' text-anchor='middle'>",
                place_x(f, i * step), HEIGHT - BOTTOM + 16);
        fprintf(file, "%.4g%s</text>\n", i * step / unit,
                i > 0 ? units[k] : "");
    }
}

void chart_draw(FILE *file, const struct sheet *s, const char *title,
                size_t offset, const struct chart_axis *x)
{
    struct frame f = {.y = offset, .x = *x};

    if (!measure(&f, s))
        return;
    fprintf(file,
            "<svg viewBox='0 0 %d %d' role='img'>\n"
            "<text x='%d' y='18' class='t'>%s</text>\n"
            "<text x='%d' y='%d' text-anchor='end'>%s</text>\n",
            WIDTH, HEIGHT, LEFT, title, WIDTH - RIGHT, HEIGHT - 8, x->name);
    ticks_y(file, &f);
    ticks_x(file, &f);
    for (size_t i = 0; chart_bands(s) && i < s->column_count; i++)
        band(file, &f, s, i);
    for (size_t i = 0; i < s->column_count; i++)
        curve(file, &f, s, i);
    fputs("</svg>\n", file);
}
