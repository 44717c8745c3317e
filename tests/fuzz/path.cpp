// Paths, places and chains: what parses prints back to what parses to the same.
#include "components/model/chain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/config/config_world.h"

using namespace schedd;

namespace {

void check_path(std::string_view text) {
    const auto path = model::Path::parse(text);
    if (!path) return;
    const auto again = model::Path::parse(path->text());
    fuzz::require(again && *again == *path, "a path's text parses to the path", path->text());
    fuzz::require(path->depth() <= model::limits::kPathDepth, "a path is no deeper than the limit");
    for (const auto& name : path->names())
        fuzz::require(!name.empty() && name.size() <= model::limits::kMemberLength,
                      "a name is of the length allowed");
}

void check_chain(std::string_view text) {
    const auto sink = model::Path({"schedulers", "A", "p", "x"});
    const auto recipe = model::parse_chain(text, sink);
    if (!recipe) return;
    std::string lines;
    for (const auto& verb : *recipe) lines += text_of(verb) + "\n";
    if (lines.find('\n') + 1 != lines.size() && text.find('\n') != std::string_view::npos) return;
    const auto again = model::parse_recipe(lines);
    if (text.find_first_of("\n\r") != std::string_view::npos) return; // a recipe has lines, a chain need not
    fuzz::require(again.has_value(), "the verbs of a chain are a recipe", lines);
    std::string second;
    for (const auto& verb : *again) second += text_of(verb) + "\n";
    fuzz::require(second == lines, "the verbs of a chain read back", lines + "---\n" + second);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static test::ConfigWorld& world = *[] {
        auto* made = new test::ConfigWorld;
        fuzz::require(made->take(test::kSlides).empty(), "the slides' example applies");
        return made;
    }();
    const auto text = fuzz::text_from(data, size);
    check_path(text);
    check_chain(text);
    const auto place = world.tree.locate(text);
    if (place) (void)world.tree.read(*place);
    return 0;
}
