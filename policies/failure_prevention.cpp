// failure_prevention - moves all members away from a node that reports trouble with its hardware, before it
// fails.
//   troubles 0 -> all stay; troubles 1, bound 1 -> all leave, one at a time, spread by the load that is
//   expected, to nodes that report less than the bound
// What a trouble is says the probe: hardware_probe counts memory errors, machine checks, overheating and
// disks of the last hour. Who cannot be moved stays. Usage: create schedulers/F/failure_prevention; link
// hardware_probe/troubles .../troubles; link mosix_probe/norm_upper_load .../node_load
#include <algorithm>

#include <fmt/format.h>

#include "policies/common_specs.h"
#include "policies/other_nodes.h"
#include "policies/policies.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kTroubles, kNodeLoad, kProcessLoad };
constexpr PortSpec kPorts[] = {
    {.name = "troubles",
     .type = types::kCount,
     .wants_updates = true,
     .doc = "Troubles of the hardware that are new; each update is looked at."},
    load_of_others(),
    load_of_members(),
};

enum Attribute : std::size_t { kBound, kNote };
constexpr AttributeSpec kAttributes[] = {
    {.name = "bound",
     .unit = "troubles",
     .initial = "1",
     .minimum = 1,
     .maximum = 1'000'000,
     .doc = "With so many troubles members leave; a node that has as many is sent none."},
    words("note", "Why members leave; empty while they may stay."),
};

class FailurePrevention final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& /*view*/) override {
        next_look_ = kNever;
        return {};
    }
    std::vector<Move> moves(const View& view) override {
        const auto why = trouble();
        report(kNote, why);
        next_look_ = why.empty() || view.subjects.empty() ? kNever : Leaving::next_look(view);
        if (why.empty()) return {};
        const auto rows = sound_nodes(view);
        return leaving_.next(with(view, rows), why, port(kNodeLoad), port(kProcessLoad));
    }
    [[nodiscard]] Time next_due() const override { return next_look_; }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        std::vector<std::string> said;
        if (const auto why = why_not(view, subject); !why.empty())
            said.push_back("it cannot be moved: " + why);
        const auto why = trouble();
        if (!port(kTroubles).collected()) said.emplace_back("troubles has no value");
        else said.push_back(why.empty() ? "this node reports no trouble: it stays" : why);
        const auto rows = sound_nodes(view);
        const auto* to = leaving_.target(with(view, rows), port(kNodeLoad));
        said.push_back(to ? fmt::format("node {} is sound and has least to do", text_of(*to))
                          : "no other node that takes work is sound");
        return said;
    }

private:
    [[nodiscard]] std::int64_t bound() const { return static_cast<std::int64_t>(unsigned_at(kBound)); }
    [[nodiscard]] std::string trouble() const {
        const auto here = port(kTroubles).collected();
        const auto count = here ? number_of(here->value) : 0;
        return count < bound() ? std::string()
                               : fmt::format("this node reports {} trouble{} with its hardware", count,
                                             count == 1 ? "" : "s");
    }
    /// Those that have told nothing of troubles are taken to have none.
    [[nodiscard]] std::vector<NodeRow> sound_nodes(const View& view) const {
        std::vector<NodeRow> rows(view.nodes.begin(), view.nodes.end());
        std::erase_if(rows, [&](const NodeRow& row) {
            const auto told = row.is_self ? std::nullopt : port(kTroubles).collected_from(row.number);
            return told && number_of(told->value) >= bound();
        });
        return rows;
    }
    static View with(const View& view, const std::vector<NodeRow>& rows) {
        return {view.now, view.topology, view.subjects, rows, view.movement};
    }

    Leaving leaving_;
    Time next_look_ = kNever;
};

} // namespace

const Descriptor kFailurePrevention{
    .name = "failure_prevention",
    .kind = Kind::policy,
    .doc = "Moves members away from a node that reports trouble with its hardware.",
    .make = make_part<FailurePrevention>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
