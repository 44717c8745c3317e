// Authority: who may change something; every changing method and property write asks here, nowhere else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "components/kit/result.h"

namespace schedd::dbus {

using namespace schedd::kit;

class Authority {
public:
    /// Asks the bus for the uid behind a unique name; fails when its owner has left.
    using Lookup = std::function<Result<std::uint32_t>()>;

    /// `own_uid` is the daemon's, which may change things besides root.
    explicit Authority(std::uint32_t own_uid) : own_uid_(own_uid) {}

    /// Fails with denied, naming the uid. Unique names are never given out twice by one bus, so what
    /// `lookup` said is remembered for limits::kBusCallers names.
    Status may_change(const std::string& sender, const Lookup& lookup);

private:
    std::uint32_t own_uid_;
    std::unordered_map<std::string, std::uint32_t> known_;
};

} // namespace schedd::dbus
