// scratch_space_balancing - a node for new work that needs room on a disk: this one while it has some, else
// the better of two drawn by chance.
//   least 10 GiB: 50 GiB free here, io pressure 5 % -> here
//   2 GiB free here; nodes 1 and 3 are drawn, with 20 and 60 GiB -> node 3
//   io pressure 80 % here, io_bound 50 -> elsewhere, if somebody has room and waits less
// It decides about new work alone: nothing is moved. Usage: create schedulers/T/scratch_space_balancing;
// link space_probe/free_space .../free_space; link pressure/io_some .../io_pressure
#include <algorithm>

#include <fmt/format.h>

#include "components/model/machine_types.h"
#include "policies/common_specs.h"
#include "policies/other_nodes.h"
#include "policies/policies.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kFreeSpace, kIoPressure };
constexpr PortSpec kPorts[] = {
    {.name = "free_space", .type = types::kSpace, .doc = "Room on the disk of each node; only read."},
    {.name = "io_pressure",
     .type = types::kPressure,
     .doc = "Share of time in which tasks wait for io there; only read, not needed."},
};

enum Attribute : std::size_t { kLeast, kIoBound, kChoices, kLastTarget };
constexpr AttributeSpec kAttributes[] = {
    {.name = "least",
     .unit = "MiB",
     .initial = "1024",
     .maximum = std::int64_t{1} << 40,
     .doc = "A node with less free space gets no new work."},
    {.name = "io_bound",
     .unit = "percent",
     .initial = "50",
     .maximum = 100,
     .doc = "Nor does one whose tasks wait more for io."},
    choices("Among how many other nodes, drawn by chance, the one with most free space is chosen; 0 = all."),
    last_target(),
};

class ScratchSpaceBalancing final : public Policy {
public:
    ScratchSpaceBalancing(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), rng_(environment.rng) {}

    std::vector<Decision> decide(const View& /*view*/) override { return {}; }

    std::optional<Destination> place_task(const View& view, const NewTask& task) override {
        const auto refuses = [&](NodeId number) {
            return std::ranges::find(task.refused, number) != task.refused.end();
        };
        const auto* self = self_of(view.nodes);
        if (!self) return std::nullopt;
        const auto here = port(kFreeSpace).collected();
        const auto why = here ? unfit(OtherNode::plain(*here), port(kIoPressure).collected())
                              : "its free space is not known";
        if (self->takes_work && !refuses(self->number) && why.empty())
            return sent(self->number, fmt::format("{} MiB are free here", OtherNode::plain(*here) / kKibs));
        auto nodes = other_nodes(view, port(kFreeSpace));
        std::erase_if(nodes, [&](const OtherNode& node) {
            return !node.told || refuses(node.number()) ||
                   !unfit(node.value(), port(kIoPressure).collected_from(node.number())).empty();
        });
        draw(nodes, unsigned_at(kChoices), rng_);
        const auto best = std::ranges::max_element(nodes, {}, &OtherNode::value);
        if (best == nodes.end()) return std::nullopt;
        return sent(best->number(), fmt::format("node {} has {} MiB free{}", text_of(*best->row),
                                                best->value() / kKibs, why.empty() ? "" : "; here: " + why));
    }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& /*subject*/) const override {
        std::vector<std::string> said{"it stays where it is: only new work finds its node here"};
        if (const auto here = port(kFreeSpace).collected())
            said.push_back("this node: " + state(OtherNode::plain(*here), port(kIoPressure).collected()));
        for (const auto& node : other_nodes(view, port(kFreeSpace)))
            said.push_back(
                fmt::format("node {}: {}", text_of(*node.row),
                            node.told ? state(node.value(), port(kIoPressure).collected_from(node.number()))
                                      : "it has told nothing"));
        return said;
    }

private:
    static constexpr std::int64_t kKibs = 1024;

    /// Why a node gets no new work; "" if it may.
    [[nodiscard]] std::string unfit(std::int64_t free_kib, const std::optional<Sample>& pressure) const {
        const auto waits = pressure ? OtherNode::plain(*pressure) : 0;
        if (free_kib / kKibs < static_cast<std::int64_t>(unsigned_at(kLeast)))
            return fmt::format("{} MiB free, {} are wanted", free_kib / kKibs, unsigned_at(kLeast));
        if (waits > static_cast<std::int64_t>(unsigned_at(kIoBound)) * 10)
            return fmt::format("tasks wait for io {:g} % of the time", static_cast<double>(waits) / 10);
        return {};
    }
    [[nodiscard]] std::string state(std::int64_t free_kib, const std::optional<Sample>& pressure) const {
        const auto why = unfit(free_kib, pressure);
        return why.empty() ? fmt::format("{} MiB free", free_kib / kKibs) : why;
    }
    Destination sent(NodeId node, std::string reason) {
        report(kLastTarget, static_cast<std::int64_t>(node));
        return {node, std::move(reason)};
    }

    Rng& rng_;
};

} // namespace

const Descriptor kScratchSpaceBalancing{
    .name = "scratch_space_balancing",
    .kind = Kind::policy,
    .doc = "A node for new work that needs room on a disk.",
    .make = make_part<ScratchSpaceBalancing>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
