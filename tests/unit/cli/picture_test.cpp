// Pictures by graphviz, with and without it.
#include "cli/picture.h"

#include <array>
#include <cstdlib>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace schedd::cli {
namespace {

using testing::HasSubstr;

/// The search path for programs, as it was again afterwards.
class SearchPath {
public:
    explicit SearchPath(const char* path) : before_(std::getenv("PATH") ? std::getenv("PATH") : "") {
        ::setenv("PATH", path, 1);
    }
    SearchPath(const SearchPath&) = delete;
    SearchPath& operator=(const SearchPath&) = delete;
    ~SearchPath() { ::setenv("PATH", before_.c_str(), 1); }

private:
    std::string before_;
};

TEST(APicture, WithoutGraphvizSaysWhatToInstall) {
    const SearchPath nowhere("/nonexistent");
    const auto drawn = draw_svg("digraph x {}");
    ASSERT_FALSE(drawn);
    EXPECT_EQ(drawn.error().exit, Exit::error);
    EXPECT_THAT(drawn.error().text, HasSubstr("install the package graphviz"));
}

TEST(APicture, ThatCannotBeWrittenIsAnError) {
    EXPECT_FALSE(write_to(-1, "x"));
    EXPECT_TRUE(write_to(-1, "")) << "nothing to write";
}

TEST(APicture, OfAWrongProgramIsAnError) {
    if (std::system("dot -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "graphviz is not installed";
    EXPECT_FALSE(draw_svg("this is not dot"));
    const auto drawn = draw_svg("digraph x { a -> b }");
    ASSERT_TRUE(drawn) << drawn.error().text;
    EXPECT_THAT(*drawn, HasSubstr("</svg>"));
}

} // namespace
} // namespace schedd::cli
