// Stage: machines on a bridge for benchmarks of the network, each a network namespace; nothing of it reaches
// the machine's own network.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/machine_state.h"
#include "tests/net/bridge.h"

namespace schedd::bench {

class Stage {
public:
    /// While it lives the bench itself is in the bridge's namespace. Fails where there can be none.
    static Result<Stage> make();
    Stage(Stage&&) noexcept = default;
    Stage& operator=(Stage&&) = delete;
    ~Stage();

    /// A machine in which nothing runs yet, with a number that none of this stage has had.
    net::test::Machine& add();
    void remove_machines() { machines_.clear(); }
    [[nodiscard]] net::test::Machine& at(std::size_t index) { return *machines_[index]; }
    /// A key file, and a directory for what the programs keep.
    [[nodiscard]] std::string keys() const { return directory_.path() + "/keys"; }
    [[nodiscard]] const std::string& directory() const { return directory_.path(); }

private:
    /// The way back.
    struct Home {
        int fd = -1;
        explicit Home(int in) : fd(in) {}
        Home(Home&& other) noexcept;
        Home& operator=(Home&&) = delete;
        ~Home();
    };
    Stage(int home, ScratchDirectory directory) : home_(home), directory_(std::move(directory)) {}
    Home home_;
    ScratchDirectory directory_;
    std::vector<std::unique_ptr<net::test::Machine>> machines_;
    int last_ = 0;
};

/// What a command of the shell prints, in the network of a machine; "" if it fails to start.
std::string output_in(const net::test::Machine& machine, const std::string& command);
/// As output_in, in the bench's own network.
std::string output_of(const std::string& command);
/// Bytes and packets that eth0 of the machine has received and sent so far, as the kernel counts them there.
struct Traffic {
    double received_bytes = 0, received = 0, sent_bytes = 0, sent = 0;
};
Traffic traffic_of(const net::test::Machine& machine);

} // namespace schedd::bench
