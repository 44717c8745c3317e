// The verbs: each takes an invocation's options, asks the daemon, prints, and says how it ended.
#pragma once

#include "cli/bus.h"
#include "cli/console.h"
#include "cli/options.h"

namespace schedd::cli {

/// What a verb works with. The connection is opened by the first that needs it.
struct Session {
    const Options& options;
    const Look& look;
    Answer<Bus> connect() const { return Bus::open({options.bus, options.host}); }
};

using Run = Answer<Exit> (*)(const Session&);

/// The function of a verb of verb_specs().
Run run_of(std::string_view verb);

// verbs_read.cpp
Answer<Exit> run_status(const Session&);
Answer<Exit> run_tree(const Session&);
Answer<Exit> run_types(const Session&);
Answer<Exit> run_explain(const Session&);
Answer<Exit> run_verify(const Session&);
Answer<Exit> run_doctor(const Session&);
Answer<Exit> run_version(const Session&);
// verbs_graph.cpp
Answer<Exit> run_graph(const Session&);
// verbs_get.cpp
Answer<Exit> run_get(const Session&);
// verbs_change.cpp
Answer<Exit> run_set(const Session&);
Answer<Exit> run_create(const Session&);
Answer<Exit> run_remove(const Session&);
Answer<Exit> run_link(const Session&);
Answer<Exit> run_unlink(const Session&);
// verbs_attach.cpp
Answer<Exit> run_attach(const Session&);
Answer<Exit> run_detach(const Session&);
// verbs_nodes.cpp
Answer<Exit> run_nodes(const Session&);
// verbs_move.cpp
Answer<Exit> run_migrate(const Session&);
Answer<Exit> run_expel(const Session&);
Answer<Exit> run_bring(const Session&);
Answer<Exit> run_block(const Session&);
Answer<Exit> run_unblock(const Session&);
Answer<Exit> run_checkpoint(const Session&);
Answer<Exit> run_restore(const Session&);
// verbs_keys.cpp
Answer<Exit> run_keygen(const Session&);
// verbs_hold.cpp
Answer<Exit> run_hold(const Session&);
// verbs_run.cpp
Answer<Exit> run_run(const Session&);
// verbs_config.cpp
Answer<Exit> run_apply(const Session&);
Answer<Exit> run_diff(const Session&);
Answer<Exit> run_export(const Session&);
Answer<Exit> run_reload(const Session&);
// verbs_live.cpp
Answer<Exit> run_monitor(const Session&);
// verbs_simulate.cpp
Answer<Exit> run_simulate(const Session&);
// top.cpp
Answer<Exit> run_top(const Session&);

/// One call of a method that reads; as JSON.
Answer<std::string> ask(const Session& session, const char* method,
                        const std::vector<Argument>& arguments = {});
Answer<Json> ask_json(const Session& session, const char* method,
                      const std::vector<Argument>& arguments = {});
/// "/" and a slash at the end are how people write folders.
std::string plain_path(const std::vector<std::string>& words);

/// Prints the daemon's JSON: as it is for --json=short, indented for --json=pretty, by `layout` otherwise.
Answer<Exit> show(const Session& session, const Answer<std::string>& reply, std::string_view method,
                  std::string (*layout)(const Json&, const Look&));
/// Whether somebody can be asked for a password: on a terminal, unless told otherwise.
bool may_ask(const Session& session);
/// One method call. Silence is success; a dry run says that nothing happened, and what `recipe`, the same
/// change as recipe lines, would place.
Answer<Exit> change_once(const Session& session, const char* method, const std::vector<Argument>& arguments,
                         const CallOptions& options, const std::string& recipe);
/// Several verbs, one a line, wholly or not at all.
Answer<Exit> change_all(const Session& session, const std::string& recipe);
/// A word of a recipe line.
std::string quoted(const std::string& word);
/// The options every changing method takes.
CallOptions change_options(const Session& session);

} // namespace schedd::cli
