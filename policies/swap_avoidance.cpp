// swap_avoidance - moves work away from a node whose tasks wait for memory, before it swaps itself to death.
//   memory pressure 15 %, beyond 10 % for 3 updates; node 2 has 1 % and 8 GiB free; members of 6, 3 and 1 GiB
//   -> the one of 3 GiB goes to node 2: the largest that leaves there half of what is free
// MOSIX called it memory ushering. Pressure is the share of time in which some task waited for memory (PSI
// some): it rises before memory is gone, and not because caches fill it. Usage:
// create schedulers/M/swap_avoidance; link pressure/memory_some .../memory_pressure;
// link mem_probe/ram_free .../free_memory; link processsize_probe/task_rss .../task_rss
#include <algorithm>

#include <fmt/format.h>

#include "components/model/machine_types.h"
#include "policies/common_specs.h"
#include "policies/policies.h"
#include "policies/relief.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kPressure, kFreeMemory, kTaskRss };
constexpr PortSpec kPorts[] = {
    {.name = "memory_pressure",
     .type = types::kPressure,
     .wants_updates = true,
     .doc = "Share of time in which tasks waited for memory; with each update one member may move."},
    {.name = "free_memory",
     .type = types::kMemory,
     .doc = "Memory of the other nodes that is free; only read, not needed: without it sizes do not count."},
    {.name = "task_rss", .type = types::kMemoryByPid, .doc = "Memory of each process; only read."},
};

enum Attribute : std::size_t { kBound, kPatience, kChoices, kState };
constexpr AttributeSpec kAttributes[] = {
    {.name = "bound",
     .unit = "percent",
     .initial = "10",
     .minimum = 1,
     .maximum = 100,
     .doc = "More memory pressure than this is too much; a node with half of it is well."},
    {.name = "patience",
     .unit = "updates",
     .initial = "3",
     .minimum = 1,
     .maximum = 1000,
     .doc = "For so many updates in a row before a member is moved."},
    choices("Among how many nodes that are well, drawn by chance, the best is chosen; 0 = all."),
    words("state", "What became of the last update."),
};

class SwapAvoidance final : public Policy {
public:
    SwapAvoidance(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), rng_(environment.rng) {}

    std::vector<Decision> decide(const View& /*view*/) override { return {}; }
    std::vector<Move> moves(const View& view) override;
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        std::vector<std::string> said;
        if (const auto why = why_not(view, subject); !why.empty())
            said.push_back("it cannot be moved: " + why);
        const auto size = size_of(subject);
        said.push_back(size ? fmt::format("it has {} KiB of memory", *size) : "its memory is not known");
        if (const auto here = port(kPressure).collected())
            said.push_back("memory pressure here is " + relief_.text(OtherNode::plain(*here), rules()));
        for (auto& line : Relief::considered(view, port(kPressure), rules())) said.push_back(std::move(line));
        return said;
    }

private:
    [[nodiscard]] ReliefRules rules() const {
        return {static_cast<std::int64_t>(unsigned_at(kBound)) * 10, unsigned_at(kPatience),
                unsigned_at(kChoices)};
    }
    [[nodiscard]] std::optional<std::int64_t> size_of(const Subject& subject) const {
        return load_of(subject, port(kTaskRss));
    }
    /// What may be moved there, in KiB.
    [[nodiscard]] std::int64_t room_on(const OtherNode& node) const {
        if (!port(kFreeMemory).source()) return kMostValue;
        const auto free = port(kFreeMemory).collected_from(node.number());
        return free ? OtherNode::plain(*free) / 2 : 0;
    }
    /// The largest that fits there.
    [[nodiscard]] const Subject* largest(const View& view, const OtherNode& node) const {
        const Subject* chosen = nullptr;
        std::int64_t largest = 0;
        for (const Subject& subject : view.subjects) {
            const auto size = size_of(subject).value_or(0);
            if (size <= largest || size > room_on(node) || !why_not(view, subject).empty()) continue;
            chosen = &subject;
            largest = size;
        }
        return chosen;
    }

    Rng& rng_;
    Relief relief_;
};

std::vector<Move> SwapAvoidance::moves(const View& view) {
    const auto here = port(kPressure).collected();
    if (!here) {
        report(kState, std::string("memory_pressure has no value"));
        return {};
    }
    const auto pressure = OtherNode::plain(*here);
    const bool is_due = relief_.is_due(*here, rules());
    auto seen = "memory pressure is " + relief_.text(pressure, rules());
    report(kState, seen);
    if (!is_due) return {};
    const auto to = Relief::target(view, port(kPressure), rules(), rng_,
                                   [&](const OtherNode& node) { return largest(view, node) != nullptr; });
    if (!to) {
        report(kState,
               fmt::format("memory pressure {:g} %, but no node is well and has room for a member that "
                           "may move",
                           static_cast<double>(pressure) / 10));
        return {};
    }
    const auto* chosen = largest(view, *to);
    auto reason = fmt::format("memory pressure {:g} % here, {:g} % on node {}; it has {} KiB",
                              static_cast<double>(pressure) / 10, static_cast<double>(to->value()) / 10,
                              text_of(*to->row), size_of(*chosen).value_or(0));
    report(kState, chosen->target.text() + " moves: " + reason);
    return {{.target = chosen->target,
             .to = to->number(),
             .reason = std::move(reason),
             .gain = std::max<std::int64_t>(pressure - to->value(), 1)}};
}

} // namespace

const Descriptor kSwapAvoidance{
    .name = "swap_avoidance",
    .kind = Kind::policy,
    .doc = "Moves work away from a node whose tasks wait for memory.",
    .make = make_part<SwapAvoidance>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
