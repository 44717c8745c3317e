// Argument vectors for OpenSSH's client: how work reaches another node. Nothing is started here.
//
// A node is addressed by its name: the user's own configuration for that name applies (User, Port,
// IdentityFile, ProxyJump), its host key is looked up under that name (HostKeyAlias) whatever address it has
// today, and the address that was heard of it is where ssh goes. No vector made here can ask a question or
// accept a host key that is not known: what is missing is a failure that ssh names on its standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"

namespace schedd::kit {

/// What the remote shell may be handed in one go, in bytes: the kernel's MAX_ARG_STRLEN (32 pages of 4 KiB),
/// since sshd hands the whole line to the login shell as one word, less that word's end.
constexpr std::size_t kSshLineMax = 128 * 1024 - 1;

struct SshNode {
    std::string name;       // letters, digits, '.', '_', '-', not first '-'; at most 255 of them
    std::string address;    // IPv4 or IPv6, the latter with a %zone where it needs one; no port, no brackets
    std::string user;       // "": as ssh is configured
    std::uint16_t port = 0; // 0: as ssh is configured
};

struct SshSettings {
    /// Where connections are kept: an absolute path of at most 48 letters, digits and "/._-+@=,:", to a
    /// folder that nobody else may write to. "": none is kept.
    std::string control_folder;
    std::chrono::seconds keep{300};  // how long an idle connection is kept
    std::chrono::seconds connect{5}; // until the server has proved who it is
    std::string config;              // instead of the user's and the system's configuration; "": those
    bool tty = false;                // a terminal there, whatever standard input is here
    bool has_input = true;           // false: standard input there is empty, whatever it is here
};

/// One word that a POSIX shell reads back as exactly `text`: as it is where that is safe, in quotes
/// otherwise. A text with a NUL byte has no such word; what follows the byte is for the caller to have
/// refused.
std::string shell_word(std::string_view text);

/// The words of a command as one line for a POSIX shell.
std::string shell_line(const std::vector<std::string>& words);

/// ssh that runs `words` on the node, with standard input, output, error and the exit status carried (255 if
/// ssh itself failed); over the kept connection if there is one, and it leaves one behind if it may
/// (`control_folder`). With an empty `words` it does nothing there: it only sees to the connection.
/// invalid_value: a name, address or folder that is not as said above, or a NUL byte; limit_exceeded: a line
/// longer than kSshLineMax.
Result<std::vector<std::string>> ssh_command(const SshNode& node, const SshSettings& settings,
                                             const std::vector<std::string>& words);

/// ssh that has the kept connection take no more commands, if there is one: it ends with the last that uses
/// it, and the next command makes another. Errors as above.
Result<std::vector<std::string>> ssh_close(const SshNode& node, const SshSettings& settings);

/// The socket of the kept connection: who can connect to it need not wait for a new one. Two nodes share one
/// only if name, address, user and port are the same (FNV-1a of 64 bits over those; the name is there for
/// people). At most 48 + 41 bytes, since a socket's path may have 107 and ssh adds 17 while it makes it.
/// "" if none is kept.
std::string ssh_control_path(const SshNode& node, const SshSettings& settings);

} // namespace schedd::kit
