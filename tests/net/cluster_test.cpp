// Real nodes on a bridge: meeting, dying, pausing, being parted and healing, keys, and one configuration.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/net/bridge.h"

namespace schedd::net::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr seconds kSoon{40}; // a machine may be busy with other things; no test asserts that it is fast

std::string key_line(int id, char digit, bool is_active) {
    const std::string secret = "0123456789abcdef0123456789abcdef0123456789abcdef" + std::string(16, digit);
    return fmt::format("{} {}{}\n", id, secret, is_active ? " active" : "");
}

Machine::Settings with_keys(const std::string& file) {
    Machine::Settings settings;
    settings.keys = file;
    return settings;
}

Machine::Settings with_words(const std::string& words) {
    Machine::Settings settings;
    settings.more = words;
    return settings;
}

class ACluster : public testing::Test {
protected:
    void SetUp() override {
        if (const auto why_not = make_bridges(); !why_not.empty()) GTEST_SKIP() << why_not;
        std::string name = (fs::temp_directory_path() / "schedd-net-XXXXXX").string();
        directory = ::mkdtemp(name.data());
        write_keys("keys", key_line(1, 'a', true));
        set_bridge(0, "mcast_snooping 1 mcast_querier 0");
    }
    void TearDown() override {
        machines.clear();
        if (!directory.empty()) fs::remove_all(directory);
    }
    void write_keys(const std::string& name, const std::string& text) const {
        const auto path = directory + "/" + name;
        std::ofstream(path) << text;
        fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    }
    Machine& add(Machine::Settings settings) {
        settings.number = static_cast<int>(machines.size()) + 1;
        machines.push_back(std::make_unique<Machine>(settings, directory, 0));
        machines.back()->start();
        return *machines.back();
    }
    void add_many(int count) {
        for (int i = 0; i < count; ++i) add({});
    }
    Machine& at(std::size_t i) { return *machines.at(i); }
    /// Whether that node counts so many peers of a standing, and no others.
    bool sees(Machine& machine, const std::string& expected) {
        last = machine.ask("peers");
        return last == "peers " + expected || (expected.empty() && last == "peers");
    }
    bool all_see(const std::string& expected, seconds most = kSoon) {
        return within(most, [&] {
            for (const auto& machine : machines)
                if (!sees(*machine, expected)) return false;
            return true;
        });
    }
    bool nobody_said(const std::string& word) {
        for (const auto& machine : machines)
            if (machine->said().find(word) != std::string::npos) {
                last = machine->said();
                return false;
            }
        return true;
    }
    bool all_have(const std::string& path, const std::string& value) {
        return within(kSoon, [&] {
            for (const auto& machine : machines)
                if ((last = machine->ask("get " + path)) != "get " + value) return false;
            return true;
        });
    }

    std::string directory;
    std::vector<std::unique_ptr<Machine>> machines;
    std::string last; // answer, for messages
};

TEST_F(ACluster, OfThreeMeetsAndNoticesADeathAndAReturn) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last << at(0).said();
    at(2).kill();
    EXPECT_TRUE(within(kSoon, [&] { return sees(at(0), "alive=1 dead=1") && sees(at(1), "alive=1 dead=1"); }))
        << last;
    EXPECT_THAT(at(0).said(), HasSubstr("suspect node3"));
    at(2).start();
    EXPECT_TRUE(all_see("alive=2")) << last;
    EXPECT_EQ(at(2).ask("self").find("self alive"), 0U) << last;
}

TEST_F(ACluster, HearsSomebodyGoOnPurpose) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    at(2).tell("leave");
    EXPECT_TRUE(within(kSoon, [&] { return sees(at(0), "alive=1 left=1") && sees(at(1), "alive=1 left=1"); }))
        << last;
    EXPECT_THAT(at(0).said(), Not(HasSubstr(" dead ")));
}

TEST_F(ACluster, GivesEachANumberOfItsOwnAndTheSameAfterARestart) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    std::vector<std::string> numbers;
    EXPECT_TRUE(within(kSoon, [&] {
        numbers.clear();
        for (const auto& machine : machines) numbers.push_back(machine->ask("self"));
        return std::set<std::string>(numbers.begin(), numbers.end()).size() == 3;
    })) << testing::PrintToString(numbers);
    at(1).kill();
    at(1).start();
    EXPECT_TRUE(within(kSoon, [&] { return at(1).ask("self") == numbers[1]; })) << at(1).ask("self");
}

TEST_F(ACluster, DoesNotBuryOneWhoPausesForThreeSeconds) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    at(2).pause(true);
    within(seconds(3), [] { return false; });
    at(2).pause(false);
    EXPECT_TRUE(all_see("alive=2")) << last;
    EXPECT_TRUE(nobody_said(" dead ")) << last;
}

TEST_F(ACluster, FindsOneAgainWhoseWireWasOut) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    ASSERT_TRUE(at(2).run("ip link set eth0 down"));
    EXPECT_TRUE(within(kSoon, [&] { return sees(at(0), "alive=1 dead=1"); })) << last;
    ASSERT_TRUE(at(2).run("ip link set eth0 up"));
    EXPECT_TRUE(all_see("alive=2")) << last;
}

TEST_F(ACluster, JoinsTheGroupAnewOnAnInterfaceThatWasRecreated) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    ASSERT_TRUE(at(2).run("ip link del eth0"));
    EXPECT_TRUE(within(kSoon, [&] { return at(2).ask("groups") == "groups"; })) << at(2).ask("groups");
    at(2).wire(0);
    EXPECT_TRUE(within(kSoon, [&] { return at(2).ask("groups") == "groups eth0/IPv4 eth0/IPv6"; }))
        << at(2).ask("groups");
    EXPECT_TRUE(all_see("alive=2")) << last;
}

TEST_F(ACluster, HealsAfterAPartition) {
    add_many(4);
    ASSERT_TRUE(all_see("alive=3")) << last;
    at(2).plug(1);
    at(3).plug(1);
    EXPECT_TRUE(within(kSoon, [&] { return at(0).said().find("suspect node3") != std::string::npos; }));
    EXPECT_EQ(at(0).ask("set probes/left left"), "set");
    EXPECT_EQ(at(3).ask("set probes/right right"), "set");
    EXPECT_TRUE(within(kSoon, [&] { return at(1).ask("get probes/left") == "get left"; }));
    EXPECT_EQ(at(2).ask("get probes/left"), "get nothing");
    at(2).plug(0);
    at(3).plug(0);
    EXPECT_TRUE(all_see("alive=3")) << last;
    EXPECT_TRUE(all_have("probes/left", "left")) << last;
    EXPECT_TRUE(all_have("probes/right", "right")) << last;
}

TEST_F(ACluster, LivesWithALossOfThirtyPercent) {
    add_many(3);
    if (!at(0).run("nft list ruleset")) GTEST_SKIP() << "the program nft does not work here";
    for (const auto& machine : machines)
        ASSERT_TRUE(
            machine->run("nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; "
                         "add rule inet t in udp dport 7420 numgen random mod 100 < 30 drop'"));
    EXPECT_TRUE(all_see("alive=2")) << last;
    EXPECT_EQ(at(0).ask("set probes/cpu cpu"), "set");
    EXPECT_TRUE(all_have("probes/cpu", "cpu")) << last;
    within(seconds(10), [] { return false; });
    EXPECT_TRUE(nobody_said(" dead ")) << last;
}

TEST_F(ACluster, MeetsWhateverTheBridgeKnowsOfGroups) {
    for (const auto* settings :
         {"mcast_snooping 0", "mcast_snooping 1", "mcast_snooping 1 mcast_querier 1"}) {
        ASSERT_TRUE(set_bridge(0, settings));
        add_many(3);
        EXPECT_TRUE(all_see("alive=2")) << settings << last;
        machines.clear();
    }
}

TEST_F(ACluster, DoesNotHearThoseWithAnotherKeyOrAnotherName) {
    write_keys("same-number", key_line(1, 'b', true));
    write_keys("other-number", key_line(2, 'b', true));
    add_many(2);
    add(with_keys("same-number"));
    add(with_keys("other-number"));
    add(with_words("--cluster another"));
    EXPECT_TRUE(within(kSoon,
                       [&] {
                           return sees(at(0), "alive=1") && sees(at(1), "alive=1") &&
                                  at(0).ask("drops").find("forged=0") == std::string::npos &&
                                  at(0).ask("drops").find(" key=0") == std::string::npos;
                       }))
        << last << at(0).ask("drops");
    for (const std::size_t stranger : {2U, 3U, 4U}) EXPECT_TRUE(sees(at(stranger), "")) << last;
}

TEST_F(ACluster, RunsOnANarrowLink) {
    add_many(2);
    for (const auto& machine : machines) {
        machine->run("ip link del eth0");
        machine->wire(0, 576);
    }
    EXPECT_TRUE(all_see("alive=1")) << last;
    EXPECT_THAT(at(0).said(), HasSubstr("MTU of 576"));
    EXPECT_EQ(at(0).ask("set probes/cpu " + std::string(900, 'x')), "set");
    EXPECT_TRUE(all_have("probes/cpu", std::string(900, 'x')));
}

TEST_F(ACluster, NamesAPortThatIsTaken) {
    auto& first = add({});
    ASSERT_TRUE(within(kSoon, [&] { return first.said().find("up\n") != std::string::npos; }))
        << first.said();
    const auto out = directory + "/second";
    EXPECT_FALSE(first.run(
        fmt::format("sh -c '{} --uid 99 --keys {}/keys < /dev/null > {}'", SCHEDD_NODE, directory, out)));
    std::ifstream said(out);
    const std::string text{std::istreambuf_iterator<char>(said), {}};
    EXPECT_THAT(text, HasSubstr("error UDP port 7420 (IPv4) is taken by another program"));
}

TEST_F(ACluster, NamesAKeyFileThatCannotBeUsed) {
    write_keys("short", "1 abcd active\n");
    EXPECT_TRUE(within(kSoon, [machine = &add(with_keys("short"))] {
        return machine->said().find("error ") == 0 && machine->said().find("short:1") != std::string::npos;
    })) << at(0).said();
    EXPECT_TRUE(within(kSoon, [machine = &add(with_keys("missing"))] {
        return machine->said().find("error ") == 0;
    })) << at(1).said();
}

TEST_F(ACluster, ChangesItsKeyWithoutLosingAnybody) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    const auto step = [&](const std::string& text) {
        write_keys("keys", text);
        for (const auto& machine : machines) EXPECT_EQ(machine->ask("keys"), "keys");
    };
    step(key_line(1, 'a', true) + key_line(2, 'b', false));
    step(key_line(1, 'a', false) + key_line(2, 'b', true));
    step(key_line(2, 'b', true));
    EXPECT_EQ(at(0).ask("set probes/cpu cpu"), "set");
    EXPECT_TRUE(all_have("probes/cpu", "cpu")) << last;
    within(seconds(5), [] { return false; });
    EXPECT_TRUE(all_see("alive=2")) << last;
    EXPECT_TRUE(nobody_said(" dead ")) << last;
}

TEST_F(ACluster, MeetsWithoutMulticastIfEverybodyIsNamed) {
    for (int i = 0; i < 3; ++i) add(with_words("--multicast no --peers 10.7.0.2,10.7.0.3,10.7.0.4"));
    EXPECT_TRUE(all_see("alive=2")) << last;
    EXPECT_EQ(at(0).ask("groups"), "groups");
    EXPECT_EQ(at(1).ask("set probes/cpu cpu"), "set");
    EXPECT_TRUE(all_have("probes/cpu", "cpu")) << last;
}

TEST_F(ACluster, HasOneConfigurationAlsoForThoseWhoWereAway) {
    add_many(3);
    ASSERT_TRUE(all_see("alive=2")) << last;
    EXPECT_EQ(at(0).ask("set probes/cpu cpu"), "set");
    EXPECT_TRUE(all_have("probes/cpu", "cpu")) << last;
    at(2).kill();
    for (int i = 0; i < 200; ++i) EXPECT_EQ(at(0).ask(fmt::format("set probes/p{} {}", i, i)), "set");
    EXPECT_EQ(at(1).ask("set probes/cpu " + std::string(60'000, 'l')), "set");
    at(2).start();
    EXPECT_TRUE(all_have("probes/p199", "199")) << last;
    EXPECT_TRUE(all_have("probes/cpu", std::string(60'000, 'l')));
    EXPECT_TRUE(within(kSoon, [&] {
        const auto digest = at(0).ask("digest");
        return at(1).ask("digest") == digest && at(2).ask("digest") == digest;
    }));
}

TEST_F(ACluster, OfTwentyMeetsAndBuriesTheDead) {
    add_many(20);
    ASSERT_TRUE(all_see("alive=19")) << last;
    at(19).kill();
    machines.pop_back();
    EXPECT_TRUE(all_see("alive=18 dead=1")) << last;
}

TEST_F(ACluster, OfTwoHundredMeetsAndHasOneConfiguration) {
    add_many(200);
    ASSERT_TRUE(all_see("alive=199", seconds(150))) << last;
    EXPECT_EQ(at(0).ask("set probes/cpu cpu"), "set");
    EXPECT_TRUE(all_have("probes/cpu", "cpu")) << last;
    RecordProperty("traffic", at(100).ask("traffic"));
    RecordProperty("cost", at(100).ask("cost"));
    at(199).kill();
    machines.pop_back();
    EXPECT_TRUE(all_see("alive=198 dead=1", seconds(60))) << last;
}

} // namespace
} // namespace schedd::net::test
