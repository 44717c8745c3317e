// The steps of a move as commands: schedd-migrate here, and over SSH on the other node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "components/kit/ssh_command.h"
#include "components/model/value.h"
#include "service/remote/migration_settings.h"
#include "service/remote/runner.h"

namespace schedd::remote {

using model::NodeId;

/// A node of the cluster as work goes there.
struct Site {
    NodeId number = -1;
    std::string name = {};
    std::string address = {};
    std::string trouble = {}; // why nothing may be sent there now, in words; "" if it may
    bool is_gone = false;     // dead, or has left: what it was told is of no effect
    bool is_self = false;
};

/// One move, as all steps need it.
struct Course {
    std::string unit;
    std::string id;   // of this attempt, so that what is left of another is not taken for it
    std::string here; // name of this node
    Site site;
    std::uint64_t bytes = 0;
};

class Steps {
public:
    Steps(std::string script, MigrationSettings settings)
        : script_(std::move(script)), settings_(std::move(settings)) {}
    void set(MigrationSettings settings) { settings_ = std::move(settings); }
    [[nodiscard]] const MigrationSettings& settings() const { return settings_; }
    /// How long the images are under way, at the assumed bandwidth.
    [[nodiscard]] Duration transfer_of(std::uint64_t bytes) const;

    // On this node.
    [[nodiscard]] Job check() const;
    [[nodiscard]] Job look(const Course& course) const;
    [[nodiscard]] Job thaw(const std::string& unit) const;
    [[nodiscard]] Job leave(const std::string& unit) const;
    [[nodiscard]] Job recover() const;
    [[nodiscard]] Job checkpoint(const std::string& unit, const std::string& to, std::uint64_t bytes) const;
    [[nodiscard]] Job revive(const std::string& from) const;
    // Between both. They fail where ssh cannot be called so (a node with an impossible name).
    [[nodiscard]] Result<Job> link(const Site& site) const;
    [[nodiscard]] Result<Job> ask(const Course& course) const;
    [[nodiscard]] Result<Job> carry(const Course& course) const;
    [[nodiscard]] Result<Job> commit(const Course& course) const;
    // Over there.
    [[nodiscard]] Result<Job> discard(const Course& course) const;
    [[nodiscard]] Result<Job> settle(const Course& course) const;
    [[nodiscard]] Result<Job> send_home(const Site& site, const std::string& home) const;

private:
    /// How long a step may take that carries no images, and one that does.
    [[nodiscard]] Duration simple() const;
    [[nodiscard]] Duration carrying(std::uint64_t bytes) const;
    [[nodiscard]] Job local(std::string name, std::vector<std::string> words, Duration limit) const;
    [[nodiscard]] Result<std::vector<std::string>> ssh(const Site& site, std::vector<std::string> words,
                                                       bool has_input = false) const;
    [[nodiscard]] Result<Job> there(std::string name, const Site& site, std::vector<std::string> words,
                                    Duration limit) const;
    /// The local verb, with the remote one as the command that it runs.
    [[nodiscard]] Result<Job> both(std::string name, const Course& course, std::vector<std::string> words,
                                   bool has_input, Duration limit) const;

    std::string script_;
    MigrationSettings settings_;
};

} // namespace schedd::remote
