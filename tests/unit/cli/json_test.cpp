// Reading JSON that cannot be trusted.
#include "cli/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace schedd::cli {
namespace {

TEST(TheDaemonsJson, IsRefusedWhenItIsNone) {
    const auto json = parse_json("{\"a\":", "Status");
    ASSERT_FALSE(json);
    EXPECT_EQ(json.error().exit, Exit::error);
    EXPECT_NE(json.error().text.find("Status"), std::string::npos);
    EXPECT_FALSE(parse_json("", "Status"));
}

TEST(AField, IsNullWhereThereIsNone) {
    const Json json{{"a", 1}};
    EXPECT_TRUE(field(json, "b").is_null());
    EXPECT_TRUE(field(Json(3), "a").is_null());
    EXPECT_TRUE(field(Json::array({1}), "a").is_null());
}

TEST(AField, ReadsAsEmptyWhenItsTypeIsAnother) {
    const Json json{{"text", "x"},   {"number", 7},  {"real", 2.5},
                    {"huge", 1e300}, {"flag", true}, {"null", nullptr}};
    EXPECT_EQ(text_at(json, "number"), "7");
    EXPECT_EQ(text_at(json, "real"), "2.5");
    EXPECT_EQ(text_at(json, "flag"), "true");
    EXPECT_EQ(text_at(json, "null"), "");
    EXPECT_EQ(number_at(json, "text"), 0);
    EXPECT_EQ(number_at(json, "real"), 2);
    EXPECT_EQ(number_at(json, "huge"), 0);
    EXPECT_TRUE(flag_at(json, "flag"));
    EXPECT_FALSE(flag_at(json, "number"));
}

TEST(JsonOutput, IsOneLineOrIndentedAndAlwaysUtf8) {
    const Json json{{"a", 1}};
    EXPECT_EQ(dump_json(json, JsonForm::compact), "{\"a\":1}\n");
    EXPECT_EQ(dump_json(json, JsonForm::pretty), "{\n  \"a\": 1\n}\n");
    EXPECT_EQ(dump_json(Json("\xff"), JsonForm::compact), "\"\xef\xbf\xbd\"\n");
}

TEST(JsonOutput, KeepsTheOrderOfTheDaemon) {
    const auto json = parse_json(R"({"z":1,"a":2})", "test");
    ASSERT_TRUE(json);
    EXPECT_EQ(dump_json(*json, JsonForm::compact), "{\"z\":1,\"a\":2}\n");
}

} // namespace
} // namespace schedd::cli
