// Keeping the list of interfaces, and judging them.
#include "service/net/link_table.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>

namespace schedd::net {

bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            after = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++after;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool Link::has(Family family) const {
    return std::ranges::any_of(addresses, [&](const Address& a) { return family_of(a.is_v4()) == family; });
}

LinkTable::LinkTable(std::vector<std::string> patterns, std::function<bool(const std::string&)> is_wireless)
    : patterns_(std::move(patterns)), is_wireless_(std::move(is_wireless)) {}

std::string LinkTable::judge(const Link& link) const {
    const auto& facts = link.facts;
    if (facts.name.empty()) return "only its addresses are known so far";
    const bool is_named = std::ranges::any_of(patterns_, [&](const std::string& pattern) {
        return matches(pattern, facts.name);
    });
    if (!patterns_.empty() && !is_named)
        return fmt::format("it is not among interfaces = {}", fmt::join(patterns_, ", "));
    if ((facts.flags & IFF_LOOPBACK) != 0) return "it is a loopback interface";
    if ((facts.flags & IFF_UP) == 0) return "it is down";
    if ((facts.flags & IFF_RUNNING) == 0) return "it has no carrier";
    if ((facts.flags & IFF_MULTICAST) == 0) return "it cannot do multicast";
    if (!is_named && facts.master != 0) return "it is a part of a bridge or bond";
    if (!is_named && link.is_wireless) return "it is wireless; name it in interfaces = to use it";
    if (link.addresses.empty()) return "it has no address";
    return {};
}

Link& LinkTable::link_of(std::uint32_t index) {
    const auto [at, is_new] = links_.try_emplace(index);
    if (is_new) {
        at->second.life = ++lives_;
        at->second.facts.index = index;
        at->second.unfit = judge(at->second);
    }
    return at->second;
}

bool LinkTable::link_is(LinkFacts facts) {
    const auto at = links_.find(facts.index);
    if (facts.index == 0 || (at == links_.end() && links_.size() >= kLinks)) return false;
    auto& link = link_of(facts.index);
    if (link.facts == facts) return false;
    // the name may be new, or the device another one under an index that was used before
    link.is_wireless = is_wireless_(facts.name);
    link.facts = std::move(facts);
    link.unfit = judge(link);
    return true;
}

bool LinkTable::link_is_gone(std::uint32_t index) { return links_.erase(index) > 0; }

bool LinkTable::address_is(std::uint32_t index, const Address& address) {
    const auto at = links_.find(index);
    if (index == 0 || (at == links_.end() && links_.size() >= kLinks)) return false;
    auto& link = link_of(index);
    if (link.addresses.size() >= kLinkAddresses ||
        std::ranges::find(link.addresses, address) != link.addresses.end())
        return false;
    link.addresses.push_back(address);
    link.unfit = judge(link);
    return true;
}

bool LinkTable::address_is_gone(std::uint32_t index, const Address& address) {
    const auto at = links_.find(index);
    if (at == links_.end() || std::erase(at->second.addresses, address) == 0) return false;
    at->second.unfit = judge(at->second);
    return true;
}

void LinkTable::clear() { links_.clear(); }

std::vector<Link> LinkTable::links() const {
    std::vector<Link> all;
    all.reserve(links_.size());
    for (const auto& [index, link] : links_) all.push_back(link);
    return all;
}

std::vector<Link> LinkTable::fit() const {
    auto all = links();
    std::erase_if(all, [](const Link& link) { return !link.is_fit(); });
    return all;
}

} // namespace schedd::net
