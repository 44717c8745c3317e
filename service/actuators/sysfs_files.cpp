// One open and one write for each value.
#include "service/actuators/sysfs_files.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::actuators {

kit::Status SysfsFiles::write(const std::string& path, std::string_view value) {
    using namespace kit;
    if (!path.starts_with("sys/") || path.find("..") != std::string::npos)
        return fail(Errc::invalid_value, path + " is not written to", "a file below sys/");
    const int fd = ::open(("/" + path).c_str(), O_WRONLY | O_CLOEXEC);
    const auto wrote = fd < 0 ? -1 : ::write(fd, value.data(), value.size());
    const int number = wrote == static_cast<ssize_t>(value.size()) ? 0 : wrote < 0 ? errno : EIO;
    if (fd >= 0) ::close(fd);
    if (number == 0) return {};
    const auto doing = fmt::format("writing {} to {}", value, path);
    if (number == EBUSY) return fail(Errc::busy, doing, std::strerror(number));
    if (number == EROFS) return fail(Errc::denied, doing, std::strerror(number));
    if (number == EINVAL) return fail(Errc::invalid_value, doing, std::strerror(number));
    return std::unexpected(errno_error(number, doing));
}

} // namespace schedd::actuators
