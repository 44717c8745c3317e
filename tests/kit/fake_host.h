// FakeHost: a file tree in memory, with files that fail, vanish and are counted.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "components/kit/host.h"

namespace schedd::test {

using namespace schedd::kit;

/// Paths as in Host: relative, without '/' in front. Directories are implied by the files in them. Reads
/// allocate nothing, so that allocation counts taken over a FakeHost are those of the code under test.
class FakeHost final : public Host {
public:
    /// Creates or changes a file. A file that is held open sees the change.
    void set(const std::string& path, std::string_view content) {
        auto& entry = files_[path];
        if (!entry) entry = std::make_shared<Entry>();
        entry->content = content;
        entry->error.reset();
    }
    /// Opening and reading fail with `error` until the file is set again.
    void set_error(const std::string& path, Error error) {
        auto& entry = files_[path];
        if (!entry) entry = std::make_shared<Entry>();
        entry->error = std::move(error);
    }
    void set_link(const std::string& path, std::string target) { links_[path] = std::move(target); }
    /// The file vanishes; whoever holds it open reads no_such_object from now on, even if it is set anew.
    void remove(const std::string& path) {
        if (const auto at = files_.find(path); at != files_.end()) {
            at->second->error = gone(path);
            files_.erase(at);
        }
        links_.erase(path);
    }
    /// All files below a directory vanish.
    void remove_tree(const std::string& directory) {
        const auto prefix = directory + "/";
        for (auto at = files_.lower_bound(prefix); at != files_.end() && at->first.starts_with(prefix);) {
            at->second->error = gone(at->first);
            at = files_.erase(at);
        }
        for (auto at = links_.lower_bound(prefix); at != links_.end() && at->first.starts_with(prefix);)
            at = links_.erase(at);
    }
    [[nodiscard]] bool has(const std::string& path) const { return files_.contains(path); }

    /// What cpu_time_of() says of a process from now on.
    void set_cpu_time(std::int32_t pid, std::uint64_t ns) { clocks_[pid] = ns; }
    [[nodiscard]] std::optional<std::uint64_t> cpu_time_of(std::int32_t pid) override {
        const auto at = clocks_.find(pid);
        return at == clocks_.end() ? std::nullopt : std::optional(at->second);
    }

    void set_open_budget(std::size_t files) { budget_ = files; }
    /// Files held open now, and counts since reset_counts(): opens (kept and one-shot), reads, listings.
    [[nodiscard]] std::size_t open_now() const { return *open_; }
    struct Counts {
        std::size_t opens = 0;
        std::size_t reads = 0;
        std::size_t lists = 0;
        std::size_t links = 0;
    };
    [[nodiscard]] const Counts& counts() const { return counts_; }
    void reset_counts() { counts_ = {}; }

    Result<std::unique_ptr<HostFile>> open(const std::string& path) override {
        ++counts_.opens;
        const auto at = files_.find(path);
        if (at == files_.end()) return std::unexpected(gone(path));
        if (at->second->error) return std::unexpected(*at->second->error);
        if (*open_ >= budget_)
            return fail(Errc::limit_exceeded, "cannot open " + path, "too many open files");
        return std::make_unique<File>(at->second, counts_, open_);
    }
    Result<std::string_view> read(const std::string& path, std::span<char> buffer) override {
        ++counts_.opens;
        ++counts_.reads;
        const auto at = files_.find(path);
        if (at == files_.end()) return std::unexpected(gone(path));
        return copy(*at->second, buffer);
    }
    Status list(const std::string& path, const std::function<void(std::string_view)>& visit) override {
        ++counts_.lists;
        const auto prefix = path + "/";
        std::map<std::string, int, std::less<>> names;
        list_in(files_, prefix, names);
        list_in(links_, prefix, names);
        if (names.empty()) return std::unexpected(gone(path));
        for (const auto& [name, unused] : names) visit(name);
        return {};
    }
    Result<std::string> link_target(const std::string& path) override {
        ++counts_.links;
        const auto at = links_.find(path);
        if (at == links_.end()) return std::unexpected(gone(path));
        return at->second;
    }
    [[nodiscard]] std::size_t open_budget() const override { return budget_; }

private:
    struct Entry {
        std::string content;
        std::optional<Error> error;
    };
    static Error gone(const std::string& path) {
        return {Errc::no_such_object, "cannot open " + path, "no such file"};
    }

    static Result<std::string_view> copy(const Entry& entry, std::span<char> buffer) {
        if (entry.error) return std::unexpected(*entry.error);
        const auto size = std::min(entry.content.size(), buffer.size());
        std::memcpy(buffer.data(), entry.content.data(), size);
        return std::string_view(buffer.data(), size);
    }

    class File final : public HostFile {
    public:
        File(std::shared_ptr<Entry> entry, Counts& counts, std::shared_ptr<std::size_t> open)
            : entry_(std::move(entry)), counts_(counts), open_(std::move(open)) {
            ++*open_;
        }
        ~File() override { --*open_; }
        Result<std::string_view> read(std::span<char> buffer) override {
            ++counts_.reads;
            return copy(*entry_, buffer);
        }

    private:
        std::shared_ptr<Entry> entry_;
        Counts& counts_;
        std::shared_ptr<std::size_t> open_;
    };

    /// The first path elements after `prefix`; skips over what is below each of them.
    template <class Map> static void list_in(const Map& map, const std::string& prefix, auto& names) {
        for (auto at = map.lower_bound(prefix); at != map.end() && at->first.starts_with(prefix);) {
            const auto rest = std::string_view(at->first).substr(prefix.size());
            const auto name = std::string(rest.substr(0, rest.find('/')));
            names.emplace(name, 0);
            at = name.size() == rest.size() ? std::next(at)
                                            : map.lower_bound(prefix + name + static_cast<char>('/' + 1));
        }
    }

    std::map<std::string, std::shared_ptr<Entry>, std::less<>> files_;
    std::map<std::int32_t, std::uint64_t> clocks_;
    std::map<std::string, std::string, std::less<>> links_;
    std::size_t budget_ = 1024;
    std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
    Counts counts_;
};

} // namespace schedd::test
