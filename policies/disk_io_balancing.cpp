// disk_io_balancing - moves work away from a node whose tasks wait for its disks.
//   io pressure 40 %, beyond 30 % for 5 updates; node 1 has 2 %; members whose groups wait 35 %, 20 % and 0 %
//   -> the one that waits 35 % goes to node 1
// Pressure is the share of time in which some task waited for io (PSI some). Of whose disk that is nothing is
// known, so it is for work whose data is at hand everywhere. Members are told apart by the pressure of their
// control groups: who has none (single processes) stays. Usage: create schedulers/IO/disk_io_balancing;
// link pressure/io_some .../io_pressure; link pressure/cgroup_io_some .../cgroup_io
#include <algorithm>

#include <fmt/format.h>

#include "policies/common_specs.h"
#include "policies/policies.h"
#include "policies/relief.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kPressure, kCgroupIo };
constexpr PortSpec kPorts[] = {
    {.name = "io_pressure",
     .type = types::kPressure,
     .wants_updates = true,
     .doc = "Share of time in which tasks waited for io; with each update one member may move."},
    {.name = "cgroup_io",
     .type = types::kPressureByCgroup,
     .doc = "The same of each member's control group; only read."},
};

enum Attribute : std::size_t { kBound, kPatience, kChoices, kState };
constexpr AttributeSpec kAttributes[] = {
    {.name = "bound",
     .unit = "percent",
     .initial = "30",
     .minimum = 1,
     .maximum = 100,
     .doc = "More io pressure than this is too much; a node with half of it is well."},
    {.name = "patience",
     .unit = "updates",
     .initial = "5",
     .minimum = 1,
     .maximum = 1000,
     .doc = "For so many updates in a row before a member is moved."},
    choices("Among how many nodes that are well, drawn by chance, the best is chosen; 0 = all."),
    words("state", "What became of the last update."),
};

double percent(std::int64_t thousandths) { return static_cast<double>(thousandths) / 10; }

class DiskIoBalancing final : public Policy {
public:
    DiskIoBalancing(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), rng_(environment.rng) {}

    std::vector<Decision> decide(const View& /*view*/) override { return {}; }

    std::vector<Move> moves(const View& view) override {
        const auto tell = [this](std::string state) {
            report(kState, std::move(state));
            return std::vector<Move>();
        };
        const auto here = port(kPressure).collected();
        if (!here) return tell("io_pressure has no value");
        const auto pressure = OtherNode::plain(*here);
        if (!relief_.is_due(*here, rules())) return tell("io pressure is " + relief_.text(pressure, rules()));
        const auto* chosen = slowest(view);
        if (!chosen)
            return tell(fmt::format("io pressure {:g} %, but no member that waits for io may move",
                                    percent(pressure)));
        const auto to =
            Relief::target(view, port(kPressure), rules(), rng_, [](const OtherNode&) { return true; });
        if (!to) return tell(fmt::format("io pressure {:g} %, but no other node is well", percent(pressure)));
        auto reason = fmt::format("io pressure {:g} % here, {:g} % on node {}; it waits {:g} % of the time",
                                  percent(pressure), percent(to->value()), text_of(*to->row),
                                  percent(waits(*chosen).value_or(0)));
        report(kState, chosen->target.text() + " moves: " + reason);
        return {{.target = chosen->target,
                 .to = to->number(),
                 .reason = std::move(reason),
                 .gain = std::max<std::int64_t>(waits(*chosen).value_or(0) - to->value(), 1)}};
    }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        std::vector<std::string> said;
        if (const auto why = why_not(view, subject); !why.empty())
            said.push_back("it cannot be moved: " + why);
        const auto mine = waits(subject);
        said.push_back(mine ? fmt::format("it waits for io {:g} % of the time", percent(*mine))
                            : "how much it waits for io is not known");
        if (const auto here = port(kPressure).collected())
            said.push_back("io pressure here is " + relief_.text(OtherNode::plain(*here), rules()));
        for (auto& line : Relief::considered(view, port(kPressure), rules())) said.push_back(std::move(line));
        return said;
    }

private:
    [[nodiscard]] ReliefRules rules() const {
        return {static_cast<std::int64_t>(unsigned_at(kBound)) * 10, unsigned_at(kPatience),
                unsigned_at(kChoices)};
    }
    [[nodiscard]] std::optional<std::int64_t> waits(const Subject& subject) const {
        if (subject.group.empty()) return std::nullopt;
        const auto sample = port(kCgroupIo).collected(Parameter(std::string_view(subject.group)));
        return sample ? std::optional(OtherNode::plain(*sample)) : std::nullopt;
    }
    /// Who waits most, of those that may move.
    [[nodiscard]] const Subject* slowest(const View& view) const {
        const Subject* chosen = nullptr;
        std::int64_t most = 0;
        for (const Subject& subject : view.subjects) {
            const auto mine = waits(subject).value_or(0);
            if (mine <= most || !why_not(view, subject).empty()) continue;
            chosen = &subject;
            most = mine;
        }
        return chosen;
    }

    Rng& rng_;
    Relief relief_;
};

} // namespace

const Descriptor kDiskIoBalancing{
    .name = "disk_io_balancing",
    .kind = Kind::policy,
    .doc = "Moves work away from a node whose tasks wait for its disks.",
    .make = make_part<DiskIoBalancing>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
