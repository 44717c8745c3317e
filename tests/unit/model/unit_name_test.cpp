// Names of units, and finding them in the paths of control groups.
#include "components/model/unit_name.h"

#include <gtest/gtest.h>

namespace schedd::model {
namespace {

TEST(AUnitName, IsWrittenWhole) {
    for (const auto* name : {"foo.service", "a.b-c_d:e.scope", "-.slice", "w@1.service", "w@.service",
                             "dev-disk\\x2d1.swap", "x.socket", "home.mount"})
        EXPECT_TRUE(check_unit_name(name)) << name;
    for (const auto* name : {"", "foo", ".service", "@.service", "@x.service", "a b.service", "a/b.service",
                             "foo.timer", "foo.service.d", "ü.service"})
        EXPECT_FALSE(check_unit_name(name)) << name;
    EXPECT_NE(check_unit_name("foo").error().text().find("foo.service"), std::string::npos);
    EXPECT_TRUE(check_unit_name(std::string(247, 'a') + ".service"));
    EXPECT_FALSE(check_unit_name(std::string(248, 'a') + ".service"));
}

TEST(AUnitName, IsATemplateWithoutInstance) {
    EXPECT_TRUE(is_template("w@.service"));
    EXPECT_FALSE(is_template("w@1.service"));
    EXPECT_FALSE(is_template("w.service"));
}

TEST(AUnit, IsFoundInThePathOfAGroup) {
    EXPECT_EQ(unit_in("/system.slice/foo.service", "foo.service"), "foo.service");
    EXPECT_EQ(unit_in("/system.slice/foo.service/payload", "foo.service"), "foo.service");
    EXPECT_EQ(unit_in("/system.slice/foo.service", "system.slice"), "system.slice");
    EXPECT_EQ(unit_in("/system.slice/xfoo.service", "foo.service"), "");
    EXPECT_EQ(unit_in("/system.slice/foo.service2", "foo.service"), "");
    EXPECT_EQ(unit_in("", "foo.service"), "");
    EXPECT_EQ(unit_in("/", "foo.service"), "");
}

TEST(AUnit, IsTheInstanceOfATemplate) {
    EXPECT_EQ(unit_in("/a.slice/w@1.service/x", "w@.service"), "w@1.service");
    EXPECT_EQ(unit_in("/a.slice/w@.service", "w@1.service"), "");
    EXPECT_EQ(unit_in("/a.slice/ww@1.service", "w@.service"), "");
}

TEST(AUnit, HasTheControlGroupThatEndsWithItsName) {
    EXPECT_EQ(group_of_unit("/system.slice/foo.service/payload", "foo.service"), "/system.slice/foo.service");
    EXPECT_EQ(group_of_unit("/a.slice/w@1.service/x", "w@.service"), "/a.slice/w@1.service");
    EXPECT_EQ(group_of_unit("/a.slice/a-b.slice/x.service", "a.slice"), "/a.slice");
    EXPECT_EQ(group_of_unit("/system.slice/xfoo.service", "foo.service"), "");
    EXPECT_EQ(group_of_unit("", "foo.service"), "");
}

TEST(AUnit, OfAUserManagerIsAnother) {
    const std::string_view group = "/user.slice/user-1.slice/user@1.service/app.slice/foo.service";
    EXPECT_EQ(unit_in(group, "foo.service"), "");
    EXPECT_EQ(unit_in(group, "app.slice"), "");
    EXPECT_EQ(unit_in(group, "user@1.service"), "user@1.service");
    EXPECT_EQ(unit_in(group, "user@.service"), "user@1.service");
    EXPECT_EQ(unit_in(group, "user-1.slice"), "user-1.slice");
}

} // namespace
} // namespace schedd::model
