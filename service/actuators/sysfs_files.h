// SysfsFiles: values written into the running machine's files below /sys.
#pragma once

#include "service/actuators/setting_files.h"

namespace schedd::actuators {

class SysfsFiles final : public SettingFiles {
public:
    kit::Status write(const std::string& path, std::string_view value) override;
};

} // namespace schedd::actuators
