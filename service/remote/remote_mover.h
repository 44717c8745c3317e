// RemoteMover: the daemon's Mover. Says what may be moved, takes one thing after the other, remembers what
// came of it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "components/kit/host.h"
#include "components/kit/log.h"
#include "components/placement/mover.h"
#include "service/remote/journey.h"
#include "service/remote/payload.h"

namespace schedd::remote {

/// A move as it is told: one that waits, is under way, or is over. Saving and reviving are told so too, with
/// the folder as `node`.
struct MoveFacts {
    std::uint64_t id = 0; // counts from 1
    std::string unit = {};
    std::string node = {}; // its name
    NodeId number = -1;
    std::string phase = {}; // "waiting", name_of(Phase), "saving", "saved", "reviving", "revived" or "failed"
    std::string reason = {}; // who wanted it and why
    std::string detail = {}; // why it failed
    std::uint64_t bytes = 0;
    std::uint64_t frozen_ms = 0;
    std::uint64_t age_ms = 0; // since it was asked for
};

class RemoteMover final : public placement::Mover {
public:
    struct Hooks {
        std::function<std::vector<Site>()> sites;   // this node among them; empty: there is no cluster
        std::function<void(const MoveFacts&)> told; // a phase has begun
        std::function<std::string()> new_id;        // not given before, letters and digits
    };
    /// Everything outlives it. Nothing is started before begin().
    RemoteMover(const Clock& clock, Host& host, Log& log, Runner& runner, Steps& steps, Hooks hooks);
    ~RemoteMover() override;

    /// Asks whether there is a CRIU that works, and puts right what an earlier run left in the middle. With
    /// `trouble` nothing is started: migration is unavailable for that reason.
    void begin(std::string trouble = {});
    /// Why nothing can be moved at all; "" if it can.
    [[nodiscard]] const std::string& unavailable() const { return unavailable_; }
    /// Looks again whether it is, unless begin() was told why not.
    void check_again();
    /// What waits, and is under way, is looked after. Returns when it wants to be called next.
    Time turn(Time now);

    // placement::Mover
    Status move(const std::string& scheduler, const Move& move) override;
    [[nodiscard]] std::string why_not(const Target& target) const override;
    [[nodiscard]] std::optional<Time> last_start() const override { return last_start_; }
    [[nodiscard]] int on_going() const override;
    [[nodiscard]] std::uint64_t generation() const override { return generation_; }

    /// What a person wants: it waits for its turn. Fails as move() does, but never with busy for the others'
    /// sake, and whatever it costs. `what` is "unit:NAME", "process:PID" or the name of a service. Returns
    /// its id; of a dry run 0.
    Result<std::uint64_t> ask_for(const std::string& what, const std::string& node, const std::string& reason,
                                  bool is_dry_run);
    /// All guests of this node: each to its home, or to another node that takes work. Returns how many.
    Result<std::size_t> expel(bool is_dry_run);
    /// This node's own work back from all others; they are asked, and move it one by one.
    Result<std::size_t> bring(bool is_dry_run);
    /// Saves it in a folder that is made, while it goes on; starts it again from there. What becomes of it is
    /// told as of moves. Returns its id; of a dry run 0.
    Result<std::uint64_t> checkpoint(const std::string& what, const std::string& to, bool is_dry_run);
    Result<std::uint64_t> revive(const std::string& from, bool is_dry_run);
    /// Names of the units that came here from other nodes and still run, with their home.
    [[nodiscard]] std::map<std::string, std::string> guests();

    /// Those that wait, that are under way, and the last 32 that are over.
    [[nodiscard]] std::vector<MoveFacts> facts() const;

private:
    struct Wanted {
        std::uint64_t id = 0;
        std::string unit;
        std::string node;
        std::string reason;
        Time at{};
    };
    struct UnderWay {
        Wanted wanted;
        std::unique_ptr<Journey> journey;
        Phase told = Phase::moved;
    };
    struct Known {
        Payload payload;
        Time looked{};
        Time asked{};
    };
    [[nodiscard]] std::string unit_behind(const Target& target) const;
    [[nodiscard]] Result<std::string> unit_named(const std::string& what) const;
    const Payload& look_now(const std::string& unit);
    [[nodiscard]] Status check(const std::string& unit, const Site* site);
    [[nodiscard]] std::string own_name() const;
    [[nodiscard]] const UnderWay* under_way(const std::string& unit) const;
    void start(Wanted wanted, const Site& site, std::string id, std::optional<Phase> resumed = {});
    void changed(const std::string& unit);
    void finish(const UnderWay& over);
    void take_next(Time now);
    void recovered(const JobResult& result);
    void is_over(MoveFacts facts);
    /// A job that is told as a move is; `done` is its phase if it goes well.
    std::uint64_t begin_job(Job job, MoveFacts facts, std::string done);
    void refresh(Time now);
    [[nodiscard]] MoveFacts facts_of(const UnderWay& one) const;

    const Clock& clock_;
    Host& host_;
    Log& log_;
    Runner& runner_;
    Steps& steps_;
    Hooks hooks_;
    std::string unavailable_ = "migration unavailable: it is not known yet whether CRIU works";
    std::vector<std::unique_ptr<UnderWay>> under_way_;
    std::deque<Wanted> waiting_;
    std::deque<MoveFacts> over_;
    std::vector<MoveFacts> jobs_; // that save and revive
    std::uint64_t last_id_ = 0;
    mutable std::map<std::string, Known> known_;  // by unit; asked for lately
    mutable std::map<Target, std::string> units_; // of processes; "" if they are in none
    std::optional<Time> last_start_;
    Duration overhead_ = std::chrono::seconds(1); // of a move beside the transfer, as the last ones took
    std::uint64_t generation_ = 0;
    Time next_refresh_{};
    bool has_begun_ = false;
};

} // namespace schedd::remote
