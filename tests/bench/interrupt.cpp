// A flag that signals set.
#include "tests/bench/interrupt.h"

#include <csignal>
#include <ctime>

#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

volatile std::sig_atomic_t is_interrupted = 0;

} // namespace

void catch_interrupts() {
    struct sigaction action{};
    action.sa_handler = [](int) { is_interrupted = 1; };
    // no SA_RESTART: waits end early
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() { return is_interrupted != 0; }

Status not_interrupted() {
    if (interrupted()) return fail(Errc::io, "interrupted");
    return {};
}

Status pause_for_ms(std::int64_t ms) {
    const auto end = monotonic_ns() + ms * 1'000'000;
    for (auto left = end - monotonic_ns(); left > 0; left = end - monotonic_ns()) {
        if (auto going = not_interrupted(); !going) return going;
        const timespec rest{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
        nanosleep(&rest, nullptr);
    }
    return not_interrupted();
}

} // namespace schedd::bench
