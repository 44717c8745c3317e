// What may stand as the path of an entry.
#include "components/membership/entry_path.h"

#include "components/membership/limits.h"

namespace schedd::membership {

bool is_entry_path(std::string_view path) {
    if (path.empty() || path.size() > limits::kPath) return false;
    bool is_start = true; // of a name
    bool is_attribute = false;
    for (const char c : path) {
        if (c <= ' ' || c > '~') return false;
        const bool is_mark = c == kAttributeMark;
        if (c == '/' || is_mark) {
            if (is_start || is_attribute) return false;
            is_attribute = is_mark;
            is_start = true;
        } else {
            is_start = false;
        }
    }
    return !is_start;
}

bool is_below(std::string_view path, std::string_view object) {
    if (path.size() <= object.size() || !path.starts_with(object)) return false;
    return path[object.size()] == '/' || path[object.size()] == kAttributeMark;
}

} // namespace schedd::membership
