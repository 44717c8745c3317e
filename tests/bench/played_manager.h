// PlayedManager: org.freedesktop.systemd1 as far as schedd needs it for many units, and a count of who asks
// what.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "components/model/cpu_set.h"
#include "tests/bench/unit_tree.h"

struct sd_bus;
struct sd_bus_message;

namespace schedd::bench {

/// Serves from a thread of its own. Setting AllowedCPUs writes the files of the unit's control group and its
/// drop-in, as PID 1 and the kernel do together.
class PlayedManager {
public:
    /// Calls by method; for Get with the property: "Get AllowedCPUs".
    using Calls = std::map<std::string, int>;

    /// `tree` outlives it. Ready when this returns.
    static Result<std::unique_ptr<PlayedManager>> start(const std::string& address, const UnitTree& tree);
    ~PlayedManager();
    PlayedManager(const PlayedManager&) = delete;
    PlayedManager& operator=(const PlayedManager&) = delete;

    /// How many units have AllowedCPUs=.
    [[nodiscard]] std::size_t confined() const { return confined_; }
    /// Since the start.
    [[nodiscard]] Calls calls() const;
    /// Reloading(true), all that is set at run time written again, Reloading(false).
    void reload();

private:
    struct Unit {
        const UnitFiles* files = nullptr;
        model::CpuSet allowed; // empty = unset
    };
    struct Entry; // the functions that name types of sd-bus
    struct Close {
        void operator()(sd_bus* bus) const;
    };
    explicit PlayedManager(const UnitTree& tree);
    void serve();
    void carry_out_reload();
    void count(const std::string& call);
    int answer(sd_bus_message* message);
    int answer_get(sd_bus_message* message);
    [[nodiscard]] std::vector<std::string> drop_ins_of(const Unit& unit) const;
    int answer_list(sd_bus_message* message);
    int set_properties(sd_bus_message* message);
    [[nodiscard]] Status confine(const Unit& unit) const;

    const UnitTree& tree_;
    std::unordered_map<std::string, Unit> units_;
    std::unique_ptr<sd_bus, Close> bus_; // of the thread once it runs
    int wake_ = -1;                      // an eventfd
    std::atomic<bool> is_over_ = false;
    std::atomic<bool> is_reload_wanted_ = false;
    std::atomic<std::size_t> confined_ = 0;
    mutable std::mutex counting_;
    Calls calls_;
    std::thread thread_;
};

} // namespace schedd::bench
