// What the [cluster] table may say, and what is said of one that may not.
#include "service/config_cluster.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using membership::ClusterSettings;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

ClusterSettings cluster(std::string_view lines) {
    return parse_config("t.toml", "[cluster]\n" + std::string(lines)).value().daemon.cluster.value();
}
std::string refusal(std::string_view lines) {
    return error_of(parse_config("t.toml", "[cluster]\n" + std::string(lines)));
}
std::string peer(std::string_view text) {
    const auto address = parse_peer(text);
    return address ? text_of(*address) : "refused: " + address.error().text();
}

TEST(AClusterTable, MayBeAbsentOrEmpty) {
    EXPECT_FALSE(parse_config("t.toml", "[daemon]\n").value().daemon.cluster);
    EXPECT_EQ(cluster(""), ClusterSettings{});
    EXPECT_EQ(cluster("").port, 7420);
    EXPECT_EQ(cluster("").name, "schedd");
}

TEST(AClusterTable, HoldsEverySetting) {
    const auto all = cluster("name = \"lab\"\nnode_name = \"web-1.example\"\nnumber = 65535\nport = 7000\n"
                             "interfaces = [\"eth*\", \"br0\"]\npeers = [\"10.0.0.2\", \"[fd00::3]:7420\"]\n"
                             "multicast = false\nperiod = 500\nkeys = \"/k\"\nreplay = \"monotonic\"\n"
                             "group_ttl = 2\nconfig_quorum = 3\nlocal = true\n");
    EXPECT_EQ(all.name, "lab");
    EXPECT_EQ(all.node_name, "web-1.example");
    EXPECT_EQ(all.number, 65535);
    EXPECT_EQ(all.port, 7000);
    EXPECT_THAT(all.interfaces, ElementsAre("eth*", "br0"));
    ASSERT_EQ(all.peers.size(), 2U);
    EXPECT_EQ(text_of(all.peers[0]), "10.0.0.2:7000");
    EXPECT_EQ(text_of(all.peers[1]), "[fd00::3]:7420");
    EXPECT_FALSE(all.multicast);
    EXPECT_EQ(all.period, std::chrono::milliseconds(500));
    EXPECT_EQ(all.keys, "/k");
    EXPECT_TRUE(all.is_replay_monotonic);
    EXPECT_EQ(all.group_ttl, 2);
    EXPECT_EQ(all.config_quorum, 3);
    EXPECT_TRUE(all.local);
}

TEST(AClusterTable, StandsBesideTheDaemonsInEitherOrder) {
    const auto before =
        parse_config("t", "[cluster]\nport = 1\n[daemon]\non_stop = \"leave\"\n").value().daemon;
    EXPECT_EQ(before.cluster.value().port, 1);
    EXPECT_EQ(before.on_stop, "leave");
    const auto after =
        parse_config("t", "[daemon]\non_stop = \"leave\"\n[cluster]\nport = 1\n").value().daemon;
    EXPECT_EQ(after.cluster.value().port, 1);
    EXPECT_EQ(after.on_stop, "leave");
}

TEST(AClusterTable, RefusesWhatIsOutOfRangeAndSaysTheRange) {
    EXPECT_THAT(refusal("number = 65536\n"), AllOf(StartsWith("t.toml:2:1: "), HasSubstr("0 to 65535")));
    EXPECT_THAT(refusal("number = -1\n"), HasSubstr("0 to 65535"));
    EXPECT_THAT(refusal("port = 0\n"), HasSubstr("1 to 65535"));
    EXPECT_THAT(refusal("port = [1]\n"), HasSubstr("'port' is a list"));
    EXPECT_THAT(refusal("period = 99\n"), HasSubstr("100 to 25500 [ms]"));
    EXPECT_THAT(refusal("period = 1050\n"), HasSubstr("whole hundreds of ms"));
    EXPECT_THAT(refusal("group_ttl = 256\n"), HasSubstr("1 to 255"));
    EXPECT_THAT(refusal("config_quorum = 0\n"), HasSubstr("1 to 2048"));
    EXPECT_THAT(refusal("replay = \"never\"\n"), HasSubstr("wall monotonic"));
    EXPECT_THAT(refusal("multicast = 3\n"), HasSubstr("multicast cannot be"));
    EXPECT_THAT(refusal("keys = \"cluster.keys\"\n"), HasSubstr("absolute path"));
    EXPECT_THAT(refusal("prot = 7420\n"),
                AllOf(StartsWith("t.toml:2:1: unknown key 'prot'"), HasSubstr("port"), HasSubstr("peers")));
    EXPECT_THAT(error_of(parse_config("t.toml", "cluster = 3\n")), HasSubstr("a table: [cluster]"));
}

TEST(AClustersName, IsShortAndPrintable) {
    EXPECT_EQ(cluster("name = \"" + std::string(64, 'x') + "\"\n").name.size(), 64U);
    EXPECT_THAT(refusal("name = \"a\\nb\"\n"), HasSubstr("one line"));
    for (const auto* name : {"\"\"", "\"\\u007F\"", "\"\\t\""})
        EXPECT_THAT(refusal("name = " + std::string(name) + "\n"), HasSubstr("printable")) << name;
    EXPECT_THAT(refusal("name = \"" + std::string(65, 'x') + "\"\n"), HasSubstr("1 to 64 bytes"));
}

TEST(ANodesName, IsNothingThatCouldBeANumberOrAnIdentity) {
    for (const auto* name : {"a", "web-1", "10-a", "0123456789abcdefg", "0123456789abcdE"})
        EXPECT_EQ(cluster("node_name = \"" + std::string(name) + "\"\n").node_name, name);
    for (const auto* name :
         {"", "7", "0-2", "-", "1.2_3", "a,b", "a:b", "a/b", "a b", "0123456789abcdef", "h\\u00e9"})
        EXPECT_THAT(refusal("node_name = \"" + std::string(name) + "\"\n"), HasSubstr("letters, digits"))
            << name;
    EXPECT_THAT(refusal("node_name = \"" + std::string(65, 'x') + "\"\n"), HasSubstr("1 to 64"));
}

TEST(APeer, IsAnAddressWithOrWithoutAPort) {
    EXPECT_EQ(peer("10.0.0.2"), "10.0.0.2:0");
    EXPECT_EQ(peer("10.0.0.2:65535"), "10.0.0.2:65535");
    EXPECT_EQ(peer("127.0.0.1"), "127.0.0.1:0");
    EXPECT_EQ(peer("fd00::3"), "[fd00::3]:0");
    EXPECT_EQ(peer("[fd00::3]"), "[fd00::3]:0");
    EXPECT_EQ(peer("[fd00::3]:7420"), "[fd00::3]:7420");
    EXPECT_EQ(peer("::ffff:10.0.0.2"), "10.0.0.2:0");
}

TEST(APeer, IsNoNameNoGroupAndNoHalfOfAnAddress) {
    for (const auto* text : {"", "web1", "10.0.0", "10.0.0.2.3", "10.0.0.256", "[fd00::3", "[fd00::3]7420",
                             "[10.0.0.2]", "fd00::3::4", " 10.0.0.2", "10.0.0.2 ", "fd00::3%eth0", "[]:1"})
        EXPECT_THAT(peer(text), HasSubstr("names are not looked up")) << text;
    EXPECT_THAT(peer(std::string_view("10.0.0.2\0x", 10)), HasSubstr("refused"));
    for (const auto* text : {"10.0.0.2:", "10.0.0.2:0", "10.0.0.2:65536", "[fd00::3]:x"})
        EXPECT_THAT(peer(text), HasSubstr("1 to 65535")) << text;
    for (const auto* text :
         {"0.0.0.0", "239.255.0.1", "255.255.255.255", "::", "ff12::1", "::ffff:224.0.0.1"})
        EXPECT_THAT(peer(text), HasSubstr("one machine")) << text;
    EXPECT_THAT(peer("fe80::1"), HasSubstr("without its interface"));
    EXPECT_THAT(peer(std::string(100'000, '1')),
                AllOf(HasSubstr("names"), testing::SizeIs(testing::Lt(300))));
}

TEST(Peers, AreBoundedNamedOnceAndThereIfNothingElseIs) {
    EXPECT_THAT(refusal("multicast = false\n"),
                AllOf(StartsWith("t.toml:1:"), HasSubstr("nobody would be told"), HasSubstr("add peers")));
    EXPECT_THAT(refusal("peers = [\"10.0.0.1\", \"10.0.0.1:7420\"]\n"),
                HasSubstr("peer number 2 is there twice"));
    EXPECT_THAT(refusal("peers = \"10.0.0.1\"\n"), HasSubstr("'peers' is a string"));
    EXPECT_THAT(refusal("peers = [1]\n"), HasSubstr("'peers' is a number"));
    EXPECT_THAT(refusal("peers = [\n\"10.0.0.1\",\n\"web\"]\n"), StartsWith("t.toml:4:1: "));
    std::string many = "peers = [";
    for (int i = 1; i <= 129; ++i) many += fmt::format("\"10.0.1.{}\",", i);
    EXPECT_THAT(refusal(many + "]\n"), HasSubstr("limit peers = 128"));
}

TEST(Interfaces, AreNamesThatTheKernelCouldHave) {
    for (const auto* bad : {"\"\"", "\"a/b\"", "\"a b\"", "\"sixteen-letters-\"", "\"a\\nb\""})
        EXPECT_THAT(refusal("interfaces = [" + std::string(bad) + "]\n"), HasSubstr("\"eth0\" or \"en*\""))
            << bad;
    std::string many = "interfaces = [";
    for (int i = 0; i <= 64; ++i) many += fmt::format("\"eth{}\",", i);
    EXPECT_THAT(refusal(many + "]\n"), HasSubstr("limit interfaces = 64"));
}

TEST(TwoFilesOfACluster, MayNotBothDefineIt) {
    const auto both = [](std::string_view first, std::string_view second) {
        return merge(parse_config("a.toml", first).value(), parse_config("b.toml", second).value());
    };
    EXPECT_EQ(both("[cluster]\nport = 1\n", "[daemon]\n").value().daemon.cluster.value().port, 1);
    EXPECT_EQ(both("[daemon]\n", "[cluster]\nport = 1\n").value().daemon.cluster.value().port, 1);
    EXPECT_THAT(error_of(both("\n[cluster]\n", "[cluster]\n")),
                AllOf(StartsWith("b.toml:1:"), HasSubstr("first at a.toml:2:")));
}

} // namespace
} // namespace schedd::test
