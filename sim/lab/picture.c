#include "sim/lab/picture.h"

#include <math.h>

enum {
    WIDTH = 640,
    HEIGHT = 360,
    LEFT = 64,
    RIGHT = 28,
    BOTTOM = 44,
    TOP = 28,
    POINTS_MAX = 600,
    COLOURS = 10
};

static const char *const colours[COLOURS] = {
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e",
    "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"};

static const double floor_value = 1e-32; /* below it is rounding */

struct axis {
    const char *name;
    size_t offset; /* in struct course_row; SIZE_MAX: the step */
};

struct frame {
    double x_most, low, high; /* log10 of y */
    size_t y;                 /* offset in struct course_row */
    struct axis x;
};

static double at(const struct course_row *row, size_t offset)
{
    if (offset == SIZE_MAX)
        return (double)row->step;
    return *(const double *)(const void *)((const char *)row + offset);
}

static double mean_at(const struct sheet *s, const struct sheet_column *c,
                      size_t row, size_t offset)
{
    const size_t seeds = s->experiment->seed_count;
    double sum = 0;

    for (size_t k = 0; k < seeds; k++)
        sum += at(&c->rows[k * s->row_count + row], offset);
    return sum / (double)seeds;
}

static void measure(struct frame *f, const struct sheet *s)
{
    f->x_most = 0;
    f->low = 300;
    f->high = -300;
    for (size_t i = 0; i < s->column_count; i++)
        for (size_t r = 0; r < s->row_count; r++) {
            double x = mean_at(s, &s->columns[i], r, f->x.offset);
            double y = mean_at(s, &s->columns[i], r, f->y);
            f->x_most = fmax(f->x_most, x);
            if (!(y > floor_value) || !isfinite(y))
                continue;
            f->low = fmin(f->low, floor(log10(y)));
            f->high = fmax(f->high, ceil(log10(y)));
        }
    f->high = fmin(f->high, f->low + 60);
    if (f->high <= f->low)
        f->high = f->low + 1;
}

static double place_x(const struct frame *f, double x)
{
    return LEFT + x / f->x_most * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct frame *f, double y)
{
    double part = (log10(y) - f->low) / (f->high - f->low);

    return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP);
}

static void curve(FILE *file, const struct frame *f, const struct sheet *s,
                  size_t i)
{
    const struct sheet_column *c = &s->columns[i];
    const size_t each = 1 + s->row_count / POINTS_MAX;
    bool drawing = false;

    fprintf(file, "<path fill='none' stroke='%s' stroke-width='1.5'%s d='",
            colours[i % COLOURS],
            i / COLOURS % 2 == 0 ? "" : " stroke-dasharray='5 3'");
    for (size_t r = 0; r < s->row_count; r += each) {
        double y = mean_at(s, c, r, f->y);
        drawing = drawing && y > floor_value && log10(y) <= f->high;
        if (!(y > floor_value) || !isfinite(y) || log10(y) > f->high)
            continue;
        fprintf(file, "%c%.1f %.1f", drawing ? 'L' : 'M',
                place_x(f, mean_at(s, c, r, f->x.offset)), place_y(f, y));
        drawing = true;
    }
    fputs("'/>\n", file);
}

static void axes(FILE *file, const struct frame *f, const char *title)
{
    const double decades = ceil((f->high - f->low) / 8);

    fprintf(file,
            "<text x='%d' y='18' font-weight='bold'>%s</text>\n"
            "<text x='%d' y='%d' text-anchor='end'>%s</text>\n",
            LEFT, title, WIDTH - RIGHT, HEIGHT - 8, f->x.name);
    for (int k = 0; f->low + k * decades <= f->high; k++) {
        double power = f->low + k * decades;
        double y =
            HEIGHT - BOTTOM -
            (power - f->low) / (f->high - f->low) * (HEIGHT - BOTTOM - TOP);
        fprintf(file,
                "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#ddd'/>"
                "<text x='%d' y='%.1f' text-anchor='end'>1e%.0f</text>\n",
                LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, power);
    }
    for (int k = 0; k <= 4; k++)
        fprintf(file,
                "<text x='%.1f' y='%d' text-anchor='middle'>%.4g</text>\n",
                place_x(f, f->x_most * k / 4), HEIGHT - BOTTOM + 16,
                f->x_most * k / 4);
}

static void chart(FILE *file, const struct sheet *s, const char *title,
                  size_t y, struct axis x)
{
    struct frame f = {.y = y, .x = x};

    measure(&f, s);
    if (!(f.x_most > 0) || f.low > 299)
        return; /* nothing to draw */
    fprintf(file, "<svg viewBox='0 0 %d %d' width='%d' height='%d'>\n", WIDTH,
            HEIGHT, WIDTH, HEIGHT);
    axes(file, &f, title);
    for (size_t i = 0; i < s->column_count; i++)
        curve(file, &f, s, i);
    fputs("</svg>\n", file);
}

/* Labels come from the file: what HTML would take for itself is written out. */
static void text(FILE *file, const char *words)
{
    for (; *words != '\0'; words++)
        if (*words == '<' || *words == '>' || *words == '&' || *words == '\'')
            fprintf(file, "&#%d;", *words);
        else
            fputc(*words, file);
}

static void legend(FILE *file, const struct sheet *s)
{
    fputs("<table><tr><th></th><th>algorithm</th><th>err</th><th>cons</th>"
          "<th>gap</th><th>bytes</th></tr>\n",
          file);
    for (size_t i = 0; i < s->column_count; i++) {
        const struct sheet_column *c = &s->columns[i];
        const size_t last = s->row_count - 1;
        fprintf(file, "<tr><td style='color:%s'>%s</td><td>",
                colours[i % COLOURS],
                i / COLOURS % 2 == 0 ? "&#9473;" : "&#9477;");
        text(file, c->label);
        fprintf(file,
                "</td><td>%.6g</td><td>%.6g</td><td>%.6g</td><td>%.6g</td>"
                "</tr>\n",
                mean_at(s, c, last, offsetof(struct course_row, err)),
                mean_at(s, c, last, offsetof(struct course_row, cons)),
                mean_at(s, c, last, offsetof(struct course_row, gap)),
                mean_at(s, c, last, offsetof(struct course_row, bytes)));
    }
    fputs("</table>\n", file);
}

/* Nodes on a circle, for the first graph that is small. */
static void draw_graph(FILE *file, const struct sheet *s)
{
    static const double turn = 6.283185307179586;
    const struct graph *g = s->graph;
    const double middle = HEIGHT / 2.0, radius = middle - 24;

    if (g == NULL)
        return;
    fprintf(file,
            "<svg viewBox='0 0 %d %d' width='%d' height='%d'>\n"
            "<text x='4' y='18' font-weight='bold'>graph of ",
            HEIGHT, HEIGHT, HEIGHT, HEIGHT);
    text(file, s->columns[0].label);
    fputs("</text>\n", file);
    for (size_t i = 0; i < g->n; i++) {
        const double a = turn * (double)i / (double)g->n;
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            const double b = turn * (double)g->to[e] / (double)g->n;
            if (i < g->to[e])
                fprintf(file,
                        "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' "
                        "stroke='#999'/>\n",
                        middle + radius * sin(a), middle - radius * cos(a),
                        middle + radius * sin(b), middle - radius * cos(b));
        }
        fprintf(file, "<circle cx='%.1f' cy='%.1f' r='4'/>\n",
                middle + radius * sin(a), middle - radius * cos(a));
    }
    fputs("</svg>\n", file);
}

void picture_write(FILE *file, const struct sheet *s)
{
    const struct axis rounds = {"steps", SIZE_MAX};
    const struct axis bytes = {"bytes sent by all nodes",
                               offsetof(struct course_row, bytes)};
    const struct axis clock = {"virtual milliseconds",
                               offsetof(struct course_row, clock_max)};
    const size_t err = offsetof(struct course_row, err);

    fputs("<!DOCTYPE html>\n<html lang='en'><meta charset='utf-8'>"
          "<title>Starling: how it converges</title>\n"
          "<style>body{font:14px sans-serif;margin:2em;max-width:1400px}"
          "svg{font:11px sans-serif;margin:0 1em 1em 0}"
          "td,th{padding:2px 10px;text-align:right}</style>\n<h1>",
          file);
    text(file, s->experiment->path);
    fprintf(file, "</h1>\n<p>%zu nodes, %llu steps, %zu seed%s</p>\n", s->nodes,
            (unsigned long long)s->experiment->steps, s->experiment->seed_count,
            s->experiment->seed_count > 1 ? "s" : "");
    legend(file, s);
    chart(file, s, "error", err, rounds);
    chart(file, s, "consensus distance", offsetof(struct course_row, cons),
          rounds);
    chart(file, s, "loss above the optimum", offsetof(struct course_row, gap),
          rounds);
    chart(file, s, "error", err, bytes);
    chart(file, s, "error", err, clock);
    draw_graph(file, s);
    fputs("</html>\n", file);
}
