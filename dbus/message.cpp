// Messages on sdbus-c++ 1.2.
#include "dbus/message.h"

#include <cstring>

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include "dbus/text.h"

namespace schedd::dbus {

namespace {

struct Raw : sdbus::Message {
    static sd_bus_message* of(const sdbus::Message& message) {
        return static_cast<sd_bus_message*>(message.*(&Raw::msg_));
    }
};

template <class T> T take(sdbus::Message& message) {
    T value{};
    message >> value;
    return value;
}

} // namespace

sd_bus_message* raw_of(const sdbus::Message& message) { return Raw::of(message); }

bool allows_interaction(sd_bus_message* message) {
    return sd_bus_message_get_allow_interactive_authorization(message) > 0;
}

std::optional<Basic> raw_basic(sd_bus_message* message, char signature) {
    union {
        const char* text;
        std::uint64_t number;
        std::int64_t integer;
        double real;
        int flag;
    } value{};
    if (!std::strchr("txbds", signature) || sd_bus_message_read_basic(message, signature, &value) <= 0)
        return std::nullopt;
    switch (signature) {
    case 't': return value.number;
    case 'x': return value.integer;
    case 'b': return value.flag != 0;
    case 'd': return value.real;
    default: return std::string(value.text);
    }
}

std::string Reader::text() { return take<std::string>(message_); }

std::uint64_t Reader::number() { return take<std::uint64_t>(message_); }

bool Reader::flag() { return take<bool>(message_); }

Basic Reader::basic(char signature) {
    switch (signature) {
    case 'y': return std::uint64_t{take<std::uint8_t>(message_)};
    case 'q': return std::uint64_t{take<std::uint16_t>(message_)};
    case 'u': return std::uint64_t{take<std::uint32_t>(message_)};
    case 't': return take<std::uint64_t>(message_);
    case 'n': return std::int64_t{take<std::int16_t>(message_)};
    case 'i': return std::int64_t{take<std::int32_t>(message_)};
    case 'x': return take<std::int64_t>(message_);
    case 'b': return take<bool>(message_);
    case 'd': return take<double>(message_);
    case 'o': return std::string(take<sdbus::ObjectPath>(message_));
    default: return take<std::string>(message_);
    }
}

Result<Basic> Reader::variant() {
    std::string type;
    std::string contents;
    message_.peekType(type, contents);
    if (contents.size() != 1 || !std::strchr("yqutnixbdos", contents.front())) {
        sd_bus_message_skip(raw_of(message_), "v"); // what follows can still be read
        return fail(Errc::invalid_value, "a value of type '" + contents.substr(0, 32) + "' cannot be used",
                    "send one of t x b s");
    }
    message_.enterVariant(contents);
    auto value = basic(contents.front());
    message_.exitVariant();
    return value;
}

Result<Options::Attributes> Reader::attributes() {
    Options::Attributes attributes;
    message_.enterContainer("{sv}");
    while (message_.enterDictEntry("sv")) {
        auto key = text();
        auto value = variant();
        if (!value) return std::unexpected(value.error());
        attributes.insert_or_assign(std::move(key), std::move(*value));
        message_.exitDictEntry();
    }
    message_.clearFlags();
    message_.exitContainer();
    return attributes;
}

Result<Options> Reader::options(std::initializer_list<std::string_view> known) {
    Options options;
    message_.enterContainer("{sv}");
    while (message_.enterDictEntry("sv")) {
        auto key = text();
        std::string type;
        std::string contents;
        message_.peekType(type, contents);
        Options::Entry entry;
        if (contents == "a{sv}") {
            message_.enterVariant(contents);
            auto nested = attributes();
            if (!nested) return std::unexpected(nested.error());
            entry = std::move(*nested);
            message_.exitVariant();
        } else {
            auto value = variant();
            if (!value)
                return fail(value.error().kind, "option '" + key.substr(0, 64) + "': " + value.error().what,
                            value.error().detail);
            entry = std::move(*value);
        }
        if (auto added = options.add(std::move(key), std::move(entry)); !added)
            return std::unexpected(added.error());
        message_.exitDictEntry();
    }
    message_.clearFlags();
    message_.exitContainer();
    if (auto checked = options.check(known); !checked) return std::unexpected(checked.error());
    return options;
}

Reader::Caller Reader::caller() const {
    return {message_.getCredsEuid(), static_cast<std::uint32_t>(message_.getCredsPid())};
}

std::string Reader::sender() const { return message_.getSender(); }

namespace {

void check(int result) {
    if (result < 0) throw sdbus::createError(-result, "the message cannot be written");
}

} // namespace

void Writer::basic(char signature, const void* value) {
    check(sd_bus_message_append_basic(message_, signature, value));
}

void Writer::open(char container, const char* contents) {
    check(sd_bus_message_open_container(message_, container, contents));
}

void Writer::close() { check(sd_bus_message_close_container(message_)); }

void Writer::text(std::string_view text) {
    size_ += text.size();
    basic('s', (is_fit(text) ? std::string(text) : fit_text(text)).c_str());
}

void Writer::object(const std::string& path) { basic('o', path.c_str()); }

void Writer::number(std::uint64_t value) { basic('t', &value); }

void Writer::number32(std::uint32_t value) { basic('u', &value); }

void Writer::flag(bool value) {
    const int wide = value; // a bool is an int there
    basic('b', &wide);
}

void Writer::real(double value) { basic('d', &value); }

void Writer::aged_values(const std::vector<AgedValue>& values) {
    open('a', "{s(it)}");
    for (const auto& one : values) {
        open('e', "s(it)");
        text(one.path);
        open('r', "it");
        basic('i', &one.value);
        number(one.age_ms);
        close();
        close();
    }
    close();
}

void Writer::texts(const std::vector<std::string>& list) {
    open('a', "s");
    for (const auto& one : list) text(one);
    close();
}

void Writer::attribute(const model::AttributeValue& value) {
    if (const auto* words = std::get_if<std::string>(&value)) text(*words);
    else if (const auto* is_set = std::get_if<bool>(&value)) flag(*is_set);
    else if (const auto* integer = std::get_if<std::int64_t>(&value)) basic('x', integer);
    else number(std::get<std::uint64_t>(value));
}

void Writer::variant(const model::Value& value) {
    open('v', value.index() == 0 ? "x" : value.index() == 1 ? "d" : "s");
    if (const auto* integer = std::get_if<std::int64_t>(&value)) basic('x', integer);
    else if (const auto* number = std::get_if<double>(&value)) real(*number);
    else text(std::get<std::string>(value));
    close();
}

void Writer::descriptor(int fd) { basic('h', &fd); }

void Writer::open_dictionary() { open('a', "{sv}"); }

void Writer::entry(std::string_view key, const model::Value& value) {
    open('e', "sv");
    text(key);
    variant(value);
    close();
}

void Writer::close_dictionary() { close(); }

namespace {

/// The library tells not which call a property is read for, nor can it leave a property out of GetAll.
bool answers(sd_bus_message* message, const char* interface, const char* method) {
    sd_bus* bus = sd_bus_message_get_bus(message);
    sd_bus_message* call = bus ? sd_bus_get_current_message(bus) : nullptr;
    return call && sd_bus_message_is_method_call(call, interface, method) > 0;
}

} // namespace

bool Writer::is_single_get() const { return answers(message_, "org.freedesktop.DBus.Properties", "Get"); }

bool Writer::is_read() const {
    return answers(message_, "org.freedesktop.DBus.Properties", nullptr) ||
           answers(message_, "org.freedesktop.DBus.ObjectManager", nullptr);
}

std::string_view signature_of(model::AttributeKind kind) {
    switch (kind) {
    case model::AttributeKind::unsigned_number: return "t";
    case model::AttributeKind::integer: return "x";
    case model::AttributeKind::boolean: return "b";
    case model::AttributeKind::text:
    case model::AttributeKind::choice: return "s";
    }
    return "s";
}

} // namespace schedd::dbus
