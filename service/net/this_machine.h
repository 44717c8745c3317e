// Who this machine is, and its clocks.
#pragma once

#include "components/kit/clock.h"
#include "components/kit/result.h"
#include "components/membership/clocks.h"
#include "components/membership/ids.h"

namespace schedd::net {

using namespace schedd::kit;

/// The first eight bytes of sd_id128_get_machine_app_specific: the machine's own id stays private. Fails with
/// no_such_object if the machine has no id yet.
Result<membership::NodeUid> machine_uid();

class SystemClocks final : public membership::MachineClocks {
public:
    [[nodiscard]] std::uint64_t wall_ms() const override;
    [[nodiscard]] Duration suspended() const override;
};

} // namespace schedd::net
