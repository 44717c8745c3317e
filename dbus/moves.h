// Moves as the bus knows them: what is asked of who carries work to other nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "components/kit/result.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// A move that waits, is under way, or is over; saving and reviving are told so too, with the folder as
/// `node`.
struct MoveRow {
    std::uint64_t id = 0;
    std::string unit;
    std::string node;
    std::int32_t number = -1;
    std::string phase;  // "waiting", the step it is at, and "moved", "stayed", "saved", "revived" or "failed"
    std::string reason; // who wanted it and why
    std::string detail; // why it has failed
    std::uint64_t bytes = 0;
    std::uint64_t frozen_ms = 0; // how long the work stood still
    std::uint64_t age_ms = 0;
};

struct GuestRow {
    std::string unit;
    std::string home; // the node it came from first
};

struct MigrationFacts {
    std::string unavailable; // why nothing can be moved; "" if it can
    bool is_blocked = false; // this node takes no guests
    std::vector<GuestRow> guests;
    std::vector<MoveRow> moves; // by id; of those that are over the last 32
};

/// The daemon implements it; who carries nothing anywhere need not.
class MoveKeeper {
public:
    virtual ~MoveKeeper() = default;
    /// Each begins something and returns its id (0: a dry run); what becomes of it migration() says. Fail
    /// with not_supported (the reason in words), no_such_object, invalid_value, busy, limit_exceeded.
    virtual Result<std::uint64_t> migrate(const std::string& /*member*/, const std::string& /*node*/,
                                          bool /*dry_run*/) {
        return nothing();
    }
    virtual Result<std::uint64_t> checkpoint(const std::string& /*member*/, const std::string& /*to*/,
                                             bool /*dry_run*/) {
        return nothing();
    }
    virtual Result<std::uint64_t> revive(const std::string& /*from*/, bool /*dry_run*/) { return nothing(); }
    /// All guests of this node away; its own work back from the others. Return how many units, or nodes that
    /// are asked. Fail as above.
    virtual Result<std::uint64_t> expel(bool /*dry_run*/) { return nothing(); }
    virtual Result<std::uint64_t> bring(bool /*dry_run*/) { return nothing(); }
    /// Takes no guests from now on, or takes them again; a restart does not change it.
    virtual Status block_guests(bool /*is_blocked*/, bool /*dry_run*/) {
        return std::unexpected(nothing().error());
    }
    [[nodiscard]] virtual MigrationFacts migration() const { return {}; }

private:
    static Result<std::uint64_t> nothing() { return fail(Errc::not_supported, "nothing is moved here"); }
};

} // namespace schedd::dbus
