// SettingFiles: writing a value into one of the kernel's files; the machine's is in sysfs_files, tests fake
// it.
#pragma once

#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::actuators {

using namespace schedd::kit;

class SettingFiles {
public:
    virtual ~SettingFiles() = default;
    /// One write of the whole value into a file that is there. `path` is relative to the root, as for Host.
    /// Fails as the kernel does: busy (EBUSY), denied (also where it is read-only), no_such_object,
    /// invalid_value (EINVAL), io.
    virtual Status write(const std::string& path, std::string_view value) = 0;
};

} // namespace schedd::actuators
