// The machine as text: boxes within boxes that flow into the width there is, and the sets below.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/machine.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kBoxedCores = 32;    // up to here every core is a box
constexpr std::size_t kListedCores = 128;  // beyond it cores of the same sets are one line
constexpr std::size_t kWidthInFiles = 100; // without a terminal; a machine as one row could not be read
constexpr std::size_t kMembersShown = 12;
constexpr std::size_t kWidestMember = 48;

/// Lines of one width.
struct Block {
    std::vector<std::string> lines;
    std::size_t width = 0;
};

Block block_of(std::string line) {
    const auto width = columns(line);
    return {{std::move(line)}, width};
}

class Drawing {
public:
    Drawing(const Machine& machine, const Look& look) : machine_(machine), look_(look) {
        each_cpu([&](const MachineCpu& cpu) {
            id_width_ = std::max(id_width_, fmt::to_string(cpu.id).size());
            mark_width_ = std::max(mark_width_, mark(cpu).size());
        });
    }

    [[nodiscard]] Block whole(std::size_t width) const {
        const auto inner = inside(width);
        std::vector<Block> parts;
        for (const auto& package : machine_.packages) {
            if (machine_.packages.size() == 1 || package.nodes.size() == 1) {
                const auto before =
                    machine_.packages.size() == 1 ? "" : fmt::format("package {}, ", package.number);
                for (const auto& one : package.nodes) parts.push_back(node(one, before, inner));
                continue;
            }
            std::vector<Block> nodes;
            for (const auto& one : package.nodes) nodes.push_back(node(one, "", inside(inner)));
            parts.push_back(frame(fmt::format("package {}", package.number),
                                  flow(std::move(nodes), inside(inner)), inner));
        }
        return frame("machine: " + machine_title(machine_), flow(std::move(parts), inner), width);
    }

private:
    template <class Visit> void each_cpu(Visit visit) const {
        for (const auto& package : machine_.packages)
            for (const auto& one : package.nodes)
                for (const auto& cache : one.caches)
                    for (const auto& core : cache.cores)
                        for (const auto& cpu : core.cpus) visit(cpu);
    }

    /// What a frame leaves of a width; 0 = no limit.
    static std::size_t inside(std::size_t width) {
        return width == 0 ? 0 : std::max<std::size_t>(width, 5) - 4;
    }

    [[nodiscard]] std::string mark(const MachineCpu& cpu) const {
        return cpu.usable ? marks_of(machine_, cpu) : "#";
    }

    [[nodiscard]] std::string cell(const MachineCpu& cpu) const {
        const auto text = fmt::format("{:>{}}{:<{}}", cpu.id, id_width_, mark(cpu), mark_width_);
        if (!cpu.usable) return paint(look_, Hue::dim, text);
        return cpu.sets.empty() ? text : paint(look_, hue_of(machine_.sets[cpu.sets.front()]), text);
    }

    [[nodiscard]] std::string cells(const MachineCore& core) const {
        std::string text;
        for (const auto& cpu : core.cpus) text += (text.empty() ? "" : " ") + cell(cpu);
        return text;
    }

    [[nodiscard]] Block node(const MachineNode& node, const std::string& before, std::size_t width) const {
        std::vector<Block> parts;
        for (const auto& cache : node.caches) {
            if (cache.number < 0) parts.push_back(cores(cache, inside(width)));
            else
                parts.push_back(
                    frame(fmt::format("L3 {}", cache.number), cores(cache, inside(inside(width)))));
        }
        return frame(fmt::format("{}NUMA node {}", before, node.number),
                     flow(std::move(parts), inside(width)), width);
    }

    [[nodiscard]] Block cores(const MachineCache& cache, std::size_t width) const {
        std::vector<Block> blocks;
        if (machine_.cores > kListedCores) return runs(cache, width);
        const bool is_boxed = machine_.cores <= kBoxedCores;
        for (const auto& core : cache.cores)
            blocks.push_back(is_boxed ? frame(fmt::format("core {}", core.number), block_of(cells(core)))
                                      : block_of("[" + cells(core) + "]"));
        return flow(std::move(blocks), width, is_boxed ? 0 : 1);
    }

    /// Neighbouring cores whose CPUs are held alike, as one line.
    [[nodiscard]] Block runs(const MachineCache& cache, std::size_t width) const {
        std::vector<Block> blocks;
        for (std::size_t i = 0; i < cache.cores.size();) {
            const auto& first = cache.cores[i];
            std::vector<int> numbers;
            std::vector<int> cpus;
            for (; i < cache.cores.size() && is_alike(cache.cores[i], first); ++i) {
                numbers.push_back(cache.cores[i].number);
                for (const auto& cpu : cache.cores[i].cpus) cpus.push_back(cpu.id);
            }
            std::ranges::sort(cpus);
            auto text = fmt::format("core{} {}: CPU{} {}", numbers.size() == 1 ? "" : "s", list_text(numbers),
                                    cpus.size() == 1 ? "" : "s", list_text(cpus));
            if (width > 0) text = cut(text, width > mark_width_ + 1 ? width - mark_width_ - 1 : width, look_);
            const auto& cpu = first.cpus.front();
            if (const auto said = mark(cpu); !said.empty())
                text +=
                    " " +
                    (cpu.sets.empty() ? said : paint(look_, hue_of(machine_.sets[cpu.sets.front()]), said));
            blocks.push_back(block_of(std::move(text)));
        }
        return flow(std::move(blocks), 1); // one below the other
    }

    static bool is_alike(const MachineCore& a, const MachineCore& b) {
        const auto& model = b.cpus.front();
        return std::ranges::all_of(a.cpus,
                                   [&](const MachineCpu& cpu) {
                                       return cpu.sets == model.sets && cpu.usable == model.usable;
                                   }) &&
               std::ranges::all_of(b.cpus, [&](const MachineCpu& cpu) { return cpu.sets == model.sets; });
    }

    /// A title that is too long for `most` columns (0 = no limit) is cut, unless what is inside is as long.
    [[nodiscard]] Block frame(std::string title, Block inner, std::size_t most = 0) const {
        if (most > 0) title = cut(title, std::max(inner.width, inside(most)) - 1, look_);
        const std::string_view across = look_.utf8 ? "─" : "-";
        const std::string_view down = look_.utf8 ? "│" : "|";
        const std::array<std::string_view, 4> corners =
            look_.utf8 ? std::array<std::string_view, 4>{"╭", "╮", "╰", "╯"}
                       : std::array<std::string_view, 4>{"+", "+", "+", "+"};
        const auto line = [&](std::size_t times) {
            std::string out;
            for (std::size_t i = 0; i < times; ++i) out += across;
            return out;
        };
        const auto width = std::max(inner.width, columns(title) + 1);
        Block out;
        out.width = width + 4;
        out.lines.push_back(paint(look_, Hue::dim, corners[0]) + " " + title + " " +
                            paint(look_, Hue::dim, line(width - columns(title)) + std::string(corners[1])));
        const auto side = paint(look_, Hue::dim, down);
        for (auto& text : inner.lines)
            out.lines.push_back(side + " " + pad(std::move(text), width) + " " + side);
        out.lines.push_back(
            paint(look_, Hue::dim, std::string(corners[2]) + line(width + 2) + std::string(corners[3])));
        return out;
    }

    /// Side by side as many as fit into `width`, the rest below.
    static Block flow(std::vector<Block> blocks, std::size_t width, std::size_t gap = 1) {
        Block out;
        for (std::size_t i = 0; i < blocks.size();) {
            std::size_t end = i;
            std::size_t used = 0;
            std::size_t height = 0;
            while (end < blocks.size()) {
                const auto with = used + (end == i ? 0 : gap) + blocks[end].width;
                if (end > i && width > 0 && with > width) break;
                used = with;
                height = std::max(height, blocks[end++].lines.size());
            }
            for (std::size_t row = 0; row < height; ++row) {
                std::string line;
                for (std::size_t b = i; b < end; ++b) {
                    if (b > i) line.append(gap, ' ');
                    line += pad(row < blocks[b].lines.size() ? blocks[b].lines[row] : "", blocks[b].width);
                }
                out.lines.push_back(std::move(line));
            }
            out.width = std::max(out.width, used);
            i = end;
        }
        return out;
    }

public:
    static Hue hue_of(const HeldSet& set) {
        constexpr std::array<Hue, 5> kHues{Hue::source, Hue::port, Hue::policy, Hue::filter, Hue::member};
        return kHues[set.scheduler % kHues.size()];
    }

private:
    const Machine& machine_;
    const Look& look_;
    std::size_t id_width_ = 1;
    std::size_t mark_width_ = 0;
};

std::vector<std::string> member_words(const HeldSet& set, std::size_t room, const Look& look) {
    const auto widest = room == 0 ? kWidestMember : std::min(kWidestMember, room - 1);
    std::vector<std::string> words;
    for (const auto& member : set.members) {
        if (words.size() == kMembersShown) {
            words.push_back(fmt::format("and {} more", set.members.size() - kMembersShown));
            break;
        }
        if (!words.empty()) words.back() += ",";
        const auto text = cut(shown(member_text(member), look), widest, look);
        const bool is_well = member.state.empty() || member.state == "applied";
        words.push_back(is_well ? text : paint(look, hue_of_state(member.state), text));
    }
    return words;
}

std::string set_table(const Machine& machine, const Look& look) {
    std::vector<std::vector<std::string>> rows{{"SET", "CPUS", "SCHEDULER", "MEMBERS"}};
    std::array<std::size_t, 3> widths{3, 4, 9};
    for (const auto& set : machine.sets) {
        rows.push_back({paint(look, Drawing::hue_of(set), set.mark), cut(set.cpus, 32, look),
                        cut(shown(machine.schedulers[set.scheduler], look), 24, look), ""});
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], columns(rows.back()[i]));
    }
    const auto before = widths[0] + widths[1] + widths[2] + 6;
    const auto width = static_cast<std::size_t>(std::max(look.width, 0));
    const auto room = width == 0 ? 0 : std::max<std::size_t>(width, before + 16) - before;
    std::vector<std::vector<std::string>> wrapped{rows.front()};
    for (std::size_t i = 0; i < machine.sets.size(); ++i) {
        auto row = rows[i + 1];
        for (auto& line : wrap(member_words(machine.sets[i], room, look), room)) {
            row[3] = std::move(line);
            wrapped.push_back(std::move(row));
            row = {"", "", "", ""};
        }
    }
    return table(wrapped, std::vector<Align>(4, Align::left), look);
}

/// What the boxes do not say.
std::string notes(const Machine& machine, const Look& look) {
    std::string out;
    const auto add = [&](std::string_view label, const std::string& text) {
        out += pad(paint(look, Hue::dim, label), 10) +
               cut(text, look.width > 24 ? static_cast<std::size_t>(look.width) - 10 : 100, look) + "\n";
    };
    if (!machine.offline.empty()) add("offline", list_text(machine.offline));
    if (!machine.isolated.empty()) add("isolated", shown(machine.isolated, look));
    if (machine.has_unusable) add("#", "online, but schedd may not use it");
    if (machine.kinds.size() > 1)
        for (std::size_t i = 0; i < machine.kinds.size(); ++i)
            add(fmt::format("kind {}", i), machine.kinds[i] + (i == 0                          ? " (slowest)"
                                                               : i + 1 == machine.kinds.size() ? " (fastest)"
                                                                                               : ""));
    return out;
}

} // namespace

std::string machine_text(const Machine& machine, const Look& look) {
    const Drawing drawing(machine, look);
    std::string out;
    const auto width = look.width > 0 ? static_cast<std::size_t>(look.width) : kWidthInFiles;
    for (const auto& line : drawing.whole(width).lines) out += line + "\n";
    out += notes(machine, look) + "\n";
    if (machine.sets.empty()) return out + "Nothing is held: no scheduler has decided about a member yet.\n";
    return out + set_table(machine, look);
}

} // namespace schedd::cli
