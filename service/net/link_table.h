// LinkTable: the machine's network interfaces and their addresses, as events tell them, and which of them the
// cluster may use.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/net/addresses.h"

namespace schedd::net {

/// What the kernel says about one interface; its index is what it is, names come and go.
struct LinkFacts {
    std::uint32_t index = 0;
    std::string name;
    unsigned flags = 0;       // IFF_* of <net/if.h>
    std::uint32_t mtu = 0;    //
    std::uint32_t master = 0; // the bridge or bond it is a part of: what comes in by it comes in by that
    bool operator==(const LinkFacts&) const = default;
};

/// An interface that may be used, or why it may not.
struct Link {
    LinkFacts facts;
    std::vector<Address> addresses; // tentative ones are not among them
    std::uint64_t life = 0; // another one if the interface was gone in between, even under the same index
    bool is_wireless = false;
    std::string unfit; // empty: it may be used; else a reason for people: "it is down"
    [[nodiscard]] bool is_fit() const { return unfit.empty(); }
    [[nodiscard]] bool has(Family family) const;
    bool operator==(const Link&) const = default;
};

constexpr std::size_t kLinks = 4096;       // remembered; a machine full of containers has some hundreds
constexpr std::size_t kLinkAddresses = 64; // of one interface

class LinkTable {
public:
    /// `patterns` as in the configuration ("eth*", "enp?s0"); none: every interface that is fit.
    /// `is_wireless(name)` looks at the machine.
    LinkTable(std::vector<std::string> patterns, std::function<bool(const std::string&)> is_wireless);

    /// Each is true if something that matters here has changed.
    bool link_is(LinkFacts facts);
    bool link_is_gone(std::uint32_t index);
    bool address_is(std::uint32_t index, const Address& address);
    bool address_is_gone(std::uint32_t index, const Address& address);
    /// Everything will be told anew.
    void clear();

    /// By index, also those that may not be used.
    [[nodiscard]] std::vector<Link> links() const;
    /// Those alone that may be used.
    [[nodiscard]] std::vector<Link> fit() const;

private:
    [[nodiscard]] std::string judge(const Link& link) const;
    Link& link_of(std::uint32_t index);

    std::vector<std::string> patterns_;
    std::function<bool(const std::string&)> is_wireless_;
    std::map<std::uint32_t, Link> links_;
    std::uint64_t lives_ = 0;
};

/// Shell patterns with * and ?.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

} // namespace schedd::net
