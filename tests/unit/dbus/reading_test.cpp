// Who reads a value asks for it, and a signal that tells it does not: over two ends of a real connection.
#include <functional>
#include <memory>

#include <sys/socket.h>

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include "dbus/adaptors.h"
#include "tests/unit/dbus/fake_backend.h"

namespace schedd::dbus {
namespace {

constexpr const char* kPath = "/load";
constexpr const char* kInterface = "org.schedd1.Source";

int write_property(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/, const char* /*name*/,
                   sd_bus_message* reply, void* property, sd_bus_error* /*error*/) {
    Writer out(reply);
    return static_cast<Property*>(property)->get(out) ? 0 : -EIO;
}

constexpr sd_bus_vtable kTable[] = {SD_BUS_VTABLE_START(0),
                                    SD_BUS_PROPERTY("Value", "v", write_property, 0,
                                                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                                    SD_BUS_VTABLE_END};

/// A source that nobody wants any more, on one end.
struct ARestingSource : ::testing::Test {
    ARestingSource() {
        EXPECT_TRUE(world.apply("create probes/cpu\nwrite probes/cpu.probe_period 100\n"));
        for (int i = 0; i < 50; ++i) {
            world.at<model::Probe>("probes/cpu").run(world.clock.now());
            world.clock.advance(std::chrono::milliseconds(100));
        }
        auto interface = interface_of(source(), {backend, watches}).value();
        for (auto& one : interface.properties)
            if (one.name == "Value") property = std::move(one);
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        sd_id128_t id{};
        EXPECT_GE(sd_id128_randomize(&id), 0);
        for (auto** bus : {&served, &client}) EXPECT_GE(sd_bus_new(bus), 0);
        EXPECT_GE(sd_bus_set_fd(served, ends[0], ends[0]), 0);
        EXPECT_GE(sd_bus_set_server(served, 1, id), 0);
        EXPECT_GE(sd_bus_set_fd(client, ends[1], ends[1]), 0);
        EXPECT_GE(sd_bus_add_object_vtable(served, nullptr, kPath, kInterface, kTable, &property), 0);
        for (auto* bus : {served, client}) EXPECT_GE(sd_bus_start(bus), 0);
        work_until([this] { return sd_bus_is_ready(served) > 0 && sd_bus_is_ready(client) > 0; });
    }
    ~ARestingSource() override {
        for (auto* bus : {client, served}) sd_bus_close_unref(bus);
    }
    model::Source& source() { return world.at<model::Source>("probes/cpu/load"); }
    [[nodiscard]] bool is_wanted() { return world.at<model::Probe>("probes/cpu").is_wanted(source()); }
    void work_until(const std::function<bool()>& is_done) {
        for (int i = 0; i < 10'000 && !is_done(); ++i)
            for (auto* bus : {client, served}) ASSERT_GE(sd_bus_process(bus, nullptr), 0);
        EXPECT_TRUE(is_done());
    }
    /// Calls, and lets both ends work until the answer is there.
    void call(const char* method, const char* property_name) {
        sd_bus_message* request = nullptr;
        ASSERT_GE(sd_bus_message_new_method_call(client, &request, nullptr, kPath,
                                                 "org.freedesktop.DBus.Properties", method),
                  0);
        ASSERT_GE(sd_bus_message_append(request, "s", kInterface), 0);
        if (property_name) { ASSERT_GE(sd_bus_message_append(request, "s", property_name), 0); }
        bool has_come = false;
        ASSERT_GE(sd_bus_call_async(
                      client, nullptr, request,
                      [](sd_bus_message* answer, void* come, sd_bus_error* /*error*/) {
                          *static_cast<bool*>(come) = sd_bus_message_is_method_error(answer, nullptr) == 0;
                          return 0;
                      },
                      &has_come, 0),
                  0);
        sd_bus_message_unref(request);
        work_until([&] { return has_come; });
    }

    test::World world;
    test::FakeBackend backend{world};
    Watches watches{[](const std::string&, std::function<void()>) {
                        return Connection::Watch(nullptr, [](void*) {});
                    },
                    [](const model::Part&, const model::Sample&, std::uint64_t, const std::string&) {}};
    Property property;
    sd_bus* served = nullptr;
    sd_bus* client = nullptr;
};

TEST_F(ARestingSource, IsNotAskedByASignal) {
    ASSERT_FALSE(is_wanted());
    EXPECT_GE(sd_bus_emit_properties_changed(served, kPath, kInterface, "Value", nullptr), 0);
    EXPECT_FALSE(is_wanted());
}

TEST_F(ARestingSource, IsAskedByGet) {
    ASSERT_FALSE(is_wanted());
    call("Get", "Value");
    EXPECT_TRUE(is_wanted());
}

TEST_F(ARestingSource, IsAskedByGetAll) {
    ASSERT_FALSE(is_wanted());
    call("GetAll", nullptr);
    EXPECT_TRUE(is_wanted());
}

} // namespace
} // namespace schedd::dbus
