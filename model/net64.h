/* model/net.h's kernel in double. */

#ifndef MODEL_NET64_H
#define MODEL_NET64_H

#include "model/net.h"

extern const struct net_kernel net64_kernel;

#endif
