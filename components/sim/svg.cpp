// The picture of a timeline.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "components/sim/timeline.h"

namespace schedd::sim {

namespace {

constexpr int kCell = 2; // px of a column
constexpr int kLeft = 60;
constexpr int kTop = 48;
constexpr int kBelow = 40;
constexpr int kTallest = 24; // of a row, for a few CPUs
constexpr int kLowest = 2;   // for a thousand
constexpr int kHeight = 1024;
constexpr int kLabel = 11; // room that a label of a row needs
constexpr int kShades = 4;

/// Told apart by those who see fewer colours too (Okabe and Ito, 2002).
constexpr std::array<std::string_view, 8> kColours{"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                   "#56b4e9", "#d55e00", "#f0e442", "#666666"};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') out += "&amp;";
        else if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '"') out += "&quot;";
        else if (static_cast<unsigned char>(c) < ' ') out += '?';
        else out += c;
    }
    return out;
}

/// The kind that used most of a cell and how full it was, 0 to kShades.
struct Shade {
    std::size_t kind = 0;
    int shade = 0;
    bool operator==(const Shade&) const = default;
};

Shade shade_of(const Timeline& timeline, std::size_t row, std::size_t column) {
    Shade found;
    double sum = 0;
    for (std::size_t kind = 0; kind < timeline.kinds(); ++kind) {
        sum += timeline.used(row, column, kind);
        if (timeline.used(row, column, kind) > timeline.used(row, column, found.kind)) found.kind = kind;
    }
    const double width = static_cast<double>(timeline.whole().count()) / Timeline::kColumns;
    found.shade = std::clamp(static_cast<int>(std::ceil(sum / width * kShades - 0.05)), 0, kShades);
    if (found.shade == 0) found.kind = 0;
    return found;
}

/// Neighbours that look the same are one rectangle.
std::string cells_of(const Timeline& timeline, std::size_t row, int y, int height) {
    std::string out;
    std::size_t begin = 0;
    auto before = shade_of(timeline, row, 0);
    for (std::size_t column = 1; column <= Timeline::kColumns; ++column) {
        const auto now = column < Timeline::kColumns ? shade_of(timeline, row, column) : Shade{0, -1};
        if (now == before) continue;
        if (before.shade > 0)
            out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"k{}\""
                               " fill-opacity=\"{}\"/>\n",
                               kLeft + static_cast<int>(begin) * kCell, y,
                               static_cast<int>(column - begin) * kCell, height,
                               before.kind % kColours.size(), before.shade * 100 / kShades / 100.0);
        begin = column;
        before = now;
    }
    return out;
}

std::string marks_of(const Timeline& timeline, std::size_t row, int y, int height) {
    std::string path;
    for (std::size_t column = 0; column < Timeline::kColumns; ++column)
        if (timeline.moves_to(row, column) > 0)
            path += fmt::format("M{} {}v{}", kLeft + static_cast<int>(column) * kCell + 1, y,
                                std::max(1, height / 3));
    return path.empty() ? path : fmt::format("<path d=\"{}\" class=\"m\"/>\n", path);
}

std::string axis(const Timeline& timeline, int bottom) {
    const double whole = static_cast<double>(timeline.whole().count()) / 1e9;
    double step = std::pow(10, std::floor(std::log10(whole)));
    while (whole / step < 5) step /= 2;
    std::string out;
    for (int i = 0; i * step <= whole * 1.0001; ++i) {
        const auto x = kLeft + static_cast<int>(i * step / whole * kCell * Timeline::kColumns);
        out += fmt::format("<path d=\"M{0} {1}v4\" class=\"a\"/>"
                           "<text x=\"{0}\" y=\"{2}\" text-anchor=\"middle\">{3:g} s</text>\n",
                           x, bottom, bottom + 16, i * step);
    }
    return out;
}

std::string legend(const std::vector<std::string>& names, int y) {
    std::string out;
    int x = kLeft;
    const auto entry = [&](const std::string& shape, const std::string& name) {
        out += shape + fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", x + 14, y + 9, escaped(name));
        x += 30 + static_cast<int>(std::min<std::size_t>(name.size(), 40)) * 7;
    };
    for (std::size_t kind = 0; kind < names.size(); ++kind)
        entry(fmt::format("<rect x=\"{}\" y=\"{}\" width=\"10\" height=\"10\" class=\"k{}\"/>", x, y,
                          kind % kColours.size()),
              names[kind]);
    entry(fmt::format("<path d=\"M{} {}v10\" class=\"m\"/>", x + 5, y), "moved here");
    return out;
}

} // namespace

std::string svg_of(const Timeline& timeline, const std::vector<std::string>& names,
                   const std::string& title) {
    const auto& cpus = timeline.topology().cpus;
    const int rows = static_cast<int>(cpus.size());
    const int height = std::clamp(kHeight / std::max(1, rows), kLowest, kTallest);
    const int bottom = kTop + rows * height;
    const int width = kLeft + kCell * static_cast<int>(Timeline::kColumns) + 30;
    std::string out = fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\""
                                  " viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"11\">\n"
                                  "<style>.m{{stroke:#000;stroke-width:1}}.a{{stroke:#888}}.n{{stroke:#bbb}}",
                                  width, bottom + kBelow);
    for (std::size_t i = 0; i < kColours.size(); ++i) out += fmt::format(".k{}{{fill:{}}}", i, kColours[i]);
    out += fmt::format("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
                       "<text x=\"{}\" y=\"16\" font-size=\"13\">{}</text>\n",
                       kLeft, escaped(title));
    out += legend(names, 24);
    int labelled = kTop - kLabel;
    for (int row = 0; row < rows; ++row) {
        const auto at = static_cast<std::size_t>(row);
        const int y = kTop + row * height;
        if (row > 0 && cpus[at].numa != cpus[at - 1].numa)
            out += fmt::format("<path d=\"M{} {}h{}\" class=\"n\"/>\n", kLeft - 30, y, width - kLeft);
        if (y - labelled >= kLabel) {
            out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">CPU {}</text>\n", kLeft - 4,
                               y + std::max(height / 2 + 4, 8), cpus[at].id);
            labelled = y;
        }
        const int gap = height > 4 ? 1 : 0;
        out += cells_of(timeline, at, y, height - gap);
        out += marks_of(timeline, at, y, height - gap);
    }
    return out + axis(timeline, bottom) + "</svg>\n";
}

} // namespace schedd::sim
