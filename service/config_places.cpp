// Where in the files something was said that the tree has refused.
#include <optional>

#include <fmt/format.h>

#include "service/config_toml.h"

namespace schedd::service {

namespace {

/// Where the text names the path: as a whole name, not as the beginning of a longer one.
std::optional<std::size_t> place_of(std::string_view path, std::string_view text) {
    for (auto at = text.find(path); at != std::string_view::npos; at = text.find(path, at + 1)) {
        const auto end = at + path.size();
        const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\'';
        const bool ends = end == text.size() || std::string_view("/. :,;'").contains(text[end]);
        if (begins && ends) return at;
    }
    return std::nullopt;
}

/// Keeps the path that the error names first, of several there the longest.
class Search {
public:
    explicit Search(std::string_view text) : text_(text) {}
    void try_part(const Path& path, const Where& where, const std::vector<DesiredAttribute>& attributes) {
        try_path(path.text(), where);
        for (const auto& attribute : attributes)
            try_path(fmt::format("{}.{}", path.text(), attribute.name), attribute.where);
    }
    [[nodiscard]] const Where* found() const { return found_; }

private:
    void try_path(const std::string& path, const Where& where) {
        const auto at = place_of(path, text_);
        if (where.file.empty() || !at) return;
        if (found_ && (*at > at_ || (*at == at_ && path.size() <= size_))) return;
        at_ = *at;
        size_ = path.size();
        found_ = &where;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    const Where* found_ = nullptr;
};

} // namespace

Error with_place(Error error, const Desired& desired) {
    Search search(error.what);
    for (const auto& probe : desired.probes)
        search.try_part(Path({"probes", probe.name}), probe.where, probe.attributes);
    for (const auto& scheduler : desired.schedulers) {
        const Path path({"schedulers", scheduler.name});
        search.try_part(path, scheduler.where, scheduler.attributes);
        search.try_part(path.child("process_set"), scheduler.where, scheduler.set_attributes);
        for (const auto& member : scheduler.members)
            search.try_part(path.child("process_set").child(member.name), member.where, member.attributes);
        if (!scheduler.policy.empty())
            search.try_part(path.child(scheduler.policy), scheduler.policy_where,
                            scheduler.policy_attributes);
    }
    const auto* where = search.found();
    if (!where || error.what.contains(where->file)) return error;
    return fail_at(*where, std::move(error)).error();
}

} // namespace schedd::service
