// The rule: root and the daemon's own user.
#include "dbus/authority.h"

#include <fmt/format.h>

#include "components/kit/limits.h"

namespace schedd::dbus {

Status Authority::may_change(const std::string& sender, const Lookup& lookup) {
    auto at = known_.find(sender);
    if (at == known_.end()) {
        const auto uid = lookup();
        if (!uid) return fail(Errc::denied, "the caller cannot be told", uid.error().text());
        if (known_.size() >= limits::kBusCallers) known_.clear();
        at = known_.emplace(sender, *uid).first;
    }
    if (at->second == 0 || at->second == own_uid_) return {};
    return fail(Errc::denied, fmt::format("uid {} may not change anything", at->second),
                own_uid_ == 0 ? std::string("this takes root")
                              : fmt::format("this takes root or uid {}", own_uid_));
}

} // namespace schedd::dbus
