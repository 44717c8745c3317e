// What the daemon answers when it is asked about the machine: its CPUs, and what it lacks.
#include "service/daemon.h"
#include "service/doctor.h"
#include "service/doctor_checks.h"
#include "service/doctor_network.h"

namespace schedd::service {

dbus::MachineFacts Daemon::machine() const {
    if (options_.topology != "auto") return {topology_, topology_.online.text(), {}};
    return {topology_, cpu_list(*host_, "present"), cpu_list(*host_, "isolated")};
}

std::vector<dbus::Check> Daemon::examine() {
    const Time before = clock_.now();
    if (!examining_.may_be_asked(before)) return examined_;
    Surroundings around;
    around.topology = topology_;
    around.is_described = options_.topology != "auto";
    around.actuator = actuator_->name();
    around.has_process_events = process_events_ != nullptr;
    around.has_cpu_events = cpu_events_ != nullptr;
    if (const auto there = bus_->offers("org.freedesktop.PolicyKit1"); there) around.has_polkit = *there;
    if (units_) {
        if (auto version = units_->version(); version) around.systemd_version = std::move(*version);
        else around.systemd_trouble = version.error().text();
        if (const auto there = units_->has_owner("org.freedesktop.login1"); there) around.has_logind = *there;
    } else around.systemd_trouble = units_trouble_;
    examined_ = service::examine(*host_, around);
    doctor::check_network(network(), nodes(), examined_);
    const auto& why = moves_->mover().unavailable();
    examined_.push_back(
        why.empty() ? doctor::ok("migration", "CRIU works; SSH is tried when something is moved")
                    : doctor::warning("migration", why, "running work is not moved to other nodes",
                                      "install the packages criu and openssh-client on all nodes, and "
                                      "let root of each into the others by a key; then reload"));
    examining_.was_asked(before, clock_.now());
    return examined_;
}

} // namespace schedd::service
