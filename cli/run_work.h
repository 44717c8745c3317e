// What `run` starts: the words of systemd-run, here or on another node, and what is said when it fails. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace schedd::cli {

using Words = std::vector<std::string>;

/// One piece of work. All bytes but NUL may occur in the command.
struct Work {
    Words command;         // not empty
    std::string directory; // absolute; where it runs
    Words environment;     // NAME=VALUE, see carried_environment()
    std::string unit;      // with its suffix
    std::string scheduler; // "": it becomes a member of none
    Words properties;      // as systemd-run's --property takes them
    std::string attacher;  // the program that attaches it: an absolute path, the same on each node
    std::string output;    // migratable: the file that its output is appended to; "": the journal
    std::string encloser;  // migratable: schedd-migrate, the same on each node; "": it is not installed
    bool has_terminal = false;
    bool waits = true; // until it ends; else it is on its own once it has started
    bool is_migratable = false;
};

/// What marks a unit that may be moved to another node, in its Environment.
constexpr std::string_view kMigratableMark = "SCHEDD_MIGRATABLE=1";

/// What of an environment goes along: all that is UTF-8 and properly named, but not what speaks of the
/// session, the terminal's agents or the unit that it comes from, nor make's job server, whose descriptors
/// stay here.
Words carried_environment(const char* const* environment);

/// A word of a unit's command line: systemd puts variables in for '$', and '$$' is one.
std::string unit_word(std::string_view text);

/// Arguments of systemd-run for it (the program's name and --user are left out). With input and output of
/// its own it says started_line() on its standard error before it begins.
Words service_words(const Work& work);
/// systemd-run itself: of the user's own manager unless `is_root`.
Words local_words(const Work& work, bool is_root);
/// The same for a node's shell, which uses the system's manager if it may.
Words remote_words(const Work& work);
std::string started_line(const Work& work);

/// For a node's shell: fails, in words, if there is no systemd-run, no such directory or no such command.
Words check_words(const Work& work);
/// For a node's shell, or without it: a signal to all processes of a unit; "" stops it.
Words signal_words(const std::string& unit, std::string_view signal);
Words local_signal_words(const std::string& unit, std::string_view signal, bool is_root);

/// Why it was not started there, in one line, out of what ssh and systemd-run have said.
std::string trouble_in(std::string_view said, const std::string& node);

/// A path like a file's name of systemd's: "build" becomes "build.service"; "" becomes a name of its own out
/// of `id`.
std::string unit_name_of(const std::string& given, std::string_view id);

} // namespace schedd::cli
