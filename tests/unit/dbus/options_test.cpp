// Option dictionaries.
#include "dbus/options.h"

#include <gtest/gtest.h>

namespace schedd::dbus {
namespace {

TEST(Options, RefuseAKeyThatIsNotKnown) {
    Options options;
    ASSERT_TRUE(options.add("recursiv", Basic(true)));
    const auto checked = options.check({"recursive"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, Errc::invalid_value);
    EXPECT_EQ(checked.error().text(),
              "there is no option 'recursiv': it may be: dry_run interactive local recursive");
}

TEST(Options, TakeTheCommonKeysEverywhere) {
    Options options;
    ASSERT_TRUE(options.add("dry_run", Basic(true)));
    ASSERT_TRUE(options.add("interactive", Basic(false)));
    EXPECT_TRUE(options.check());
    EXPECT_TRUE(options.dry_run());
    EXPECT_FALSE(Options().dry_run());
    EXPECT_FALSE(options.local());
    ASSERT_TRUE(options.add("local", Basic(true)));
    EXPECT_TRUE(options.local());
}

TEST(Options, RefuseACommonKeyOfAnotherType) {
    Options options;
    ASSERT_TRUE(options.add("dry_run", Basic(std::string("yes"))));
    const auto checked = options.check();
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().detail, "it takes b");
}

TEST(Options, RefuseAKeyGivenTwice) {
    Options options;
    ASSERT_TRUE(options.add("prune", Basic(true)));
    const auto again = options.add("prune", Basic(false));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, Errc::invalid_value);
    EXPECT_TRUE(options.flag("prune").value());
}

TEST(Options, GiveDefaultsForWhatIsAbsent) {
    const Options options;
    EXPECT_FALSE(options.flag("prune").value());
    EXPECT_TRUE(options.flag("prune", true).value());
    EXPECT_EQ(options.text("format", "toml").value(), "toml");
    EXPECT_EQ(options.basic("weight"), nullptr);
    EXPECT_TRUE(options.attributes("attributes").value().empty());
}

TEST(Options, RefuseAValueOfAnotherType) {
    Options options;
    ASSERT_TRUE(options.add("format", Basic(std::uint64_t{1})));
    ASSERT_TRUE(options.add("prune", Options::Attributes{}));
    ASSERT_TRUE(options.add("attributes", Basic(true)));
    EXPECT_FALSE(options.text("format", "toml"));
    EXPECT_FALSE(options.flag("prune"));
    EXPECT_FALSE(options.attributes("attributes"));
    EXPECT_EQ(options.basic("prune"), nullptr);
}

TEST(AnAttributesValue, IsAnythingBasicButAReal) {
    EXPECT_EQ(attribute_value(Basic(std::uint64_t{5})).value(), model::AttributeValue(std::uint64_t{5}));
    EXPECT_EQ(attribute_value(Basic(std::int64_t{-5})).value(), model::AttributeValue(std::int64_t{-5}));
    EXPECT_EQ(attribute_value(Basic(true)).value(), model::AttributeValue(true));
    EXPECT_EQ(attribute_value(Basic(std::string("5"))).value(), model::AttributeValue(std::string("5")));
    const auto real = attribute_value(Basic(0.5));
    ASSERT_FALSE(real);
    EXPECT_EQ(real.error().kind, Errc::invalid_value);
}

} // namespace
} // namespace schedd::dbus
