// DaemonUnderTest: the built schedd on a bus, with an empty configuration and a state directory of its own.
#pragma once

#include <memory>
#include <optional>

#include "tests/bench/bench.h"
#include "tests/bench/bus_client.h"
#include "tests/bench/private_bus.h"

namespace schedd::bench {

class DaemonUnderTest {
public:
    /// What it finds around it. `environment` and `enter` are as in Process::Options.
    struct Surroundings {
        std::string address = {}; // the bus to serve; "" makes a private one
        std::vector<std::string> environment = {};
        std::function<bool()> enter = {};
        std::string configuration = {}; // schedd.conf, if there is to be one
    };
    /// Ready to be called when this returns; what it said is in the error otherwise.
    static Result<std::unique_ptr<DaemonUnderTest>> start(Run& run, const std::vector<std::string>& options) {
        return start(run, options, {});
    }
    static Result<std::unique_ptr<DaemonUnderTest>> start(Run& run, const std::vector<std::string>& options,
                                                          const Surroundings& around);

    [[nodiscard]] const Process& process() const { return *process_; }
    [[nodiscard]] BusClient& client() { return *client_; }
    [[nodiscard]] const std::string& address() const { return address_; }
    Status apply(const std::string& recipe) { return client_->apply(recipe); }

private:
    explicit DaemonUnderTest(ScratchDirectory directory) : directory_(std::move(directory)) {}
    // in this order, so that the daemon ends first
    ScratchDirectory directory_;
    std::optional<PrivateBus> bus_;
    std::string address_;
    std::optional<BusClient> client_;
    std::optional<Process> process_;
};

} // namespace schedd::bench
