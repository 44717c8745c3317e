// FileWatch: whom actuators tell which file of the kernel shows that somebody else has changed a target.
#pragma once

#include <string>

#include "components/model/subject.h"

namespace schedd::actuators {

class FileWatch {
public:
    virtual ~FileWatch() = default;
    /// `file` is written whenever the set of `target` is, by whomever. Replaces what was followed before;
    /// costs a look in a table where it is the same. A file that is gone is not followed any more.
    virtual void follow(const model::Target& target, const std::string& file) = 0;
    virtual void let_go(const model::Target& target) = 0;
};

} // namespace schedd::actuators
