// remote_clone_LB - a node for new work: this one while it has room, then the better of two drawn by chance.
//   4 CPUs here, load 2500, room 100 -> here: 2500 + 1000 is not beyond 4000
//   load 3600; nodes 1 and 4 are drawn, with 2000 and 900 on 4 CPUs each -> node 4
//   load 3600; both have 5000 -> here all the same
// What was sent to a node counts there until it can be in what the node tells. It decides about new work
// alone: nothing is moved. Usage: create schedulers/C/remote_clone_LB; link mosix_probe/norm_upper_load
// .../node_load; for nodes of different size link cpuspeed_probe/connected .../cpus
#include <algorithm>

#include <fmt/format.h>

#include "components/model/machine_types.h"
#include "policies/common_specs.h"
#include "policies/other_nodes.h"
#include "policies/policies.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kNodeLoad, kCpus };
constexpr PortSpec kPorts[] = {
    {.name = "node_load", .type = types::kLoad, .doc = "Load of each node; only read."},
    {.name = "cpus",
     .type = types::kCpus,
     .doc = "How many CPUs each node has; only read, not needed: without it all have as many as this one."},
};

enum Attribute : std::size_t { kChoices, kRoom, kTaskLoad, kLastTarget };
constexpr AttributeSpec kAttributes[] = {
    choices("Among how many other nodes, drawn by chance, the best is chosen; 0 = all."),
    {.name = "room",
     .unit = "percent",
     .initial = "100",
     .maximum = 10'000,
     .doc = "New work stays here while no more than this part of the CPUs is wanted with it."},
    {.name = "task_load",
     .unit = "1/1000 task",
     .initial = "1000",
     .minimum = 1,
     .maximum = 1'000'000,
     .doc = "How much new work is expected to want."},
    last_target(),
};

/// A node with the new work on it; without a row nothing is known of its load.
struct Offer {
    const NodeRow* row = nullptr;
    std::int64_t load = 0;
    std::int64_t cpus = 1;
    std::int64_t age_ms = 0;

    /// Load for each CPU, in millionths.
    [[nodiscard]] std::int64_t crowd() const { return load * 1000 / cpus; }
};

class RemoteCloneLb final : public Policy {
public:
    RemoteCloneLb(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), rng_(environment.rng) {}

    std::vector<Decision> decide(const View& /*view*/) override { return {}; }

    std::optional<Destination> place_task(const View& view, const NewTask& task) override {
        auto found = choose(view, task);
        if (!found) return std::nullopt;
        under_way_.sent(found->node, task_load(), view.now);
        report(kLastTarget, static_cast<std::int64_t>(found->node));
        return found;
    }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& /*subject*/) const override {
        std::vector<std::string> said{"it stays where it is: only new work finds its node here"};
        if (const auto* self = self_of(view.nodes)) {
            const auto here = offer(view, *self, port(kNodeLoad).collected());
            said.push_back(
                here.row ? fmt::format("this node would have {} on {} with new work, and has room for {}",
                                       here.load, cpus_text(here), room_of(here))
                         : "node_load has no value here, so new work stays here");
        }
        for (const auto& node : other_nodes(view, port(kNodeLoad))) {
            const auto there = offer(view, *node.row, node.told);
            said.push_back(there.row ? fmt::format("node {} would have {} on {}", text_of(*node.row),
                                                   there.load, cpus_text(there))
                                     : fmt::format("node {} has not told its load", text_of(*node.row)));
        }
        return said;
    }

private:
    [[nodiscard]] std::optional<Destination> choose(const View& view, const NewTask& task) {
        const auto* self = self_of(view.nodes);
        const auto refuses = [&](const NodeRow& row) {
            return std::ranges::find(task.refused, row.number) != task.refused.end();
        };
        const bool may_stay = self && self->takes_work && !refuses(*self);
        const Offer here = may_stay ? offer(view, *self, port(kNodeLoad).collected()) : Offer();
        if (may_stay && !here.row) return Destination{self->number, "what this node has to do is not known"};
        if (here.row && here.load <= room_of(here))
            return Destination{self->number, fmt::format("there is room here: {} on {} with it", here.load,
                                                         cpus_text(here))};
        auto nodes = other_nodes(view, port(kNodeLoad));
        std::erase_if(nodes, [&](const OtherNode& node) { return !node.told || refuses(*node.row); });
        draw(nodes, unsigned_at(kChoices), rng_);
        Offer best;
        for (const auto& node : nodes) {
            const auto there = offer(view, *node.row, node.told);
            if (there.row && (!best.row || there.crowd() < best.crowd())) best = there;
        }
        if (here.row && (!best.row || best.crowd() >= here.crowd()))
            return Destination{self->number,
                               best.row
                                   ? fmt::format("node {} would have {} on {}, here it is {}",
                                                 text_of(*best.row), best.load, cpus_text(best), here.load)
                                   : "no other node has told its load"};
        if (!best.row) return std::nullopt;
        return Destination{best.row->number,
                           fmt::format("node {} has {} on {} with it, as told {} ms ago{}",
                                       text_of(*best.row), best.load, cpus_text(best), best.age_ms,
                                       here.row ? fmt::format("; here it would be {}", here.load) : "")};
    }

    [[nodiscard]] Offer offer(const View& view, const NodeRow& row, const std::optional<Sample>& told) const {
        if (!told) return {};
        const auto cpus = row.is_self ? port(kCpus).collected() : port(kCpus).collected_from(row.number);
        const auto otherwise = std::int64_t{view.topology.usable().count()};
        const auto load = OtherNode::plain(*told) + under_way_.to(row.number, told->time) + task_load();
        return {.row = &row,
                .load = load,
                .cpus = std::max<std::int64_t>(cpus ? OtherNode::plain(*cpus) : otherwise, 1),
                .age_ms = milliseconds_of(view.now - told->time)};
    }

    [[nodiscard]] std::int64_t task_load() const { return static_cast<std::int64_t>(unsigned_at(kTaskLoad)); }
    [[nodiscard]] std::int64_t room_of(const Offer& here) const {
        return here.cpus * 10 * static_cast<std::int64_t>(unsigned_at(kRoom));
    }
    static std::string cpus_text(const Offer& offer) {
        return fmt::format("{} CPU{}", offer.cpus, offer.cpus == 1 ? "" : "s");
    }

    Rng& rng_;
    /// It starts at once, is measured within a second and told within the next.
    UnderWay under_way_{std::chrono::seconds(2)};
};

} // namespace

const Descriptor kRemoteCloneLb{
    .name = "remote_clone_LB",
    .kind = Kind::policy,
    .doc = "A node for new work: this one while it has room, then the better of two.",
    .make = make_part<RemoteCloneLb>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
