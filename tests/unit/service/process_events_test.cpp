// ProcessEvents: the proc connector on own processes, and bytes that are none of its messages.
#include "service/host/process_events.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using host::ProcessEvents;
using What = ProcessEvent::What;

std::vector<unsigned char> datagram_of(proc_event event, std::uint16_t length = sizeof(proc_event)) {
    std::vector<unsigned char> bytes(NLMSG_SPACE(sizeof(cn_msg) + length));
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(cn_msg) + length));
    header.nlmsg_type = NLMSG_DONE;
    cn_msg message{};
    message.id = {CN_IDX_PROC, CN_VAL_PROC};
    message.len = length;
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + NLMSG_HDRLEN, &message, sizeof message);
    std::memcpy(bytes.data() + NLMSG_HDRLEN + sizeof message, &event,
                std::min<std::size_t>(length, sizeof event));
    return bytes;
}

proc_event fork_event(int parent, int child_tid, int child) {
    proc_event event{};
    event.what = proc_event::PROC_EVENT_FORK;
    event.event_data.fork = {parent, parent, child_tid, child};
    return event;
}

std::vector<ProcessEvent> told(std::span<const unsigned char> bytes) {
    std::vector<ProcessEvent> events;
    const auto count =
        host::translate_process_events(bytes, [&](const auto& event) { events.push_back(event); });
    EXPECT_EQ(count, events.size());
    return events;
}

TEST(AForkEvent, IsAProcessOrAThread) {
    const auto process = told(datagram_of(fork_event(10, 20, 20)));
    ASSERT_EQ(process.size(), 1U);
    EXPECT_EQ(process[0].what, What::fork);
    EXPECT_EQ(process[0].pid, 20);
    EXPECT_EQ(process[0].parent, 10);
    const auto thread = told(datagram_of(fork_event(10, 21, 20)));
    ASSERT_EQ(thread.size(), 1U);
    EXPECT_EQ(thread[0].what, What::thread);
    EXPECT_EQ(thread[0].pid, 20);
    EXPECT_EQ(thread[0].tid, 21);
}

TEST(AnExitEvent, IsOfTheProcessOnlyIfItsLeaderExits) {
    proc_event event{};
    event.what = proc_event::PROC_EVENT_EXIT;
    event.event_data.exit.process_pid = 21;
    event.event_data.exit.process_tgid = 20;
    EXPECT_EQ(told(datagram_of(event)).at(0).what, What::thread_exit);
    event.event_data.exit.process_pid = 20;
    EXPECT_EQ(told(datagram_of(event)).at(0).what, What::exit);
}

TEST(AnEvent, ThatNobodyFollowsIsNotTold) {
    proc_event event{};
    for (const auto what :
         {proc_event::PROC_EVENT_NONE, proc_event::PROC_EVENT_UID, proc_event::PROC_EVENT_COMM}) {
        event.what = what;
        EXPECT_TRUE(told(datagram_of(event)).empty());
    }
}

TEST(ADatagram, MayHoldSeveralMessages) {
    auto bytes = datagram_of(fork_event(1, 2, 2));
    const auto second = datagram_of(fork_event(1, 3, 3));
    bytes.insert(bytes.end(), second.begin(), second.end());
    EXPECT_EQ(told(bytes).size(), 2U);
}

TEST(ADatagram, ThatIsTornOrForeignIsPassedOver) {
    const auto whole = datagram_of(fork_event(1, 2, 2));
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_TRUE(told(std::span(whole).first(size)).empty()) << size;
    auto foreign = whole;
    foreign[NLMSG_HDRLEN] = 99; // another connector's index
    EXPECT_TRUE(told(foreign).empty());
    EXPECT_TRUE(told(datagram_of(fork_event(1, 2, 2), 4)).empty()) << "too short for an event";
}

TEST(ADatagram, OfChanceDoesNoHarm) {
    std::minstd_rand random(7);
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = datagram_of(fork_event(1, 2, 2));
        for (int flips = 0; flips < 6; ++flips)
            bytes[random() % bytes.size()] = static_cast<unsigned char>(random());
        host::translate_process_events(bytes, [](const auto&) {});
    }
}

class TheProcConnector : public ::testing::Test {
protected:
    void SetUp() override {
        auto opened = ProcessEvents::open();
        if (!opened) GTEST_SKIP() << opened.error().text();
        events = std::move(*opened);
    }

    /// Drains until `enough` of what is seen, for at most five seconds without any event at all.
    template <class Enough> bool see(const Enough& enough) {
        while (!enough()) {
            pollfd wait{events->fd(), POLLIN, 0};
            if (::poll(&wait, 1, 5000) <= 0) return false;
            const auto drained = events->drain([&](const ProcessEvent& event) { seen.push_back(event); });
            if (!drained) return false;
            lost |= drained->lost;
        }
        return true;
    }
    bool has(What what, Pid pid) const {
        return std::ranges::any_of(seen, [&](const auto& e) { return e.what == what && e.pid == pid; });
    }
    auto count(What what, Pid pid) const {
        return std::ranges::count_if(seen, [&](const auto& e) { return e.what == what && e.pid == pid; });
    }

    std::unique_ptr<ProcessEvents> events;
    std::vector<ProcessEvent> seen;
    bool lost = false;
};

TEST_F(TheProcConnector, TellsForkThreadsAndExit) {
    Pid pid = 0;
    {
        const Child child(3);
        pid = child.pid();
    }
    // each CPU tells in its own order: the last thread's end may come after the process's
    ASSERT_TRUE(see([&] { return has(What::exit, pid) && count(What::thread_exit, pid) >= 3; }));
    EXPECT_EQ(count(What::fork, pid), 1);
    EXPECT_EQ(count(What::thread, pid), 3);
    EXPECT_EQ(count(What::thread_exit, pid), 3);
    const auto fork =
        std::ranges::find_if(seen, [&](const auto& e) { return e.what == What::fork && e.pid == pid; });
    EXPECT_EQ(fork->parent, ::getpid());
}

TEST_F(TheProcConnector, TellsExecAndSession) {
    const auto pid = ::fork();
    if (pid == 0) {
        ::setsid();
        ::execl("/bin/true", "true", nullptr);
        ::_exit(1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(see([&] { return has(What::exit, pid); }));
    EXPECT_TRUE(has(What::session, pid));
    EXPECT_TRUE(has(What::exec, pid));
}

TEST_F(TheProcConnector, DrainsNothingWithoutWaiting) {
    for (int i = 0; i < 100; ++i) {
        const auto drained = events->drain([](const auto&) {});
        ASSERT_TRUE(drained);
        if (drained->events == 0) return;
    }
    FAIL() << "it never came to an end";
}

TEST_F(TheProcConnector, TellsNothingWhilePaused) {
    const auto bear = [] {
        const Child child(0);
        return child.pid();
    };
    const auto waiting = bear(); // not drained, and dropped
    events->pause();
    events->pause(); // twice is once
    const auto unseen = bear();
    pollfd wait{events->fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 100), 0);
    ASSERT_TRUE(events->resume());
    ASSERT_TRUE(events->resume());
    const auto later = bear();
    ASSERT_TRUE(see([&] { return has(What::exit, later); }));
    EXPECT_FALSE(has(What::fork, waiting));
    EXPECT_FALSE(has(What::fork, unseen));
}

TEST_F(TheProcConnector, SaysWhenEventsWereLost) {
    const int tiny = 1;
    ASSERT_EQ(::setsockopt(events->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof tiny), 0);
    for (int i = 0; i < 100; ++i) {
        const auto pid = ::fork();
        if (pid == 0) ::_exit(0);
        ::waitpid(pid, nullptr, 0);
    }
    EXPECT_TRUE(see([&] { return lost; }));
}

} // namespace
} // namespace schedd::test
