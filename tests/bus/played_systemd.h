// PlayedSystemd: org.freedesktop.systemd1 as far as schedd asks for it, on a private bus; it may lie or hang.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sdbus-c++/sdbus-c++.h>

namespace schedd::test {

/// Serves from a thread of its own, since those who ask it block. Set its members while nobody asks.
class PlayedSystemd {
public:
    explicit PlayedSystemd(const std::string& address) : connection_(connect(address)) {
        manager_ = sdbus::createObject(*connection_, "/org/freedesktop/systemd1");
        const std::string manager = "org.freedesktop.systemd1.Manager";
        manager_->registerMethod("Subscribe").onInterface(manager).implementedAs([this] { ++subscribers; });
        manager_->registerMethod("SetUnitProperties")
            .onInterface(manager)
            .implementedAs([this](const std::string& unit, bool runtime,
                                  const std::vector<sdbus::Struct<std::string, sdbus::Variant>>& properties) {
                set(unit, runtime, properties);
            });
        using Row =
            sdbus::Struct<std::string, std::string, std::string, std::string, std::string, std::string,
                          sdbus::ObjectPath, std::uint32_t, std::string, sdbus::ObjectPath>;
        manager_->registerMethod("ListUnits").onInterface(manager).implementedAs([] {
            const auto row = [](const std::string& name, const std::string& load, const std::string& active) {
                return Row(name, "", load, active, "", "", sdbus::ObjectPath("/u"), 0U, "",
                           sdbus::ObjectPath("/"));
            };
            return std::vector<Row>{row("foo.service", "loaded", "active"),
                                    row("nowhere.service", "not-found", "inactive")};
        });
        manager_->registerMethod("Reload").onInterface(manager).implementedAs([this] { ++reloads; });
        manager_->registerProperty("UnitPath").onInterface(manager).withGetter([] {
            return std::vector<std::string>{"/etc/systemd/system", "/lib/systemd/system"};
        });
        manager_->registerProperty("Version").onInterface(manager).withGetter(
            [] { return std::string("252.39-1~deb12u1"); });
        manager_->registerSignal("Reloading").onInterface(manager).withParameters<bool>();
        manager_->registerSignal("UnitNew")
            .onInterface(manager)
            .withParameters<std::string, sdbus::ObjectPath>();
        manager_->registerSignal("JobRemoved")
            .onInterface(manager)
            .withParameters<std::uint32_t, sdbus::ObjectPath, std::string, std::string>();
        manager_->finishRegistration();
        login_ = sdbus::createObject(*connection_, "/org/freedesktop/login1");
        login_->registerSignal("PrepareForSleep")
            .onInterface("org.freedesktop.login1.Manager")
            .withParameters<bool>();
        login_->finishRegistration();
        connection_->enterEventLoopAsync();
    }
    ~PlayedSystemd() { connection_->leaveEventLoop(); }
    PlayedSystemd(const PlayedSystemd&) = delete;
    PlayedSystemd& operator=(const PlayedSystemd&) = delete;

    /// "foo_2eservice" for foo.service, as systemd names the object.
    void add_service(const std::string& escaped, const std::string& group,
                     const std::string& load = "loaded") {
        auto& unit = units_[escaped];
        unit.object = sdbus::createObject(*connection_, "/org/freedesktop/systemd1/unit/" + escaped);
        const std::string service = "org.freedesktop.systemd1.Service";
        const std::string common = "org.freedesktop.systemd1.Unit";
        unit.object->registerProperty("ControlGroup").onInterface(service).withGetter([group] {
            return group;
        });
        unit.object->registerProperty("AllowedCPUs").onInterface(service).withGetter([this] { return mask; });
        unit.object->registerProperty("LoadState").onInterface(common).withGetter([load] { return load; });
        unit.object->registerProperty("DropInPaths").onInterface(common).withGetter([this] {
            return drop_ins;
        });
        unit.object->registerProperty("FragmentPath").onInterface(common).withGetter([this] {
            return fragment;
        });
        unit.object->registerProperty("Id").onInterface(common).withGetter(
            [] { return std::string("foo.service"); });
        unit.object->registerProperty("ActiveState").onInterface(common).withGetter([group] {
            return std::string(group.empty() ? "inactive" : "active");
        });
        unit.object->finishRegistration();
    }
    void tell_reloading(bool begins) {
        manager_->emitSignal("Reloading")
            .onInterface("org.freedesktop.systemd1.Manager")
            .withArguments(begins);
    }
    void tell_sleep(bool begins) {
        login_->emitSignal("PrepareForSleep")
            .onInterface("org.freedesktop.login1.Manager")
            .withArguments(begins);
    }
    void tell_new(const std::string& unit) {
        manager_->emitSignal("UnitNew")
            .onInterface("org.freedesktop.systemd1.Manager")
            .withArguments(unit, sdbus::ObjectPath("/org/freedesktop/systemd1/unit/x"));
    }
    void tell_job_done(const std::string& unit) {
        manager_->emitSignal("JobRemoved")
            .onInterface("org.freedesktop.systemd1.Manager")
            .withArguments(std::uint32_t{7}, sdbus::ObjectPath("/job/7"), unit, std::string("done"));
    }

    std::vector<std::uint8_t> mask;    // AllowedCPUs
    std::vector<std::string> drop_ins; // DropInPaths
    std::vector<std::string> calls;    // "foo.service runtime AllowedCPUs"
    std::string fragment;              // FragmentPath
    std::atomic<int> reloads = 0;
    std::string refusal; // name of the error that SetUnitProperties answers with
    int subscribers = 0;

private:
    static std::unique_ptr<sdbus::IConnection> connect(const std::string& address) {
        auto connection = sdbus::createSessionBusConnectionWithAddress(address);
        connection->requestName("org.freedesktop.systemd1");
        connection->requestName("org.freedesktop.login1"); // logind's part too
        return connection;
    }
    void set(const std::string& unit, bool runtime,
             const std::vector<sdbus::Struct<std::string, sdbus::Variant>>& properties) {
        if (!refusal.empty()) throw sdbus::Error(refusal, "as the test wants it");
        for (const auto& property : properties) {
            calls.push_back(unit + (runtime ? " runtime " : " persistent ") + property.get<0>());
            mask = property.get<1>().get<std::vector<std::uint8_t>>();
        }
    }

    struct Unit {
        std::unique_ptr<sdbus::IObject> object;
    };
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IObject> manager_;
    std::unique_ptr<sdbus::IObject> login_;
    std::map<std::string, Unit> units_;
};

} // namespace schedd::test
