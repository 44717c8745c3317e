// PlayedRunner: jobs that a test ends as it likes; and the node, the unit and the clock that moves need.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "service/remote/remote_mover.h"
#include "tests/kit/fake_host.h"
#include "tests/kit/manual_clock.h"
#include "tests/kit/recording.h"

namespace schedd::test {

using namespace schedd::remote;

class PlayedRunner final : public Runner {
public:
    struct Started {
        Job job;
        Done done;
    };
    std::deque<Started> running;
    std::vector<std::string> names; // of all that were ever started

    void start(Job job, Done done) override {
        names.push_back(job.name);
        running.push_back({std::move(job), std::move(done)});
    }
    [[nodiscard]] std::string current() const { return running.empty() ? "" : running.front().job.name; }
    [[nodiscard]] std::string line() const {
        std::string line;
        for (const auto& word : running.front().job.words) line += word + " ";
        return line;
    }
    /// Ends the oldest that runs.
    void end(int status = 0, std::string said = {}, std::string printed = {}) {
        auto first = std::move(running.front());
        running.pop_front();
        first.done({status, std::move(said), std::move(printed)});
    }
    /// Lets all go well until one of that name runs, or none does.
    void play_until(const std::string& name) {
        while (!running.empty() && current() != name) end();
    }
    [[nodiscard]] auto count(const std::string& name) const { return std::ranges::count(names, name); }
};

inline Site site(NodeId number, std::string name) {
    Site site;
    site.number = number;
    site.name = std::move(name);
    site.address = "10.0.0." + std::to_string(number);
    return site;
}

/// In `host`, a service that can be moved: pid 100 starts it, 101 is number 1 inside, with 40 MB.
inline void put_unit(FakeHost& host, const std::string& unit = "work.service") {
    host.set("run/systemd/transient/" + unit, "[Service]\nSlice=batch-day.slice\nCPUWeight=200\n");
    host.set("sys/fs/cgroup/batch.slice/batch-day.slice/" + unit + "/cgroup.procs", "100\n101\n");
    host.set("proc/100/status", "Name:\tunshare\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t100\n");
    host.set("proc/101/status", "Name:\tcount\nPPid:\t100\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nNSpid:\t101\t1\n"
                                "VmRSS:\t   39000 kB\nVmSwap:\t    1000 kB\n");
    host.set("proc/101/stat", "101 (count) S 100 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 100000 0 0");
    host.set("proc/101/cgroup", "0::/batch.slice/batch-day.slice/" + unit + "\n");
    host.set("proc/101/maps", "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/count\n");
    host.set("proc/uptime", "1060.00 2000.00\n"); // it is 60 s old
    host.set_link("proc/101/exe", "/usr/bin/count");
    host.set_link("proc/101/root", "/");
    for (const auto* name : {"mnt", "net", "ipc", "uts", "user"})
        for (const auto* pid : {"1", "101"})
            host.set_link(std::string("proc/") + pid + "/ns/" + name, std::string(name) + ":[1]");
    host.set_link("proc/101/fd/0", "/dev/null");
    host.set_link("proc/101/fd/1", "pipe:[77]");
}

} // namespace schedd::test
