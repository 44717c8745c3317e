// Path: the name of a part in the tree, "schedulers/CPU_LB/load_balancing/node_load".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"

namespace schedd::model {

using namespace schedd::kit;

/// A list of names. In text they are joined by '/'; within a name '/', '%', quotes, '#', '|', '\' and bytes
/// outside printable ASCII are written %XX, so that "exec:/usr/bin/make" is the one element
/// "exec:%2Fusr%2Fbin%2Fmake".
class Path {
public:
    Path() = default;
    explicit Path(std::vector<std::string> names) : names_(std::move(names)) {}

    /// Fails with invalid_value on empty elements, "." and "..", bad escapes, NUL and on limits::kPathDepth
    /// or limits::kMemberLength exceeded. One leading '/' is accepted; "" and "/" are the root.
    static Result<Path> parse(std::string_view text);

    [[nodiscard]] std::string text() const;
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    [[nodiscard]] bool is_root() const { return names_.empty(); }
    [[nodiscard]] std::size_t depth() const { return names_.size(); }
    /// The last name. REQUIRES: not the root.
    [[nodiscard]] const std::string& leaf() const { return names_.back(); }
    /// REQUIRES: not the root.
    [[nodiscard]] Path parent() const;
    [[nodiscard]] Path child(std::string name) const;
    bool operator==(const Path&) const = default;
    auto operator<=>(const Path&) const = default;

private:
    std::vector<std::string> names_;
};

/// A name for one path element as it stands in text: '/' and other odd bytes as %XX.
std::string escape_name(std::string_view name);
/// What escape_name() was given, of any length; none if `text` is not of its making.
std::optional<std::string> unescape_name(std::string_view text);

/// A part's name: letters, digits, '_' and '-', starting with a letter or digit, at most limits::kNameLength.
Status check_name(std::string_view name);

} // namespace schedd::model
