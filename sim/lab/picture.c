#include "sim/lab/picture.h"

#include <math.h>
#include <stdint.h>

#include "sim/lab/chart.h"

enum { SIDE = 300, NUMBERED_MAX = 40 };

#define AT(member) offsetof(struct course_row, member)

static void cell(FILE *file, const struct sheet *s, size_t i, size_t offset)
{
    const double mean = chart_mean(NULL, s, i, s->row_count - 1, offset);

    if (isfinite(mean))
        fprintf(file, "<td>%.6g</td>", mean);
    else
        fputs("<td>diverged</td>", file);
}

static void legend(FILE *file, const struct sheet *s)
{
    const bool clock = s->experiment->has_clock;

    fprintf(file,
            "<div class='w'><table>\n<tr><th></th><th class='l'>algorithm</th>"
            "<th>err</th><th>cons</th><th>gap</th><th>bytes</th>%s</tr>\n",
            clock ? "<th>virtual ms</th>" : "");
    for (size_t i = 0; i < s->column_count; i++) {
        fprintf(file,
                "<tr><td><svg class='k' viewBox='0 0 36 8'><line x1='0' "
                "x2='36' y1='4' y2='4' stroke='%s' stroke-width='2' "
                "stroke-dasharray='%s'/></svg></td><td class='l'>",
                chart_colour(s, i), chart_dash(s, i));
        chart_text(file, s->columns[i].label);
        fputs("</td>", file);
        cell(file, s, i, AT(err));
        cell(file, s, i, AT(cons));
        cell(file, s, i, AT(gap));
        cell(file, s, i, AT(bytes));
        if (clock)
            cell(file, s, i, AT(clock_max));
        fputs("</tr>\n", file);
    }
    fputs("</table></div>\n", file);
}

/* A measure against steps, bytes and time. */
static void charts(FILE *file, const struct sheet *s, const char *title,
                   size_t offset)
{
    static const struct chart_axis axes[] = {
        {"steps", SIZE_MAX},
        {"bytes sent by all nodes", AT(bytes)},
        {"virtual milliseconds", AT(clock_max)}};

    fputs("<div>\n", file);
    for (size_t k = 0; k < 3; k++)
        chart_draw(file, s, title, offset, &axes[k]);
    fputs("</div>\n", file);
}

/* What a problem has to show: of consensus err is cons; a model's gap is its
 * loss, as no optimum is known. */
static void all_charts(FILE *file, const struct sheet *s)
{
    const enum problem_kind kind = s->experiment->kind;

    if (kind == PROBLEM_MODEL)
        charts(file, s, "loss of the mean", AT(gap));
    else if (kind == PROBLEM_CONSENSUS)
        charts(file, s, "error: distance to the mean at the start", AT(mse));
    else
        charts(file, s, "error: distance to the optimum", AT(err));
    charts(file, s, "consensus distance", AT(cons));
    if (kind == PROBLEM_QUADRATIC || kind == PROBLEM_LOGISTIC)
        charts(file, s, "loss of the mean above the optimum", AT(gap));
}

static void node(FILE *file, double x, double y, size_t i, bool numbered)
{
    fprintf(file, "<circle cx='%.1f' cy='%.1f' r='%d'/>", x, y,
            numbered ? 8 : 3);
    if (numbered)
        fprintf(file,
                "<text x='%.1f' y='%.1f' class='n' text-anchor='middle'>%zu"
                "</text>",
                x, y + 3, i);
    fputc('\n', file);
}

/* Nodes on a circle. */
static void draw_graph(FILE *file, const struct sheet *s)
{
    static const double turn = 6.283185307179586;
    const struct graph *g = s->graph;
    const double middle = SIDE / 2.0, radius = SIDE / 2.0 - 12;

    if (g == NULL)
        return;
    fputs("<p class='t'>graph of ", file);
    chart_text(file, s->columns[0].label);
    fprintf(file, "</p>\n<svg viewBox='0 0 %d %d' class='s' role='img'>\n",
            SIDE, SIDE);
    for (size_t i = 0; i < g->n; i++) {
        const double a = turn * (double)i / (double)g->n;
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            const double b = turn * (double)g->to[e] / (double)g->n;
            if (i < g->to[e])
                fprintf(file,
                        "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' "
                        "class='e'/>\n",
                        middle + radius * sin(a), middle - radius * cos(a),
                        middle + radius * sin(b), middle - radius * cos(b));
        }
    }
    for (size_t i = 0; i < g->n; i++) {
        const double a = turn * (double)i / (double)g->n;
        node(file, middle + radius * sin(a), middle - radius * cos(a), i,
             g->n <= NUMBERED_MAX);
    }
    fputs("</svg>\n", file);
}

/* The reader's own light or dark; on a narrow screen one chart a row. */
static const char style[] =
    ":root{color-scheme:light dark}\n"
    "body{font:14px sans-serif;margin:1em auto;padding:0 1em;"
    "max-width:1440px}\n"
    "h1{font-size:20px;overflow-wrap:anywhere}\n"
    "svg{font:11px sans-serif;fill:currentColor;width:460px;max-width:100%;"
    "margin:0 .5em 1em 0;vertical-align:top}\n"
    "svg.k{width:36px;height:8px;margin:0}svg.s{width:300px}\n"
    ".t{font-weight:bold;font-size:11px}.g{stroke:currentColor;stroke-opacity:."
    "15}\n"
    ".e{stroke:currentColor;stroke-opacity:.4}\n"
    ".s circle{fill:#2a86c8}.n{fill:#fff;font-size:9px}\n"
    ".w{overflow-x:auto;margin-bottom:1em}table{border-collapse:collapse}\n"
    "td,th{padding:1px 8px;text-align:right;white-space:nowrap}"
    ".l{text-align:left}\n";

void picture_write(FILE *file, const struct sheet *s)
{
    const struct experiment *e = s->experiment;

    fprintf(file,
            "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'/>"
            "<meta name='viewport' content='width=device-width'/>"
            "<title>Starling: how it converges</title>\n<style>%s</style>"
            "</head><body>\n<h1>",
            style);
    chart_text(file, e->path);
    fprintf(file, "</h1>\n<p>%zu nodes, %llu steps, %zu seed%s", s->nodes,
            (unsigned long long)e->steps, e->seed_count,
            e->seed_count == 1 ? ""
            : chart_bands(s)   ? "s: means, and bands of 95 % intervals"
                               : "s: means");
    fputs(e->sweep_key == NULL ? "" : "; the number behind @ is ", file);
    fputs(e->sweep_key == NULL ? "" : e->sweep_key, file);
    fputs(". What the last step left:</p>\n", file);
    legend(file, s);
    all_charts(file, s);
    draw_graph(file, s);
    fputs("</body></html>\n", file);
}
