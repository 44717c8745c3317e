// SpaceAsker: asks file systems how much room they have, each on a thread of its own, so that one that does
// not answer (its server is gone) holds up nobody.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "components/kit/clock.h"
#include "components/kit/file_space.h"

namespace schedd::host {

using namespace schedd::kit;

class SpaceAsker {
public:
    /// May block for ever, and may outlive the asker: it holds all that it uses.
    using Question = std::function<Result<Space>()>;

    /// `patience` is how long the first question about a path is waited for.
    explicit SpaceAsker(Duration patience = std::chrono::milliseconds(100)) : patience_(patience) {}

    /// The answer; or fails with busy, at once while an earlier question about this path is not answered, or
    /// while too many are (limits::kLateAnswers). What comes late is not used.
    Result<Space> ask(const std::string& path, Question question);

private:
    struct Asked;
    Duration patience_;
    std::map<std::string, std::shared_ptr<Asked>> late_; // by path
};

} // namespace schedd::host
