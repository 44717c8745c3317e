// Configuration files: no text breaks the parser, and what is accepted applies or is refused whole, once and
// again.
#include "tests/fuzz/fuzz.h"
#include "tests/unit/config/config_world.h"

using namespace schedd;

namespace {

void check(test::ConfigWorld& world, const service::Desired& desired, bool prune) {
    const auto recipe = service::recipe_to(desired, world.tree, prune);
    if (!recipe) return;
    const auto before = world.dump();
    const auto done = world.tree.apply(*recipe);
    if (!done) {
        fuzz::require(world.dump() == before, "a refused configuration changes nothing", done.error().text());
        return;
    }
    const auto again = service::recipe_to(desired, world.tree, prune);
    fuzz::require(again && again->empty(), "a configuration leaves nothing to do",
                  service::export_toml(world.tree));
    const auto text = service::export_toml(world.tree);
    const auto exported = service::parse_config("export", text);
    fuzz::require(exported.has_value(), "an export parses", text);
    const auto nothing = service::recipe_to(*exported, world.tree, true);
    fuzz::require(nothing && nothing->empty(), "an export is the tree", text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // "@@" splits the input: the second half is applied to what the first made, with prune
    const auto text = fuzz::text_from(data, size);
    const auto cut = text.find("@@");
    const auto first = service::parse_config("first", text.substr(0, cut));
    if (!first) {
        fuzz::require(first.error().what.starts_with("first"), "an error names its file",
                      first.error().text());
        return 0;
    }
    test::ConfigWorld world;
    check(world, *first, false);
    if (cut == std::string_view::npos) return 0;
    const auto second = service::parse_config("second", text.substr(cut + 2));
    if (!second) return 0;
    check(world, *second, false);
    check(world, *second, true);
    (void)service::merge(*first, *second);
    return 0;
}
