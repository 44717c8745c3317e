// mosix_load_balancer - moves work to a node that has less to do, one process for each update of local_load
// (Kerrighed mosix_load_balancer.c).
//   local 2000, node 1 told 0, single 1000, stab_factor 130: 0 + 1300 < 2000 -> one moves to node 1
//   local 2000, node 1 told 1000: 1000 + 1300 is not below 2000 -> all stay; local 3000 -> one moves
//   members of load 900, 700, 0 -> the one of 700 goes: the heaviest stays where it is
//   a unit that wants 2000 counts as two: 0 + 2 * 1300 is to be below local
// When this node leaves the node set or drains, all members leave, spread by the load that is expected.
// Usage: the chains of the legacy scheduler, units/examples/legacy.toml
#include <algorithm>

#include <fmt/format.h>

#include "policies/common_specs.h"
#include "policies/other_nodes.h"
#include "policies/policies.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kLocalLoad, kRemoteLoad, kSingleProcessLoad, kProcessLoad };
constexpr PortSpec kPorts[] = {
    {.name = "local_load",
     .type = types::kLoad,
     .wants_updates = true,
     .doc = "Load of this node; with each update one process may move."},
    {.name = "remote_load", .type = types::kLoad, .doc = "Load of the other nodes; only read."},
    {.name = "single_process_load",
     .type = types::kLoad,
     .doc = "What a process that always wants a CPU adds on another node; only read."},
    {.name = "process_load", .type = types::kLoadByPid, .doc = "Load of each process here; only read."},
};

enum Attribute : std::size_t { kStabFactor, kChoices, kState };
constexpr AttributeSpec kAttributes[] = {
    {.name = "stab_factor",
     .unit = "percent",
     .initial = "130",
     .maximum = 100'000,
     .doc = "How much of single_process_load another node must have less to do than this one."},
    choices("Among how many nodes, drawn by chance, the one with least to do is chosen; 0 = all, as in the "
            "original: then many send work to the same node at once."),
    words("state", "What became of the last update of local_load."),
};

struct Candidate {
    const Subject* subject = nullptr;
    std::int64_t load = 0;
};

/// As how many processes that always want a CPU a member counts: one, as in the original, which moves nothing
/// larger, or those of a unit that wants more.
std::int64_t processes_of(std::int64_t load) {
    constexpr std::int64_t kMost = 1'000'000;
    return std::clamp<std::int64_t>((load + kWhole / 2) / kWhole, 1, kMost);
}
std::string amount_of(std::int64_t load) {
    const auto processes = processes_of(load);
    return processes == 1 ? "one" : fmt::to_string(processes);
}

class MosixLoadBalancer final : public Policy {
public:
    MosixLoadBalancer(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), rng_(environment.rng) {}

    std::vector<Decision> decide(const View& /*view*/) override {
        next_look_ = kNever;
        return {};
    }
    std::vector<Move> moves(const View& view) override;
    [[nodiscard]] Time next_due() const override { return next_look_; }
    void nodes_changed(NodesView nodes, NodesView joined, NodesView left) override {
        Policy::nodes_changed(nodes, joined, left);
        leaving_.nodes_changed(nodes, left);
    }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override;
    void told(const Port& told_port, const Sample* sample) override {
        Policy::told(told_port, sample);
        is_told_ = is_told_ || &told_port == &port(kLocalLoad);
    }

private:
    /// The second-heaviest of those that may move, the heaviest if there is no other.
    [[nodiscard]] Candidate choose(const View& view) const {
        Candidate first;
        Candidate second;
        for (const Subject& subject : view.subjects) {
            const auto load = load_of(subject, port(kProcessLoad)).value_or(0);
            if (load <= second.load || !why_not(view, subject).empty()) continue;
            second = {&subject, load};
            if (load > first.load) std::swap(first, second);
        }
        return second.subject ? second : first;
    }
    /// What this load adds on that node: as many times single_process_load as it is processes, at least one.
    /// None if the node has not told enough.
    [[nodiscard]] std::optional<std::int64_t> adds(const OtherNode& node, std::int64_t load) const {
        const auto single = port(kSingleProcessLoad).collected_from(node.number());
        if (!node.told || !single) return std::nullopt;
        return std::min(OtherNode::plain(*single) * processes_of(load), kMostValue);
    }
    /// What the node would have to do then, with a margin; so what moved for it does not move back for it.
    [[nodiscard]] std::optional<std::int64_t> stable(const OtherNode& node, std::int64_t load) const {
        const auto more = adds(node, load);
        if (!more) return std::nullopt;
        return node.value() + *more * static_cast<std::int64_t>(unsigned_at(kStabFactor)) / 100;
    }

    Rng& rng_;
    Leaving leaving_;
    Time next_look_ = kNever;
    bool is_told_ = false; // local_load has been, since the last moves()
};

std::vector<Move> MosixLoadBalancer::moves(const View& view) {
    const auto tell = [this](std::string state) {
        report(kState, std::move(state));
        return std::vector<Move>();
    };
    next_look_ = kNever;
    const bool is_told = std::exchange(is_told_, false);
    if (const auto why = leaving_.why(view); !why.empty()) {
        next_look_ = Leaving::next_look(view);
        report(kState, why + ": members leave");
        return leaving_.next(view, why, port(kRemoteLoad), port(kProcessLoad));
    }
    if (!is_told) return {};
    const auto here = port(kLocalLoad).collected();
    if (!here) return tell("local_load has no value");
    const auto local = OtherNode::plain(*here);
    const auto chosen = choose(view);
    if (!chosen.subject) return tell(fmt::format("no member with a load may move; load {} here", local));
    auto nodes = other_nodes(view, port(kRemoteLoad));
    const auto with_it = [&](const OtherNode& node) { return stable(node, chosen.load); };
    std::erase_if(nodes, [&](const OtherNode& node) { return !with_it(node); });
    draw(nodes, unsigned_at(kChoices), rng_);
    const auto best = std::ranges::min_element(nodes, {}, [&](const OtherNode& n) { return *with_it(n); });
    if (best == nodes.end()) return tell("no other node that takes work has told its load");
    if (*with_it(*best) >= local)
        return tell(fmt::format("node {} with {} more and a margin: {}, not below {} here",
                                text_of(*best->row), amount_of(chosen.load), *with_it(*best), local));
    auto reason =
        fmt::format("load {} here, on node {} {}, with {} more and a margin {}; it wants {}", local,
                    text_of(*best->row), best->value(), amount_of(chosen.load), *with_it(*best), chosen.load);
    report(kState, fmt::format("{} to node {}: {}", chosen.subject->target.text(), best->number(), reason));
    return {{.target = chosen.subject->target,
             .to = best->number(),
             .reason = std::move(reason),
             .gain = gain_of(view, chosen.load, local, best->value() + chosen.load)}};
}

std::vector<std::string> MosixLoadBalancer::considered(const View& view, const Subject& subject) const {
    std::vector<std::string> said;
    if (const auto why = why_not(view, subject); !why.empty()) said.push_back("it cannot be moved: " + why);
    const auto load = load_of(subject, port(kProcessLoad));
    const auto chosen = choose(view);
    if (!load) said.emplace_back("its load is not known, so it is not moved");
    else if (chosen.subject && chosen.subject->target != subject.target)
        said.push_back(fmt::format("it wants {}; the next to be moved is {}, which wants {}", *load,
                                   chosen.subject->target.text(), chosen.load));
    else if (chosen.subject) said.push_back(fmt::format("it wants {}, and is the next to be moved", *load));
    const auto here = port(kLocalLoad).collected();
    if (!here) said.emplace_back("local_load has no value, so nothing is moved");
    if (!here) return said;
    const auto local = OtherNode::plain(*here);
    for (const auto& node : other_nodes(view, port(kRemoteLoad))) {
        const auto loaded = stable(node, chosen.load);
        if (!loaded) said.push_back(fmt::format("node {} has not told its load", text_of(*node.row)));
        else if (*loaded < local)
            said.push_back(fmt::format("node {}: {} with {} more and a margin, below {} here",
                                       text_of(*node.row), *loaded, amount_of(chosen.load), local));
        else if (const auto more = *adds(node, chosen.load); more > 0 && node.value() < local)
            said.push_back(fmt::format("node {}: {} with {} more and a margin, not below {} here; it would "
                                       "be with a stab_factor of {}",
                                       text_of(*node.row), *loaded, amount_of(chosen.load), local,
                                       std::max<std::int64_t>((local - node.value()) * 100 - 1, 0) / more));
        else
            said.push_back(fmt::format("node {} has {} to do, not less than the {} here", text_of(*node.row),
                                       node.value(), local));
    }
    return said;
}

} // namespace

const Descriptor kMosixLoadBalancer{
    .name = "mosix_load_balancer",
    .kind = Kind::policy,
    .doc = "Moves work to nodes that have less to do, a process at a time.",
    .make = make_part<MosixLoadBalancer>,
    .attributes = kAttributes,
    .ports = kPorts,
    .alias = "mosix",
};

} // namespace schedd::policies
