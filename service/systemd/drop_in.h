// The drop-in that `attach --persistent` keeps for a unit: written, changed and removed by schedd alone.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"

namespace schedd::systemd {

using namespace schedd::kit;

class DropIn {
public:
    /// `directory` is where administrators' units live, "/etc/systemd/system".
    DropIn(const std::string& directory, std::string_view unit);
    [[nodiscard]] const std::string& path() const { return path_; }

    /// Adds the scheduler, and sets member attributes by name ("class"); what is there already stays. Fails
    /// with held_by_other when the file is somebody else's, denied, io.
    Status attach(const std::string& scheduler, const std::map<std::string, std::string>& attributes) const;
    /// Takes the scheduler out, and the file away when it was the last. Fails with no_such_object when the
    /// file does not name it, else as attach(). A dry run changes nothing.
    Status detach(const std::string& scheduler, bool dry_run = false) const;

private:
    struct Contents {
        std::vector<std::string> schedulers;
        std::map<std::string, std::string> attributes;
    };
    [[nodiscard]] Result<Contents> read() const;
    [[nodiscard]] Status write(const Contents& contents) const;

    std::string unit_;
    std::string path_;
};

} // namespace schedd::systemd
