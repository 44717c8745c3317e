// Key files: what is read can be changed in every way and read again, and no message repeats what may be a
// secret.
#include <algorithm>

#include "components/membership/key_text.h"
#include "tests/fuzz/fuzz.h"

using namespace schedd;
using namespace schedd::membership;

namespace {

bool same(const std::vector<Key>& a, const std::vector<Key>& b) {
    return std::ranges::equal(a, b, [](const Key& x, const Key& y) {
        return x.id == y.id && x.is_active == y.is_active && x.secret == y.secret;
    });
}

void check_message(const kit::Error& error) {
    std::size_t digits = 0;
    for (const char c : error.text()) {
        digits =
            std::string_view("0123456789abcdefABCDEF").find(c) == std::string_view::npos ? 0 : digits + 1;
        fuzz::require(digits < 8, "a message has no part of a secret", error.text());
    }
}

/// As a whole again, with a key more, another active, and the added one removed.
void check_changes(const std::vector<Key>& keys, std::string_view text) {
    std::string lines;
    for (const auto& key : keys) lines += text_of(key) + "\n";
    const auto again = parse_keys(lines, "keys");
    fuzz::require(again && same(*again, keys), "keys are read back from their lines", lines);
    const auto id = free_id(text, "keys");
    if (!id) return;
    Secret secret{};
    secret[0] = std::byte{*id};
    const auto more = with_key(text, "keys", *id, secret);
    fuzz::require(more.has_value(), "a key can be added", more ? "" : more.error().text());
    if (more->size() > kKeyFileBytes) return;
    const auto with = parse_keys(*more, "keys");
    fuzz::require(with && with->size() == keys.size() + 1, "it is one more", *more);
    const auto active = with_active(*more, "keys", *id);
    if (!active || active->size() > kKeyFileBytes) return;
    const auto parsed = parse_keys(*active, "keys");
    fuzz::require(parsed.has_value(), "it can be made active", *active);
    for (const auto& key : *parsed) fuzz::require(key.is_active == (key.id == *id), "and alone is");
    const auto back = with_active(*active, "keys", std::ranges::find(keys, true, &Key::is_active)->id);
    if (!back || back->size() > kKeyFileBytes) return;
    const auto without = without_key(*back, "keys", *id);
    fuzz::require(without.has_value(), "it can be removed", *back);
    const auto last = parse_keys(*without, "keys");
    fuzz::require(last && same(*last, keys), "and all is as it was", *without);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_from(data, size);
    const auto keys = parse_keys(text, "keys");
    if (!keys) {
        check_message(keys.error());
        return 0;
    }
    fuzz::require(std::ranges::count(*keys, true, &Key::is_active) == 1, "one key is active");
    check_changes(*keys, text);
    return 0;
}
