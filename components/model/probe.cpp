// What probes share.
#include "components/model/probe.h"

#include "components/kit/log.h"

namespace schedd::model {

void Probe::note_trouble(std::string trouble) {
    if (trouble == trouble_) return;
    const auto where = path().text();
    if (trouble.empty()) environment_.log.write(Severity::info, where, "measures again");
    else environment_.log.write(Severity::warning, where, "no value: " + trouble);
    trouble_ = std::move(trouble);
}

} // namespace schedd::model
