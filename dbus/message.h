// Messages: reading arguments and writing replies, without letting the D-Bus library show through.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/attribute.h"
#include "components/model/value.h"
#include "dbus/options.h"

namespace sdbus {
class Message;
} // namespace sdbus
struct sd_bus_message;

namespace schedd::dbus {

/// The message below the library's wrapper, for the few questions it does not answer.
sd_bus_message* raw_of(const sdbus::Message& message);
/// Whether the caller has said, by the flag of the message, that somebody may be asked for a password.
bool allows_interaction(sd_bus_message* message);
/// A basic value of type `signature` (a letter) at the message's place; none if there is another.
std::optional<Basic> raw_basic(sd_bus_message* message, char signature);

/// The arguments of a call, read in their order. REQUIRES: the signature has been checked (the vtable does).
class Reader {
public:
    explicit Reader(sdbus::Message& message) : message_(message) {}

    std::string text();
    std::uint64_t number();
    bool flag();
    /// One value of type `signature` (a letter), such as a property's.
    Basic basic(char signature);
    /// A variant. Fails with invalid_value if it holds no basic type.
    Result<Basic> variant();
    /// An a{sv}, with a{sv} inside at most once; besides the options of every call it may hold `known` ones.
    Result<Options> options(std::initializer_list<std::string_view> known = {});
    /// Uid and pid of the caller as the bus knows them. The pid may be somebody else's by now.
    struct Caller {
        std::uint32_t uid;
        std::uint32_t pid;
    };
    [[nodiscard]] Caller caller() const;
    /// The unique name of the caller.
    [[nodiscard]] std::string sender() const;

private:
    Result<Options::Attributes> attributes();
    sdbus::Message& message_;
};

/// What goes into a reply, a property or a signal, in the order of its signature. Text may hold any bytes.
/// Throws sdbus::Error when that is not what the message is to hold, or there is no memory.
class Writer {
public:
    explicit Writer(const sdbus::Message& message) : Writer(raw_of(message)) {}
    explicit Writer(sd_bus_message* message) : message_(message) {}

    void text(std::string_view text);
    void object(const std::string& path);
    void number(std::uint64_t value);
    void number32(std::uint32_t value);
    void flag(bool value);
    void texts(const std::vector<std::string>& list);
    /// An attribute's value as its own type: t, x, b or s.
    void attribute(const model::AttributeValue& value);
    /// A sample's value as a variant: x, d or s.
    void variant(const model::Value& value);
    /// A file descriptor; a copy of it is sent.
    void descriptor(int fd);

    void real(double value);
    struct AgedValue {
        std::string_view path;
        std::int32_t value;
        std::uint64_t age_ms;
    };
    /// An a{s(it)}.
    void aged_values(const std::vector<AgedValue>& values);

    // An a{sv}, entry by entry.
    void open_dictionary();
    void entry(std::string_view key, const model::Value& value);
    void close_dictionary();

    /// Whether a property is written on its own (Get), so that it may fail; in GetAll and the like one
    /// failure would take all other properties with it.
    [[nodiscard]] bool is_single_get() const;
    /// Whether somebody reads (Get, GetAll, GetManagedObjects); a signal tells all there is unasked.
    [[nodiscard]] bool is_read() const;

    /// Bytes of text so far.
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    void basic(char signature, const void* value);
    void open(char container, const char* contents);
    void close();
    sd_bus_message* message_;
    std::size_t size_ = 0;
};

/// The letter an attribute has on the bus: "t", "x", "b" or "s".
std::string_view signature_of(model::AttributeKind kind);

} // namespace schedd::dbus
