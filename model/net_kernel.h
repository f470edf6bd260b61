/* The source of model/net32.c and model/net64.c, which define before:
 * NET_REAL, the type of everything that is computed with; NET_GEMM, cblas's
 * product for it; NET_NAME(x), the name of what is exported. */

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <string.h>

typedef NET_REAL real;

/* Where a block's intermediate values stand. */
struct block {
    const struct net *net;
    const real *w;                  /* [count] */
    size_t rows;                    /* <= NET_BLOCK */
    const real *in[NET_LAYERS_MAX]; /* [rows, 1 + in] of each layer */
    real *hidden[NET_LAYERS_MAX];   /* in, where it is ours */
    real *out;                      /* [rows, outputs] */
    real *error, *error_before;     /* [rows, widest] */
};

static size_t widest(const struct net *net)
{
    size_t most = 0;

    for (size_t l = 1; l <= net->layers; l++)
        most = net->sizes[l] > most ? net->sizes[l] : most;
    return most;
}

static size_t hidden_reals(const struct net *net)
{
    size_t sum = 0;

    for (size_t l = 1; l < net->layers; l++)
        sum += 1 + net->sizes[l];
    return sum;
}

static size_t block_reals(const struct net *net)
{
    return NET_BLOCK *
           (hidden_reals(net) + net->sizes[net->layers] + 2 * widest(net));
}

/* Parameters, gradient, velocity, a block, rows gathered, their order. */
static size_t work_size(const struct net *net, size_t rows)
{
    const size_t gathered = NET_BLOCK * (1 + net->sizes[0]);

    return (3 * net_count(net) + block_reals(net) + gathered) * sizeof(real) +
           sizeof(double) + NET_BLOCK * sizeof(int32_t) +
           rows * sizeof(uint32_t);
}

static void lay_out(struct block *b, const struct net *net, const real *w,
                    real *memory)
{
    *b = (struct block){.net = net, .w = w};
    for (size_t l = 1; l < net->layers; l++) {
        b->hidden[l] = memory;
        b->in[l] = memory;
        memory += NET_BLOCK * (1 + net->sizes[l]);
    }
    b->out = memory;
    b->error = b->out + NET_BLOCK * net->sizes[net->layers];
    b->error_before = b->error + NET_BLOCK * widest(net);
}

static void activate(real *a, size_t rows, size_t width,
                     enum net_activation activation)
{
    for (size_t i = 0; i < rows; i++, a += width) {
        a[0] = 1;
        if (activation == NET_RELU)
            for (size_t j = 1; j < width; j++)
                a[j] = a[j] > 0 ? a[j] : 0;
        else
            for (size_t j = 1; j < width; j++)
                a[j] = (real)tanh((double)a[j]);
    }
}

static void forward(struct block *b, const real *x, size_t rows)
{
    const struct net *net = b->net;

    b->rows = rows;
    b->in[0] = x;
    for (size_t l = 0; l < net->layers; l++) {
        const int in = (int)net->sizes[l] + 1, out = (int)net->sizes[l + 1];
        const bool last = l + 1 == net->layers;
        real *to = last ? b->out : b->hidden[l + 1] + 1;
        NET_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, out, in,
                 1, b->in[l], in, b->w + net->offset[l], out, 0, to,
                 last ? out : out + 1);
        if (!last)
            activate(b->hidden[l + 1], rows, (size_t)out + 1, net->activation);
    }
}

/* One logit: the loss; *p becomes the probability of 1. */
static double one_output(double *p, double z, int32_t y)
{
    const double e = exp(-fabs(z));

    *p = z >= 0 ? 1 / (1 + e) : e / (1 + e);
    return log1p(e) + (z > 0 ? (1 - y) * z : -y * z);
}

/* z[count] become probabilities; the loss is returned. */
static double softmax(real *z, size_t count, int32_t y)
{
    double top = (double)z[0], sum = 0;

    for (size_t c = 1; c < count; c++)
        top = (double)z[c] > top ? (double)z[c] : top;
    const double own = (double)z[y] - top;
    assert(count > 0);
    for (size_t c = 0; c < count; c++) {
        const double e = exp((double)z[c] - top);
        z[c] = (real)e;
        sum += e;
    }
    for (size_t c = 0; c < count; c++)
        z[c] = (real)((double)z[c] / sum);
    return log(sum) - own;
}

/* The block's loss; `out` becomes the error of the outputs. */
static double compare(struct block *b, const int32_t *y)
{
    const size_t outputs = b->net->sizes[b->net->layers];
    double loss = 0, p;

    for (size_t i = 0; i < b->rows; i++) {
        real *z = b->out + i * outputs;
        if (outputs == 1) {
            loss += one_output(&p, (double)z[0], y[i]);
            z[0] = (real)(p - y[i]);
        } else {
            loss += softmax(z, outputs, y[i]);
            z[y[i]] -= 1;
        }
    }
    return loss;
}

/* Turns the error behind an activation into the one before it. */
static void derive(real *error, const real *a, size_t rows, size_t count,
                   enum net_activation activation)
{
    for (size_t i = 0; i < rows; i++, a += count + 1, error += count)
        for (size_t j = 0; j < count; j++)
            error[j] *= activation == NET_RELU ? (real)(a[j + 1] > 0)
                                               : 1 - a[j + 1] * a[j + 1];
}

/* Adds scale * the gradient of the block's loss to gradient[count]. */
static void backward(real *gradient, struct block *b, real scale)
{
    const struct net *net = b->net;
    const int rows = (int)b->rows;
    real *error = b->out, *next = b->error;

    for (size_t l = net->layers; l-- > 0;) {
        const int in = (int)net->sizes[l] + 1, out = (int)net->sizes[l + 1];
        NET_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, rows, scale,
                 b->in[l], in, error, out, 1, gradient + net->offset[l], out);
        if (l == 0)
            break;
        NET_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, rows, in - 1, out, 1,
                 error, out, b->w + net->offset[l] + out, out, 0, next, in - 1);
        derive(next, b->in[l], b->rows, net->sizes[l], net->activation);
        error = next;
        next = next == b->error ? b->error_before : b->error;
    }
}

static size_t part(size_t at, size_t rows)
{
    return rows - at < NET_BLOCK ? rows - at : NET_BLOCK;
}

/* gradient[count] of the mean loss, which is returned. */
static double slope(real *gradient, struct block *b, const real *x,
                    const int32_t *y, size_t rows)
{
    const size_t width = 1 + b->net->sizes[0];
    double loss = 0;

    memset(gradient, 0, net_count(b->net) * sizeof *gradient);
    for (size_t at = 0, here; at < rows; at += here) {
        here = part(at, rows);
        forward(b, x + at * width, here);
        loss += compare(b, y + at);
        backward(gradient, b, (real)(1 / (double)rows));
    }
    return loss / (double)rows;
}

static void narrow(real *to, const double *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (real)from[i];
}

static double gradient(double *to, const struct net *net, const double *w,
                       const void *x, const int32_t *y, size_t rows, void *work)
{
    const size_t count = net_count(net);
    real *own = work, *g = own + count;
    struct block b;

    narrow(own, w, count);
    lay_out(&b, net, own, g + 2 * count);
    double loss = slope(g, &b, x, y, rows);
    for (size_t i = 0; i < count; i++)
        to[i] = (double)g[i];
    return loss;
}

static void judge(double *sums, double *p, const struct block *b,
                  const int32_t *y)
{
    const size_t outputs = b->net->sizes[b->net->layers];

    for (size_t i = 0; i < b->rows; i++) {
        real *z = b->out + i * outputs;
        size_t best = 0;
        if (outputs == 1) {
            double one;
            sums[NET_LOSS] += one_output(&one, (double)z[0], y[i]);
            sums[NET_CORRECT] += (one >= 0.5) == (y[i] == 1);
            sums[NET_BRIER] += (one - y[i]) * (one - y[i]);
            if (p != NULL)
                p[i] = one;
            continue;
        }
        sums[NET_LOSS] += softmax(z, outputs, y[i]);
        for (size_t c = 0; c < outputs; c++) {
            const double off = (double)z[c] - ((int32_t)c == y[i]);
            best = z[c] > z[best] ? c : best;
            sums[NET_BRIER] += off * off;
        }
        sums[NET_CORRECT] += (int32_t)best == y[i];
    }
}

static void measure(double *sums, double *p, const struct net *net,
                    const double *w, const void *x, const int32_t *y,
                    size_t rows, void *work)
{
    const size_t width = 1 + net->sizes[0], count = net_count(net);
    const real *from = x;
    real *own = work;
    struct block b;

    narrow(own, w, count);
    lay_out(&b, net, own, own + 3 * count);
    memset(sums, 0, NET_SUMS * sizeof *sums);
    for (size_t at = 0, here; at < rows; at += here) {
        here = part(at, rows);
        forward(&b, from + at * width, here);
        judge(sums, p == NULL ? NULL : p + at, &b, y + at);
    }
}

/* Rows drawn without replacement, in an order that each epoch has anew. */
struct dealer {
    const struct net_descent *d;
    uint32_t *order; /* [rows] */
    size_t at;
    real *x;    /* [NET_BLOCK, 1 + inputs] */
    int32_t *y; /* [NET_BLOCK] */
};

static void shuffle(struct dealer *deal)
{
    for (size_t i = deal->d->rows; i > 1; i--) {
        size_t j = (size_t)prg_below(deal->d->prg, i);
        uint32_t swap = deal->order[i - 1];
        deal->order[i - 1] = deal->order[j];
        deal->order[j] = swap;
    }
    deal->at = 0;
}

/* The gradient of the next batch; an epoch's last may be smaller. */
static void deal_batch(real *g, struct dealer *deal, struct block *b)
{
    const struct net_descent *d = deal->d;
    const size_t width = 1 + d->net->sizes[0];

    if (deal->at == d->rows)
        shuffle(deal);
    const size_t left = d->rows - deal->at;
    const size_t rows = left < d->batch ? left : d->batch;
    const real *x = d->x;
    memset(g, 0, net_count(d->net) * sizeof *g);
    for (size_t done = 0, here; done < rows; done += here) {
        here = part(done, rows);
        for (size_t i = 0; i < here; i++) {
            const size_t row = deal->order[deal->at + done + i];
            memcpy(deal->x + i * width, x + row * width, width * sizeof *x);
            deal->y[i] = d->y[row];
        }
        forward(b, deal->x, here);
        compare(b, deal->y);
        backward(g, b, (real)(1 / (double)rows));
    }
    deal->at += rows;
}

/* g += ridge w, biases left out. */
static void pull(real *g, const real *w, const struct net *net, real ridge)
{
    for (size_t l = 0; l < net->layers; l++)
        for (size_t i = net->offset[l] + net->sizes[l + 1];
             i < net->offset[l + 1]; i++)
            g[i] += ridge * w[i];
}

static void step(real *w, real *g, real *velocity, const struct net_descent *d)
{
    const size_t count = net_count(d->net);
    const real by = (real)d->step, keep = (real)d->momentum;

    if (d->ridge > 0)
        pull(g, w, d->net, (real)d->ridge);
    if (d->mu > 0)
        for (size_t i = 0; i < count; i++)
            g[i] += (real)d->mu * (w[i] - (real)d->start[i]);
    if (d->shift != NULL)
        for (size_t i = 0; i < count; i++)
            g[i] += (real)d->shift[i];
    if (d->momentum > 0)
        for (size_t i = 0; i < count; i++)
            g[i] = velocity[i] = keep * velocity[i] + g[i];
    for (size_t i = 0; i < count; i++)
        w[i] -= by * g[i];
}

static void descend(double *delta, const struct net_descent *d, void *work)
{
    const size_t count = net_count(d->net);
    real *w = work, *g = w + count, *velocity = g + count;
    real *memory = velocity + count;
    struct dealer deal = {.d = d, .at = d->rows};
    struct block b;

    assert(d->rows > 0);
    narrow(w, d->start, count);
    memset(velocity, 0, count * sizeof *velocity);
    lay_out(&b, d->net, w, memory);
    deal.x = memory + block_reals(d->net);
    void *after = deal.x + NET_BLOCK * (1 + d->net->sizes[0]);
    deal.y = after;
    deal.order = (uint32_t *)(deal.y + NET_BLOCK);
    for (size_t i = 0; i < d->rows; i++)
        deal.order[i] = (uint32_t)i;
    for (uint64_t s = 0; s < d->steps; s++) {
        if (d->batch == 0 || d->batch >= d->rows)
            slope(g, &b, d->x, d->y, d->rows);
        else
            deal_batch(g, &deal, &b);
        step(w, g, velocity, d);
    }
    for (size_t i = 0; i < count; i++)
        delta[i] = (double)w[i] - (double)(real)d->start[i];
}

const struct net_kernel NET_NAME(kernel) = {.real_size = sizeof(real),
                                            .work_size = work_size,
                                            .gradient = gradient,
                                            .measure = measure,
                                            .descend = descend};
