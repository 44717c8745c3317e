// Reading and writing files.
#include <cerrno>

#include <fmt/format.h>

#include "cli/fs/file_text.h"
#include "cli/fs/view.h"

namespace schedd::cli::fs {

namespace {

using What = Place::What;

constexpr std::string_view kNodeSet = "node_set";

} // namespace

Outcome<void> View::check_open(std::string_view file, bool writes) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (place->is_directory()) return std::unexpected(EISDIR);
    if (!place->is_file()) return std::unexpected(ENOENT);
    const bool is_writable = place->what == What::attribute && !place->attribute->read_only;
    if (writes && !is_writable) return std::unexpected(EACCES);
    return {};
}

/// Whether the chain of filters that ends in `part` begins with a link.
Outcome<bool> View::is_connected(model::Path path, const Part* part) {
    while (is_sink(*part)) {
        const Part* below = nullptr;
        for (const auto& [name, child] : part->children)
            if (child.kind == Kind::filter) {
                below = &child;
                path = path.child(name);
                break;
            }
        if (!below) {
            const auto link = link_in(path, *part);
            if (!link) return std::unexpected(link.error());
            return link->has_value();
        }
        part = below;
    }
    return true;
}

Outcome<std::string> View::read_value(const Place& place, std::string_view which) {
    auto text = read_text(fmt::format("{}.{}", place.path.text(), which));
    if (text) return text->empty() ? std::string() : file_text(std::move(*text));
    if (text.error() != EAGAIN) return text;
    const auto connected = is_connected(place.path, place.part);
    if (!connected) return std::unexpected(connected.error());
    return std::unexpected(*connected ? EAGAIN : EACCES);
}

/// What the node has published; of the own node all that is read here.
Outcome<std::string> View::read_node_value(const Place& place) {
    auto text = read_text(fmt::format("{}:{}", place.name, place.path.text()));
    if (text) return text->empty() ? std::string() : file_text(std::move(*text));
    // the node is there and does not tell this value, or it has not been heard for too long
    if (text.error() == ENOENT) return std::unexpected(EACCES);
    return std::unexpected(text.error() == EAGAIN ? ENOENT : text.error());
}

Outcome<std::string> View::read(std::string_view file) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    switch (place->what) {
    case What::attribute: {
        const auto at = place->path.text() + '.';
        // as in the original: the nodes it really has, as far as any are known
        if (place->part->kind == Kind::scheduler && place->attribute->name == kNodeSet)
            if (auto effective = read_text(at + "effective_node_set"); effective && !effective->empty())
                return file_text(std::move(*effective));
        auto text = read_text(at + place->attribute->name);
        if (!text) return text;
        return file_text(*place->attribute, std::move(*text));
    }
    case What::value: return read_value(*place, kValue);
    case What::collected_value: return read_value(*place, kCollectedValue);
    case What::node_value: return read_node_value(*place);
    default: return std::unexpected(ENOENT);
    }
}

Outcome<void> View::write(std::string_view file, std::string_view bytes) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (!place->is_file()) return std::unexpected(ENOENT);
    if (place->what != What::attribute || place->attribute->read_only) return std::unexpected(EACCES);
    const auto& attribute = *place->attribute;
    const auto value = written_value(attribute, bytes);
    if (!value) return std::unexpected(value.error());
    // the daemon lets handle_all be written false beside members; the original does not
    if (place->part->kind == Kind::process_set && !place->part->children.empty())
        return std::unexpected(EPERM);
    const auto done =
        change("Write", {place->path.text(), attribute.name, Argument::variant(*value)}, Act::write);
    if (!done && done.error() == EINVAL && is_out_of_range(attribute, *value)) return std::unexpected(ERANGE);
    return done;
}

} // namespace schedd::cli::fs
