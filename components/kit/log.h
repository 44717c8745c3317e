// Log: where parts say what happened. Library code returns errors; only what was survived is logged here.
#pragma once

#include <string_view>

namespace schedd::kit {

enum class Severity { debug, info, notice, warning, error };

/// `about` names the tree path or the member concerned, so that a reader can filter on it.
class Log {
public:
    virtual ~Log() = default;
    virtual void write(Severity severity, std::string_view about, std::string_view message) = 0;
};

} // namespace schedd::kit
