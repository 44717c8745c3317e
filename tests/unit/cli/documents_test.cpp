// The manual page and the completions know every verb and every option.
#include <array>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "cli/options.h"

namespace schedd::cli {
namespace {

std::string read(const std::string& name) {
    std::ifstream file(std::string(SCHEDD_CLI_DIR) + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << name;
    return text.str();
}

/// The long options that the help of all verbs mentions, without the dashes.
std::vector<std::string> long_options() {
    std::string help = general_help();
    for (const auto& verb : verb_specs()) help += verb_help(verb);
    std::vector<std::string> names;
    for (auto at = help.find("  --"); at != std::string::npos; at = help.find("  --", at + 1)) {
        const auto end = help.find_first_of("= \n", at + 4);
        names.push_back(help.substr(at + 4, end - at - 4));
    }
    for (auto at = help.find(", --"); at != std::string::npos; at = help.find(", --", at + 1)) {
        const auto end = help.find_first_of("= \n", at + 4);
        names.push_back(help.substr(at + 4, end - at - 4));
    }
    return names;
}

TEST(TheManualPage, DescribesEveryVerb) {
    const auto page = read("schedd-cli.1");
    for (const auto& verb : verb_specs()) {
        const auto entry = ".It Cm " + std::string(verb.name);
        EXPECT_TRUE(page.find(entry + "\n") != std::string::npos ||
                    page.find(entry + " ") != std::string::npos)
            << verb.name;
    }
}

TEST(TheManualPage, DescribesEveryOption) {
    const auto page = read("schedd-cli.1");
    const auto options = long_options();
    ASSERT_GT(options.size(), 10U);
    for (const auto& option : options) {
        // Fl r alone stands for -r, --recursive.
        const bool known =
            page.find("-" + option) != std::string::npos || option == "recursive" || option == "output";
        EXPECT_TRUE(known) << option;
    }
}

TEST(TheCompletions, KnowEveryVerb) {
    for (const auto* name : {"completion.bash", "completion.zsh", "completion.fish"}) {
        const auto text = read(name);
        for (const auto& verb : verb_specs())
            EXPECT_NE(text.find(verb.name), std::string::npos) << name << ": " << verb.name;
    }
}

TEST(TheCompletions, KnowEveryOption) {
    for (const auto* name : {"completion.bash", "completion.zsh", "completion.fish"}) {
        const auto text = read(name);
        for (const auto& option : long_options())
            EXPECT_NE(text.find(option), std::string::npos) << name << ": " << option;
    }
}

} // namespace
} // namespace schedd::cli
