// Who may change something.
#include "dbus/authority.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::dbus {
namespace {

Authority::Lookup uid(std::uint32_t value, int* asked = nullptr) {
    return [=]() -> Result<std::uint32_t> {
        if (asked) ++*asked;
        return value;
    };
}

TEST(TheAuthority, LetsRootAndTheDaemonsUserChangeThings) {
    Authority authority(990);
    EXPECT_TRUE(authority.is_trusted(authority.uid_of(":1.1", uid(0)).value()));
    EXPECT_TRUE(authority.is_trusted(authority.uid_of(":1.2", uid(990)).value()));
}

TEST(TheAuthority, TrustsNobodyElse) {
    Authority authority(990);
    EXPECT_FALSE(authority.is_trusted(authority.uid_of(":1.3", uid(65534)).value()));
    EXPECT_EQ(authority.accepted(), "this takes root or uid 990");
    EXPECT_EQ(Authority(0).accepted(), "this takes root");
}

TEST(TheAuthority, NamesItsActions) {
    EXPECT_EQ(action_id(Action::configure), "org.schedd1.configure");
    EXPECT_EQ(action_id(Action::root), "") << "polkit is not asked";
}

TEST(TheAuthority, DeniesACallerThatHasLeft) {
    Authority authority(0);
    const auto denied =
        authority.uid_of(":1.4", []() -> Result<std::uint32_t> { return fail(Errc::io, "gone"); });
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().kind, Errc::denied);
    EXPECT_TRUE(authority.uid_of(":1.4", uid(0))) << "a failed lookup must not be remembered";
}

TEST(TheAuthority, AsksOncePerCaller) {
    Authority authority(0);
    int asked = 0;
    EXPECT_EQ(authority.uid_of(":1.5", uid(1000, &asked)).value(), 1000U);
    EXPECT_EQ(authority.uid_of(":1.5", uid(0, &asked)).value(), 1000U) << "a name keeps its uid";
    EXPECT_EQ(asked, 1);
}

TEST(TheAuthority, RemembersOnlySoManyCallers) {
    Authority authority(0);
    int asked = 0;
    ASSERT_TRUE(authority.uid_of(":0.0", uid(0, &asked)));
    for (std::size_t i = 0; i < limits::kBusCallers; ++i)
        ASSERT_TRUE(authority.uid_of(":1." + std::to_string(i), uid(0)));
    ASSERT_TRUE(authority.uid_of(":0.0", uid(0, &asked)));
    EXPECT_EQ(asked, 2);
}

} // namespace
} // namespace schedd::dbus
