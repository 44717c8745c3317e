// Complaints: one line for each source, and the strangers that are behind them.
#include "components/membership/complaints.h"

#include <gmock/gmock.h>

namespace schedd::membership {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using wire::Drop;

Address at(std::uint8_t last, std::uint16_t port = 7420) {
    Address address;
    address.ip[15] = last;
    address.port = port;
    return address;
}

TEST(Complaints, AreMadeOnceInTenMinutesOfOneMachine) {
    Complaints all;
    EXPECT_TRUE(all.may_say(at(1), Time{}, Drop::key));
    EXPECT_FALSE(all.may_say(at(1, 99), Time{seconds(1)}, Drop::key)) << "the port does not matter";
    EXPECT_TRUE(all.may_say(at(2), Time{seconds(1)}, Drop::forged));
    for (int minute = 1; minute < 10; ++minute)
        EXPECT_FALSE(all.may_say(at(1), Time{minutes(minute)}, Drop::key));
    EXPECT_TRUE(all.may_say(at(1), Time{minutes(10)}, Drop::key)) << "it goes on";
}

TEST(Complaints, NameStrangersTheLatestFirstUntilNothingHasComeForLong) {
    Complaints all;
    (void)all.may_say(at(1), Time{}, Drop::key);
    (void)all.may_say(at(2), Time{seconds(1)}, Drop::forged);
    (void)all.may_say(at(3), Time{seconds(1)}); // it was asked something, and is no stranger
    (void)all.may_say(at(1), Time{seconds(2)}, Drop::cluster);
    const auto strangers = all.strangers(Time{seconds(3)});
    ASSERT_EQ(strangers.size(), 2U);
    EXPECT_EQ(strangers[0].from, at(1));
    EXPECT_EQ(strangers[0].why, Drop::cluster);
    EXPECT_EQ(strangers[0].datagrams, 2U);
    EXPECT_EQ(strangers[1].from, at(2));
    EXPECT_THAT(all.strangers(Time{minutes(11)}), IsEmpty());
}

TEST(Complaints, AreBoundedWhateverAddressesAreMadeUp) {
    Complaints all;
    Address address;
    for (std::size_t i = 0; i < 2 * Complaints::kSources; ++i) {
        address.ip[14] = static_cast<std::uint8_t>(i >> 8U);
        address.ip[15] = static_cast<std::uint8_t>(i & 0xffU);
        EXPECT_EQ(all.may_say(address, Time{}, Drop::forged), i < Complaints::kSources);
    }
    EXPECT_EQ(all.strangers(Time{}).size(), Complaints::kSources);
}

} // namespace
} // namespace schedd::membership
