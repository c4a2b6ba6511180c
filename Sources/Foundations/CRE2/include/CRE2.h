#ifndef VIGIL_CRE2_H
#define VIGIL_CRE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled pattern of RE2, whose matching time is linear in the text.
typedef struct cre2_pattern cre2_pattern;

/// Compiles a pattern with at most `memory_max` bytes for its program; NULL when it is malformed or too big.
cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t memory_max);
void cre2_free(cre2_pattern *pattern);
/// Whether the whole text matches. Safe to call from several threads at once.
int cre2_full_match(const cre2_pattern *pattern, const char *text, size_t length);
/// Whether some part of the text matches.
int cre2_partial_match(const cre2_pattern *pattern, const char *text, size_t length);
/// How many capturing groups the pattern has.
int cre2_group_count(const cre2_pattern *pattern);
/// Matches the whole text and writes begin and end offsets of group 0…count-1 (−1 for groups without a match).
int cre2_full_match_groups(
    const cre2_pattern *pattern, const char *text, size_t length, int32_t *offsets, int count);
/// The name of a group, or NULL. Valid as long as the pattern.
const char *cre2_group_name(const cre2_pattern *pattern, int group);

#ifdef __cplusplus
}
#endif
#endif
