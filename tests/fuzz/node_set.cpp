// Node sets: what parses reads back, and whatever schedulers ask for, no node is one's alone and another's
// too.
#include <algorithm>

#include "components/model/node_claims.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kit/world.h"

using namespace schedd;
using namespace schedd::model;

namespace {

constexpr std::string_view kSchedulers[] = {"A", "B", "C", "D"};

void check_text(std::string_view text) {
    const auto set = NodeSet::parse(text);
    if (!set) return fuzz::require(!set.error().detail.empty(), "an error says what would be accepted");
    const auto again = NodeSet::parse(set->text());
    fuzz::require(again && *again == *set, "a set's text parses to the set", set->text());
    fuzz::require(set->is_all() || !set->missing({}).empty(), "a set that is not all names somebody");
    fuzz::require(set->missing({}) == (set->is_all() ? "" : set->text()), "of nobody all are missing");
}

void check_shares(test::World& world, bool is_checked) {
    const auto shares = share_nodes(world.tree);
    for (const auto& [scheduler, share] : shares) {
        const NodesView nodes = *share.nodes;
        for (const auto& node : nodes) {
            fuzz::require(scheduler->node_set().contains(node), "nobody has what is not in its set");
            for (const auto& [other, theirs] : shares)
                if (other != scheduler && (scheduler->is_exclusive() || other->is_exclusive()))
                    fuzz::require(std::ranges::find(*theirs.nodes, node) == theirs.nodes->end(),
                                  "what is one's alone is nobody else's", text_of(node));
        }
        if (is_checked)
            fuzz::require(share.note.empty(), "what was asked for and granted is had", share.note);
        fuzz::require((share.here == Here::yes) == (self_of(nodes) != nullptr), "it runs where it is");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::text_from(data, size);
    const bool is_checked = text.starts_with('c');
    test::World world;
    world.cluster.fill(6, 2);
    for (const auto name : kSchedulers)
        fuzz::require(world.apply("create schedulers/" + std::string(name)).has_value(), "it is made");
    for (std::size_t i = 0; !text.empty() && i < 64; ++i) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        check_text(line);
        Verb verb{.what = Verb::Do::write,
                  .path = Path({"schedulers", std::string(kSchedulers[i % std::size(kSchedulers)])}),
                  .word = "node_set",
                  .value = std::string(line)};
        if (line == "!" || line == "?") {
            verb.word = "node_set_exclusive";
            verb.value = line == "!";
        } else if (line == "+" || line == "-") {
            verb.word = "node_set_max_fit";
            verb.value = line == "+";
        }
        const auto before = world.dump();
        const auto done =
            world.tree.apply({verb}, false, is_checked ? Tree::NodeSets::checked : Tree::NodeSets::taken);
        fuzz::require(done || world.dump() == before, "what fails changes nothing");
        check_shares(world, is_checked);
        for (auto& [scheduler, share] : share_nodes(world.tree)) scheduler->take_share(std::move(share));
    }
    return 0;
}
