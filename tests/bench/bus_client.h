// BusClient: plain sd-bus calls, the same for us and for our peers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "components/kit/result.h"

struct sd_bus;

namespace schedd::bench {

using namespace schedd::kit;

class BusClient {
public:
    /// An address such as unix:path=/tmp/bus. Tries until the bus answers, or `patience_ms` are over.
    static Result<BusClient> open(const std::string& address, std::int64_t patience_ms);

    /// Waits until somebody owns the name.
    Status await_name(const std::string& name, std::int64_t patience_ms);
    /// org.schedd1.Manager.Apply with recipe lines.
    Status apply(const std::string& recipe);
    /// org.schedd1.Manager.Attach.
    Status attach(const std::string& scheduler, const std::string& member);
    /// org.schedd1.Manager.Read; the text.
    Result<std::string> read(const std::string& place);
    /// org.schedd1.Manager.Verify; JSON.
    Result<std::string> verify();

    /// The calls that are counted: marshalled, sent, answered, unmarshalled; one after the other.
    Status get_probe_period(); // Properties.Get on our probe
    Status manager_status();   // org.schedd1.Manager.Status
    Status ping();             // org.freedesktop.DBus.Peer.Ping to schedd: what the bus and sd-bus alone take
    Status systemd_get_unit(); // org.freedesktop.systemd1.Manager.GetUnit("init.scope")

    /// The same two reads, `count` of them with up to 64 on their way at a time.
    Status get_probe_period_many(int count);
    Status systemd_get_unit_many(int count);

private:
    explicit BusClient(sd_bus* bus);
    template <class Send> Status keep_going(int count, std::string_view what, const Send& send);
    struct Close {
        void operator()(sd_bus* bus) const;
    };
    std::unique_ptr<sd_bus, Close> bus_;
};

} // namespace schedd::bench
