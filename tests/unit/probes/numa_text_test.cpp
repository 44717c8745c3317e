// What the kernel says of memory by node, well and badly written.
#include "components/probes/numa_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::probes {
namespace {

using Sizes = std::vector<std::int64_t>;

std::optional<Sizes> parsed(std::string_view text) {
    Sizes kib{7, 7, 7};
    if (parse_numa_stat(text, kib)) return kib;
    EXPECT_TRUE(kib.empty());
    return std::nullopt;
}

TEST(ANumaStat, IsTheSumOfProgramsAndFilesByNode) {
    EXPECT_EQ(parsed("anon N0=4096 N1=0\nfile N0=1024 N1=2048\nkernel_stack N0=99999 N1=99999\n"),
              (Sizes{5, 2}));
    EXPECT_EQ(parsed("file N0=512 N1=0\nshmem N0=512\nanon N0=512 N1=0\n"), (Sizes{1, 0}));
    EXPECT_EQ(parsed("anon N0=4096\n"), (Sizes{4}));
}
TEST(ANumaStat, MayNameNodesWithGaps) {
    EXPECT_EQ(parsed("anon N0=1024 N8=2048\nfile N0=0 N8=0\n"), (Sizes{1, -1, -1, -1, -1, -1, -1, -1, 2}));
}
TEST(ANumaStat, IsNoneIfItIsNotAsTheKernelWritesIt) {
    for (const auto* text : {"",
                             "\n",
                             "anon",
                             "anon\n",
                             "anon N0=1",
                             "total=5 N0=5\n",
                             "anon N0\n",
                             "anon N0=\n",
                             "anon N=5\n",
                             "anon 0=5\n",
                             "anon N-1=5\n",
                             "anon N0=-5\n",
                             "anon N0x1=5\n",
                             "anon N0=0x\n",
                             "anon N0=5 junk\n",
                             "anon N1024=5\n",
                             "anon N99999999999999999999=5\n",
                             "anon N0=99999999999999999999\n",
                             "anon N0=1152921504606846977\n",
                             "anon N0=1152921504606846976\nfile N0=1\n",
                             "anonymous N0=5\n"})
        EXPECT_FALSE(parsed(text)) << text;
}
TEST(ANumaStat, IsReadUpToALineThatIsCut) {
    EXPECT_EQ(parsed("anon N0=1024 N1=1024\nfile N0=20"), (Sizes{1, 1}));
}
TEST(ANumaStat, OfTheLargestMachineIsSummedWithoutOverflow) {
    std::string text = "anon";
    for (int node = 0; node < kit::limits::kMaxNodes; ++node)
        text += fmt::format(" N{}={}", node, std::int64_t{1} << 60);
    const auto sizes = parsed(text + "\n");
    ASSERT_TRUE(sizes);
    ASSERT_EQ(sizes->size(), 1024U);
    EXPECT_EQ(sizes->back(), std::int64_t{1} << 50);
    EXPECT_LT(text.size(), kit::limits::kNumaStat / 2) << "both lines are within what is looked at";
}

TEST(ANodesMeminfo, SaysWhatCanBeHadWithoutSwapping) {
    EXPECT_EQ(parse_node_available("Node 1 MemTotal:  900 kB\nNode 1 MemFree:   100 kB\nNode 1 Active(file): "
                                   "50 kB\nNode 1 Inactive(file):   20 kB\n"),
              120);
    EXPECT_EQ(parse_node_available("Node 1 MemFree: 100 kB\n"), 100);
}
TEST(ANodesMeminfo, IsNoneIfItIsSomethingElse) {
    for (const auto* text : {"", "MemFree: 100 kB\n", "Node 1 MemFree: 100 MB\n", "Node 1 MemFree: x kB\n",
                             "Node x MemFree: 100 kB\n", "Node 1 MemFree: 99999999999999999999 kB\n",
                             "Node 1 Inactive(file): 20 kB\n", "Node 1 MemFree: 9007199254740992 kB\n"})
        EXPECT_FALSE(parse_node_available(text)) << text;
}

} // namespace
} // namespace schedd::probes
