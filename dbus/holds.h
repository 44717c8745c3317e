// Holds as the bus knows them: what is asked of their keeper, and one object for each that there is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "components/kit/result.h"

namespace schedd::dbus {

using namespace schedd::kit;

class Object;
class Objects;

/// What a caller asks for. The texts may hold any bytes; whether they are accepted the keeper says.
struct HoldRequest {
    std::string what; // "scheduler:NAME", "scheduler:*" or "profile:NAME"
    std::string who;
    std::string why;
    std::uint32_t uid = 0;
    std::uint32_t pid = 0;
};

struct HoldFacts {
    std::uint64_t id = 0;
    HoldRequest request;
    std::uint64_t since_us = 0; // CLOCK_REALTIME
    std::uint64_t age_ms = 0;
    std::string state = "held"; // of a profile: "asked", "held", or why it is not
};

/// The end of a hold that its holder gets; the hold lasts until all copies of it are closed.
struct HoldTicket {
    std::uint64_t id = 0; // 0 for a dry run, whose descriptor holds nothing
    int fd = -1;          // to be closed by the receiver
};

/// The daemon implements it.
class HoldKeeper {
public:
    virtual ~HoldKeeper() = default;
    /// Fails with invalid_value (what, or a text), limit_exceeded, io.
    virtual Result<HoldTicket> hold(const HoldRequest& request, bool dry_run) = 0;
    /// By rising id.
    [[nodiscard]] virtual std::vector<HoldFacts> holds() const = 0;
};

/// "/org/schedd1/holds/7".
std::string hold_path(std::uint64_t id);

/// Keeps one object on the bus for every hold.
class BusHolds {
public:
    /// Puts up what there is, unannounced. Both outlive it.
    BusHolds(Objects& objects, const HoldKeeper& keeper);
    ~BusHolds();
    BusHolds(const BusHolds&) = delete;
    BusHolds& operator=(const BusHolds&) = delete;

    /// Announces the objects of new holds and retracts those of holds that are no more.
    void refresh();

private:
    void refresh(bool is_announced);

    Objects& objects_;
    const HoldKeeper& keeper_;
    std::map<std::uint64_t, std::unique_ptr<Object>> by_id_;
};

} // namespace schedd::dbus
