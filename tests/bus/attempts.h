// Attempts: everything on the bus that changes something, found by introspection, as calls that need no
// waiting.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bus/client.h"

namespace schedd::test {

/// A client whose connection belongs to another user, one that the system knows. REQUIRES: root.
std::unique_ptr<Client> client_of(unsigned uid, const std::string& address);

/// A call that would change something; `action` is what polkit is to be asked.
struct Attempt {
    std::string name;
    std::string action;
    std::string path;
    std::string interface;
    std::function<void(sdbus::MethodCall&)> fill;
};

/// Every method of the manager that ends in options, and every writable property of every object.
std::vector<Attempt> all_attempts(Client& client);

/// An attempt under way.
class Running {
public:
    Running(Client& client, const Attempt& attempt);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    bool ends(Client& client) {
        return client.wait_for([this] { return is_over; });
    }

    std::string name;
    bool is_over = false;
    std::string error; // its whole name, "" for success
    std::string message;

private:
    std::unique_ptr<sdbus::IProxy> proxy_;
};

} // namespace schedd::test
