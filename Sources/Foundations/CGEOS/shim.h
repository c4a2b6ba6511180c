// Only the reentrant functions: each thread its own context.
#define GEOS_USE_ONLY_R_API
#include <geos_c.h>
