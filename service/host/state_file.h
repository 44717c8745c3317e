// FileStore: the ledger's lines in a file of the state directory, which one daemon at a time may use.
#pragma once

#include <memory>
#include <string>

#include "components/placement/ledger.h"

namespace schedd::host {

using namespace schedd::kit;

class FileStore final : public placement::LedgerStore {
public:
    /// Makes the directory (0700) with its parents if need be, and takes its lock until destroyed. Fails with
    /// held_by_other (the error says which process has it), denied (anybody may write there), io. On a full
    /// or read-only disk it is there all the same: reading gives what there is, and writing fails until it
    /// can.
    static Result<std::unique_ptr<FileStore>> open(const std::string& directory);
    ~FileStore() override;
    FileStore(const FileStore&) = delete;
    FileStore& operator=(const FileStore&) = delete;

    /// Whether the ledger could be opened for writing; it is tried again with each write.
    [[nodiscard]] bool is_writable() const { return is_writable_; }
    /// Everything in the file; "" if there is none yet. Fails with limit_exceeded beyond
    /// limits::kLedgerBytes.
    [[nodiscard]] Result<std::string> read_all() const;
    /// In the kernel's hands when it returns: it survives this process, not a power cut (then no task
    /// survives either). On failure the file is as before.
    Status append(std::string_view lines) override;
    /// By a new file that is synced and renamed over the old one.
    Status replace(std::string_view all) override;

    /// Keeps a text that could not be used for somebody to look at, in the file "ledger.rejected"; returns
    /// its whole name. A later one takes its place.
    [[nodiscard]] Result<std::string> set_aside(std::string_view text) const;

private:
    explicit FileStore(std::string directory) : directory_(std::move(directory)) {}
    Status open_ledger();
    Status take_lock();

    std::string directory_;
    int directory_fd_ = -1;
    int lock_ = -1;
    int ledger_ = -1;          // none if there is none yet, and it cannot be made
    bool is_writable_ = false; // the ledger
};

} // namespace schedd::host
