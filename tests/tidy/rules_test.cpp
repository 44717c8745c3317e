// The other rules on good and bad examples.
#include "tests/tidy/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace schedd::tidy {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

auto finding(std::size_t line, const char* what) {
    return AllOf(Field(&Finding::line, line), Field(&Finding::what, HasSubstr(what)));
}
std::string times(std::string_view piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
}

TEST(CodeOf, BlanksCommentsAndStringsAndNothingElse) {
    EXPECT_EQ(code_of("a // b {\nc"), "a       \nc");
    EXPECT_EQ(code_of("a /* { \n } */ b"), "a      \n      b");
    EXPECT_EQ(code_of(R"(f("{\"}", '}', '\''))"), R"(f("    ", ' ', '  '))");
    EXPECT_EQ(code_of("x = 1'000; { }"), "x = 1'000; { }");
    EXPECT_EQ(code_of("R\"x({ \" )x\" {"), "R\"        \" {");
    EXPECT_EQ(code_of("\"unclosed {\n}"), "\"          \n}");
    EXPECT_EQ(code_of(""), "");
}

TEST(Lengths, OfFilesAndLinesAreLimited) {
    EXPECT_THAT(check_lengths({"a.cpp", times("\n", 500)}), IsEmpty());
    EXPECT_THAT(check_lengths({"a.cpp", times("\n", 501)}), ElementsAre(finding(0, "501 lines")));
    EXPECT_THAT(check_lengths({"a.h", "\n" + times("x", 111) + "\n" + times("x", 110)}),
                ElementsAre(finding(2, "111 columns")));
    EXPECT_THAT(check_lengths({"a.h", times("\xC3\xA4", 110)}), IsEmpty());
    EXPECT_THAT(check_lengths({"a.md", times("x", 500)}), IsEmpty());
}

TEST(Functions, AreMeasuredFromBraceToBrace) {
    const auto body = [](std::size_t lines) { return "{\n" + times("    x;\n", lines - 2) + "}\n"; };
    EXPECT_THAT(check_functions({"a.cpp", "int f() " + body(70)}), IsEmpty());
    EXPECT_THAT(check_functions({"a.cpp", "\nint f() " + body(71)}), ElementsAre(finding(2, "71 lines")));
    EXPECT_THAT(check_functions(
                    {"a.cpp", "namespace a {\nclass B {\n    int f(int x) const " + body(71) + "};\n}\n"}),
                ElementsAre(finding(3, "71 lines")));
    EXPECT_THAT(check_functions({"a.cpp", "A::A(int x)\n    : a_{x}, b_(x) " + body(71)}),
                ElementsAre(finding(2, "71 lines")));
    EXPECT_THAT(check_functions({"a.cpp", "TEST(A, B) " + body(80)}), ElementsAre(finding(1, "80 lines")));
}

TEST(Functions, AreNotConfusedByWhatLooksLikeThem) {
    EXPECT_THAT(check_functions({"a.cpp", "namespace a {\n" + times("int f();\n", 100) + "}\n"}), IsEmpty());
    EXPECT_THAT(check_functions({"a.h", "struct A {\n" + times("int f() { return 1; }\n", 100) + "};\n"}),
                IsEmpty());
    EXPECT_THAT(check_functions({"a.cpp", "const int a[] = {\n" + times("f(1),\n", 100) + "};\n"}),
                IsEmpty());
    EXPECT_THAT(check_functions({"a.cpp", "int f() {\n  g(\"{\"); // {\n}\n" + times("int g();\n", 100)}),
                IsEmpty());
}

TEST(AnOpening, IsASentenceInAComment) {
    EXPECT_THAT(check_opening({"a.cpp", "// Clock: the only source of time.\n"}), IsEmpty());
    EXPECT_THAT(check_opening({"a.cpp", "// A long sentence that goes on\n// over two lines.\n"}), IsEmpty());
    EXPECT_THAT(check_opening({"a.cpp", "#include <vector>\n// Too late to say what it is.\n"}),
                ElementsAre(finding(1, "open")));
    EXPECT_THAT(check_opening({"a.cpp", "// Clock.\n"}), ElementsAre(finding(1, "open")));
    EXPECT_THAT(check_opening({"a.cpp", ""}), ElementsAre(finding(1, "open")));
    EXPECT_THAT(check_opening({"CMakeLists.txt", ""}), IsEmpty());
}

TEST(Marks, OfUnfinishedWorkAndOfOneMachineAreFound) {
    const std::string mark = std::string("TO") + "DO";
    EXPECT_THAT(check_marks({"a.md", "x\n" + mark + ": y\n"}, "/src"), ElementsAre(finding(2, "holds")));
    EXPECT_THAT(check_marks({"a.md", "NOT" + mark + "S and schedd-XXXXXX\n"}, "/src"), IsEmpty());
    EXPECT_THAT(check_marks({"a.sh", "cd /src/build\n"}, "/src"), ElementsAre(finding(1, "one machine")));
    EXPECT_THAT(check_marks({"a.sh", std::string("cd build/wo") + "rk/a\n"}, "/src"), IsEmpty());
    EXPECT_THAT(check_marks({"a.sh", std::string("cd /ho") + "me/me\n"}, "/src"),
                ElementsAre(finding(1, "one machine")));
}

TEST(AScript, StopsOnErrorsAndSaysWhatItIs) {
    EXPECT_THAT(check_script({"a.sh", "#!/bin/bash\n# What it does.\nset -euo pipefail\n"}), IsEmpty());
    EXPECT_THAT(check_script({"a.sh", "#!/bin/bash\n# What it does.\n"}), ElementsAre(finding(0, "set -e")));
    EXPECT_THAT(check_script({"dev", "#!/bin/bash\nset -e\n"}), ElementsAre(finding(1, "sentence")));
    EXPECT_THAT(check_script({"a.cpp", "int a;\n"}), IsEmpty());
}

TEST(AReadme, NamesOnlyWhatExists) {
    const std::vector<std::string> paths{"README.md",         "tests",      "tests/kit",
                                         "tests/kit/world.h", "dbus/a.xml", "cli/README.md"};
    const auto check = [&](std::string text) {
        return check_readme({"tests/kit/README.md", std::move(text)}, paths);
    };
    EXPECT_THAT(check("`world.h` and `tests/kit` and `../../README.md`, `tests/kit/` too, `a.xml`\n"),
                IsEmpty());
    EXPECT_THAT(check("`world.h/.cpp`, `tests/kit/world`\n"), IsEmpty());
    EXPECT_THAT(check("x\n`worlds.h`\n"), ElementsAre(finding(2, "names worlds.h")));
    EXPECT_THAT(check("`tests/kits` but `dbus/b.xml`\n"),
                ElementsAre(finding(1, "tests/kits"), finding(1, "dbus/b.xml")));
    EXPECT_THAT(check(
                    "`probes/cpu`, `NAME.cpp`, `schedulers.d/*.toml`, `/etc/x.conf`, `./dev test`, `a.b`\n"),
                IsEmpty());
    EXPECT_THAT(check("```\n`nothing.h`\n```\nodd ` quote.h\n"), IsEmpty());
}

TEST(AFolder, HasAReadme) {
    EXPECT_THAT(check_folders({"README.md", "a/x.cpp", "a/README.md", "tests/unit/README.md",
                               "tests/unit/b/y.cpp", "c/data.txt"}),
                IsEmpty());
    EXPECT_THAT(check_folders({"a/x.cpp", "b/y.xml", "README.md", "b/README.md"}),
                ElementsAre(finding(0, "no README.md")));
}

} // namespace
} // namespace schedd::tidy
