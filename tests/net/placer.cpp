// schedd-placer NAME=ADDRESS...: plays the daemon for the tests of `schedd-cli run`. On the session bus it
// answers Manager.PlaceTask with the first of these nodes, numbered from 2, that has not been refused, and
// with this node when there is none left.
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

namespace {

struct Node {
    std::string name;
    std::string address;
};

int place_task(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    const auto& nodes = *static_cast<const std::vector<Node>*>(self);
    const char *command = nullptr, *key = nullptr, *value = nullptr;
    std::string refused;
    int r = sd_bus_message_read(message, "s", &command);
    if (r >= 0) r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_read(message, "{sv}", &key, "s", &value)) > 0)
        if (std::strcmp(key, "refused") == 0) refused = fmt::format(" {} ", value);
    if (r < 0) return r;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto number = i + 2;
        if (refused.find(fmt::format(" {} ", number)) != std::string::npos) continue;
        return sd_bus_reply_method_return(
            message, "s",
            fmt::format(R"({{"node":{},"name":"{}","here":false,"addresses":["{}"],"scheduler":"S",)"
                        R"("reason":"CPU 0.3 of 1.0"}})",
                        number, nodes[i].name, nodes[i].address)
                .c_str());
    }
    return sd_bus_reply_method_return(
        message, "s",
        R"({"node":1,"name":"node1","here":true,"addresses":[],"scheduler":"S","reason":"none is left"})");
}

int change(sd_bus_message* message, void* /*self*/, sd_bus_error* /*error*/) {
    const char *scheduler = nullptr, *member = nullptr;
    const int r = sd_bus_message_read(message, "ss", &scheduler, &member);
    if (r < 0) return r;
    const std::string verb = sd_bus_message_get_member(message);
    std::cout << verb << " " << scheduler << " " << member << std::endl;
    if (verb == "Detach") return sd_bus_reply_method_return(message, "");
    return sd_bus_reply_method_return(message, "o", "/");
}

const sd_bus_vtable kTable[] = {SD_BUS_VTABLE_START(0),
                                SD_BUS_METHOD("PlaceTask", "sa{sv}", "s", place_task,
                                              SD_BUS_VTABLE_UNPRIVILEGED),
                                SD_BUS_METHOD("Attach", "ssa{sv}", "o", change, SD_BUS_VTABLE_UNPRIVILEGED),
                                SD_BUS_METHOD("Detach", "ssa{sv}", "", change, SD_BUS_VTABLE_UNPRIVILEGED),
                                SD_BUS_VTABLE_END};

} // namespace

int main(int count, char** words) {
    std::vector<Node> nodes;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto equals = word.find('=');
        if (equals == std::string::npos) {
            std::cerr << "schedd-placer NAME=ADDRESS..., not '" << word << "'\n";
            return 2;
        }
        nodes.push_back({word.substr(0, equals), word.substr(equals + 1)});
    }
    sd_bus* bus = nullptr;
    int r = sd_bus_open_user(&bus);
    if (r >= 0)
        r = sd_bus_add_object_vtable(bus, nullptr, "/org/schedd1", "org.schedd1.Manager", kTable, &nodes);
    if (r >= 0) r = sd_bus_request_name(bus, "org.schedd1", 0);
    while (r >= 0) {
        r = sd_bus_process(bus, nullptr);
        if (r == 0) r = sd_bus_wait(bus, UINT64_MAX);
    }
    std::cerr << "schedd-placer: " << std::strerror(-r) << "\n";
    return 1;
}
