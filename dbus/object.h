// Object: one object on the bus, described by plain tables; the only place where methods and properties meet
// the D-Bus library, and where the right to change something is asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dbus/authority.h"
#include "dbus/connection.h"
#include "dbus/message.h"

namespace schedd::dbus {

/// What a method that changes something is about to do. Its arguments have been read; whether they are in
/// order `work` says, since the right to change is asked for at the Authority between the two, except for a
/// dry run, which is as open to all as reading is.
struct Change {
    bool dry_run = false;
    std::function<Status(Writer&)> work;
};

using ReadHandler = std::function<Status(Reader&, Writer&)>;
using ChangeHandler = std::function<Change(Reader&)>;

/// EmitsChangedSignal, told truthfully: const, true, invalidates, false.
enum class Emits { constant, change, invalidation, nothing };

struct Argument {
    std::string_view name;
    std::string_view signature;
};

struct Method {
    std::string_view name;
    std::vector<Argument> in;
    std::vector<Argument> out;
    std::variant<ReadHandler, ChangeHandler> handler;
};

/// Without `set` it is read-only; a setter is always a change.
struct Property {
    std::string name;
    std::string_view signature;
    Emits emits;
    std::function<Status(Writer&)> get;
    std::function<Status(const Basic&)> set = {};
};

struct SignalSpec {
    std::string_view name;
    std::vector<Argument> arguments;
};

struct Interface {
    std::string name;
    std::vector<Method> methods = {};
    std::vector<Property> properties = {};
    std::vector<SignalSpec> signals = {};
};

class Object {
public:
    /// Answers from here on until destroyed. `connection` and `authority` outlive it. Throws sdbus::Error
    /// when the library refuses the table (a bad name or signature).
    Object(Connection& connection, Authority& authority, const std::string& path, Interface interface);
    ~Object();
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    [[nodiscard]] const std::string& path() const;
    [[nodiscard]] const std::string& interface() const { return interface_; }

    // Signals. That the bus cannot take one now (its queue is full, it is gone) is no error of the change
    // that caused it; it is dropped.
    void announce();
    void retract();
    void emit_changed(const std::vector<std::string>& properties);
    /// To everybody, or to one unique name.
    void emit(std::string_view signal, const std::function<void(Writer&)>& fill,
              const std::string& destination = {});

private:
    struct Implementation;
    std::string interface_;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace schedd::dbus
