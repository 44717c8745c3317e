// PlayedPolkit: org.freedesktop.PolicyKit1 as far as schedd asks for it, on a private bus; it may deny or
// hang.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sdbus-c++/sdbus-c++.h>

namespace schedd::test {

enum class Verdict { allow, deny, challenge, hang };

/// Serves from a thread of its own, since those who ask it may block in the test's.
class PlayedPolkit {
public:
    /// One CheckAuthorization, as it came.
    struct Question {
        std::string kind;
        std::string name;
        std::string action;
        std::map<std::string, std::string> details;
        std::uint32_t flags = 0;
        std::string number;
    };

    PlayedPolkit(const std::string& address, Verdict verdict)
        : verdict_(verdict), connection_(sdbus::createSessionBusConnectionWithAddress(address)) {
        authority_ = sdbus::createObject(*connection_, "/org/freedesktop/PolicyKit1/Authority");
        const std::string interface = "org.freedesktop.PolicyKit1.Authority";
        authority_->registerMethod("CheckAuthorization")
            .onInterface(interface)
            .implementedAs([this](sdbus::Result<Decision>&& result, const Subject& subject,
                                  const std::string& action,
                                  const std::map<std::string, std::string>& details, std::uint32_t flags,
                                  const std::string& number) {
                const std::scoped_lock lock(mutex_);
                asked_.push_back({subject.get<0>(), subject.get<1>().at("name").get<std::string>(), action,
                                  details, flags, number});
                if (verdict_ == Verdict::hang) waiting_.push_back(std::move(result));
                else result.returnResults(decision(verdict_));
            });
        authority_->registerMethod("CancelCheckAuthorization")
            .onInterface(interface)
            .implementedAs([this](const std::string& number) {
                const std::scoped_lock lock(mutex_);
                called_off_.push_back(number);
            });
        authority_->finishRegistration();
        connection_->requestName("org.freedesktop.PolicyKit1");
        connection_->enterEventLoopAsync();
    }
    ~PlayedPolkit() { connection_->leaveEventLoop(); }
    PlayedPolkit(const PlayedPolkit&) = delete;
    PlayedPolkit& operator=(const PlayedPolkit&) = delete;

    /// From now on, and to all that it has let hang.
    void decide(Verdict verdict) {
        std::vector<sdbus::Result<Decision>> waiting;
        {
            const std::scoped_lock lock(mutex_);
            verdict_ = verdict;
            if (verdict != Verdict::hang) waiting.swap(waiting_);
        }
        // without the lock: the library holds its own while it calls the handlers, which take this one
        for (auto& result : waiting) result.returnResults(decision(verdict));
    }
    std::vector<Question> asked() {
        const std::scoped_lock lock(mutex_);
        return asked_;
    }
    /// Numbers of the questions whose answer nobody wants any more.
    std::vector<std::string> called_off() {
        const std::scoped_lock lock(mutex_);
        return called_off_;
    }

private:
    using Decision = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;
    using Subject = sdbus::Struct<std::string, std::map<std::string, sdbus::Variant>>;
    static Decision decision(Verdict verdict) {
        return Decision{verdict == Verdict::allow, verdict == Verdict::challenge, {}};
    }

    std::mutex mutex_;
    Verdict verdict_;
    std::vector<Question> asked_;
    std::vector<std::string> called_off_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IObject> authority_;
    std::vector<sdbus::Result<Decision>> waiting_; // messages of the connection
};

} // namespace schedd::test
