// LiveKernel: what only a running kernel tells about processes - pidfds, groups and sessions.
#pragma once

#include "components/model/process_table.h"

namespace schedd::host {

using namespace schedd::model;

class LiveKernel final : public ProcessKernel {
public:
    /// By pidfd. Fails with no_such_object for a pid that is free, a zombie, or a thread that leads no
    /// process.
    Result<std::unique_ptr<ProcessHold>> hold(Pid pid) override;
    std::optional<Ids> ids(Pid pid) override;
};

} // namespace schedd::host
