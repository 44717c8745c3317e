// update-path: what one value costs on its way from a probe to the policy, and whether it allocates.
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "policies/policies.h"
#include "tests/bench/bench.h"
#include "tests/bench/interrupt.h"
#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::bench {

namespace {

using namespace schedd::test;

/// probe -> threshold_filter -> average_filter -> port of load_balancing, which is told of each update.
struct Chain {
    World world{{&kTestProbe, &filters::kThreshold, &filters::kAverage, &policies::kLoadBalancing}};

    Status build() {
        constexpr auto kPort = "schedulers/LB/load_balancing/node_load";
        return world.apply(fmt::format("create probes/test_probe\n"
                                       "create schedulers/LB\n"
                                       "create schedulers/LB/load_balancing\n"
                                       "create {0}/average_filter\n"
                                       "create {0}/average_filter/threshold_filter\n"
                                       "write {0}/average_filter/threshold_filter.threshold 100\n"
                                       "link probes/test_probe/load {0}/average_filter/threshold_filter\n",
                                       kPort));
    }
    /// Pushes `count` values a millisecond apart, all above the threshold. True if the policy was told of
    /// each.
    static bool push(World& world, TestProbe& probe, Policy& policy, int count) {
        int told = 0;
        for (int i = 0; i < count; ++i) {
            world.clock.advance(std::chrono::milliseconds(1));
            probe.push(1000 + i % 500, world.clock.now());
            told += policy.due() ? 1 : 0;
            policy.done();
        }
        return told == count;
    }
};

} // namespace

Status update_path(Run& run) {
    Chain chain;
    if (auto built = chain.build(); !built) return built;
    auto& world = chain.world;
    auto& probe = world.at<TestProbe>("probes/test_probe"); // looked up outside of what is counted
    auto& policy = world.at<Policy>("schedulers/LB/load_balancing");
    const auto push = [&](int count) { return Chain::push(world, probe, policy, count); };
    if (!push(1000)) return fail(Errc::not_applied, "an update did not reach the policy");
    if (!counting_works()) return fail(Errc::not_supported, "allocations are not counted in this program");
    constexpr int kUpdates = 200'000;
    const auto allocated = allocations_in([&] { push(kUpdates); });
    run.alone("heap allocations per update: probe, threshold, average, port, policy", "allocations",
              static_cast<double>(allocated) / kUpdates, Goal{Goal::Sense::at_most, 0});

    // the floor of all measuring: one read of the smallest proc file on a kept descriptor
    const int file = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail(Errc::io, "cannot open /proc/self/schedstat");
    Pairs pairs;
    for (int pair = 0; pair < run.repeats(15, 7) && !interrupted(); ++pair) {
        auto before = thread_cpu_ns();
        push(kUpdates);
        const auto ours = thread_cpu_ns() - before;
        std::array<char, 128> buffer;
        before = thread_cpu_ns();
        for (int i = 0; i < kUpdates; ++i)
            if (pread(file, buffer.data(), buffer.size(), 0) <= 0) break;
        const auto theirs = thread_cpu_ns() - before;
        pairs.add(static_cast<double>(ours) / kUpdates, static_cast<double>(theirs) / kUpdates);
    }
    close(file);
    if (auto going = not_interrupted(); !going) return going;
    run.compared("an update's whole way, against one pread of proc/self/schedstat", "ns CPU", pairs,
                 Goal{Goal::Sense::at_most, 1}, "delivering a value costs no more than reading one");
    return {};
}

} // namespace schedd::bench
