#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "Internal.h"

static _Atomic(vigil_fault_function) fault_function;
static _Atomic(void *) fault_context;

static _Thread_local vigil_damage last_damage;
static _Thread_local int has_damage;

int vigil_fault(int operation, const char *path, int64_t offset, int64_t amount) {
    vigil_fault_function function = atomic_load_explicit(&fault_function, memory_order_acquire);
    if (function == NULL) return VIGIL_PROCEED;
    return function(atomic_load(&fault_context), operation, path, offset, amount);
}

void vigil_vfs_set_fault(vigil_fault_function function, void *context) {
    atomic_store(&fault_context, context);
    atomic_store_explicit(&fault_function, function, memory_order_release);
}

void vigil_report_damage(const char *path, int64_t offset, uint64_t expected, uint64_t found) {
    if (has_damage) return;  // the first is the cause, what follows are consequences
    snprintf(last_damage.path, sizeof last_damage.path, "%s", path);
    last_damage.offset = offset;
    last_damage.expected = expected;
    last_damage.found = found;
    has_damage = 1;
}

int vigil_vfs_take_damage(vigil_damage *damage) {
    int had = has_damage;
    if (had && damage != NULL) *damage = last_damage;
    has_damage = 0;
    return had;
}
