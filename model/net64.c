#include "model/net64.h"

#define NET_REAL double
#define NET_GEMM cblas_dgemm
#define NET_NAME(name) net64_##name

#include "model/net_kernel.h"
