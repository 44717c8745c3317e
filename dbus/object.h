// Object: one object on the bus, described by plain tables; the only place where methods and properties meet
// the D-Bus library, and where the right to change something is asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "components/model/path.h"
#include "dbus/connection.h"
#include "dbus/gate.h"
#include "dbus/message.h"

struct sd_bus_slot;

namespace schedd::dbus {

/// The scheduler and the member that something is about, "" for none.
struct Concern {
    std::string scheduler = {};
    std::string unit = {};
};
/// That of a place in the tree.
Concern concern_of(const model::Path& path);

/// What a method that changes something is about to do. Its arguments have been read; whether they are in
/// order `work` says, since the gate has to be passed between the two, except for a dry run, which is as open
/// to all as reading is. Polkit may take minutes, and things change meanwhile: `work` finds them as they are
/// then.
struct Change {
    bool dry_run = false;
    bool interactive = false;
    Concern about = {};
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
    Action action = Action::configure; // what a change takes
};

/// Without `set` it is read-only; a setter is always a change, and takes `action`.
struct Property {
    std::string name;
    std::string_view signature;
    Emits emits;
    std::function<Status(Writer&)> get;
    std::function<Status(const Basic&)> set = {};
    Action action = Action::configure;
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
    Concern about = {}; // whom writing a property concerns
};

class Object;

/// What all objects of a connection share: it catches the writes of properties that polkit is to be asked
/// about, as the library would answer them at once.
class Objects {
public:
    /// Both outlive it, and it outlives the objects. Throws std::runtime_error when the bus takes no filter.
    Objects(Connection& connection, Gate& gate);
    ~Objects();
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;

private:
    friend class Object;
    static int heard(sd_bus_message* message, void* self, void*);
    Connection& connection_;
    Gate& gate_;
    sd_bus_slot* filter_ = nullptr;
    std::unordered_map<std::string_view, Object*> by_path_; // those with a property that can be written
};

/// What is on the bus for a part, for as long as it exists. Its signals: that the bus cannot take one now
/// (its queue is full, it is gone) is no error of the change that caused it; it is dropped.
class OnBus {
public:
    OnBus() = default;
    virtual ~OnBus() = default;
    OnBus(const OnBus&) = delete;
    OnBus& operator=(const OnBus&) = delete;
    virtual void announce() = 0;
    virtual void retract() = 0;
    virtual void emit_changed(const std::vector<std::string>& properties) = 0;
};

class Object final : public OnBus {
public:
    /// Answers from here on until destroyed. `objects` outlives it. Throws sdbus::Error when the library
    /// refuses the table (a bad name or signature).
    Object(Objects& objects, const std::string& path, Interface interface);
    ~Object() override;

    [[nodiscard]] const std::string& path() const;
    [[nodiscard]] const std::string& interface() const { return interface_; }

    void announce() override;
    void retract() override;
    void emit_changed(const std::vector<std::string>& properties) override;
    /// To everybody, or to one unique name.
    void emit(std::string_view signal, const std::function<void(Writer&)>& fill,
              const std::string& destination = {});

private:
    friend class Objects;
    struct Implementation;
    std::string interface_;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace schedd::dbus
