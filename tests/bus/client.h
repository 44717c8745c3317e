// Client: calls to org.schedd1 over sdbus-c++, errors as values.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>

#include <sdbus-c++/sdbus-c++.h>

namespace schedd::test {

using Variants = std::map<std::string, sdbus::Variant>;

struct Nothing {};

/// What came back: a value, or the error's name without "org.schedd1.Error." and its message.
template <class T> struct Answer {
    T value{};
    std::string error;
    std::string message;
    explicit operator bool() const { return error.empty(); }
};

class Client {
public:
    /// Far more than any call takes, also under sanitizers on a busy machine: no test is about time.
    static constexpr std::chrono::minutes kPatience{3};

    explicit Client(const std::string& address)
        : connection_(sdbus::createSessionBusConnectionWithAddress(address)) {}

    template <class Out, class... In>
    Answer<Out> call_at(const std::string& path, const std::string& interface, const std::string& method,
                        const In&... in) {
        Answer<Out> answer;
        try {
            auto proxy = sdbus::createProxy(*connection_, "org.schedd1", path);
            auto call = proxy->createMethodCall(interface, method);
            (void)(call << ... << in);
            auto reply = proxy->callMethod(call, kPatience);
            if constexpr (!std::is_same_v<Out, Nothing>) reply >> answer.value;
        } catch (const sdbus::Error& e) {
            constexpr std::string_view kPrefix = "org.schedd1.Error.";
            answer.error =
                e.getName().starts_with(kPrefix) ? e.getName().substr(kPrefix.size()) : e.getName();
            answer.message = e.getMessage();
        }
        return answer;
    }
    /// A method of the manager.
    template <class Out = Nothing, class... In> Answer<Out> call(const std::string& method, const In&... in) {
        return call_at<Out>("/org/schedd1", "org.schedd1.Manager", method, in...);
    }
    Answer<sdbus::Variant> get(const std::string& path, const std::string& interface,
                               const std::string& property) {
        return call_at<sdbus::Variant>(path, "org.freedesktop.DBus.Properties", "Get",
                                       "org.schedd1." + interface, property);
    }
    Answer<Nothing> set(const std::string& path, const std::string& interface, const std::string& property,
                        const sdbus::Variant& value) {
        return call_at<Nothing>(path, "org.freedesktop.DBus.Properties", "Set", "org.schedd1." + interface,
                                property, value);
    }

    // The verbs, as a person would use them.
    Answer<sdbus::ObjectPath> create(const std::string& path, const std::string& type = "",
                                     const Variants& options = {}) {
        return call<sdbus::ObjectPath>("Create", path, type, options);
    }
    Answer<Nothing> remove(const std::string& path, const Variants& options = {}) {
        return call("Remove", path, options);
    }
    Answer<Nothing> link(const std::string& source, const std::string& sink, const Variants& options = {}) {
        return call("Link", source, sink, options);
    }
    Answer<std::string> read(const std::string& place) { return call<std::string>("Read", place); }
    Answer<std::string> apply_verbs(const std::string& lines) {
        return call<std::string>("Apply", lines, Variants{{"format", sdbus::Variant(std::string("verbs"))}});
    }

    using Managed = std::map<sdbus::ObjectPath, std::map<std::string, Variants>>;
    Answer<Managed> managed() {
        return call_at<Managed>("/org/schedd1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    }
    std::string introspect(const std::string& path) {
        return call_at<std::string>(path, "org.freedesktop.DBus.Introspectable", "Introspect").value;
    }

    /// Handles signals until `done` or the time is up; whether it is done.
    bool wait_for(const std::function<bool()>& done, std::chrono::milliseconds patience = kPatience) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!done()) {
            while (connection_->processPendingRequest()) {}
            if (done()) return true;
            if (std::chrono::steady_clock::now() > deadline) return false;
            const auto data = connection_->getEventLoopPollData();
            pollfd fd{data.fd, data.events, 0};
            ::poll(&fd, 1, 20);
        }
        return true;
    }
    [[nodiscard]] sdbus::IConnection& connection() { return *connection_; }

private:
    std::unique_ptr<sdbus::IConnection> connection_;
};

} // namespace schedd::test
