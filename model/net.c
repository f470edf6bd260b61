#include "model/net.h"

#include <assert.h>
#include <math.h>

void net_init(struct net *net, size_t inputs, const size_t *hidden,
              size_t hidden_count, size_t outputs, enum net_activation act)
{
    assert(hidden_count <= NET_HIDDEN_MAX);
    *net = (struct net){.layers = hidden_count + 1, .activation = act};
    net->sizes[0] = inputs;
    for (size_t l = 0; l < hidden_count; l++)
        net->sizes[l + 1] = hidden[l];
    net->sizes[net->layers] = outputs;
    for (size_t l = 0; l < net->layers; l++)
        net->offset[l + 1] =
            net->offset[l] + (1 + net->sizes[l]) * net->sizes[l + 1];
}

size_t net_count(const struct net *net)
{
    return net->offset[net->layers];
}

/* Uniform in [-1, 1), 53 bits. */
static double uniform(struct prg *prg)
{
    return (double)prg_below(prg, UINT64_C(1) << 53) * 0x1p-52 - 1;
}

void net_start(double *w, const struct net *net, struct prg *prg)
{
    for (size_t i = 0; i < net_count(net); i++)
        w[i] = 0;
    for (size_t l = 0; net->layers > 1 && l < net->layers; l++) {
        const size_t in = net->sizes[l], out = net->sizes[l + 1];
        const bool relu = net->activation == NET_RELU && l + 1 < net->layers;
        const double reach = sqrt(6 / (double)(relu ? in : in + out));
        for (size_t i = out; i < (1 + in) * out; i++)
            w[net->offset[l] + i] = reach * uniform(prg);
    }
}
