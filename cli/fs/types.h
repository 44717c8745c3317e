// Types: which attributes the parts of each type have, from the daemon's own list.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/fs/mirror.h"
#include "cli/json.h"

namespace schedd::cli::fs {

struct Attribute {
    std::string name;
    std::string kind; // unsigned, integer, boolean, text, choice
    bool read_only = false;
};

class Types {
public:
    /// Takes the answer to Types.
    void load(const Json& listed);
    /// In the order they were declared; empty for what has none, or is not known.
    [[nodiscard]] const std::vector<Attribute>& attributes(const Part& part) const;
    [[nodiscard]] const Attribute* attribute(const Part& part, std::string_view name) const;

private:
    std::map<std::pair<std::string, std::string>, std::vector<Attribute>> by_kind_and_type_;
};

} // namespace schedd::cli::fs
