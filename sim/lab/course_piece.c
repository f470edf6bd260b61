#include "sim/lab/course_piece.h"

#include <assert.h>

#include "sim/lab/course_body.h"

struct pieces {
    struct course_piece *all;
    size_t count;
    bool spread;
};

static void add_piece(struct pieces *p, void *at, size_t size,
                      enum course_share share)
{
    assert(p->count < COURSE_PIECES_MAX);
    p->all[p->count++] = (struct course_piece){
        .at = at, .size = size, .share = p->spread ? share : COURSE_ALL};
}

static void add_rows(struct pieces *p, const struct course *c, void *at,
                     size_t unit, const size_t *first)
{
    const size_t units = first == NULL ? c->n : first[c->n];

    if (at == NULL || units * unit == 0)
        return;
    add_piece(p, at, units * unit, COURSE_ROWS);
    p->all[p->count - 1].unit = unit;
    p->all[p->count - 1].first = first;
}

/* Messages too: a node that is offline leaves its last one. */
size_t course_piece_list(struct course_piece pieces[COURSE_PIECES_MAX],
                         struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const size_t link = (c->d + 1) * sizeof *c->link;
    struct pieces p = {pieces, 0, c->spread.ranks > 1};

    course_gather_gradients(c);
    add_piece(&p, &c->gradients, sizeof c->gradients, COURSE_FIRST);
    add_piece(&p, &c->step, sizeof c->step, COURSE_ALL);
    add_piece(&p, &c->at_meeting, sizeof c->at_meeting, COURSE_ALL);
    add_piece(&p, &c->links, sizeof c->links, COURSE_ALL);
    add_piece(&p, &c->vectors, sizeof c->vectors, COURSE_ALL);
    add_piece(&p, &c->bytes, sizeof c->bytes, COURSE_ALL);
    add_piece(&p, c->now, c->n * sizeof *c->now, COURSE_ALL);
    add_piece(&p, c->then, c->n * sizeof *c->then, COURSE_ALL);
    for (size_t k = 0; k < alg->vectors; k++)
        add_rows(&p, c, c->v[k].x, states_row_size(&c->v[k]), NULL);
    for (size_t k = 0; k < alg->sends; k++)
        add_rows(&p, c, c->send[k].x, states_row_size(&c->send[k]), NULL);
    add_rows(&p, c, c->s, alg->scalars * sizeof *c->s, NULL);
    add_rows(&p, c, c->send_s, sizeof *c->send_s, NULL);
    if (c->first != NULL) {
        add_rows(&p, c, c->link, alg->link_vectors * link, c->first);
        add_rows(&p, c, c->link_send, link, c->first);
    }
    return p.count;
}

size_t course_piece_part(void **at, const struct course_piece *p,
                         const struct course *c, size_t rank)
{
    const struct spread *s = &c->spread;

    if (rank >= s->ranks)
        return 0;
    size_t from = s->start[rank], to = s->start[rank + 1];
    if (p->first != NULL) {
        from = p->first[from];
        to = p->first[to];
    }
    *at = (char *)p->at + from * p->unit;
    return (to - from) * p->unit;
}
