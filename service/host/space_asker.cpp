// One detached thread for each question; what it shares with who asked is counted.
#include "service/host/space_asker.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "components/kit/limits.h"

namespace schedd::host {

struct SpaceAsker::Asked {
    std::mutex mutex;
    std::condition_variable is_there;
    std::optional<Result<Space>> answer;
};

Result<Space> SpaceAsker::ask(const std::string& path, Question question) {
    std::erase_if(late_, [](const auto& late) {
        const std::scoped_lock lock(late.second->mutex);
        return late.second->answer.has_value();
    });
    if (late_.contains(path) || late_.size() >= limits::kLateAnswers)
        return fail(Errc::busy, "the file system of /" + path + " is not asked",
                    late_.contains(path) ? "it has not answered the last time" : "too many do not answer");
    const auto asked = std::make_shared<Asked>();
    try {
        std::thread([asked, question = std::move(question)] {
            auto answer = question();
            const std::scoped_lock lock(asked->mutex);
            asked->answer = std::move(answer);
            asked->is_there.notify_one();
        }).detach();
    } catch (const std::system_error& error) {
        return fail(Errc::io, "asking for the space in /" + path, error.what());
    }
    std::unique_lock lock(asked->mutex);
    if (asked->is_there.wait_for(lock, patience_, [&] { return asked->answer.has_value(); }))
        return *asked->answer;
    late_.emplace(path, asked);
    return fail(Errc::busy, "the file system of /" + path + " does not answer",
                "it is asked again when it has");
}

} // namespace schedd::host
