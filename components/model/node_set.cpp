// The notation of node sets.
#include "components/model/node_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "components/kit/limits.h"

namespace schedd::model {

namespace {

std::unexpected<Error> bad_set(std::string_view set, std::string_view word) {
    return fail(Errc::invalid_value,
                fmt::format("node set '{}' cannot be read at '{}'", set.substr(0, 64), word.substr(0, 64)),
                "use all, or numbers, ranges and names of nodes such as 0-2,5,alpha");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// As host names are, and never to be taken for a number or a range.
bool is_node_name(std::string_view word) {
    if (word.empty() || word.size() > limits::kNameLength || word == "all") return false;
    if (!is_letter(word.front()) && !is_digit(word.front())) return false;
    return std::ranges::any_of(word, is_letter) && std::ranges::all_of(word, [](char c) {
               return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
           });
}

/// Digits only; more than there can be counts as one too many.
std::optional<NodeId> number_in(std::string_view digits) {
    if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
    NodeId number = 0;
    for (const char c : digits) number = std::min(number * 10 + (c - '0'), kNodeNumberMax + 1);
    return number;
}

void append(std::string& out, std::string_view word) {
    if (!out.empty()) out += ',';
    out += word;
}

void append(std::string& out, NodeId first, NodeId last) {
    append(out, first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last));
}

} // namespace

Result<NodeSet> NodeSet::parse(std::string_view text) {
    NodeSet set;
    if (text == "all") return set;
    set.is_all_ = false;
    std::string_view rest = text;
    if (rest.empty()) return bad_set(text, rest);
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        if (auto taken = set.take(rest.substr(0, comma), text); !taken) return std::unexpected(taken.error());
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    set.settle();
    return set;
}

Status NodeSet::take(std::string_view word, std::string_view whole) {
    if (is_node_name(word)) {
        names_.emplace_back(word);
        return {};
    }
    const auto dash = word.find('-');
    const auto first = number_in(word.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_in(word.substr(dash + 1));
    if (!first || !last || *last < *first) return bad_set(whole, word);
    if (*last > kNodeNumberMax)
        return fail(Errc::limit_exceeded, fmt::format("there is no node number '{}'", word.substr(0, 64)),
                    fmt::format("use numbers from 0 to {}", kNodeNumberMax));
    ranges_.push_back({*first, *last});
    return {};
}

void NodeSet::settle() {
    std::ranges::sort(names_);
    names_.erase(std::ranges::unique(names_).begin(), names_.end());
    std::ranges::sort(ranges_, {}, &Range::first);
    std::vector<Range> joined;
    for (const auto& range : ranges_) {
        if (!joined.empty() && range.first <= joined.back().last + 1)
            joined.back().last = std::max(joined.back().last, range.last);
        else joined.push_back(range);
    }
    ranges_ = std::move(joined);
}

NodeSet NodeSet::of(NodesView nodes) {
    NodeSet set;
    set.is_all_ = false;
    for (const auto& node : nodes) {
        if (node.number >= 0) set.ranges_.push_back({node.number, node.number});
        else if (is_node_name(node.name)) set.names_.push_back(node.name);
    }
    set.settle();
    return set;
}

bool NodeSet::contains(const NodeRow& node) const {
    if (is_all_ || std::ranges::binary_search(names_, node.name)) return true;
    const auto after = std::ranges::upper_bound(ranges_, node.number, {}, &Range::first);
    return after != ranges_.begin() && node.number <= std::prev(after)->last;
}

std::string NodeSet::missing(NodesView nodes) const {
    std::vector<NodeId> there;
    for (const auto& node : nodes)
        if (node.number >= 0) there.push_back(node.number);
    std::ranges::sort(there);
    std::string out;
    for (const auto& range : ranges_) {
        NodeId next = range.first;
        for (auto at = std::ranges::lower_bound(there, range.first); at != there.end() && *at <= range.last;
             ++at) {
            if (*at > next) append(out, next, *at - 1);
            next = *at + 1;
        }
        if (next <= range.last) append(out, next, range.last);
    }
    for (const auto& name : names_)
        if (std::ranges::find(nodes, name, &NodeRow::name) == nodes.end()) append(out, name);
    return out;
}

std::string NodeSet::text() const {
    if (is_all_) return "all";
    std::string out;
    for (const auto& range : ranges_) append(out, range.first, range.last);
    for (const auto& name : names_) append(out, name);
    return out;
}

} // namespace schedd::model
