/* model/net.h's kernel in float. */

#ifndef MODEL_NET32_H
#define MODEL_NET32_H

#include "model/net.h"

extern const struct net_kernel net32_kernel;

#endif
