// The table of error names against error numbers.
#include "cli/fs/error_number.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace schedd::cli::fs {

namespace {

struct Row {
    std::string_view error;
    int number;
};
constexpr std::array<Row, 18> kOwn{{{"NoSuchObject", ENOENT},
                                    {"Exists", EEXIST},
                                    {"TypeMismatch", EINVAL},
                                    {"InvalidValue", EINVAL},
                                    {"Busy", EBUSY},
                                    {"Cycle", EINVAL},
                                    {"Conflict", EBUSY},
                                    {"LimitExceeded", ENOSPC},
                                    {"NotAttachable", EPERM},
                                    {"NotApplied", EIO},
                                    {"CpuOffline", EINVAL},
                                    {"StaleTopology", EAGAIN},
                                    {"ControllerUnavailable", ENODEV},
                                    {"HeldByOther", EBUSY},
                                    {"Denied", EPERM},
                                    {"NotSupported", EPERM},
                                    {"NoValue", EAGAIN},
                                    {"Io", EIO}}};
constexpr std::array<Row, 5> kStandard{{{"InvalidArgs", EINVAL},
                                        {"Timeout", ETIMEDOUT},
                                        {"NoReply", ETIMEDOUT},
                                        {"LimitsExceeded", EAGAIN},
                                        {"NoMemory", ENOMEM}}};

template <std::size_t N>
int look_up(const std::array<Row, N>& rows, std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return 0;
    const auto at = std::ranges::find(rows, name.substr(prefix.size()), &Row::error);
    return at == rows.end() ? 0 : at->number;
}

} // namespace

int error_number(const Failure& failure, Act act) {
    constexpr std::string_view kPrefix = "org.schedd1.Error.";
    if (failure.exit == Exit::not_running) return ENOTCONN;
    if (failure.exit == Exit::denied) return EPERM;
    if (failure.exit == Exit::usage) return EINVAL; // bytes that are no UTF-8
    int number = look_up(kOwn, failure.error, kPrefix);
    if (number == 0) number = look_up(kStandard, failure.error, "org.freedesktop.DBus.Error.");
    if (number == 0) return EIO;
    const bool is_own = failure.error.starts_with(kPrefix);
    // a port that has a source: the original says so for links alone
    if (is_own && act == Act::link && number == EBUSY) return EPERM;
    if (is_own && act == Act::attach && failure.error.ends_with(".Conflict")) return EPERM;
    if (is_own && act == Act::attach && number == ENOENT) return ESRCH;
    // beyond what there can be: node numbers are the only values with a limit of their own
    if (is_own && act == Act::write && number == ENOSPC) return ERANGE;
    return number;
}

} // namespace schedd::cli::fs
