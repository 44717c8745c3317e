// Verb: one of the six things that can be done to the tree, as a value; a recipe is a list of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "components/model/attribute.h"
#include "components/model/path.h"

namespace schedd::model {

struct Verb {
    enum class Do { create, remove, read, write, link, unlink };
    Do what = Do::read;
    Path path;                            // the part; for link and unlink the sink
    std::string word = {};                // create: type ("" = the path's last name); read, write: attribute
    AttributeValue value = std::string(); // write
    Path source = {};                     // link
    bool recursive = false;               // remove
};

using Recipe = std::vector<Verb>;

/// As a recipe line: "create probes/cpu", "write probes/cpu.probe_period 500", "link A B".
std::string text_of(const Verb& verb);

/// Reads recipe lines, one verb each: create PATH [TYPE] | remove [-r] PATH | write PATH.ATTRIBUTE VALUE |
/// read PATH.ATTRIBUTE | link SOURCE-OR-CHAIN SINK | unlink SINK. Blank lines and '#' comments are skipped.
/// The chain form is one quoted word, see chain.h. Errors name the line.
Result<Recipe> parse_recipe(std::string_view text);

} // namespace schedd::model
