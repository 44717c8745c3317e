// FakeBackend: a daemon without a machine, over the World's tree; what it answers is set by the test.
#pragma once

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "dbus/backend.h"
#include "dbus/describe.h"
#include "tests/kit/machine.h"
#include "tests/kit/world.h"

namespace schedd::test {

class FakeBackend final : public dbus::Backend {
public:
    explicit FakeBackend(World& world) : world_(world) {}

    [[nodiscard]] Tree& tree() override { return world_.tree; }
    Status apply(const Recipe& recipe, bool dry_run, dbus::Reach reach) override {
        ++applied;
        asked_reach = reach;
        return world_.tree.apply(recipe, dry_run);
    }
    Status attach_persistently(const std::string& scheduler, const std::string& member,
                               const std::map<std::string, std::string>& attributes, bool dry_run) override {
        persisted = fmt::format("attach {} {} {} {}", scheduler, member, attributes.size(), dry_run);
        return {};
    }
    Status detach_persistently(const std::string& scheduler, const std::string& member,
                               bool dry_run) override {
        persisted = fmt::format("detach {} {} {}", scheduler, member, dry_run);
        return {};
    }
    Result<std::vector<std::string>> apply_config(std::string_view toml, bool dry_run, bool prune,
                                                  dbus::Reach reach) override {
        config = toml;
        asked_reach = reach;
        return std::vector<std::string>{fmt::format("dry_run={} prune={}", dry_run, prune)};
    }
    Result<std::vector<std::string>> reload(bool dry_run) override {
        return std::vector<std::string>{fmt::format("reload dry_run={}", dry_run)};
    }
    [[nodiscard]] std::string export_config() const override { return "[probe.cpu]\n"; }
    [[nodiscard]] std::vector<Verb> export_verbs() const override {
        return parse_recipe("create probes/cpu\nwrite probes/cpu.gain 3\n").value();
    }
    [[nodiscard]] dbus::Facts facts() const override {
        dbus::Facts facts;
        facts.version = "1.2.3";
        facts.actuator = "fake";
        facts.on_stop = "restore";
        facts.topology = topology();
        return facts;
    }
    [[nodiscard]] dbus::TopologyFacts topology() const override { return {2, "0-1", 2, 1, 1, generation}; }
    [[nodiscard]] dbus::MachineFacts machine() const override { return {test::machine({}), "0-1", ""}; }
    std::vector<dbus::Check> examine() override { return checks; }
    Result<std::string> rehearse(const Recipe& recipe) override {
        return dbus::describe_plan(
            {{"process:1", "work", "0", fmt::format("{}", recipe.size()), "", "A", "x", ""}});
    }
    [[nodiscard]] Result<std::vector<dbus::Explanation>> explain(std::string_view what) const override {
        if (failure) return std::unexpected(*failure);
        dbus::Explanation one;
        one.target = what;
        return std::vector{one};
    }
    [[nodiscard]] std::vector<dbus::Explanation> explain_all() const override { return {}; }
    Result<std::vector<dbus::Finding>> verify() override {
        if (failure) return std::unexpected(*failure);
        return std::vector<dbus::Finding>{};
    }
    Result<dbus::HoldTicket> hold(const dbus::HoldRequest& request, bool) override {
        if (failure) return std::unexpected(*failure);
        held.push_back({held.size() + 1, request, 0, 0});
        return dbus::HoldTicket{held.size(), ::dup(0)};
    }
    [[nodiscard]] std::vector<dbus::HoldFacts> holds() const override { return held; }
    [[nodiscard]] dbus::NetworkFacts network() const override { return net; }
    [[nodiscard]] std::vector<dbus::NodeFacts> nodes() const override { return peers; }
    [[nodiscard]] std::optional<dbus::NodeFacts> node(membership::NodeUid uid) const override {
        const auto found = std::ranges::find(peers, uid, &dbus::NodeFacts::uid);
        return found == peers.end() ? std::nullopt : std::optional(*found);
    }
    Status drain(std::string_view node, bool is_draining, bool dry_run) override {
        const auto found = dbus::find_node(peers, node, net.off);
        if (!found) return std::unexpected(found.error());
        drained = fmt::format("{} {} {}", (*found)->name, is_draining, dry_run);
        return {};
    }
    Result<dbus::TaskPlace> place_task(const dbus::TaskQuestion& question) override {
        asked = question;
        if (failure) return std::unexpected(*failure);
        auto place = peers.empty() ? dbus::TaskPlace() : dbus::place_at(peers.back());
        place.reason = "it is the last";
        return place;
    }
    [[nodiscard]] std::string log_level() const override { return level; }
    Status set_log_level(std::string_view word) override {
        level = word;
        return {};
    }
    [[nodiscard]] std::string log_target() const override { return "console"; }
    Status set_log_target(std::string_view) override { return {}; }

    dbus::NetworkFacts net;
    std::vector<dbus::NodeFacts> peers;
    std::string drained;
    dbus::TaskQuestion asked;
    std::vector<dbus::HoldFacts> held;
    std::vector<dbus::Check> checks;
    std::string level = "info";
    int applied = 0;
    dbus::Reach asked_reach = dbus::Reach::cluster;
    std::string config;
    std::string persisted;
    std::uint64_t generation = 1;
    std::optional<Error> failure; // of explain and verify

private:
    World& world_;
};

} // namespace schedd::test
