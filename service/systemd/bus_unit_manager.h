// BusUnitManager: PID 1 over the system bus, and what it says by itself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "components/kit/clock.h"
#include "service/actuators/unit_manager.h"
#include "service/systemd/unit_source.h"

struct sd_bus;
struct sd_bus_message;

namespace schedd::systemd {

using namespace schedd::kit;

class BusUnitManager final : public actuators::UnitManager, public UnitSource {
public:
    /// What is told of PID 1's signals: it begins to read its files anew, or has done so; a unit was started
    /// or stopped; and of logind's: the machine has woken up. Listeners note it and act later: they are
    /// called in the middle of process().
    struct Listener {
        std::function<void(bool begins)> reloading;
        std::function<void(const std::string& unit)> unit_changed;
        std::function<void()> resumed;
    };

    /// `address` is "system" or that of a bus. Fails with io when there is no bus or no systemd on it.
    static Result<std::unique_ptr<BusUnitManager>> open(const std::string& address, const Clock& clock);
    ~BusUnitManager() override;
    BusUnitManager(const BusUnitManager&) = delete;
    BusUnitManager& operator=(const BusUnitManager&) = delete;

    void listen(Listener listener) { listener_ = std::move(listener); }
    [[nodiscard]] int fd() const;
    /// Handles what has arrived, also while a call waited for its answer. Costs one system call if there is
    /// nothing. False when the bus is gone: then fd() is not to be polled any more.
    bool process();

    /// The version as systemd writes it: "252.39-1~deb12u1".
    Result<std::string> version() { return get_text("", "org.freedesktop.systemd1.Manager", "Version"); }
    /// Whether somebody has this name on the bus, without starting anybody.
    Result<bool> has_owner(const std::string& name);

    Result<actuators::UnitState> look(const std::string& unit) override;
    Result<std::optional<model::CpuSet>> allowed(const std::string& unit) override;
    Result<std::vector<std::string>> drop_ins(const std::string& unit) override;
    Result<model::CpuSet> affinity(const std::string& unit) override;
    Status allow_cpus(const std::string& unit, const std::optional<model::CpuSet>& cpus) override;
    Result<model::Tuning> tuning(const std::string& unit) override;
    Status set(const std::string& unit, actuators::Setting setting, const model::Tuning& values) override;

    Result<std::vector<std::string>> search_path() override;
    Result<std::vector<LoadedUnit>> loaded_units() override;
    Result<std::vector<std::string>> files_of(const std::string& unit) override;
    Result<LoadedUnit> find(const std::string& unit) override;
    Status ask_reload() override;

private:
    class Reply;  // owns a message
    struct Calls; // the functions that name types of sd-bus
    BusUnitManager(sd_bus* bus, const Clock& clock) : bus_(bus), clock_(clock) {}
    Status subscribe();
    /// `unit` "" is the manager itself.
    Result<Reply> get(const std::string& unit, const char* interface, const char* property, const char* type);
    Result<model::CpuSet> get_cpus(const std::string& unit, const char* interface, const char* property);
    Result<std::string> get_text(const std::string& unit, const char* interface, const char* property);
    Result<std::optional<model::CpuSet>> get_mask(const std::string& unit, const char* property);
    Result<std::optional<std::uint64_t>> get_number(const std::string& unit, const char* property);
    /// SetUnitProperties at run time with one property, a mask or a number.
    Status set_property(const std::string& unit, const char* property,
                        const std::optional<model::CpuSet>& mask);
    Status set_property(const std::string& unit, const char* property, std::optional<std::uint64_t> number);
    Status send_property(sd_bus_message* message, int r, const std::string& what);
    Result<std::vector<std::string>> get_texts(const std::string& unit, const char* interface,
                                               const char* property);

    sd_bus* bus_;
    const Clock& clock_;
    Listener listener_;
    Time silent_until_{}; // PID 1 did not answer: nobody waits for it again before
};

/// AllowedCPUs as PID 1 takes and gives it: bytes, least significant first.
std::vector<unsigned char> bytes_of(const model::CpuSet& cpus);
Result<model::CpuSet> cpus_of(const unsigned char* bytes, std::size_t count);

} // namespace schedd::systemd
