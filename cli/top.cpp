// The verb top: ncurses around the screen that top_view lays out.
#include <chrono>
#include <clocale>

#include <nlohmann/json.hpp>

#include "cli/top_view.h"
#include "cli/verbs.h"

// Last, for its macros.
#include <curses.h>

namespace schedd::cli {

namespace {

constexpr std::size_t kLoadsRead = 100;    // members; a screen shows fewer
constexpr std::uint64_t kTimeoutMs = 5000; // of one dump; longer than that the view would seem to hang

/// The terminal in curses mode for as long as this lives.
class Screen {
public:
    Screen() {
        std::setlocale(LC_CTYPE, "");
        up_ = ::initscr() != nullptr;
        if (!up_) return;
        ::cbreak();
        ::noecho();
        ::curs_set(0);
        ::keypad(stdscr, TRUE);
        if (::has_colors()) {
            ::start_color();
            ::use_default_colors();
            for (short color = 1; color < 8; ++color) ::init_pair(color, color, -1);
        }
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen() {
        if (up_) ::endwin();
    }
    [[nodiscard]] bool up() const { return up_; }
    [[nodiscard]] std::size_t height() const { return static_cast<std::size_t>(std::max(LINES, 1)); }
    [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(std::max(COLS, 1)); }

    void draw(const std::vector<TopLine>& lines, bool color) {
        ::erase();
        for (std::size_t y = 0; y < lines.size(); ++y) {
            ::move(static_cast<int>(y), 0);
            for (const auto& piece : lines[y]) {
                const auto attributes =
                    attributes_of(piece.hue, color) | (piece.inverse ? A_REVERSE : A_NORMAL);
                ::attrset(static_cast<int>(attributes));
                ::addnstr(piece.text.data(), static_cast<int>(piece.text.size()));
            }
        }
        ::attrset(A_NORMAL);
        ::refresh();
    }

private:
    static chtype attributes_of(Hue hue, bool color) {
        const auto pair = [&](short number) {
            return color && ::has_colors() ? static_cast<chtype>(COLOR_PAIR(number)) : A_NORMAL;
        };
        switch (hue) {
        case Hue::plain: return A_NORMAL;
        case Hue::strong: return A_BOLD;
        case Hue::dim: return A_DIM;
        case Hue::source:
        case Hue::good: return pair(COLOR_GREEN);
        case Hue::filter: return pair(COLOR_YELLOW);
        case Hue::port: return pair(COLOR_CYAN);
        case Hue::policy: return pair(COLOR_MAGENTA);
        case Hue::scheduler: return pair(COLOR_BLUE) | A_BOLD;
        case Hue::member: return pair(COLOR_BLUE);
        case Hue::warn: return pair(COLOR_YELLOW) | A_BOLD;
        case Hue::bad: return pair(COLOR_RED) | A_BOLD;
        }
        return A_NORMAL;
    }

    bool up_ = false;
};

/// One call for everything, and one more for each member whose load is not among the values that a
/// description of the source lists.
Answer<Json> take_dump(Bus& bus) {
    const auto text = bus.read_stream("Dump");
    if (!text) return std::unexpected(text.error());
    auto dump = parse_json(*text, "Dump");
    if (!dump || !dump->is_object()) return dump;
    Json loads = Json::object();
    for (const auto& [pid, place] : loads_to_read(*dump, kLoadsRead)) {
        const auto load = bus.call("Read", {place});
        if (!load && load.error().exit == Exit::not_running) return std::unexpected(load.error());
        if (load) loads[pid] = Json::parse(*load, nullptr, false);
    }
    (*dump)["loads"] = std::move(loads);
    return dump;
}

TopSort stepped(TopSort sort, int step) {
    return static_cast<TopSort>((static_cast<int>(sort) + 4 + step) % 4);
}

/// False when the key means quit.
bool obey(int key, TopState& state, const std::vector<TopRow>& rows, int page) {
    switch (key) {
    case 'q':
    case 'Q': return false;
    case KEY_UP:
    case 'k': move_selection(state, rows, -1); break;
    case KEY_DOWN:
    case 'j': move_selection(state, rows, 1); break;
    case KEY_PPAGE: move_selection(state, rows, -page); break;
    case KEY_NPAGE: move_selection(state, rows, page); break;
    case KEY_HOME: move_selection(state, rows, -static_cast<int>(rows.size())); break;
    case KEY_END: move_selection(state, rows, static_cast<int>(rows.size())); break;
    case KEY_LEFT: state.sort = stepped(state.sort, -1); break;
    case KEY_RIGHT:
    case 's': state.sort = stepped(state.sort, 1); break;
    case 'r': state.reverse = !state.reverse; break;
    case 'p':
    case ' ': state.paused = !state.paused; break;
    default: break; // KEY_RESIZE only needs the redraw that follows every key
    }
    return true;
}

Answer<Exit> run_screen(const Session& session, Bus& bus, Json dump) {
    using Steady = std::chrono::steady_clock;
    Screen screen;
    if (!screen.up()) return give_up(Exit::error, "this terminal cannot show top; use top --once");
    const auto interval = std::chrono::milliseconds(session.options.interval_ms);
    TopState state;
    auto due = Steady::now() + interval;
    for (;;) {
        screen.draw(top_screen(dump, state, screen.height(), screen.width(), session.look),
                    session.look.color);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - Steady::now()).count();
        ::timeout(static_cast<int>(std::max<long long>(left, 0)));
        const int key = ::getch();
        if (key != ERR && !obey(key, state, top_rows(dump, state), LINES / 2)) return Exit::ok;
        if (Steady::now() < due) continue;
        due = Steady::now() + interval;
        if (state.paused) continue;
        auto fresh = take_dump(bus);
        if (!fresh) return std::unexpected(fresh.error());
        dump = std::move(*fresh);
    }
}

} // namespace

Answer<Exit> run_top(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    bus->set_timeout_ms(kTimeoutMs);
    auto dump = take_dump(*bus);
    if (!dump) return std::unexpected(dump.error());
    const auto form = session.options.json;
    if (form == JsonForm::off && !session.options.once && is_terminal())
        return run_screen(session, *bus, std::move(*dump));
    const auto written =
        print(form == JsonForm::off ? top_text(*dump, session.look) : dump_json(*dump, form));
    if (!written) return std::unexpected(written.error());
    return Exit::ok;
}

} // namespace schedd::cli
