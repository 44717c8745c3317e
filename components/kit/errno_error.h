// errno_error: what the operating system answered, as an Error with the kind that programs can act on.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "components/kit/result.h"

namespace schedd::kit {

/// `doing` says what was tried and on what: "opening proc/stat".
inline Error errno_error(int number, std::string doing) {
    const std::string why = std::strerror(number);
    switch (number) {
    case ENOENT:
    case ESRCH:
    case ENODEV: return {Errc::no_such_object, std::move(doing), why};
    case EACCES:
    case EPERM: return {Errc::denied, std::move(doing), why};
    case EMFILE:
    case ENFILE: return {Errc::limit_exceeded, std::move(doing), why + "; raise LimitNOFILE="};
    default: return {Errc::io, std::move(doing), why};
    }
}

} // namespace schedd::kit
