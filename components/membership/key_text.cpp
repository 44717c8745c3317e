// Key files as text.
#include "components/membership/key_text.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "components/kit/number.h"

namespace schedd::membership {

namespace {

constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kLine =
    "a line is ID KEY or ID KEY active, with ID from 1 to 255 and KEY of 64 hexadecimal "
    "digits";

/// The next line of what is left, without its newline.
std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    const auto word = line.substr(0, line.find_first_of(kBlank));
    line.remove_prefix(word.size());
    return word;
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The number of a key, of which nothing is repeated in messages: it may be a secret at the wrong place.
std::optional<std::uint8_t> id_of(std::string_view word) {
    const auto id = parse_unsigned(word);
    if (!id || *id < 1 || *id > 255) return std::nullopt;
    return static_cast<std::uint8_t>(*id);
}

/// What is wrong with the digits, "" if nothing.
std::string read_secret(std::string_view word, Secret& out) {
    if (word.empty()) return "has no digits";
    if (word.size() != 2 * kKeyBytes) return fmt::format("has {} digits", word.size());
    for (std::size_t i = 0; i < kKeyBytes; ++i) {
        const int high = digit_of(word[2 * i]);
        const int low = digit_of(word[2 * i + 1]);
        if (high < 0 || low < 0) return "has something else than hexadecimal digits";
        out[i] = static_cast<std::byte>(high * 16 + low);
    }
    if (std::ranges::count(out, out[0]) == kKeyBytes) return "is the same byte 32 times, which is no secret";
    return {};
}

/// The key of a line, none of an empty one; the failure is only what is wrong with it.
Result<std::optional<Key>> read_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const auto first = next_word(line);
    if (first.empty()) return std::nullopt;
    const auto id = id_of(first);
    if (!id)
        return fail(Errc::invalid_value, "the first word is no number from 1 to 255", std::string(kLine));
    Key key{*id, false, {}};
    if (const auto wrong = read_secret(next_word(line), key.secret); !wrong.empty())
        return fail(Errc::invalid_value, fmt::format("key {} {}", *id, wrong),
                    "64 hexadecimal digits are wanted, such as `schedd-cli nodes keygen` makes");
    const auto last = next_word(line);
    key.is_active = last == "active";
    if ((!last.empty() && !key.is_active) || !next_word(line).empty())
        return fail(Errc::invalid_value, fmt::format("more after key {} than the word active", *id),
                    std::string(kLine));
    return key;
}

/// All keys, of which none or several may be active, in the order of their lines.
Result<std::vector<Key>> read_lines(std::string_view text, std::string_view file) {
    if (text.size() > kKeyFileBytes)
        return fail(Errc::limit_exceeded, fmt::format("{} has more than {} bytes", file, kKeyFileBytes));
    std::vector<Key> keys;
    keys.reserve(255); // not moved about, so that no copies stay behind in freed memory
    std::array<std::size_t, 256> line_of{};
    std::size_t active_line = 0;
    std::size_t number = 0;
    while (!text.empty()) {
        const auto key = read_line(next_line(text));
        ++number;
        if (!key)
            return fail(key.error().kind, fmt::format("{}:{}: {}", file, number, key.error().what),
                        key.error().detail);
        if (!*key) continue;
        const auto id = (*key)->id;
        if (line_of[id] != 0)
            return fail(Errc::invalid_value,
                        fmt::format("{}:{}: key {} is in line {} already", file, number, id, line_of[id]),
                        "give each key a number of its own");
        if ((*key)->is_active && active_line != 0)
            return fail(Errc::invalid_value,
                        fmt::format("{}:{}: the key in line {} is active already", file, number, active_line),
                        "one key may be active");
        line_of[id] = number;
        if ((*key)->is_active) active_line = number;
        keys.push_back(**key);
    }
    return keys;
}

/// The text with each key's line as `change` wants it: another line, or none at all.
template <class Change> std::string changed(std::string_view text, const Change& change) {
    std::string out;
    out.reserve(kKeyFileBytes + 256);
    while (!text.empty()) {
        const auto line = next_line(text);
        const auto key = read_line(line);
        if (!key || !*key) {
            out += line;
        } else {
            const auto again = change(**key);
            if (!again) continue;
            out += text_of(*again);
            if (const auto comment = line.find('#'); comment != std::string_view::npos)
                out.append(" ").append(line.substr(comment));
        }
        out += '\n';
    }
    return out;
}

std::unexpected<Error> no_key(std::string_view file, std::uint8_t id, std::span<const Key> keys) {
    std::string there;
    for (const auto& key : keys) there += fmt::format("{}{}", there.empty() ? "it has " : ", ", key.id);
    return fail(Errc::no_such_object, fmt::format("{} has no key {}", file, id), there);
}

bool holds(std::span<const Key> keys, std::uint8_t id) {
    return std::ranges::find(keys, id, &Key::id) != keys.end();
}

} // namespace

Result<std::vector<Key>> parse_keys(std::string_view text, std::string_view file) {
    auto keys = read_lines(text, file);
    if (!keys) return keys;
    if (keys->empty())
        return fail(Errc::invalid_value, fmt::format("{} has no key", file), std::string(kLine));
    if (keys->size() == 1) keys->front().is_active = true;
    if (std::ranges::none_of(*keys, &Key::is_active))
        return fail(Errc::invalid_value,
                    fmt::format("none of the {} keys in {} is active", keys->size(), file),
                    "put the word active after one of them");
    std::ranges::sort(*keys, {}, &Key::id);
    return keys;
}

std::string text_of(const Key& key) {
    std::string text;
    text.reserve(80);
    fmt::format_to(std::back_inserter(text), "{} ", key.id);
    for (const auto byte : key.secret)
        fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
    if (key.is_active) text += " active";
    return text;
}

Result<std::string> with_key(std::string_view text, std::string_view file, std::uint8_t id,
                             const Secret& secret) {
    const auto keys = read_lines(text, file);
    if (!keys) return std::unexpected(keys.error());
    if (id == 0) return fail(Errc::invalid_value, "0 is no number of a key", "1 to 255 are");
    if (holds(*keys, id))
        return fail(Errc::exists, fmt::format("{} has a key {} already", file, id), "choose another number");
    // One that was active because it was alone must say so from now on.
    const bool was_alone = keys->size() == 1;
    auto out = changed(text, [&](Key key) {
        key.is_active = key.is_active || was_alone;
        return std::optional(key);
    });
    return out + text_of(Key{id, keys->empty(), secret}) + "\n";
}

Result<std::string> with_active(std::string_view text, std::string_view file, std::uint8_t id) {
    const auto keys = read_lines(text, file);
    if (!keys) return std::unexpected(keys.error());
    if (!holds(*keys, id)) return no_key(file, id, *keys);
    return changed(text, [&](Key key) {
        key.is_active = key.id == id;
        return std::optional(key);
    });
}

Result<std::string> without_key(std::string_view text, std::string_view file, std::uint8_t id) {
    const auto keys = parse_keys(text, file);
    if (!keys) return std::unexpected(keys.error());
    const auto found = std::ranges::find(*keys, id, &Key::id);
    if (found == keys->end()) return no_key(file, id, *keys);
    if (found->is_active)
        return fail(Errc::busy, fmt::format("key {} in {} is the active one", id, file),
                    "activate another one first, on every node");
    return changed(text, [&](const Key& key) { return key.id == id ? std::nullopt : std::optional(key); });
}

Result<std::uint8_t> free_id(std::string_view text, std::string_view file) {
    const auto keys = read_lines(text, file);
    if (!keys) return std::unexpected(keys.error());
    std::uint8_t greatest = 0;
    for (const auto& key : *keys) greatest = std::max(greatest, key.id);
    if (greatest < 255) return static_cast<std::uint8_t>(greatest + 1);
    for (unsigned id = 1; id <= 255; ++id)
        if (!holds(*keys, static_cast<std::uint8_t>(id))) return static_cast<std::uint8_t>(id);
    return fail(Errc::limit_exceeded, fmt::format("{} has all 255 keys", file),
                "remove those that are not used");
}

} // namespace schedd::membership
