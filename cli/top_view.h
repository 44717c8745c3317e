// The screen of top as lines of coloured pieces: pure, the terminal side only copies it out.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cli/json.h"
#include "cli/text.h"

namespace schedd::cli {

enum class TopSort { target, load, cpus, state };

/// What the keys have changed. `selected` is the target's text, so that it stays selected while rows move.
struct TopState {
    TopSort sort = TopSort::load;
    bool reverse = false;
    bool paused = false;
    std::string selected;
    std::size_t first_row = 0;
};

struct TopPiece {
    std::string text;
    Hue hue = Hue::plain;
    bool inverse = false;
};
using TopLine = std::vector<TopPiece>;

/// One line of the list of subjects.
struct TopRow {
    std::string target, name, scheduler, cpus, state, reason;
    long long load = -1; // thousandths of a task; -1 = not measured
};

/// The subjects of a dump (and its "loads", an object by pid, if the caller has added one), sorted as the
/// state says.
std::vector<TopRow> top_rows(const Json& dump, const TopState& state);

/// Pid and PLACE of the members, at most `most`, whose load the dump does not hold but a probe can tell.
std::vector<std::pair<std::string, std::string>> loads_to_read(const Json& dump, std::size_t most);

/// Moves the selection by `steps` rows, stopping at the ends.
void move_selection(TopState& state, const std::vector<TopRow>& rows, int steps);

/// A screen of at most `height` lines and `width` columns; selects the first row if none is, and scrolls so
/// that the selected one shows. Small screens lose CPUs and schedulers first.
std::vector<TopLine> top_screen(const Json& dump, TopState& state, std::size_t height, std::size_t width,
                                const Look& look);

/// The screen as text, for pipes; all rows, none selected.
std::string top_text(const Json& dump, const Look& look);

} // namespace schedd::cli
