// Daemon: the composition root. Makes clock, host, actuator, tree, engine and bus, owns them all, and runs
// them.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "components/kit/rng.h"
#include "components/placement/engine.h"
#include "dbus/service.h"
#include "service/actuators/file_watch.h"
#include "service/config.h"
#include "service/configured.h"
#include "service/console_log.h"
#include "service/costly_question.h"
#include "service/exec_templates.h"
#include "service/holds.h"
#include "service/host/file_watches.h"
#include "service/host/hwloc_topology.h"
#include "service/host/process_events.h"
#include "service/host/uevents.h"
#include "service/loop.h"
#include "service/moves.h"
#include "service/options.h"
#include "service/peers.h"
#include "service/power_desk.h"
#include "service/systemd/attachments.h"
#include "service/systemd/bus_unit_manager.h"

namespace schedd::service {

class Daemon final : public dbus::Backend, private placement::EngineListener, private actuators::FileWatch {
public:
    /// Everything up to the bus name; what an earlier run left placed is put right before this returns. A
    /// faulty configuration is logged and the daemon starts with none. Fails with what could not be opened.
    static Result<std::unique_ptr<Daemon>> start(Options options);
    ~Daemon() override;

    /// Until SIGTERM, SIGINT or the loss of the bus. Restores or leaves what is placed. Returns the exit
    /// code.
    int run();

    // dbus::Backend
    [[nodiscard]] Tree& tree() override { return *tree_; }
    Status apply(const Recipe& recipe, bool dry_run, dbus::Reach reach) override;
    Status attach_persistently(const std::string& scheduler, const std::string& member,
                               const std::map<std::string, std::string>& attributes, bool dry_run) override;
    Status detach_persistently(const std::string& scheduler, const std::string& member,
                               bool dry_run) override;
    Result<std::vector<std::string>> apply_config(std::string_view toml, bool dry_run, bool prune,
                                                  dbus::Reach reach) override;
    Result<std::vector<std::string>> reload(bool dry_run) override;
    [[nodiscard]] std::string export_config() const override;
    [[nodiscard]] std::vector<Verb> export_verbs() const override;
    [[nodiscard]] dbus::Facts facts() const override;
    [[nodiscard]] dbus::TopologyFacts topology() const override;
    [[nodiscard]] dbus::MachineFacts machine() const override;
    Result<std::string> rehearse(const Recipe& recipe) override;
    std::vector<dbus::Check> examine() override;
    [[nodiscard]] Result<std::vector<dbus::Explanation>> explain(std::string_view what) const override;
    [[nodiscard]] std::vector<dbus::Explanation> explain_all() const override;
    Result<std::vector<dbus::Finding>> verify() override;
    Result<dbus::HoldTicket> hold(const dbus::HoldRequest& request, bool dry_run) override;
    [[nodiscard]] std::vector<dbus::HoldFacts> holds() const override;
    [[nodiscard]] dbus::NetworkFacts network() const override;
    [[nodiscard]] std::vector<dbus::NodeFacts> nodes() const override;
    [[nodiscard]] std::optional<dbus::NodeFacts> node(membership::NodeUid uid) const override;
    Status drain(std::string_view node, bool is_draining, bool dry_run) override;
    Result<std::uint64_t> migrate(const std::string& member, const std::string& node, bool dry_run) override;
    Result<std::uint64_t> checkpoint(const std::string& member, const std::string& to, bool dry_run) override;
    Result<std::uint64_t> revive(const std::string& from, bool dry_run) override;
    Result<std::uint64_t> expel(bool dry_run) override;
    Result<std::uint64_t> bring(bool dry_run) override;
    Status block_guests(bool is_blocked, bool dry_run) override;
    [[nodiscard]] dbus::MigrationFacts migration() const override;
    Result<dbus::TaskPlace> place_task(const dbus::TaskQuestion& question) override;
    [[nodiscard]] std::string log_level() const override { return log_.syslog_level(); }
    Status set_log_level(std::string_view level) override;
    [[nodiscard]] std::string log_target() const override { return log_.target(); }
    Status set_log_target(std::string_view target) override { return log_.set_target(target); }

private:
    explicit Daemon(Options options);
    Status open_machine();
    Status open_state();
    Status open_units();
    Status open_loop();
    Status open_bus();
    /// A node that cannot join goes on alone, and says so.
    void open_peers();
    Status open_moves();
    void begin_moves();
    void tell_move(const remote::MoveFacts& move);
    void load_first_config();
    /// To this node's tree; other nodes are not told.
    Status apply_here(const Recipe& recipe, bool dry_run, Tree::NodeSets sets = Tree::NodeSets::checked);
    /// What the files ask for, compared with the tree; parts that only earlier files asked for are removed.
    [[nodiscard]] Result<Recipe> recipe_for(const Desired& desired) const;

    void open_power();
    [[nodiscard]] ProcessSet::Whole whole() const;
    Status open_holds();
    void hear_holds();
    [[nodiscard]] std::string play(const Recipe& recipe);
    [[nodiscard]] Status is_there(const std::string& held) const;
    /// Whether somebody holds what the recipe would remove: then it fails with busy, naming the holder.
    [[nodiscard]] Status check_holds(const Recipe& recipe) const;

    /// Brings /nodes in line with nodes(); to be called when a peer has changed, at most once a second.
    void nodes_changed();

    Time turn();
    void hear_units();
    void take_file_events();
    void hear_files(Time now);
    void tell_status(Time now);
    [[nodiscard]] std::string status_line() const;
    /// Whether it matters which processes there are.
    [[nodiscard]] bool wants_processes() const;
    /// Begins or ends to follow them as that says.
    void follow_processes(Time now);
    void begin_to_follow(Time now);
    void take_process_events();
    /// As above, or by a scan where there are no events.
    void catch_up_with_processes();
    void take_cpu_events();
    void load_topology();
    void find_processes(Time now);
    void set_log_level();
    void take_settings();
    void reserve_cpus();
    void stop(int code);
    [[nodiscard]] bool wants_ids() const;

    void decided(const std::string& scheduler, const placement::Target& target,
                 const placement::Decision& decision) override;
    void conflicted(const std::string& scheduler, const placement::Target& target,
                    const std::string& detail) override;
    void ejected(const std::string& scheduler, const std::string& why) override;
    void progressed() override;
    void topology_is_stale() override { topology_is_stale_ = true; }
    void placed(const placement::Target& target, const placement::Verdict& verdict,
                const placement::Outcome& outcome) override;
    void released(const placement::Target& target, const placement::Outcome& outcome) override;
    void disturbed(const placement::Target& target, const placement::Outcome& found,
                   bool taken_back) override;
    void follow(const placement::Target& target, const std::string& file) override;
    void let_go(const placement::Target& target) override;

    Options options_;
    DaemonSettings settings_;
    ConsoleLog log_;
    MonotonicClock clock_;
    Time started_;
    Rng rng_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<ProcessKernel> kernel_;
    std::unique_ptr<ProcessTable> processes_;
    std::optional<host::TopologyReader> topology_reader_;
    Topology topology_;
    CpuSet allowed_;                                 // of it, with those that are reserved
    std::unique_ptr<systemd::BusUnitManager> units_; // null where systemd is not PID 1
    std::string units_trouble_;                      // why it is null where systemd is PID 1
    std::unique_ptr<placement::Actuator> actuator_;
    std::unique_ptr<placement::LedgerStore> store_;
    std::optional<placement::Ledger> ledger_;
    std::optional<Registry> registry_;
    std::unique_ptr<Holds> holds_;
    Peers peers_{clock_, rng_, log_}; // chains of the tree read from it
    std::unique_ptr<Moves> moves_;    // policies of the tree ask it
    PowerDesk power_{log_};           // probes of the tree read from it
    std::unique_ptr<Tree> tree_;
    std::unique_ptr<placement::Engine> engine_;
    std::optional<ExecTemplates> templates_;
    std::unique_ptr<systemd::Attachments> attachments_; // null where systemd is not PID 1
    Configured configured_;
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<host::ProcessEvents> process_events_;
    std::unique_ptr<host::CpuEvents> cpu_events_;
    std::unique_ptr<dbus::Service> bus_;
    Loop::Watch* bus_watch_ = nullptr;
    Loop::Watch* process_watch_ = nullptr;
    std::set<std::string> units_changed_;      // started or stopped since the last turn
    bool is_reloading_ = false;                // systemd reads its files anew
    bool is_reloaded_ = false;                 // it has since the last turn
    bool topology_is_stale_ = false;           // the engine has seen other CPUs online
    bool is_resumed_ = false;                  // the machine has woken up since the last turn
    std::unique_ptr<host::FileWatches> files_; // null without units
    std::set<std::string> files_written_;      // names of units; they are looked at when it is time
    Time look_at_files_ = kNever;
    Loop::Watch* units_watch_ = nullptr; // null once the bus to systemd is gone
    Time events_again_{};                // process events are gathered until then
    bool follows_processes_ = true;      // else the table is as it was when that ended
    Time processes_wanted_{};            // last
    Time next_find_{};                   // next scan, or next look at groups and sessions
    std::uint64_t seen_generation_ = 0;
    bool has_status_; // somebody wants to be told (NOTIFY_SOCKET)
    Time next_status_{};
    std::string told_status_;
    Time next_sign_of_life_{};
    CostlyQuestion verifying_;
    CostlyQuestion rehearsing_{Duration{}};
    CostlyQuestion examining_;
    std::vector<dbus::Check> examined_; // a moment ago
};

} // namespace schedd::service
