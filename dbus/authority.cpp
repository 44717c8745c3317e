// The rule: root and the daemon's own user.
#include "dbus/authority.h"

#include <fmt/format.h>

#include "components/kit/limits.h"

namespace schedd::dbus {

std::string_view action_id(Action action) {
    switch (action) {
    case Action::configure: return "org.schedd1.configure";
    case Action::attach: return "org.schedd1.attach";
    case Action::hold: return "org.schedd1.hold";
    case Action::peers: return "org.schedd1.peers";
    case Action::root: return "";
    }
    return "";
}

Result<std::uint32_t> Authority::uid_of(const std::string& sender, const Lookup& lookup) {
    if (const auto at = known_.find(sender); at != known_.end()) return at->second;
    const auto uid = lookup();
    if (!uid) return fail(Errc::denied, "the caller cannot be told", uid.error().text());
    if (known_.size() >= limits::kBusCallers) known_.clear();
    known_.emplace(sender, *uid);
    return *uid;
}

std::string Authority::accepted() const {
    return own_uid_ == 0 ? std::string("this takes root")
                         : fmt::format("this takes root or uid {}", own_uid_);
}

} // namespace schedd::dbus
