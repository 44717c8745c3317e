// Event: a signal from the daemon, and how monitor shows it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "cli/json.h"
#include "cli/text.h"

namespace schedd::cli {

/// A signal as it came: the tree path of the sender, the interface and member, all arguments.
struct Event {
    std::string path;
    std::string interface;
    std::string member;
    Json arguments;
};

/// One line for people: "schedulers/CPU_LB  Decided  process:12 on 0-1: ...", without a time. Events that say
/// nothing to a person give "".
std::string print_event(const Event& event, const Look& look);

/// One JSON object: path, interface, signal, arguments (named for the signals of the contract).
Json event_json(const Event& event);

/// The tree path of the object that InterfacesAdded or InterfacesRemoved names.
std::string object_tree_path(const Event& event);

} // namespace schedd::cli
