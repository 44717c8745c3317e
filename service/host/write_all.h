// write_all: the whole of a text to a descriptor, however often the kernel takes only a part.
#pragma once

#include <cerrno>
#include <string_view>

#include <unistd.h>

namespace schedd::host {

/// 0, or -1 with errno set.
inline int write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return -1;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return 0;
}

} // namespace schedd::host
