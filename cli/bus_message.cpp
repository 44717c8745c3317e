// From sd-bus messages to JSON.
#include "cli/bus_message.h"

#include <nlohmann/json.hpp>
#include <systemd/sd-bus.h>

namespace schedd::cli {

namespace {

constexpr std::string_view kRoot = "/org/schedd1";

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// A byte inside a path element as the tree writes it.
void add_byte(std::string& out, char c) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    if (c > ' ' && c < '\x7f' && c != '/' && c != '%') out += c;
    else out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
}

/// Reads one message. After anything that cannot be read it stops, so that no message can make it run for
/// ever.
class Reader {
public:
    explicit Reader(sd_bus_message* message) : message_(message) {}

    /// The rest of the container that was entered.
    Json sequence() {
        Json array = Json::array();
        while (!broken_ && sd_bus_message_at_end(message_, 0) == 0) {
            auto value = next();
            if (!broken_) array.push_back(std::move(value));
        }
        return array;
    }

private:
    Json next() {
        const char* contents = nullptr;
        char type = 0;
        if (sd_bus_message_peek_type(message_, &type, &contents) <= 0) return stop();
        if (type != 'a' && type != 'v' && type != 'r') return basic(type);
        // `contents` is only lent until the container is entered.
        const std::string inner(contents ? contents : "");
        if (sd_bus_message_enter_container(message_, type, inner.c_str()) < 0) return stop();
        Json value;
        if (type == 'v') value = next();
        else value = type == 'a' && inner.starts_with('{') ? dictionary(inner) : sequence();
        if (!broken_ && sd_bus_message_exit_container(message_) < 0) return stop();
        return value;
    }

    Json dictionary(const std::string& entry) {
        const std::string inner = entry.substr(1, entry.size() - 2);
        Json object = Json::object();
        while (!broken_ && sd_bus_message_enter_container(message_, 'e', inner.c_str()) > 0) {
            const Json key = next();
            auto value = next();
            if (broken_ || sd_bus_message_exit_container(message_) < 0) return stop();
            object[scalar(key)] = std::move(value);
        }
        return object;
    }

    Json basic(char type) {
        union {
            const char* text;
            std::uint64_t u64;
            std::int64_t i64;
            double real;
            std::uint32_t u32;
            std::int32_t i32;
            std::uint16_t u16;
            std::int16_t i16;
            std::uint8_t byte;
            int flag;
        } value{};
        // A file descriptor would be the message's own; signals of the contract carry none.
        if (sd_bus_message_read_basic(message_, type, &value) <= 0) return stop();
        switch (type) {
        case 's':
        case 'o':
        case 'g': return std::string(value.text);
        case 't': return value.u64;
        case 'x': return value.i64;
        case 'd': return value.real;
        case 'u': return value.u32;
        case 'i':
        case 'h': return value.i32;
        case 'q': return value.u16;
        case 'n': return value.i16;
        case 'y': return value.byte;
        case 'b': return value.flag != 0;
        default: return stop();
        }
    }

    Json stop() {
        broken_ = true;
        return {};
    }

    sd_bus_message* message_;
    bool broken_ = false;
};

} // namespace

Json arguments_of(sd_bus_message* message) { return Reader(message).sequence(); }

std::string tree_path(std::string_view object_path) {
    if (!object_path.starts_with(kRoot)) return std::string(object_path);
    auto rest = object_path.substr(kRoot.size());
    if (!rest.empty() && rest.front() != '/') return std::string(object_path);
    if (!rest.empty()) rest.remove_prefix(1);
    std::string out;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const int high = rest[i] == '_' && i + 2 < rest.size() ? hex_digit(rest[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(rest[i + 2]) : -1;
        if (rest[i] == '/' || low < 0) {
            out += rest[i];
            continue;
        }
        add_byte(out, static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

} // namespace schedd::cli
