// Interrupt: SIGINT and SIGTERM end the run by the ordinary way out, so that all that was made is removed.
#pragma once

#include <cstdint>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

void catch_interrupts();
[[nodiscard]] bool interrupted();
/// Fails once interrupted.
[[nodiscard]] Status not_interrupted();
/// Sleeps; fails at once when interrupted.
[[nodiscard]] Status pause_for_ms(std::int64_t ms);

} // namespace schedd::bench
