// The options of ssh, one by one with their reasons, and quoting for the shell on the other side.
#include "components/kit/ssh_command.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace schedd::kit {

namespace {

constexpr std::size_t kFolderMax = 48;
constexpr std::size_t kNameMax = 255;
constexpr std::size_t kAddressMax = 64; // IPv6, '%' and the name of an interface

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether all of it is letters, digits or in `others`.
bool is_of(std::string_view text, std::string_view others) {
    return std::ranges::all_of(text, [&](char c) { return is_alnum(c) || others.contains(c); });
}

bool is_label(std::string_view text) {
    return !text.empty() && text.size() <= kNameMax && text.front() != '-' && is_of(text, "._-");
}

bool is_address(std::string_view text) {
    if (text.empty() || text.size() > kAddressMax) return false;
    const auto zone = text.find('%');
    const auto numbers = text.substr(0, zone);
    const bool is_number = std::ranges::all_of(numbers, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
               c == ':';
    });
    if (numbers.empty() || !is_number || numbers.find_first_of(".:") == std::string_view::npos) return false;
    return zone == std::string_view::npos || is_label(text.substr(zone + 1));
}

Status check(const SshNode& node, const SshSettings& settings) {
    if (!is_label(node.name))
        return fail(Errc::invalid_value, fmt::format("node name '{}'", node.name),
                    "work goes to nodes whose name is letters, digits, '.', '_' and '-', not first a '-'");
    if (!is_address(node.address))
        return fail(Errc::invalid_value, fmt::format("address '{}' of node {}", node.address, node.name),
                    "an IPv4 or IPv6 address is wanted, without a port");
    if (!node.user.empty() && !is_label(node.user))
        return fail(Errc::invalid_value, fmt::format("user '{}' on node {}", node.user, node.name),
                    "letters, digits, '.', '_' and '-' are wanted, not first a '-'");
    const auto& folder = settings.control_folder;
    if (folder.empty()) return {};
    if (folder.front() != '/' || folder.size() > kFolderMax || !is_of(folder, "/._-+@=,:"))
        return fail(Errc::invalid_value, fmt::format("folder '{}' for kept connections", folder),
                    fmt::format("an absolute path of at most {} letters, digits and /._-+@=,: is wanted",
                                kFolderMax));
    return {};
}

/// ssh, all options, and the destination.
std::vector<std::string> base(const SshNode& node, const SshSettings& settings) {
    std::vector<std::string> words{"ssh"};
    const auto set = [&](std::string_view option) {
        words.emplace_back("-o");
        words.emplace_back(option);
    };
    if (!settings.config.empty()) words.insert(words.end(), {"-F", settings.config});
    set("BatchMode=yes"); // never a question: not for a password, not for a passphrase
    set("StrictHostKeyChecking=yes");
    set("UpdateHostKeys=no"); // a known key is not replaced without a person either
    set("CheckHostIP=no");    // the name counts: addresses are given out anew
    set("HostKeyAlias=" + node.name);
    auto address = node.address; // ssh expands '%' there
    if (const auto zone = address.find('%'); zone != std::string::npos) address.insert(zone, 1, '%');
    set("HostName=" + address);
    set(fmt::format("ConnectTimeout={}", settings.connect.count()));
    set("ConnectionAttempts=1");
    set("ServerAliveInterval=5"); // a node that goes away is noticed in 15 s, not in hours
    set("ServerAliveCountMax=3");
    set("ClearAllForwardings=yes"); // what a person forwards for himself is not for work
    set("ForwardAgent=no");
    set("ForwardX11=no");
    set("PermitLocalCommand=no");
    set("RemoteCommand=none"); // one of the configuration would get in the way of ours
    set("EscapeChar=none");    // "~." in the input is input
    set("LogLevel=ERROR");     // failures are said, greetings are not
    if (!node.user.empty()) set("User=" + node.user);
    if (node.port != 0) set(fmt::format("Port={}", node.port));
    if (settings.control_folder.empty()) {
        set("ControlPath=none");
    } else {
        set("ControlPath=" + ssh_control_path(node, settings));
        set("ControlMaster=auto");
        set(fmt::format("ControlPersist={}", settings.keep.count()));
    }
    return words;
}

} // namespace

std::string shell_word(std::string_view text) {
    // '=' is not among them: a first word with one would be an assignment, and zsh expands a leading one.
    if (!text.empty() && is_of(text, "_-+./:,@%")) return std::string(text);
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'') word += "'\\'";
        word += c;
    }
    return word + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) {
        if (!line.empty()) line += ' ';
        line += shell_word(word);
    }
    return line;
}

Result<std::vector<std::string>> ssh_command(const SshNode& node, const SshSettings& settings,
                                             const std::vector<std::string>& words) {
    if (const auto fit = check(node, settings); !fit) return std::unexpected(fit.error());
    if (std::ranges::any_of(words, [](const std::string& word) { return word.contains('\0'); }))
        return fail(Errc::invalid_value, "a NUL byte in the command",
                    "no program can be handed one in its arguments");
    auto line = words.empty() ? std::string(":") : shell_line(words);
    if (line.size() > kSshLineMax)
        return fail(Errc::limit_exceeded,
                    fmt::format("a command of {} bytes for node {}", line.size(), node.name),
                    fmt::format("at most {} with arguments, environment and quotes", kSshLineMax));
    auto command = base(node, settings);
    command.emplace_back(settings.tty ? "-tt" : "-T");
    if (!settings.has_input || words.empty()) command.emplace_back("-n");
    command.insert(command.end(), {"--", node.name, std::move(line)});
    return command;
}

Result<std::vector<std::string>> ssh_close(const SshNode& node, const SshSettings& settings) {
    if (const auto fit = check(node, settings); !fit) return std::unexpected(fit.error());
    auto command = base(node, settings);
    command.insert(command.end(), {"-O", "stop", "--", node.name});
    return command;
}

std::string ssh_control_path(const SshNode& node, const SshSettings& settings) {
    if (settings.control_folder.empty()) return {};
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : fmt::format("{}\n{}\n{}\n{}", node.name, node.address, node.user, node.port)) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3U;
    }
    return fmt::format("{}/{:.23}-{:016x}", settings.control_folder, node.name, hash);
}

} // namespace schedd::kit
