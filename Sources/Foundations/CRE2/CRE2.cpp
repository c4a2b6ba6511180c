#include "CRE2.h"

#include <re2/re2.h>

#include <vector>

struct cre2_pattern {
    re2::RE2 expression;
    cre2_pattern(re2::StringPiece text, const re2::RE2::Options &options) : expression(text, options) {}
};

cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t memory_max) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory_max);
    auto *compiled = new cre2_pattern(re2::StringPiece(pattern, length), options);
    if (compiled->expression.ok()) return compiled;
    delete compiled;
    return nullptr;
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

int cre2_full_match(const cre2_pattern *pattern, const char *text, size_t length) {
    return pattern->expression.Match(
        re2::StringPiece(text, length), 0, length, re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

int cre2_partial_match(const cre2_pattern *pattern, const char *text, size_t length) {
    return pattern->expression.Match(
        re2::StringPiece(text, length), 0, length, re2::RE2::UNANCHORED, nullptr, 0);
}

int cre2_group_count(const cre2_pattern *pattern) { return pattern->expression.NumberOfCapturingGroups(); }

int cre2_full_match_groups(
    const cre2_pattern *pattern, const char *text, size_t length, int32_t *offsets, int count) {
    std::vector<re2::StringPiece> groups(count);
    if (!pattern->expression.Match(
            re2::StringPiece(text, length), 0, length, re2::RE2::ANCHOR_BOTH, groups.data(), count))
        return 0;
    for (int index = 0; index < count; index++) {
        if (groups[index].data() == nullptr) {
            offsets[2 * index] = offsets[2 * index + 1] = -1;
        } else {
            offsets[2 * index] = static_cast<int32_t>(groups[index].data() - text);
            offsets[2 * index + 1] = offsets[2 * index] + static_cast<int32_t>(groups[index].size());
        }
    }
    return 1;
}

const char *cre2_group_name(const cre2_pattern *pattern, int group) {
    const auto &names = pattern->expression.CapturingGroupNames();
    auto found = names.find(group);
    return found == names.end() ? nullptr : found->second.c_str();
}
