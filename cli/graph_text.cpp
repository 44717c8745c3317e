// The graph as text: boxes and arrows from left to right on a canvas of characters.
#include <algorithm>

#include <fmt/format.h>

#include "cli/graph.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kGap = 5;        // columns of an arrow between two boxes
constexpr std::size_t kWidestBox = 36; // of text inside; longer lines are cut

struct Strokes {
    std::string_view across, down, top_left, top_right, bottom_left, bottom_right, arrow;
};

Strokes strokes_of(const Look& look) {
    if (look.utf8) return {"─", "│", "╭", "╮", "╰", "╯", "▶"};
    return {"-", "|", "+", "+", "+", "+", ">"};
}

/// A grid of single-column characters, each with its hue.
class Canvas {
public:
    explicit Canvas(const Look& look) : look_(look) {}

    void put(std::size_t x, std::size_t y, std::string_view text, Hue hue = Hue::plain) {
        if (rows_.size() <= y) rows_.resize(y + 1);
        rows_[y].push_back({x, columns(text), paint(look_, hue, text)});
    }

    /// Pieces of a row may not overlap; what is between them is blank.
    [[nodiscard]] std::string text() {
        std::string out;
        for (auto& row : rows_) {
            std::ranges::stable_sort(row, {}, &Piece::x);
            std::size_t at = 0;
            for (const auto& piece : row) {
                if (piece.x > at) out.append(piece.x - at, ' ');
                out += piece.text;
                at = piece.x + piece.width;
            }
            out += '\n';
        }
        return out;
    }

private:
    struct Piece {
        std::size_t x, width;
        std::string text;
    };
    const Look& look_;
    std::vector<std::vector<Piece>> rows_;
};

struct Line {
    std::string text;
    Hue hue;
};

/// A box with its lines laid out: title, value, then attributes.
struct Drawn {
    std::string kind;
    Hue hue = Hue::plain;
    std::vector<Line> lines;
    std::size_t width = 0; // inside
    [[nodiscard]] std::size_t height() const { return lines.size() + 2; }
    [[nodiscard]] std::size_t outer() const { return width + 4; }
};

/// The unit stands with the source; along a chain it is the same.
std::string value_text(const Box& box) {
    return box.kind == "source" && !box.unit.empty() ? box.value + " [" + box.unit + "]" : box.value;
}

Drawn lay_out(const Box& box, const Look& look) {
    Drawn drawn{.kind = shown(box.kind, look), .hue = hue_of_kind(box.kind), .lines = {}};
    std::ranges::replace(drawn.kind, '_', ' ');
    drawn.lines.push_back({shown(box.title, look), Hue::strong});
    if (!box.value.empty()) drawn.lines.push_back({shown(value_text(box), look), drawn.hue});
    else if (!box.why_none.empty())
        drawn.lines.push_back({"no value: " + shown(box.why_none, look), Hue::warn});
    for (const auto& line : box.lines) drawn.lines.push_back({shown(line, look), Hue::plain});
    drawn.width = columns(drawn.kind) + 1;
    for (auto& line : drawn.lines) {
        line.text = cut(line.text, kWidestBox, look);
        drawn.width = std::max(drawn.width, columns(line.text));
    }
    return drawn;
}

std::string repeated(std::string_view piece, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += piece;
    return out;
}

/// Draws `box` with its upper left corner at (x, y), `height` rows high.
void draw(Canvas& canvas, const Drawn& box, std::size_t x, std::size_t y, std::size_t height,
          const Strokes& s) {
    const auto rest = box.width + 2 - columns(box.kind) - 2;
    canvas.put(x, y, fmt::format("{} {} {}{}", s.top_left, box.kind, repeated(s.across, rest), s.top_right),
               box.hue);
    for (std::size_t row = 1; row + 1 < height; ++row) {
        canvas.put(x, y + row, s.down, box.hue);
        if (row <= box.lines.size())
            canvas.put(x + 2, y + row, box.lines[row - 1].text, box.lines[row - 1].hue);
        canvas.put(x + box.width + 3, y + row, s.down, box.hue);
    }
    canvas.put(x, y + height - 1,
               fmt::format("{}{}{}", s.bottom_left, repeated(s.across, box.width + 2), s.bottom_right),
               box.hue);
}

void draw_arrow(Canvas& canvas, std::size_t from, std::size_t to, std::size_t y, const Strokes& s) {
    canvas.put(from, y, repeated(s.across, to - from - 2) + std::string(s.arrow), Hue::dim);
}

struct Grid {
    std::vector<std::vector<Drawn>> rows; // the last box of a row stands in the last column
    std::vector<std::size_t> widths;      // outer width of each column
    Drawn policy, process_set;
    bool has_policy = false;
};

/// Which column box `i` of a row of `n` stands in, of `count` columns: sinks are aligned at the right.
std::size_t column_of(std::size_t i, std::size_t n, std::size_t count) { return i + 1 == n ? count - 1 : i; }

Grid lay_out(const SchedulerGraph& graph, const Look& look) {
    Grid grid{.rows = {},
              .widths = {},
              .policy = lay_out(graph.policy, look),
              .process_set = lay_out(graph.process_set, look),
              .has_policy = !graph.policy.path.empty()};
    std::size_t count = 0;
    for (const auto& chain : graph.chains) count = std::max(count, chain.boxes.size());
    grid.widths.assign(count, 0);
    for (const auto& chain : graph.chains) {
        std::vector<Drawn> row;
        for (const auto& box : chain.boxes) row.push_back(lay_out(box, look));
        for (std::size_t i = 0; i < row.size(); ++i) {
            auto& width = grid.widths[column_of(i, row.size(), count)];
            width = std::max(width, row[i].outer());
        }
        grid.rows.push_back(std::move(row));
    }
    return grid;
}

std::size_t total_width(const Grid& grid) {
    std::size_t width = grid.process_set.outer();
    if (grid.has_policy) width += grid.policy.outer() + kGap;
    for (const auto column : grid.widths) width += column + kGap;
    return width;
}

std::string draw(const Grid& grid, const SchedulerGraph& graph, const Look& look) {
    const Strokes s = strokes_of(look);
    Canvas canvas(look);
    std::vector<std::size_t> starts;
    std::size_t right = 0;
    for (const auto width : grid.widths) {
        starts.push_back(right);
        right += width + kGap;
    }
    std::size_t y = 0;
    for (std::size_t r = 0; r < grid.rows.size(); ++r) {
        const auto& row = grid.rows[r];
        std::size_t height = 3, end = 0;
        for (const auto& box : row) height = std::max(height, box.height());
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto x = starts[column_of(i, row.size(), starts.size())];
            // Boxes of a row are drawn as wide as their column, so that arrows are as short as can be.
            Drawn box = row[i];
            box.width = grid.widths[column_of(i, row.size(), starts.size())] - 4;
            if (i > 0) draw_arrow(canvas, end + 1, x, y + 1, s);
            draw(canvas, box, x, y, box.height(), s);
            end = x + box.outer();
        }
        if (graph.chains[r].to_policy) draw_arrow(canvas, end + 1, right, y + 1, s);
        y += height;
    }
    std::size_t x = right;
    const std::size_t height =
        std::max({y, grid.has_policy ? grid.policy.height() : 0, grid.process_set.height()});
    if (grid.has_policy) {
        draw(canvas, grid.policy, x, 0, height, s);
        draw_arrow(canvas, x + grid.policy.outer() + 1, x + grid.policy.outer() + kGap, 1, s);
        x += grid.policy.outer() + kGap;
    }
    draw(canvas, grid.process_set, x, 0, grid.process_set.height(), s);
    return canvas.text();
}

std::string brief(const Box& box, const Look& look) {
    std::string inside;
    if (box.kind == "filter")
        for (const auto& line : box.lines) inside += (inside.empty() ? "(" : ", ") + line;
    auto out = paint(look, hue_of_kind(box.kind), shown(box.title, look)) +
               shown(inside.empty() ? "" : inside + ")", look);
    if (box.value.empty() && box.why_none.empty()) return out;
    return out +
           (box.value.empty() ? " = no value" : " = " + paint(look, Hue::strong, shown(box.value, look)));
}

/// For terminals too narrow for boxes: a line per chain, broken at the arrows.
std::string draw_narrow(const SchedulerGraph& graph, const Look& look) {
    const std::string arrow = look.utf8 ? "─▶ " : "-> ";
    std::string out;
    const auto add = [&](const std::vector<std::string>& words, std::string_view indent) {
        for (const auto& line : wrap(words, static_cast<std::size_t>(std::max(look.width - 4, 20))))
            out += std::string(indent) + line + "\n";
    };
    for (const auto& chain : graph.chains) {
        std::vector<std::string> words;
        for (const auto& box : chain.boxes) words.push_back((words.empty() ? "" : arrow) + brief(box, look));
        add(words, "  ");
    }
    const auto set =
        arrow + paint(look, Hue::member, "process set") + ": " + shown(graph.process_set.value, look);
    if (graph.policy.path.empty()) return out + "  " + set + "\n";
    add({arrow + paint(look, Hue::policy, shown(graph.policy.title, look)), set}, "  ");
    return out;
}

} // namespace

std::string graph_text(const std::vector<SchedulerGraph>& graphs, const Look& look) {
    if (graphs.empty()) return "No scheduler yet. Create one: schedd-cli create schedulers/NAME\n";
    std::string out;
    for (const auto& graph : graphs) {
        if (!out.empty()) out += "\n";
        out += paint(look, Hue::scheduler, shown(graph.name, look)) + "\n";
        const Grid grid = lay_out(graph, look);
        const bool fits = look.width <= 0 || total_width(grid) <= static_cast<std::size_t>(look.width);
        out += fits ? draw(grid, graph, look) : draw_narrow(graph, look);
        if (graph.policy.path.empty())
            out += paint(look, Hue::warn, "It has no policy, so it decides nothing.") + "\n";
    }
    return out;
}

} // namespace schedd::cli
