// The picture of a timeline.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "components/kit/utf8.h"
#include "components/sim/timeline.h"

namespace schedd::sim {

namespace {

constexpr int kWide = 1200; // px of all columns
constexpr int kLeft = 110;
constexpr int kRight = 40;
constexpr int kLine = 16;    // px of a line of text
constexpr int kLabel = 11;   // room that a label of a row needs
constexpr int kTallest = 24; // of a row, for a few CPUs
constexpr int kLowest = 4;   // what can still be seen, for hundreds
constexpr int kHeight = 1024;
constexpr std::size_t kRows = 256;    // beyond, neighbours share a row
constexpr std::size_t kCells = 40000; // beyond, columns are wider; half a megabyte at worst
constexpr std::size_t kTitle = 150;   // characters that fit
constexpr int kShades = 4;

/// Told apart by those who see fewer colours too (Okabe and Ito, 2002). Kinds beyond share the last.
constexpr std::array<std::string_view, 8> kColours{"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                   "#56b4e9", "#d55e00", "#f0e442", "#666666"};

std::string escaped(std::string_view text) {
    const bool is_readable = is_utf8(text);
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '&') out += "&amp;";
        else if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '"') out += "&quot;";
        else if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && !is_readable)) out += '?';
        else out += c;
    }
    return out;
}

std::string shortened(std::string_view text) {
    if (text.size() <= kTitle) return std::string(text);
    auto end = kTitle - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end; // inside a character
    return std::string(text.substr(0, end)) + "...";
}

std::size_t colour_of(std::size_t kind) { return std::min(kind, kColours.size() - 1); }

/// The kind that used most of a cell and how full it was, 0 to kShades.
struct Shade {
    std::size_t kind = 0;
    int shade = 0;
    bool operator==(const Shade&) const = default;
};

/// Many short strokes of the same look as one path, each said from where the last one ended.
struct Strokes {
    std::string path;
    int x = 0;

    void across(int from, double y, int length) {
        path += path.empty() ? fmt::format("M{} {:g}h{}", from, y, length)
                             : fmt::format("m{} 0h{}", from - x, length);
        x = from + length;
    }
    void down(int from, int y, int length) {
        path += path.empty() ? fmt::format("M{}.5 {}v{}", from, y, length)
                             : fmt::format("m{} -{}v{}", from - x, length, length);
        x = from;
    }
};

class Picture {
public:
    Picture(const Timeline& timeline, const std::vector<std::string>& names)
        : timeline_(timeline), names_(names) {
        const auto& cpus = timeline.topology().cpus;
        for (std::size_t row = 0; row < cpus.size(); ++row) order_.push_back(row);
        // what shares something stands together, whatever the kernel's numbers are
        std::ranges::stable_sort(order_, {}, [&](std::size_t row) {
            return std::tuple(cpus[row].numa, cpus[row].package, cpus[row].l3, cpus[row].core, cpus[row].id);
        });
        together_ = std::max<std::size_t>(1, (order_.size() + kRows - 1) / kRows);
        rows_ = (order_.size() + together_ - 1) / together_;
        while (wide_ < kMostWide && rows_ * Timeline::kColumns / wide_ > kCells) ++wide_;
        height_ = std::clamp(kHeight / std::max(1, static_cast<int>(rows_)), kLowest, kTallest);
        gap_ = height_ > 7 ? 1 : 0;
    }

    std::string draw(const std::string& title) {
        const auto key = legend();
        const int bottom = top_ + static_cast<int>(rows_) * height_;
        std::string out = head(title, bottom + 2 * kLine + 8) + key;
        out += fmt::format("<g stroke-width=\"{}\" class=\"c\">\n", height_ - gap_);
        for (std::size_t row = 0; row < rows_; ++row) out += cells(row);
        out += "</g>\n<g class=\"m\">\n";
        for (std::size_t row = 0; row < rows_; ++row) out += marks(row);
        out += "</g>\n";
        for (std::size_t row = 0; row < rows_; ++row) out += labels(row);
        return out + axis(bottom) + "</svg>\n";
    }

private:
    static constexpr std::size_t kMostWide = 6; // columns of the timeline in one of the picture
    static_assert(Timeline::kColumns % 60 == 0, "1 to 6 columns are a whole number of times in all");

    [[nodiscard]] int y_of(std::size_t row) const { return top_ + static_cast<int>(row) * height_; }
    [[nodiscard]] std::size_t columns() const { return Timeline::kColumns / wide_; }
    [[nodiscard]] int x_of(std::size_t column) const {
        return kLeft + static_cast<int>(column * wide_) * (kWide / static_cast<int>(Timeline::kColumns));
    }
    [[nodiscard]] std::size_t cpus_of(std::size_t row) const {
        return std::min(together_, order_.size() - row * together_);
    }
    [[nodiscard]] const Cpu& first_of(std::size_t row) const {
        return timeline_.topology().cpus[order_[row * together_]];
    }

    template <class Visit> void each_cell(std::size_t row, std::size_t column, Visit visit) const {
        for (std::size_t i = 0; i < cpus_of(row); ++i)
            for (std::size_t at = column * wide_; at < (column + 1) * wide_; ++at)
                visit(order_[row * together_ + i], at);
    }

    [[nodiscard]] Shade shade(std::size_t row, std::size_t column) {
        used_.assign(timeline_.kinds(), 0);
        each_cell(row, column, [&](std::size_t cpu, std::size_t at) {
            for (std::size_t kind = 0; kind < used_.size(); ++kind)
                used_[kind] += timeline_.used(cpu, at, kind);
        });
        double sum = 0;
        for (const double used : used_) sum += used;
        const double whole = static_cast<double>(timeline_.whole().count()) / Timeline::kColumns *
                             static_cast<double>(wide_ * cpus_of(row));
        Shade found;
        found.shade = std::clamp(static_cast<int>(std::ceil(sum / whole * kShades - 0.05)), 0, kShades);
        if (found.shade > 0)
            found.kind = colour_of(static_cast<std::size_t>(std::ranges::max_element(used_) - used_.begin()));
        return found;
    }

    /// Neighbours that look the same are one stroke.
    [[nodiscard]] std::string cells(std::size_t row) {
        std::array<Strokes, kColours.size() * kShades> all;
        std::size_t begin = 0;
        auto before = shade(row, 0);
        for (std::size_t column = 1; column <= columns(); ++column) {
            const auto now = column < columns() ? shade(row, column) : Shade{0, -1};
            if (now == before) continue;
            if (before.shade > 0)
                all[before.kind * kShades + static_cast<std::size_t>(before.shade) - 1]
                    .across(x_of(begin), y_of(row) + (height_ - gap_) / 2.0, x_of(column) - x_of(begin));
            begin = column;
            before = now;
        }
        std::string out;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (!all[i].path.empty())
                out += fmt::format("<path class=\"k{} s{}\" d=\"{}\"/>\n", i / kShades, i % kShades + 1,
                                   all[i].path);
        return out;
    }

    [[nodiscard]] std::string marks(std::size_t row) const {
        Strokes strokes;
        for (std::size_t column = 0; column < columns(); ++column) {
            std::uint64_t moves = 0;
            each_cell(row, column,
                      [&](std::size_t cpu, std::size_t at) { moves += timeline_.moves_to(cpu, at); });
            if (moves > 0) strokes.down(x_of(column), y_of(row), std::max(1, height_ / 3));
        }
        return strokes.path.empty() ? strokes.path : fmt::format("<path d=\"{}\"/>\n", strokes.path);
    }

    /// CPUs as far as there is room, and a line where another node or L3 begins.
    [[nodiscard]] std::string labels(std::size_t row) {
        const auto& cpu = first_of(row);
        const int y = y_of(row);
        const int text_y = y + std::max(height_ / 2 + 4, 8);
        std::string out;
        const bool is_node = row == 0 || cpu.numa != first_of(row - 1).numa;
        const bool is_l3 =
            row > 0 && (cpu.l3 != first_of(row - 1).l3 || cpu.package != first_of(row - 1).package);
        if (row > 0 && (is_node || is_l3))
            out += fmt::format("<path d=\"M{0} {1}h{2}\" class=\"{3}\"/>\n", kLeft - 3, y, kWide + 3,
                               is_node ? "n" : "l");
        if (is_node && y - node_y_ >= kLabel && order_.size() > 1) {
            out += fmt::format("<text x=\"4\" y=\"{}\">node {}</text>\n", text_y, cpu.numa);
            node_y_ = y;
        }
        if (y - cpu_y_ >= kLabel || row == 0) {
            CpuSet set;
            for (std::size_t i = 0; i < cpus_of(row); ++i)
                set.add(timeline_.topology().cpus[order_[row * together_ + i]].id);
            out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">CPU {}</text>\n", kLeft - 4,
                               text_y, set.text());
            cpu_y_ = y;
        }
        return out;
    }

    [[nodiscard]] std::string axis(int bottom) const {
        const double seconds = static_cast<double>(timeline_.whole().count()) / 1e9;
        constexpr std::array<std::pair<double, std::string_view>, 4> kUnits{
            {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
        const auto& [unit, unit_name] = *std::ranges::find_if(kUnits, [&](const auto& one) {
            return one.first == 1 || seconds >= 5 * one.first;
        });
        const double whole = seconds / unit;
        double step = std::pow(10, std::floor(std::log10(whole / 5)));
        for (const double more : {2.0, 2.5, 2.0})
            if (whole / step > 10) step *= more;
        std::string out;
        for (int i = 0; i * step <= whole * 1.0001; ++i)
            out += fmt::format("<path d=\"M{0}.5 {1}v4\" class=\"a\"/>"
                               "<text x=\"{0}\" y=\"{2}\" text-anchor=\"middle\">{3:g} {4}</text>\n",
                               kLeft + static_cast<int>(i * step / whole * kWide), bottom, bottom + kLine,
                               i * step, unit_name);
        return out +
               fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">time since the first job may "
                           "come</text>\n",
                           kLeft + kWide / 2, bottom + 2 * kLine);
    }

    /// As many lines as the names need; the rows begin below.
    [[nodiscard]] std::string legend() {
        std::string out;
        int x = kLeft;
        int y = kLine + 8;
        const auto entry = [&](int shape, std::string_view name, auto draw_shape) {
            const int width = shape + 20 + static_cast<int>(name.size()) * 6;
            if (x > kLeft && x + width > kLeft + kWide) {
                x = kLeft;
                y += kLine;
            }
            out += draw_shape() +
                   fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", x + shape + 4, y + 9, escaped(name));
            x += width;
        };
        const auto box = [&](std::size_t kind, int at, int shade) {
            return fmt::format("<rect x=\"{}\" y=\"{}\" width=\"10\" height=\"10\" class=\"f{} t{}\"/>",
                               x + at, y, kind, shade);
        };
        const auto kinds = std::min(names_.size(), kColours.size());
        for (std::size_t kind = 0; kind < kinds; ++kind)
            entry(10, kind + 1 == kinds && kinds < names_.size() ? "all others" : names_[kind],
                  [&] { return box(kind, 0, kShades); });
        entry(10 * kShades, "a quarter to all of the time used", [&] {
            std::string shades;
            for (int i = 0; i < kShades; ++i) shades += box(kColours.size() - 1, 10 * i, i + 1);
            return shades;
        });
        entry(6, "a thread came from another CPU",
              [&] { return fmt::format("<path d=\"M{}.5 {}v10\" class=\"m\"/>", x + 3, y); });
        top_ = y + kLine + 8;
        return out;
    }

    [[nodiscard]] static std::string head(const std::string& title, int height) {
        const auto name = escaped(shortened(title));
        std::string out =
            fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\""
                        " viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"11\">\n"
                        "<title>{2}</title>\n<style>.c{{fill:none;shape-rendering:crispEdges}}"
                        ".m{{fill:none;stroke:#000;stroke-width:1;shape-rendering:crispEdges}}"
                        ".a{{stroke:#888}}.n{{stroke:#333}}.l{{stroke:#bbb}}",
                        kLeft + kWide + kRight, height, name);
        for (std::size_t i = 0; i < kColours.size(); ++i)
            out += fmt::format(".k{0}{{stroke:{1}}}.f{0}{{fill:{1}}}", i, kColours[i]);
        for (int i = 1; i <= kShades; ++i)
            out += fmt::format(".s{0}{{stroke-opacity:{1}}}.t{0}{{fill-opacity:{1}}}", i, i * 1.0 / kShades);
        return out + fmt::format("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
                                 "<text x=\"{}\" y=\"16\" font-size=\"13\">{}</text>\n",
                                 kLeft, name);
    }

    const Timeline& timeline_;
    const std::vector<std::string>& names_;
    std::vector<std::size_t> order_; // rows of the timeline
    std::size_t together_ = 1;       // CPUs of a row of the picture
    std::size_t rows_ = 0;
    std::size_t wide_ = 1;
    int height_ = 0;
    int gap_ = 0;
    int top_ = 0;
    int node_y_ = -kHeight; // of the last label
    int cpu_y_ = -kHeight;
    std::vector<double> used_;
};

} // namespace

std::string svg_of(const Timeline& timeline, const std::vector<std::string>& names,
                   const std::string& title) {
    return Picture(timeline, names).draw(title);
}

} // namespace schedd::sim
