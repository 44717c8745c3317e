// Objects on sdbus-c++ 1.2: tables become its vtables, results become its exceptions.
#include "dbus/object.h"

#include <sdbus-c++/sdbus-c++.h>

#include "dbus/errors.h"

namespace schedd::dbus {

struct Object::Implementation {
    std::unique_ptr<sdbus::IObject> object;
};

namespace {

/// The library turns its own exceptions into error replies; any other would end the process.
[[noreturn]] void raise(const Error& error) {
    throw sdbus::Error(std::string(error_name(error.kind)), error_message(error));
}

template <class Work> void guarded(const Work& work) {
    Status status;
    try {
        status = work();
    } catch (const sdbus::Error&) { throw; } catch (const std::exception& e) {
        status = fail(Errc::io, "the call could not be carried out", e.what());
    }
    if (!status) raise(status.error());
}

Status may_change(Authority& authority, const sdbus::Message& message) {
    return authority.may_change(message.getSender(), [&]() -> Result<std::uint32_t> {
        try {
            return message.getCredsEuid();
        } catch (const sdbus::Error& e) {
            return fail(Errc::denied, "the bus does not know its uid", e.getMessage());
        }
    });
}

Status carry_out(const std::variant<ReadHandler, ChangeHandler>& handler, Authority& authority,
                 const sdbus::Message& message, Reader& reader, Writer& writer) {
    if (const auto* read = std::get_if<ReadHandler>(&handler)) return (*read)(reader, writer);
    const auto change = std::get<ChangeHandler>(handler)(reader);
    if (!change.dry_run)
        if (auto allowed = may_change(authority, message); !allowed) return allowed;
    return change.work(writer);
}

std::string joined(const std::vector<Argument>& arguments) {
    std::string signature;
    for (const auto& argument : arguments) signature += argument.signature;
    return signature;
}

std::vector<std::string> names(const std::vector<Argument>& arguments) {
    std::vector<std::string> list;
    for (const auto& argument : arguments) list.emplace_back(argument.name);
    return list;
}

void add(sdbus::IObject& object, Authority& authority, const std::string& interface, Method method) {
    const auto in = method.in;
    const auto out = method.out;
    const std::string name(method.name);
    object.registerMethod(interface, name, joined(in), names(in), joined(out), names(out),
                          [&authority, handler = std::move(method.handler)](sdbus::MethodCall call) {
                              guarded([&]() -> Status {
                                  auto reply = call.createReply();
                                  Reader reader(call);
                                  Writer writer(reply);
                                  if (auto done = carry_out(handler, authority, call, reader, writer); !done)
                                      return done;
                                  reply.send();
                                  return {};
                              });
                          });
}

sdbus::Flags flags_of(Emits emits) {
    sdbus::Flags flags;
    switch (emits) {
    case Emits::constant: flags.set(sdbus::Flags::CONST_PROPERTY_VALUE); break;
    case Emits::change: flags.set(sdbus::Flags::EMITS_CHANGE_SIGNAL); break;
    case Emits::invalidation: flags.set(sdbus::Flags::EMITS_INVALIDATION_SIGNAL); break;
    case Emits::nothing: flags.set(sdbus::Flags::EMITS_NO_SIGNAL); break;
    }
    return flags;
}

void add(sdbus::IObject& object, Authority& authority, const std::string& interface, Property property) {
    const std::string signature(property.signature);
    auto get = [getter = std::move(property.get)](sdbus::PropertyGetReply& reply) {
        guarded([&] {
            Writer writer(reply);
            return getter(writer);
        });
    };
    if (!property.set) {
        object.registerProperty(interface, property.name, signature, std::move(get),
                                flags_of(property.emits));
        return;
    }
    auto set = [&authority, letter = signature.front(),
                setter = std::move(property.set)](sdbus::PropertySetCall call) {
        guarded([&]() -> Status {
            if (auto allowed = may_change(authority, call); !allowed) return allowed;
            Reader reader(call);
            return setter(reader.basic(letter));
        });
    };
    object.registerProperty(interface, property.name, signature, std::move(get), std::move(set),
                            flags_of(property.emits));
}

template <class Send> void send(const Send& work) {
    try {
        work();
    } catch (const sdbus::Error&) { // see the header: dropped
    }
}

} // namespace

Object::Object(Connection& connection, Authority& authority, const std::string& path, Interface interface)
    : interface_(interface.name), implementation_(std::make_unique<Implementation>()) {
    auto& object = implementation_->object;
    object = sdbus::createObject(connection.library(), path);
    for (auto& method : interface.methods) add(*object, authority, interface_, std::move(method));
    for (auto& property : interface.properties) add(*object, authority, interface_, std::move(property));
    for (const auto& signal : interface.signals)
        object->registerSignal(interface_, std::string(signal.name), joined(signal.arguments),
                               names(signal.arguments));
    object->finishRegistration();
}

Object::~Object() = default;

const std::string& Object::path() const { return implementation_->object->getObjectPath(); }

void Object::announce() {
    send([&] { implementation_->object->emitInterfacesAddedSignal(); });
}

void Object::retract() {
    send([&] { implementation_->object->emitInterfacesRemovedSignal(); });
}

void Object::emit_changed(const std::vector<std::string>& properties) {
    send([&] { implementation_->object->emitPropertiesChangedSignal(interface_, properties); });
}

void Object::emit(std::string_view name, const std::function<void(Writer&)>& fill,
                  const std::string& destination) {
    send([&] {
        auto signal = implementation_->object->createSignal(interface_, std::string(name));
        Writer writer(signal);
        fill(writer);
        if (!destination.empty()) signal.setDestination(destination);
        implementation_->object->emitSignal(signal);
    });
}

} // namespace schedd::dbus
