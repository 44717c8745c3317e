// Recipes: they read back, happen wholly or not at all, and what they build can be exported.
#include "tests/fuzz/fuzz.h"
#include "tests/unit/config/config_world.h"

using namespace schedd;

namespace {

std::string lines_of(const model::Recipe& recipe) {
    std::string lines;
    for (const auto& verb : recipe) lines += text_of(verb) + "\n";
    return lines;
}

void check_exports(const test::ConfigWorld& world) {
    const auto toml = service::export_toml(world.tree);
    const auto desired = service::parse_config("export", toml);
    fuzz::require(desired.has_value(), "an export parses", toml + (desired ? "" : desired.error().text()));
    const auto nothing = service::recipe_to(*desired, world.tree, true);
    fuzz::require(nothing.has_value(), "an export is valid", toml + (nothing ? "" : nothing.error().text()));
    fuzz::require(nothing->empty(), "an export is the tree", toml + lines_of(*nothing));
    test::ConfigWorld copy;
    const auto lines = lines_of(service::export_recipe(world.tree));
    const auto built = copy.apply(lines);
    fuzz::require(built.has_value(), "an exported recipe applies",
                  lines + (built ? "" : built.error().text()));
    fuzz::require(service::export_toml(copy.tree) == toml, "an exported recipe builds the same tree", lines);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto recipe = model::parse_recipe(fuzz::text_from(data, size));
    if (!recipe) return 0;
    const auto lines = lines_of(*recipe);
    const auto again = model::parse_recipe(lines);
    fuzz::require(again && lines_of(*again) == lines, "a recipe reads back", lines);
    test::ConfigWorld world;
    const auto before = world.dump();
    const auto tried = world.tree.apply(*recipe, true);
    fuzz::require(world.dump() == before, "a dry run changes nothing", lines);
    const auto done = world.tree.apply(*recipe);
    fuzz::require(done.has_value() == tried.has_value(), "a dry run foretells", lines);
    if (!done) {
        fuzz::require(world.dump() == before, "a failed recipe changes nothing", lines);
        return 0;
    }
    check_exports(world);
    return 0;
}
