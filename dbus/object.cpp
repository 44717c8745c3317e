// Objects on sdbus-c++ 1.2: tables become its vtables, results become its errors; changes pass the gate.
#include "dbus/object.h"

#include <stdexcept>

#include <malloc.h>
#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include "dbus/errors.h"

namespace schedd::dbus {

struct Object::Implementation {
    Objects& objects;
    std::unique_ptr<sdbus::IObject> object;
    Concern about;
    std::vector<Property> writable;
    std::shared_ptr<int> life =
        std::make_shared<int>(); // what waits for polkit asks whether it is still here
};

namespace {

constexpr std::size_t kLargeAnswer = 256 * 1024; // bytes of text

sdbus::Error library_error(const Error& error) {
    return {std::string(error_name(error.kind)), error_message(error)};
}

/// Does the work and lets nothing out but results and the library's own errors.
template <class Work> Status guarded(const Work& work) {
    try {
        return work();
    } catch (const sdbus::Error&) { throw; } catch (const std::exception& e) {
        return fail(Errc::io, "the call could not be carried out", e.what());
    }
}

/// For handlers, whose exceptions the library turns into error replies; others than its own would end the
/// process.
template <class Work> void guarded_handler(const Work& work) {
    if (auto done = guarded(work); !done) throw library_error(done.error());
}

/// What the bus cannot take (its queue is full, it is gone) is dropped: see the header.
template <class Send> void send(const Send& work) {
    try {
        work();
    } catch (const sdbus::Error&) { // nobody to tell
    }
}

void answer(const sdbus::MethodCall& call, const Status& allowed,
            const std::function<Status(Writer&)>& work) {
    send([&] {
        try {
            auto reply = call.createReply();
            Writer writer(reply);
            auto done = allowed;
            if (done) done = guarded([&] { return work(writer); });
            if (done) reply.send();
            else call.createErrorReply(library_error(done.error())).send();
        } catch (const sdbus::Error& error) { call.createErrorReply(error).send(); }
    });
}

/// What making a large answer took is given back: it is many times the answer, and would be kept in pieces.
Status answer_read(sdbus::MethodCall& call, const ReadHandler& handler) {
    Status done;
    std::size_t size = 0;
    {
        auto reply = call.createReply();
        Reader reader(call);
        Writer writer(reply);
        done = handler(reader, writer);
        if (done) reply.send();
        size = writer.size();
    }
    if (size >= kLargeAnswer) malloc_trim(0);
    return done;
}

void change(Gate& gate, Action action, const ChangeHandler& handler, sdbus::MethodCall& call) {
    Reader reader(call);
    auto change = handler(reader);
    if (change.dry_run) return answer(call, {}, change.work);
    const auto sender = call.getSender();
    const auto uid = gate.uid_of(sender);
    if (!uid) return answer(call, std::unexpected(uid.error()), {});
    gate.ask({action, sender, *uid, change.interactive || allows_interaction(raw_of(call)),
              std::move(change.about.scheduler), std::move(change.about.unit)},
             [call, work = std::move(change.work)](const Status& allowed) { answer(call, allowed, work); });
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

void add(sdbus::IObject& object, Gate& gate, const std::string& interface, Method method) {
    const auto in = method.in;
    const auto out = method.out;
    const std::string name(method.name);
    object.registerMethod(interface, name, joined(in), names(in), joined(out), names(out),
                          [&gate, action = method.action,
                           handler = std::move(method.handler)](sdbus::MethodCall call) {
                              guarded_handler([&]() -> Status {
                                  if (const auto* alter = std::get_if<ChangeHandler>(&handler)) {
                                      change(gate, action, *alter, call);
                                      return {};
                                  }
                                  return answer_read(call, std::get<ReadHandler>(handler));
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

/// `writable` is where the setter of a property that has one is kept; it stays where it is.
void add(sdbus::IObject& object, Gate& gate, const std::string& interface, Property property,
         const Property* writable) {
    const std::string signature(property.signature);
    auto get = [getter = std::move(property.get)](sdbus::PropertyGetReply& reply) {
        guarded_handler([&] {
            Writer writer(reply);
            return getter(writer);
        });
    };
    if (!writable) {
        object.registerProperty(interface, property.name, signature, std::move(get),
                                flags_of(property.emits));
        return;
    }
    auto set = [&gate, writable](sdbus::PropertySetCall call) {
        guarded_handler([&]() -> Status {
            // the others' writes are caught before they come here
            const auto uid = gate.uid_of(call.getSender());
            if (!uid) return std::unexpected(uid.error());
            if (!gate.is_trusted(*uid)) return fail(Errc::denied, "this write is not allowed");
            Reader reader(call);
            return writable->set(reader.basic(writable->signature.front()));
        });
    };
    object.registerProperty(interface, property.name, signature, std::move(get), std::move(set),
                            flags_of(property.emits));
}

struct MessageRef {
    explicit MessageRef(sd_bus_message* message) : raw(sd_bus_message_ref(message)) {}
    MessageRef(const MessageRef& other) : MessageRef(other.raw) {}
    MessageRef& operator=(const MessageRef&) = delete;
    ~MessageRef() { sd_bus_message_unref(raw); }
    sd_bus_message* raw;
};

void answer_set(sd_bus_message* call, const Status& done) {
    if (done) sd_bus_reply_method_return(call, "");
    else
        sd_bus_reply_method_errorf(call, std::string(error_name(done.error().kind)).c_str(), "%s",
                                   error_message(done.error()).c_str());
}

/// The property that the message writes, its place then being the value; null when the library is to answer.
const Property* property_written(sd_bus_message* message, const std::string& interface,
                                 const std::vector<Property>& writable) {
    const char* wanted_interface = nullptr;
    const char* name = nullptr;
    if (sd_bus_message_read(message, "ss", &wanted_interface, &name) <= 0 || interface != wanted_interface)
        return nullptr;
    for (const auto& property : writable)
        if (property.name == name)
            return sd_bus_message_enter_container(message, 'v', std::string(property.signature).c_str()) > 0
                       ? &property
                       : nullptr;
    return nullptr;
}

} // namespace

Concern concern_of(const model::Path& path) {
    const auto& names = path.names();
    if (names.size() < 2 || names[0] != "schedulers") return {};
    return {names[1], names.size() == 4 && names[2] == "process_set" ? names[3] : std::string()};
}

Objects::Objects(Connection& connection, Gate& gate) : connection_(connection), gate_(gate) {
    const auto on_message = [](sd_bus_message* message, void* self, sd_bus_error*) {
        return heard(message, self, nullptr);
    };
    if (sd_bus_add_filter(connection.raw(), &filter_, on_message, this) < 0)
        throw std::runtime_error("the bus takes no filter");
}

Objects::~Objects() { sd_bus_slot_unref(filter_); }

/// 1 when the message has been taken care of, 0 when the library is to answer it.
int Objects::heard(sd_bus_message* message, void* data, void*) {
    auto& self = *static_cast<Objects*>(data);
    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Set") <= 0) return 0;
    const char* path = sd_bus_message_get_path(message);
    const char* sender = sd_bus_message_get_sender(message);
    const auto at = path ? self.by_path_.find(path) : self.by_path_.end();
    if (at == self.by_path_.end() || !sender) return 0;
    const auto uid = self.gate_.uid_of(sender);
    if (!uid || self.gate_.is_trusted(*uid)) return 0;
    const auto& object = *at->second->implementation_;
    const auto* property = property_written(message, at->second->interface_, object.writable);
    const auto value = property ? raw_basic(message, property->signature.front()) : std::nullopt;
    if (!value) {
        sd_bus_message_rewind(message, 1);
        return 0;
    }
    self.gate_.ask({property->action, sender, *uid, allows_interaction(message), object.about.scheduler,
                    object.about.unit},
                   [call = MessageRef(message), set = property->set, value = *value,
                    life = std::weak_ptr<int>(object.life)](const Status& allowed) {
                       auto done = allowed;
                       if (done && life.expired())
                           done = fail(Errc::no_such_object, "the part was removed meanwhile");
                       try {
                           if (done) done = guarded([&] { return set(value); });
                       } catch (const sdbus::Error& e) {
                           done = fail(Errc::io, "the write failed", e.what());
                       }
                       answer_set(call.raw, done);
                   });
    return 1;
}

Object::Object(Objects& objects, const std::string& path, Interface interface)
    : interface_(interface.name),
      implementation_(
          new Implementation{.objects = objects, .object = {}, .about = interface.about, .writable = {}}) {
    auto& object = implementation_->object;
    object = sdbus::createObject(objects.connection_.library(), path);
    for (auto& method : interface.methods) add(*object, objects.gate_, interface_, std::move(method));
    auto& writable = implementation_->writable;
    writable.reserve(interface.properties.size());
    for (auto& property : interface.properties) {
        if (property.set)
            writable.push_back({property.name,
                                property.signature,
                                property.emits,
                                {},
                                std::move(property.set),
                                property.action});
        const bool is_writable = !writable.empty() && writable.back().name == property.name;
        add(*object, objects.gate_, interface_, std::move(property),
            is_writable ? &writable.back() : nullptr);
    }
    for (const auto& signal : interface.signals)
        object->registerSignal(interface_, std::string(signal.name), joined(signal.arguments),
                               names(signal.arguments));
    object->finishRegistration();
    if (!writable.empty()) objects.by_path_[object->getObjectPath()] = this;
}

Object::~Object() {
    if (!implementation_->writable.empty()) implementation_->objects.by_path_.erase(path());
}

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
