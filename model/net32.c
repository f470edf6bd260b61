#include "model/net32.h"

#define NET_REAL float
#define NET_GEMM cblas_sgemm
#define NET_NAME(name) net32_##name

#include "model/net_kernel.h"
