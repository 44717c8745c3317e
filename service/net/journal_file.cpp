// Snapshot and log on a disk that may be full, read-only, or cut off at any moment.
#include "service/net/journal_file.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "service/host/write_all.h"
#include "service/net/state_files.h"

namespace schedd::net {

namespace {

using membership::journal_text::Health;

constexpr const char* kSnapshot = "cluster.config";
constexpr const char* kLog = "cluster.log";

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// What there is; nothing, with a word about it, if it cannot be read.
std::string read_or_tell(const std::string& path, std::size_t limit, std::vector<Error>& troubles) {
    auto text = read_state(path, limit);
    if (text) return std::move(*text).value_or(std::string());
    troubles.push_back(text.error());
    return {};
}

bool is_unusable(Health health) { return health == Health::corrupted || health == Health::newer; }

} // namespace

JournalFile::JournalFile(std::string directory, const membership::Hash& hash,
                         const membership::MachineClocks& clocks)
    : directory_(std::move(directory)), hash_(hash), clocks_(clocks) {}

bool JournalFile::load(membership::Store& store, std::vector<Error>& troubles) {
    if (directory_.empty()) return false;
    const auto snapshot = read_or_tell(path(kSnapshot), kSnapshotBytes, troubles);
    const auto log = read_or_tell(path(kLog), kLogBytes, troubles);
    snapshot_size_ = snapshot.size();
    const auto loaded = membership::journal_text::load(std::as_bytes(std::span(snapshot)),
                                                       std::as_bytes(std::span(log)), store, hash_);
    for (const auto& complaint : loaded.complaints)
        troubles.push_back({Errc::invalid_value, directory_, complaint});
    const auto aside = [&](const char* name) {
        auto kept = net::set_aside(path(name));
        if (kept)
            troubles.push_back(
                {Errc::invalid_value, path(name) + " cannot be used", "it is kept as " + *kept});
        else troubles.push_back(kept.error());
    };
    const bool is_snapshot_lost = is_unusable(loaded.snapshot) || loaded.snapshot == Health::torn;
    if (is_snapshot_lost) aside(kSnapshot);
    // changes to what is not known any more are for people to look at
    if (is_unusable(loaded.log) || (is_snapshot_lost && !log.empty())) {
        aside(kLog);
    } else if (loaded.log == Health::torn) {
        log_size_ = loaded.log_good;
        if (::truncate(path(kLog).c_str(), static_cast<off_t>(log_size_)) != 0)
            troubles.push_back(errno_error(errno, "cutting " + path(kLog)));
    } else {
        log_size_ = log.size();
    }
    return loaded.has_history;
}

Status JournalFile::open_log() {
    if (log_) return {};
    Descriptor fd(::open(path(kLog).c_str(),
                         O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!fd) return std::unexpected(errno_error(errno, "opening " + path(kLog)));
    struct stat about{};
    if (::fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode))
        return fail(Errc::io, path(kLog) + " is no plain file");
    log_size_ = static_cast<std::size_t>(about.st_size);
    log_ = std::move(fd);
    return {};
}

Status JournalFile::append(std::span<const std::shared_ptr<const membership::Entry>> entries,
                           const membership::Marks& marks) {
    if (directory_.empty()) return {};
    if (auto opened = open_log(); !opened) return opened;
    membership::Octets bytes;
    if (log_size_ == 0) bytes = membership::journal_text::log_header();
    const auto record = membership::journal_text::record(entries, marks, clocks_.wall_ms(), hash_);
    bytes.insert(bytes.end(), record.begin(), record.end());
    if (host::write_all(log_.get(), text_of(bytes)) == 0 && ::fdatasync(log_.get()) == 0) {
        log_size_ += bytes.size();
        return {};
    }
    const int why = errno;
    // a full disk must not leave half a record for the next one to follow
    if (::ftruncate(log_.get(), static_cast<off_t>(log_size_)) != 0) log_ = Descriptor();
    return std::unexpected(errno_error(why, "writing " + path(kLog)));
}

Status JournalFile::replace(const membership::Store& store) {
    if (directory_.empty()) return {};
    const auto bytes = membership::journal_text::snapshot(store, hash_);
    if (auto replaced = replace_state(path(kSnapshot), text_of(bytes)); !replaced) return replaced;
    snapshot_size_ = bytes.size();
    // a log that outlives a loss of power here only repeats what the snapshot says
    log_ = Descriptor();
    if (auto emptied = replace_state(path(kLog), text_of(membership::journal_text::log_header())); !emptied)
        return emptied;
    log_size_ = membership::journal_text::log_header().size();
    return {};
}

Status JournalFile::set_aside(const membership::Store& store) {
    if (directory_.empty()) return {};
    const auto kept = path(kSnapshot) + ".given-up";
    const auto bytes = membership::journal_text::snapshot(store, hash_);
    if (auto wrote = replace_state(kept, text_of(bytes)); !wrote) return wrote;
    if (auto renamed = net::set_aside(path(kSnapshot), kept); !renamed)
        return std::unexpected(renamed.error());
    return {};
}

bool JournalFile::is_snapshot_due() const { return log_size_ > kLogDue && log_size_ > snapshot_size_; }

} // namespace schedd::net
