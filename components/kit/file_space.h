// FileSpace: how much room file systems have; an ability that a host may have beside showing files.
#pragma once

#include <cstdint>
#include <string>

#include "components/kit/result.h"

namespace schedd::kit {

/// Of one file system, in KiB: what is there for whoever is not root.
struct Space {
    std::int64_t free_kib = 0;
    std::int64_t total_kib = 0;
};

class FileSpace {
public:
    virtual ~FileSpace() = default;
    /// Of the file system that a directory or file is in; the path is as of Host ("" is the root). Fails with
    /// no_such_object, denied or io, naming the path.
    virtual Result<Space> space_of(const std::string& path) = 0;
};

} // namespace schedd::kit
