// Records of holds: what is written is read, and whatever else stands there is left out.
#include "service/hold_records.h"

#include <gtest/gtest.h>

#include "dbus/limits.h"

namespace schedd::service {
namespace {

TEST(HoldRecords, AreReadAsTheyWereWritten) {
    const std::vector<dbus::HoldFacts>
        holds{{2, {"scheduler:S", "a \"b\"\\\n\xE2\x82\xAC", "", 1000, 77}, 123, 0},
              {7, {"scheduler:*", "me", std::string(256, 'x'), 0, 1}, UINT64_MAX, 0}};
    const auto read = read_hold_records(hold_records(holds));
    EXPECT_EQ(read.unreadable, 0U);
    ASSERT_EQ(read.holds.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(read.holds[i].id, holds[i].id);
        EXPECT_EQ(read.holds[i].request.what, holds[i].request.what);
        EXPECT_EQ(read.holds[i].request.who, holds[i].request.who);
        EXPECT_EQ(read.holds[i].request.why, holds[i].request.why);
        EXPECT_EQ(read.holds[i].request.uid, holds[i].request.uid);
        EXPECT_EQ(read.holds[i].since_us, holds[i].since_us);
    }
}

TEST(HoldRecords, LeaveOutWhatCannotBeRead) {
    const auto read =
        read_hold_records("{\"id\":1,\"what\":\"scheduler:S\"}\n"
                          "nonsense\n[1]\n{\"id\":-1,\"what\":\"x\"}\n{\"id\":\"2\",\"what\":\"x\"}\n"
                          "{\"id\":3}\n{\"id\":1,\"what\":\"scheduler:T\"}\n\n{\"id\":4");
    ASSERT_EQ(read.holds.size(), 1U);
    EXPECT_EQ(read.holds[0].request.what, "scheduler:S");
    EXPECT_EQ(read.unreadable, 8U);
}

TEST(HoldRecords, AreNoMoreThanThereMayBe) {
    std::string text;
    for (std::size_t i = 1; i <= 2 * limits::kHolds; ++i)
        text += "{\"id\":" + std::to_string(i) + ",\"what\":\"scheduler:*\"}\n";
    EXPECT_EQ(read_hold_records(text).holds.size(), limits::kHolds);
}

} // namespace
} // namespace schedd::service
