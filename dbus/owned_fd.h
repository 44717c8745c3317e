// OwnedFd: a descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

namespace schedd::dbus {

struct OwnedFd {
    explicit OwnedFd(int fd) : number(fd) {}
    OwnedFd(const OwnedFd&) = delete;
    OwnedFd& operator=(const OwnedFd&) = delete;
    ~OwnedFd() {
        if (number >= 0) ::close(number);
    }
    int number;
};

} // namespace schedd::dbus
