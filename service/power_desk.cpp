// Following power, and holding profiles.
#include "service/power_desk.h"

#include <algorithm>
#include <poll.h>

#include <fmt/format.h>

#include "service/actuators/sysfs_files.h"
#include "service/host/plain_file.h"

namespace schedd::service {

namespace {

/// Until a bus that could not be reached, or was lost, is tried again.
constexpr Duration kReopen = std::chrono::seconds(30);

/// A recorded tree is of another machine, and a dry run writes nothing.
class NoFiles final : public actuators::SettingFiles {
public:
    Status write(const std::string& path, std::string_view /*value*/) override {
        return fail(Errc::not_supported, path + " is not written to", "schedd runs as a dry run");
    }
};

class LedgerFile final : public actuators::FrequencyLedger {
public:
    explicit LedgerFile(std::string path) : path_(std::move(path)) {}
    [[nodiscard]] std::string read() override {
        constexpr std::size_t kMost = 4U << 20U; // three lines for each of kMaxCpus
        const auto text = host::read_plain_file(path_, kMost);
        return text ? text->value_or("") : std::string();
    }
    Status replace(const std::string& text) override { return host::write_plain_file(path_, text); }

private:
    std::string path_;
};

} // namespace

std::string PowerDesk::cause_of(const dbus::HoldFacts& hold) { return fmt::format("hold:{}", hold.id); }

void PowerDesk::open(World world) {
    world_.emplace(std::move(world));
    overlay_ = std::make_unique<Overlay>(world_->tree, world_->apply);
    busy_.emplace(world_->tree, world_->host);
    if (world_->is_live) files_ = std::make_unique<actuators::SysfsFiles>();
    else files_ = std::make_unique<NoFiles>();
    ledger_ = std::make_unique<LedgerFile>(world_->state_dir + "/frequency");
    frequency_ =
        std::make_unique<actuators::Frequency>(world_->host, *files_, *ledger_, world_->boot_id, log_);
    open_bus({});
}

void PowerDesk::close() {
    if (watch_) watch_->pause();
    bus_.reset();
    busy_.reset();
    overlay_.reset();
}

void PowerDesk::open_bus(Time now) {
    open_at_ = now + kReopen;
    wishes_.clear(); // to be said again
    auto opened = desktop::BusPower::open(world_->bus, state_);
    if (!opened) {
        state_.profile_trouble = state_.battery_trouble = opened.error().text();
        log_.write(Severity::notice, "power", "not followed for now: " + opened.error().text());
        return;
    }
    bus_ = std::move(*opened);
    auto watch = world_->loop.watch(bus_->fd(), bus_->events(), [] {});
    if (watch) watch_ = *watch;
    else bus_.reset();
}

Time PowerDesk::turn(Time now, const std::vector<dbus::HoldFacts>& holds, ProcessSet::Whole whole) {
    if (!bus_ && now >= open_at_) open_bus(now);
    if (bus_ && !bus_->process(now)) {
        log_.write(Severity::warning, "power", "the bus is gone: profiles are not followed or held for now");
        watch_->pause();
        watch_ = nullptr;
        bus_.reset();
        open_at_ = now + kReopen;
    }
    busy_->look(now, whole);
    want(holds);
    Time next = std::min(busy_->next_due(), bus_ ? bus_->next_due(now) : open_at_);
    if (watch_) watch_->set_events(bus_->events());
    return next;
}

void PowerDesk::want(const std::vector<dbus::HoldFacts>& holds) {
    std::map<std::string, desktop::ProfileWish> wishes;
    for (const auto& [scheduler, profile] : busy_->wanted())
        wishes["scheduler:" + scheduler] = {profile, fmt::format("{} has busy members", scheduler)};
    for (const auto& hold : holds) {
        const auto& asked = hold.request;
        if (!asked.what.starts_with(kProfileHold)) continue;
        wishes[cause_of(hold)] = {asked.what.substr(kProfileHold.size()),
                                  asked.why.empty() ? asked.who : asked.why};
    }
    if (!bus_) return;
    if (wishes != wishes_) bus_->want(wishes);
    wishes_ = std::move(wishes);
    if (wishes_.empty() && told_.empty()) return;
    std::map<std::string, std::string> told;
    for (const auto& hold : bus_->holds()) {
        auto& state = told[hold.cause] = hold.state;
        const auto before = told_.find(hold.cause);
        if (before != told_.end() && before->second == state) continue;
        const bool is_bad = state.starts_with("refused") || state.starts_with("released");
        log_.write(is_bad ? Severity::warning : Severity::info, "power",
                   fmt::format("profile {} for {}: {}", hold.profile, hold.cause, state));
    }
    for (const auto& [cause, state] : told_)
        if (!told.contains(cause)) log_.write(Severity::info, "power", fmt::format("let go for {}", cause));
    told_ = std::move(told);
}

void PowerDesk::follow(Time now) {
    overlay_->follow();
    frequency_->want(overlay_->hints(), holder(), now);
    overlay_->hints_told(frequency_->trouble(), frequency_->preference_trouble());
}

void PowerDesk::allow_frequency(bool allowed) { frequency_->allow(allowed); }

void PowerDesk::release_frequency() { frequency_->release(); }

} // namespace schedd::service
