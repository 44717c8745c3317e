// echo_policy - says what its ports collect and decides nothing; the model to copy for a new policy.
//   port_mem_total takes 2048 -> logs and shows "port_mem_total: 2048 KiB (port_mem_free: 512 KiB)"
//   port_mem_free is only read: an update there is never asked for (Kerrighed echo_policy.c)
// Usage: create schedulers/E/echo_policy; link probes/mem_probe/ram_total
// schedulers/E/echo_policy/port_mem_total
#include "policies/policies.h"

#include <fmt/format.h>

#include "components/kit/log.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kFree, kTotal };
constexpr PortSpec kPorts[] = {
    {.name = "port_mem_free",
     .type = types::kMemory,
     .doc = "Free memory; read when the other port is told."},
    {.name = "port_mem_total",
     .type = types::kMemory,
     .wants_updates = true,
     .doc = "Each update is logged."},
};

enum Attribute : std::size_t { kEchoAttr };
constexpr AttributeSpec kAttributes[] = {
    {.name = "echo_attr",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The last line logged."},
};

class EchoPolicy final : public Policy {
public:
    EchoPolicy(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), log_(environment.log) {}

    std::vector<Decision> decide(const View& /*view*/) override { return {}; }

    void told(const Port& told_port, const Sample* sample) override {
        Policy::told(told_port, sample);         // it is due, and decides: nothing is to be held
        if (&told_port != &port(kTotal)) return; // the other chain was completed; there is no handler for it
        auto line =
            fmt::format("port_mem_total: {} (port_mem_free: {})", shown(port(kTotal)), shown(port(kFree)));
        log_.write(Severity::info, path().text(), line);
        report(kEchoAttr, std::move(line));
    }

private:
    static std::string shown(const Port& from) {
        const auto sample = from.collected();
        return sample ? text_of(sample->value) + " KiB" : "no value";
    }

    Log& log_;
};

} // namespace

const Descriptor kEcho{
    .name = "echo_policy",
    .kind = Kind::policy,
    .doc = "Logs what its ports collect; decides nothing.",
    .make = make_part<EchoPolicy>,
    .attributes = kAttributes,
    .ports = kPorts,
    .alias = "echo",
};

} // namespace schedd::policies
