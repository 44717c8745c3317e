// World: everything a part needs, faked: clock, chance, host, log, processes, registry and tree in one
// fixture.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "components/filters/filters.h"
#include "components/kit/rng.h"
#include "components/model/power.h"
#include "components/model/verb.h"
#include "tests/kit/fake_cluster.h"
#include "tests/kit/fake_host.h"
#include "tests/kit/fake_proc.h"
#include "tests/kit/fake_process_kernel.h"
#include "tests/kit/manual_clock.h"
#include "tests/kit/parts.h"
#include "tests/kit/recording.h"

namespace schedd::test {

inline constexpr Pid kOwnPid = 500;

/// Members are public: a test sets whatever it needs. The registry holds the types given, or by default the
/// test parts (test_probe = "cpu", test_policy = "load_balancing", other_policy, pass_filter) and
/// threshold_filter.
struct World {
    explicit World(std::vector<const Descriptor*> types = default_types(), bool with_kernel = false)
        : table(host, with_kernel ? &kernel : nullptr, kOwnPid), registry(types),
          tree(Environment{clock, rng, host, log, table, &cluster, nullptr, &power}, registry) {
        proc.add({.pid = 1, .comm = "init", .parent = 0});
    }

    static std::vector<const Descriptor*> default_types() {
        return {&kTestProbe, &kTestPolicy, &kOtherPolicy, &kPassFilter, &filters::kThreshold};
    }

    ManualClock clock;
    kit::Rng rng{1};
    FakeHost host;
    FakeProc proc{host};
    FakeProcessKernel kernel;
    RecordingLog log;
    FakeCluster cluster; // of no nodes, until a test adds some
    PowerState power;    // nobody says anything, until a test does
    ProcessTable table;
    Registry registry;
    Tree tree;

    [[nodiscard]] const Environment& environment() const { return tree.environment(); }

    /// Adds a process to proc, to the kernel (if there is one) and to the table.
    void start(FakeProcess process) {
        if (!process.group) process.group = process.pid;
        if (!process.session) process.session = process.pid;
        proc.add(process);
        kernel.set(process.pid, process.group, process.session);
        table.apply({.what = ProcessEvent::What::fork, .pid = process.pid, .parent = process.parent});
    }
    void end(Pid pid) {
        proc.remove(pid);
        kernel.end(pid);
        table.apply({.what = ProcessEvent::What::exit, .pid = pid});
    }

    /// Recipe lines as one transaction.
    Status apply(std::string_view lines, bool dry_run = false) {
        const auto recipe = parse_recipe(lines);
        if (!recipe) return std::unexpected(recipe.error());
        return tree.apply(*recipe, dry_run);
    }
    /// Errc of the failure; none on success. For EXPECT_EQ(world.kind("..."), Errc::busy).
    std::optional<Errc> kind(std::string_view lines) {
        const auto done = apply(lines);
        return done ? std::nullopt : std::optional(done.error().kind);
    }
    std::string read(std::string_view place) const {
        const auto located = tree.locate(place);
        if (!located) return "error: " + located.error().text();
        const auto text = tree.read(*located);
        return text ? *text : "error: " + text.error().text();
    }
    /// The part at a path as its type. REQUIRES: it is there and is of that type.
    template <class T = Part> T& at(std::string_view path) const {
        return dynamic_cast<T&>(*tree.find(Path::parse(path).value()).value());
    }

    /// The whole tree as text: every part with its type, attributes, order and links. Two equal dumps are
    /// equal trees.
    [[nodiscard]] std::string dump() const {
        std::string out = fmt::format("size {}\n", tree.size());
        for_each_part(tree.root(), [&](Part& part) {
            out += fmt::format("{} {} {}", part.path().text(), name_of(part.kind()),
                               part.type() ? part.type()->name : "-");
            for (std::size_t i = 0; i < part.attributes().size(); ++i)
                out += fmt::format(" {}={}", part.attributes()[i].name, text_of(part.attribute(i)));
            if (const auto* input = input_of(part); input && input->source())
                out += " <- " + input->source()->part().path().text();
            if (const auto* output = output_of(part))
                for (const auto* sink : output->sinks()) out += " -> " + sink->part().path().text();
            if (part.kind() == Kind::member)
                out += fmt::format(" order={}", static_cast<Member&>(part).order());
            out += '\n';
        });
        return out;
    }
};

} // namespace schedd::test
