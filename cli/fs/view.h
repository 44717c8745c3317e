// View: the operations of the file view, each a call or two of the daemon. It knows nothing of FUSE, and
// keeps nothing but the names of links, which the tree has no place for.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/fs/daemon.h"
#include "cli/fs/error_number.h"
#include "cli/fs/place.h"
#include "cli/fs/target.h"

namespace schedd::cli::fs {

/// Failures are positive errno values.
template <class T> using Outcome = std::expected<T, int>;

/// What stat(2) is told.
struct Looks {
    Entry::Sort sort = Entry::Sort::directory;
    bool is_writable = false; // of files
    std::size_t size = 0;     // of a link: the length of its target
};

/// All `file` are absolute from the mount point.
class View {
public:
    /// `tell` is given each refusal of a change in the daemon's words, since errno says so little.
    View(BusPlace place, std::string mount_point, std::function<void(const std::string&)> tell)
        : daemon_(std::move(place)), mount_point_(std::move(mount_point)), tell_(std::move(tell)) {}

    [[nodiscard]] int descriptor() const { return daemon_.descriptor(); }
    void take_events() { daemon_.take_events(); }

    Outcome<Looks> look(std::string_view file);
    Outcome<std::vector<Entry>> list(std::string_view file);
    Outcome<std::string> read_link(std::string_view file);
    /// mkdir: creates a probe, scheduler, policy or filter, or attaches a member.
    Outcome<void> make(std::string_view file);
    /// rmdir: removes what make() makes.
    Outcome<void> remove(std::string_view file);
    /// symlink: links the probe source that `target` leads to from the caller's directory `from`.
    Outcome<void> link(std::string_view target, std::string_view from, std::string_view file);
    Outcome<void> unlink(std::string_view file);
    /// EACCES for writing what can only be read, to root as well.
    Outcome<void> check_open(std::string_view file, bool writes);
    Outcome<std::string> read(std::string_view file);
    /// One write(2) is one value.
    Outcome<void> write(std::string_view file, std::string_view bytes);

private:
    struct Link {
        std::string name;
        model::Path source;
    };

    Outcome<Place> find(std::string_view file);
    /// The link in a sink, if its source is linked and not a filter inside.
    Outcome<std::optional<Link>> link_in(const model::Path& sink, const Part& part);
    /// A place that may be a link, and is: that one.
    Outcome<Link> link_at(const Place& place);
    Outcome<std::string> read_text(const std::string& place);
    Outcome<std::string> read_value(const Place& place, std::string_view which);
    Outcome<std::string> read_node_value(const Place& place);
    Outcome<bool> is_connected(model::Path path, const Part* part);
    bool has_link_inside(const model::Path& path);
    Outcome<void> change(const char* method, const std::vector<Argument>& arguments, Act act);

    Daemon daemon_;
    std::string mount_point_;
    std::function<void(const std::string&)> tell_;
    std::map<model::Path, Link> links_; // by sink, as they were made here
};

} // namespace schedd::cli::fs
