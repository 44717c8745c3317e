// The layout functions: the daemon's JSON in, text for people out. Pure, so that golden files can hold them.
#pragma once

#include <string>
#include <string_view>

#include "cli/json.h"
#include "cli/text.h"

namespace schedd::cli {

/// Status JSON as a few lines and a table of schedulers.
std::string print_status(const Json& status, const Look& look);
/// What Status knows of power, as one sentence; "" if it knows nothing: "power-saver (on battery 41 %): batch
/// packed on CPUs 4-7, 2 cores asleep".
std::string power_sentence(const Json& power, const Look& look);
/// Of the array in Status.
std::string print_holds(const Json& holds, const Look& look);

/// A part's JSON with all below it, like tree(1): branch, kind, the value at each stage, attributes and
/// links.
std::string print_tree(const Json& part, const Look& look);

/// Whether a type's name says more than the instance's own: not for "threshold", a filter of
/// threshold_filter.
bool says_more(std::string_view type, std::string_view name, std::string_view kind);
/// Why a source, filter or port has no value, without repeating its path; "" if it has one.
std::string why_none_of(const Json& part);

enum class Listing { none, parts, attributes, writable, sources, sinks, schedulers, members, nodes };
/// One path (PATH.ATTRIBUTE, or the name of a scheduler, member or node) per line and nothing else: what
/// completions and scripts read.
std::string print_listing(const Json& part, Listing what);

/// The attributes of one part as "name = value unit" lines; "" if it has none.
std::string print_attributes(const Json& part, const Look& look);

/// All types as a table, or with `name` (or an alias) one type in full; "" if there is no such type.
std::string print_types(const Json& types, std::string_view name, const Look& look);
/// The names of the types there are, blank-separated; for error messages.
std::string type_names(const Json& types);

/// Explain JSON in plain sentences.
std::string print_explain(const Json& explained, const Look& look);

/// Verify JSON: one sentence, and a table of what was found.
std::string print_verify(const Json& verified, const Look& look);

/// ListNodes JSON: one sentence while membership is off, else a table with as many loads as fit.
std::string print_nodes(const Json& listed, const Look& look);

/// Doctor JSON: each check with what was found, what follows and what to do.
std::string print_doctor(const Json& report, const Look& look);

/// The changes of Apply, Reload or a diff, one line each: + create, - remove, ~ everything else.
/// What a dry run said that the changes would place; "" where it said nothing of that.
std::string print_plan(const Json& applied, const Look& look);
std::string print_changes(const Json& applied, const Look& look);

} // namespace schedd::cli
