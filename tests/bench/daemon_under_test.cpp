// Starting the daemon.
#include "tests/bench/daemon_under_test.h"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::bench {

namespace {

/// The end of what it said on standard error.
std::string last_words(const std::string& file) {
    std::ifstream in(file);
    std::stringstream all;
    all << in.rdbuf();
    auto text = all.str();
    if (text.size() > 300) text = "..." + text.substr(text.size() - 300);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

} // namespace

Result<std::unique_ptr<DaemonUnderTest>> DaemonUnderTest::start(Run& run,
                                                                const std::vector<std::string>& options,
                                                                const Surroundings& around) {
    const auto program = run.program("schedd");
    if (access(program.c_str(), X_OK) != 0)
        return fail(Errc::no_such_object, program + " has not been built");
    auto directory = ScratchDirectory::make("/tmp");
    if (!directory) return std::unexpected(directory.error());
    std::unique_ptr<DaemonUnderTest> made(new DaemonUnderTest(std::move(*directory)));
    made->address_ = around.address;
    if (around.address.empty()) {
        auto bus = PrivateBus::start();
        if (!bus) return std::unexpected(bus.error());
        made->address_ = bus->address();
        made->bus_.emplace(std::move(*bus));
    }
    auto client = BusClient::open(made->address_, 10'000);
    if (!client) return std::unexpected(client.error());
    made->client_.emplace(std::move(*client));

    const auto place = made->directory_.path();
    if (::mkdir((place + "/config").c_str(), 0700) != 0)
        return std::unexpected(errno_error(errno, "creating " + place + "/config"));
    if (!around.configuration.empty())
        if (auto written = write_file(place + "/config/schedd.conf", around.configuration); !written)
            return std::unexpected(written.error());
    std::vector<std::string> words{program, "--bus=" + made->address_, "--state-dir=" + place + "/state",
                                   "--config-dir=" + place + "/config", "--log-level=warning"};
    words.insert(words.end(), options.begin(), options.end());
    auto process = Process::start(words, {.has_terminal = false,
                                          .discards = true,
                                          .errors = place + "/log",
                                          .environment = around.environment,
                                          .enter = around.enter});
    if (!process) return std::unexpected(process.error());
    made->process_.emplace(std::move(*process));
    if (auto served = made->client_->await_name("org.schedd1", 15'000); !served)
        return fail(Errc::io, "schedd does not serve: " + served.error().text(), last_words(place + "/log"));
    return made;
}

} // namespace schedd::bench
