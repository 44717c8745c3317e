// Holds: who wants which schedulers kept as they are. A hold is the far end of a pipe; it lasts until that is
// closed, and outlives this process by the descriptors that systemd keeps for it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "components/kit/log.h"
#include "dbus/holds.h"

namespace schedd::service {

using namespace schedd::kit;

/// The schedulers that decide nothing for now.
struct HeldSchedulers {
    bool all = false;
    std::set<std::string> names;
};

class Holds {
public:
    /// Takes up the descriptors that systemd passed on from the run before, by the records in `state_dir`;
    /// a record without a descriptor was released meanwhile. Fails with io when the kernel has no epoll.
    static Result<std::unique_ptr<Holds>> open(const std::string& state_dir, Log& log);
    ~Holds();
    Holds(const Holds&) = delete;
    Holds& operator=(const Holds&) = delete;

    /// As HoldKeeper::hold.
    Result<dbus::HoldTicket> take(const dbus::HoldRequest& request, bool dry_run);
    [[nodiscard]] std::vector<dbus::HoldFacts> facts() const;
    [[nodiscard]] HeldSchedulers schedulers() const;
    /// The oldest hold on a scheduler, or null.
    [[nodiscard]] const dbus::HoldFacts* on_scheduler(const std::string& name) const;

    /// Readable when a hold may have been released: then call collect(), which says whether any was.
    [[nodiscard]] int fd() const { return epoll_; }
    bool collect();

private:
    struct Entry {
        dbus::HoldFacts facts;
        int fd = -1; // our end of the pipe
    };
    Holds(std::string state_dir, Log& log) : state_dir_(std::move(state_dir)), log_(log) {}
    [[nodiscard]] Status room_for(const dbus::HoldRequest& request) const;
    Status follow(const Entry& entry) const;
    void take_up();
    void keep_records() const;
    void drop(std::uint64_t id);

    std::string state_dir_;
    Log& log_;
    int epoll_ = -1;
    std::vector<Entry> entries_; // by rising id
    std::uint64_t last_ = 0;
};

/// What a hold is on. Fails with invalid_value; the error lists what is accepted.
Status check_held_thing(const std::string& what);

} // namespace schedd::service
