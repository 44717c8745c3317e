// HeldFromHere: a hold whose descriptor the test has.
#pragma once

#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "tests/bus/client.h"

namespace schedd::test {

class HeldFromHere {
public:
    HeldFromHere(Client& client, const std::string& what, const std::string& who = "a test",
                 const std::string& why = "to see", const Variants& options = {}) {
        try {
            auto proxy = sdbus::createProxy(client.connection(), "org.schedd1", "/org/schedd1");
            auto call = proxy->createMethodCall("org.schedd1.Manager", "Hold");
            call << what << who << why << options;
            auto reply = proxy->callMethod(call, Client::kPatience);
            sdbus::UnixFd fd;
            sdbus::ObjectPath path;
            reply >> fd >> path;
            fds_.push_back(fd.release());
            ::fcntl(fds_.back(), F_SETFD, FD_CLOEXEC); // the library's copy is passed on to children
            path_ = path;
        } catch (const sdbus::Error& e) {
            error_ = e.getName();
            message_ = e.getMessage();
        }
    }
    ~HeldFromHere() { release(); }
    HeldFromHere(const HeldFromHere&) = delete;
    HeldFromHere& operator=(const HeldFromHere&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& error() const { return error_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    void duplicate() { fds_.push_back(::fcntl(fds_.front(), F_DUPFD_CLOEXEC, 3)); }
    /// Closes one copy.
    void close_one() {
        ::close(fds_.back());
        fds_.pop_back();
    }
    void release() {
        while (!fds_.empty()) close_one();
    }

private:
    std::vector<int> fds_;
    std::string path_;
    std::string error_;
    std::string message_;
};

} // namespace schedd::test
