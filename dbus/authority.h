// Authority: which uid is behind a caller, and whether that alone lets it change things; whom it does not
// let, polkit is asked about (gate.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "components/kit/result.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// The kinds of privilege, as in org.schedd1.policy; for `root` polkit is not asked.
enum class Action { configure, attach, hold, peers, root };

/// "org.schedd1.configure"; "" for root.
std::string_view action_id(Action action);

class Authority {
public:
    /// Asks the bus for the uid behind a unique name; fails when its owner has left.
    using Lookup = std::function<Result<std::uint32_t>()>;

    /// `own_uid` is the daemon's, which may change things besides root.
    explicit Authority(std::uint32_t own_uid) : own_uid_(own_uid) {}

    /// Unique names are never given out twice by one bus, so what `lookup` said is remembered for
    /// limits::kBusCallers names. Fails with denied when it fails.
    Result<std::uint32_t> uid_of(const std::string& sender, const Lookup& lookup);
    [[nodiscard]] bool is_trusted(std::uint32_t uid) const { return uid == 0 || uid == own_uid_; }
    /// Who may change things without being asked about: "this takes root".
    [[nodiscard]] std::string accepted() const;

private:
    std::uint32_t own_uid_;
    std::unordered_map<std::string, std::uint32_t> known_;
};

} // namespace schedd::dbus
