// The groups of checks that the doctor goes through, and what they are written with.
#pragma once

#include "service/doctor.h"

namespace schedd::service::doctor {

using namespace schedd::kit;
using namespace schedd::model;
using dbus::Check;
using Checks = std::vector<Check>;

inline Check ok(std::string name, std::string found) {
    return {std::move(name), "ok", false, std::move(found), {}, {}};
}
inline Check warning(std::string name, std::string found, std::string follows, std::string remedy = {}) {
    return {std::move(name), "warning", false, std::move(found), std::move(follows), std::move(remedy)};
}
inline Check lacks(std::string name, std::string found, std::string follows, std::string remedy = {}) {
    return {std::move(name), "lacks", false, std::move(found), std::move(follows), std::move(remedy)};
}
inline Check essential(Check check) {
    check.essential = true;
    return check;
}

/// A file without the newline at its end, at most 256 KiB of it.
Result<std::string> text_of(Host& host, const std::string& path);

/// The hierarchies of control groups as proc/mounts has them; mounts relative to the root, "" if there is
/// none.
struct Groups {
    std::string unified;             // of version 2
    std::string unified_controllers; // "cpuset cpu io"
    bool is_unified_read_only = false;
    std::string cpuset; // of version 1, with the cpuset controller
    bool is_cpuset_read_only = false;
    std::string version1_controllers; // with commas, of all hierarchies of version 1
};
Groups groups_of(Host& host);
/// Whether `word` is one of the blank-separated words.
bool has_word(std::string_view words, std::string_view word);

void check_cpus(Host& host, const Surroundings& around, Checks& out);    // doctor_cpus.cpp
void check_groups(Host& host, Checks& out);                              // doctor_groups.cpp
void check_units(Host& host, const Surroundings& around, Checks& out);   // doctor.cpp
void check_sources(Host& host, const Surroundings& around, Checks& out); // doctor.cpp

} // namespace schedd::service::doctor
