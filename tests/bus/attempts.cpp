// What changes something, from live introspection.
#include "tests/bus/attempts.h"

#include <cstdlib>
#include <map>
#include <sstream>

#include <unistd.h>

#include "tests/bus/introspection.h"

namespace schedd::test {

namespace {

constexpr const char* kManager = "org.schedd1.Manager";

std::string action_of(const std::string& method) {
    const std::map<std::string, std::string> others{{"Attach", "attach"},    {"Detach", "attach"},
                                                    {"Hold", "hold"},        {"DrainNode", "peers"},
                                                    {"Migrate", "peers"},    {"Expel", "peers"},
                                                    {"Bring", "peers"},      {"BlockGuests", "peers"},
                                                    {"Checkpoint", "peers"}, {"Restore", "peers"}};
    const auto at = others.find(method);
    return "org.schedd1." + (at == others.end() ? std::string("configure") : at->second);
}

Attempt call_of(const MethodLine& method) {
    return {method.name, action_of(method.name), "/org/schedd1", kManager, [method](sdbus::MethodCall& call) {
                int texts = 0;
                for (const auto& type : method.in) {
                    if (type == "s") call << std::string(texts++ == 0 ? "schedulers/S/load_balancing" : "x");
                    else if (type == "b") call << true;
                    else if (type == "v") call << sdbus::Variant(std::string("500"));
                    else call << Variants{};
                }
            }};
}

sdbus::Variant value_of(const std::string& type) {
    if (type == "b") return sdbus::Variant(true);
    if (type == "s") return sdbus::Variant(std::string("auto"));
    if (type == "x") return sdbus::Variant(std::int64_t{11});
    return sdbus::Variant(std::uint64_t{11});
}

} // namespace

std::unique_ptr<Client> client_of(unsigned uid, const std::string& address) {
    // the bus looks at the effective uid at the time of connecting
    struct As {
        explicit As(unsigned uid) {
            if (::seteuid(uid) != 0) std::abort();
        }
        As(const As&) = delete;
        As& operator=(const As&) = delete;
        ~As() {
            if (::seteuid(0) != 0) std::abort();
        }
    };
    const As user(uid);
    return std::make_unique<Client>(address);
}

std::vector<Attempt> all_attempts(Client& client) {
    std::vector<Attempt> attempts;
    for (const auto& [path, interfaces] : client.managed().value)
        for (const auto& [interface, xml] : parse_interfaces(client.introspect(path)))
            for (const auto& line : xml.lines) {
                std::istringstream words(line);
                std::string sort, property, type, access;
                words >> sort >> property >> type >> access;
                if (sort != "property" || access != "readwrite") continue;
                attempts.push_back(
                    {path + " " + property,
                     interface == "org.schedd1.Attachment" ? "org.schedd1.attach" : "org.schedd1.configure",
                     path, "org.freedesktop.DBus.Properties", [=, name = interface](sdbus::MethodCall& call) {
                         call << name << property << value_of(type);
                     }});
            }
    const auto manager = parse_interfaces(client.introspect("/org/schedd1")).at(kManager);
    for (const auto& method : manager.methods)
        if (!method.in_names.empty() && method.in_names.back() == "options" && method.name != "Export" &&
            method.name != "PlaceTask")
            attempts.push_back(call_of(method));
    return attempts;
}

Running::Running(Client& client, const Attempt& attempt)
    : name(attempt.name), proxy_(sdbus::createProxy(client.connection(), "org.schedd1", attempt.path)) {
    const bool is_set = attempt.interface == "org.freedesktop.DBus.Properties";
    auto call = proxy_->createMethodCall(attempt.interface, is_set ? "Set" : attempt.name);
    attempt.fill(call);
    proxy_->callMethod(
        call,
        [this](sdbus::MethodReply&, const sdbus::Error* failure) {
            is_over = true;
            if (!failure) return;
            error = failure->getName();
            message = failure->getMessage();
        },
        Client::kPatience);
}

} // namespace schedd::test
