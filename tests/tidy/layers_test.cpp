// The layering rules on good and bad examples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tidy/rules.h"

namespace schedd::tidy {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

Findings layers(std::string path, std::string text) {
    return check_layers({std::move(path), std::move(text)});
}
auto finding(std::size_t line, const char* what) {
    return AllOf(Field(&Finding::line, line), Field(&Finding::what, HasSubstr(what)));
}

TEST(TheLayers, LetATierIncludeWhatIsBelowIt) {
    EXPECT_THAT(layers("components/model/a.cpp",
                       "#include \"components/kit/b.h\"\n#include <vector>\n#include <fmt/format.h>\n"),
                IsEmpty());
    EXPECT_THAT(layers("service/daemon.cpp",
                       "#include \"dbus/service.h\"\n#include \"policies/policies.h\"\n"),
                IsEmpty());
    EXPECT_THAT(layers("tests/unit/a/b_test.cpp", "#include \"cli/a.h\"\n#include <gtest/gtest.h>\n"),
                IsEmpty());
}

TEST(TheLayers, RefuseWhatIsAboveOrBeside) {
    EXPECT_THAT(layers("components/kit/a.h", "\n#include \"components/model/b.h\"\n"),
                ElementsAre(finding(2, "components/model/b.h")));
    EXPECT_THAT(layers("components/filters/a.cpp", "#include \"components/probes/b.h\"\n"),
                ElementsAre(finding(1, "allowed")));
    EXPECT_THAT(layers("policies/a.cpp", "#include \"components/placement/b.h\"\n"),
                ElementsAre(finding(1, "may not")));
    EXPECT_THAT(layers("dbus/a.cpp", "#include \"service/b.h\"\n"), ElementsAre(finding(1, "may not")));
    EXPECT_THAT(layers("service/host/a.cpp", "#include \"service/actuators/b.h\"\n"),
                ElementsAre(finding(1, "may not")));
    EXPECT_THAT(layers("cli/a.cpp", "#include \"components/model/b.h\"\n"),
                ElementsAre(finding(1, "may not")));
    EXPECT_THAT(layers("components/model/a.cpp", "#include \"tests/kit/b.h\"\n"),
                ElementsAre(finding(1, "may not")));
}

TEST(TheLayers, KeepTheOutsideOutOfPureTiers) {
    for (const auto* header :
         {"<thread>", "<filesystem>", "<unistd.h>", "<sys/stat.h>", "<systemd/sd-bus.h>", "<iostream>"})
        EXPECT_THAT(layers("policies/a.cpp", std::string("#include ") + header + "\n"),
                    ElementsAre(finding(1, "is pure")))
            << header;
    EXPECT_THAT(layers("service/host/a.cpp", "#include <unistd.h>\n#include <thread>\n"), IsEmpty());
}

TEST(TheLayers, KeepEachLibraryInItsFolders) {
    EXPECT_THAT(layers("service/daemon.cpp", "#include <sdbus-c++/sdbus-c++.h>\n"),
                ElementsAre(finding(1, "only these may: dbus/")));
    EXPECT_THAT(layers("service/config_parse.cpp", "#include <toml++/toml.h>\n"),
                ElementsAre(finding(1, "config_toml.cpp")));
    EXPECT_THAT(layers("service/config_toml.cpp", "#include <toml++/toml.h>\n"), IsEmpty());
    EXPECT_THAT(layers("dbus/a.cpp", "#include <hwloc.h>\n"), ElementsAre(finding(1, "service/host/")));
}

TEST(TheLayers, NameAFolderThatIsInNone) {
    EXPECT_THAT(layers("elsewhere/a.cpp", ""), ElementsAre(finding(0, "is in no layer")));
    EXPECT_THAT(layers("elsewhere/a.txt", ""), IsEmpty());
}

TEST(PureWords, AreLookedForInCodeOnly) {
    const auto words = [](std::string text) { return check_words({"policies/a.cpp", std::move(text)}); };
    EXPECT_THAT(words("int a;\nauto b = getenv(\"X\");\n"), ElementsAre(finding(2, "getenv")));
    EXPECT_THAT(words("auto t = std::chrono::steady_clock::now();\n"),
                ElementsAre(finding(1, "steady_clock")));
    EXPECT_THAT(words("open(\"/proc/stat\");\n"), ElementsAre(finding(1, "/proc")));
    EXPECT_THAT(words(
                    "// getenv and \"/proc are described here\nauto s = \"getenv\";\nint my_getenv_count;\n"),
                IsEmpty());
    EXPECT_THAT(check_words({"service/host/a.cpp", "getenv(\"X\"); open(\"/proc\");\n"}), IsEmpty());
}

} // namespace
} // namespace schedd::tidy
