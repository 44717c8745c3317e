// The machine as SVG: nested rectangles, CPUs in the colours of their schedulers, and a legend.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "cli/machine.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kSetsShown = 64;
constexpr std::size_t kMembersShown = 12;
constexpr std::size_t kStripes = 4; // colours in one CPU
constexpr std::size_t kOfflineShown = 64;
constexpr double kLegendLine = 18;
constexpr double kCharacter = 6.4; // average width at 11 px, on the safe side
constexpr double kLeastWidth = 760;
constexpr double kShape = 1.6; // width to height that is aimed at

constexpr std::array<std::string_view, 8> kColors{"#8ec5ff", "#9be3b0", "#ffcf7a", "#d4b5fb",
                                                  "#ffb0a6", "#8fe0e4", "#dccb9f", "#f7b3d9"};
constexpr std::array<std::string_view, 3> kShades{"1", "0.62", "0.35"};

/// Text inside an element or an attribute. Characters that XML does not know are replaced.
std::string xml(std::string_view raw) {
    std::string out;
    const auto text = shown(raw);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view rest = std::string_view(text).substr(i);
        if (rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf")) {
            out += "\xef\xbf\xbd";
            i += 2;
            continue;
        }
        switch (text[i]) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += text[i];
        }
    }
    return out;
}

/// A rectangle with a title and what is in it, or a CPU.
struct Box {
    std::string title;
    std::string_view style = {};
    const MachineCpu* cpu = nullptr;
    std::string hint = {}; // of a CPU
    int offline = -1;
    std::vector<Box> inside = {};
    double x = 0, y = 0, width = 0, height = 0;
};

struct Sizes {
    double cell_width, cell_height, font, pad, title;
};

Sizes sizes_of(const Machine& machine) {
    if (machine.cpus <= 64) return {44, 30, 12, 8, 18};
    if (machine.cpus <= 256) return {34, 22, 10, 5, 15};
    return {28, 16, 8, 3, 12};
}

/// Children side by side as far as `width` reaches, then in the next row.
void lay_out(Box& box, double width, const Sizes& s) {
    if (box.cpu != nullptr || box.offline >= 0) {
        box.width = s.cell_width;
        box.height = s.cell_height;
        return;
    }
    const bool is_core = box.style == "core";
    const double pad = is_core ? std::min(s.pad / 2, 3.0) : s.pad;
    const double top = box.title.empty() ? pad : pad / 2 + s.title;
    double x = pad, y = top, row = 0, right = 0;
    for (auto& child : box.inside) {
        lay_out(child, width - 2 * pad, s);
        if (x > pad && x + child.width + pad > width) {
            x = pad;
            y += row + pad;
            row = 0;
        }
        child.x = x;
        child.y = y;
        x += child.width + pad;
        row = std::max(row, child.height);
        right = std::max(right, x);
    }
    const double for_title =
        box.title.empty() ? 0 : 2 * pad + static_cast<double>(columns(box.title)) * s.font * 0.6;
    box.width = std::max(right, for_title);
    box.height = y + row + pad;
}

std::string hint_of(const Machine& machine, const MachineCpu& cpu, const std::string& where) {
    std::string hint = fmt::format("CPU {}: {}", cpu.id, where);
    if (machine.kinds.size() > 1) hint += fmt::format(", kind {}", cpu.kind);
    if (!cpu.usable) hint += "; schedd may not use it";
    if (cpu.isolated) hint += "; isolated";
    for (const auto index : cpu.sets) {
        const auto& set = machine.sets[index];
        hint += fmt::format("\n{} {}: ", set.mark, machine.schedulers[set.scheduler]);
        for (std::size_t i = 0; i < set.members.size() && i < 3; ++i)
            hint += (i == 0 ? "" : ", ") + cut(shown(set.members[i].name), 40, {});
        if (set.members.size() > 3) hint += fmt::format(" and {} more", set.members.size() - 3);
    }
    return hint;
}

Box box_of(const Machine& machine, const MachineNode& node, const std::string& before) {
    Box box{.title = fmt::format("{}NUMA node {}", before, node.number), .style = "node"};
    for (const auto& cache : node.caches) {
        Box shared{.title = cache.number < 0 ? "" : fmt::format("L3 {}", cache.number),
                   .style = cache.number < 0 ? "plain" : "cache"};
        for (const auto& core : cache.cores) {
            Box one{.title = {}, .style = "core"};
            const auto where =
                fmt::format("core {}{}, NUMA node {}", core.number,
                            cache.number < 0 ? std::string() : fmt::format(", L3 {}", cache.number),
                            node.number);
            for (const auto& cpu : core.cpus)
                one.inside.push_back({.title = {}, .cpu = &cpu, .hint = hint_of(machine, cpu, where)});
            shared.inside.push_back(std::move(one));
        }
        box.inside.push_back(std::move(shared));
    }
    return box;
}

Box box_of(const Machine& machine) {
    Box whole{.title = {}, .style = "machine"};
    for (const auto& package : machine.packages) {
        const bool is_alone = machine.packages.size() == 1;
        if (is_alone || package.nodes.size() == 1) {
            const auto before = is_alone ? "" : fmt::format("package {}, ", package.number);
            for (const auto& node : package.nodes) whole.inside.push_back(box_of(machine, node, before));
            continue;
        }
        Box box{.title = fmt::format("package {}", package.number), .style = "package"};
        for (const auto& node : package.nodes) box.inside.push_back(box_of(machine, node, ""));
        whole.inside.push_back(std::move(box));
    }
    if (machine.offline.empty()) return whole;
    const auto count = machine.offline.size();
    Box off{.title = count > kOfflineShown
                         ? fmt::format("offline: {} CPUs, the first {}", count, kOfflineShown)
                         : "offline",
            .style = "node"};
    for (std::size_t i = 0; i < std::min(count, kOfflineShown); ++i)
        off.inside.push_back({.title = {}, .offline = machine.offline[i]});
    whole.inside.push_back(std::move(off));
    return whole;
}

/// The width at which the whole comes nearest to the shape that is aimed at, with little room left empty.
void lay_out_well(Box& whole, const Sizes& s) {
    double best = 0;
    double least = 1e9;
    for (double width = 240; width <= 2400; width += 60) {
        lay_out(whole, width, s);
        const double off =
            std::abs(std::log(whole.width / whole.height / kShape)) + std::log(whole.width * whole.height);
        if (off >= least) continue;
        least = off;
        best = width;
    }
    lay_out(whole, best, s);
}

class Picture {
public:
    Picture(const Machine& machine, const Sizes& sizes) : machine_(machine), s_(sizes) {}

    void draw(const Box& box, double x, double y) {
        x += box.x;
        y += box.y;
        if (box.cpu != nullptr) return draw_cpu(box, x, y);
        if (box.offline >= 0) return draw_offline(box, x, y);
        if (box.style != "plain")
            out_ += fmt::format(R"(<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="{:g}"/>)"
                                "\n",
                                box.style, x, y, box.width, box.height, box.style == "core" ? 3.0 : 5.0);
        if (!box.title.empty())
            out_ += fmt::format(R"(<text class="title" x="{:g}" y="{:g}">{}</text>)"
                                "\n",
                                x + s_.pad, y + s_.title * 0.8, xml(box.title));
        for (const auto& child : box.inside) draw(child, x, y);
    }

    /// The legend's part below `y`; returns where it ends.
    double draw_legend(double y, double width) {
        const double cpus = 66, scheduler = 230, members = 370;
        const auto room = static_cast<std::size_t>((width - members - 16) / kCharacter);
        if (machine_.sets.empty())
            out_ += text("note", 16, y, "Nothing is held: no scheduler has decided about a member yet.");
        for (std::size_t i = 0; i < machine_.sets.size(); ++i) {
            if (i == kSetsShown) {
                out_ +=
                    text("note", 16, y, fmt::format("and {} more sets", machine_.sets.size() - kSetsShown));
                y += kLegendLine;
                break;
            }
            const auto& set = machine_.sets[i];
            out_ += fmt::format(R"(<rect class="cpu" x="16" y="{:g}" width="22" height="13" )"
                                R"(style="fill:{};fill-opacity:{}"/>)"
                                "\n",
                                y - 11, color(set), shade(set));
            out_ += text("mark", 44, y, set.mark);
            out_ += text("name", cpus, y, cut("CPUs " + set.cpus, 24, {}));
            out_ += text("strong", scheduler, y, cut(shown(machine_.schedulers[set.scheduler]), 22, {}));
            for (const auto& line : member_lines(set, room)) {
                out_ += text("name", members, y, line);
                y += kLegendLine;
            }
        }
        return draw_key(machine_.sets.empty() ? y + kLegendLine : y + kLegendLine / 2);
    }

    [[nodiscard]] const std::string& elements() const { return out_; }

private:
    static std::string text(std::string_view style, double x, double y, std::string_view raw) {
        return fmt::format(R"(<text class="{}" x="{:g}" y="{:g}">{}</text>)"
                           "\n",
                           style, x, y, xml(raw));
    }
    static std::string_view color(const HeldSet& set) { return kColors[set.scheduler % kColors.size()]; }
    static std::string_view shade(const HeldSet& set) { return kShades[set.shade % kShades.size()]; }

    void draw_cpu(const Box& box, double x, double y) {
        const auto& cpu = *box.cpu;
        out_ += fmt::format("<g><title>{}</title>\n", xml_lines(box.hint));
        out_ += fmt::format(R"(<rect class="cpu{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>)"
                            "\n",
                            cpu.usable ? "" : " unusable", x, y, box.width, box.height);
        const auto stripes = std::min(cpu.sets.size(), kStripes);
        const double stripe = box.width / static_cast<double>(std::max<std::size_t>(stripes, 1));
        for (std::size_t i = 0; i < stripes; ++i) {
            const auto& set = machine_.sets[cpu.sets[i]];
            out_ += fmt::format(R"(<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}" )"
                                R"(style="fill:{};fill-opacity:{}"/>)"
                                "\n",
                                x + stripe * static_cast<double>(i), y, stripe, box.height, color(set),
                                shade(set));
        }
        out_ += fmt::format(R"(<rect class="edge{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>)"
                            "\n",
                            cpu.isolated ? " isolated" : "", x, y, box.width, box.height);
        const auto marks = marks_of(machine_, cpu);
        // beside marks the number stands higher, so that both can be read
        const double base = marks.empty() ? y + box.height / 2 + s_.font * 0.36 : y + s_.font + 1;
        out_ += fmt::format(R"(<text class="id{}" x="{:g}" y="{:g}">{}</text>)", cpu.usable ? "" : " faint",
                            marks.empty() ? x + box.width / 2 : x + box.width * 0.36, base, cpu.id);
        if (!marks.empty())
            out_ += fmt::format(R"(<text class="in" x="{:g}" y="{:g}">{}</text>)", x + box.width - 3,
                                y + box.height - 3, xml(marks));
        out_ += "</g>\n";
    }

    void draw_offline(const Box& box, double x, double y) {
        out_ += fmt::format(R"(<rect class="cpu off" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>)"
                            R"(<text class="id faint" x="{:g}" y="{:g}">{}</text>)"
                            "\n",
                            x, y, box.width, box.height, x + box.width / 2,
                            y + box.height / 2 + s_.font * 0.36, box.offline);
    }

    /// Lines of a title stay lines; shown() would escape what separates them.
    static std::string xml_lines(std::string_view raw) {
        std::string out;
        for (std::size_t end = 0; !raw.empty(); raw.remove_prefix(std::min(end + 1, raw.size()))) {
            end = std::min(raw.find('\n'), raw.size());
            out += (out.empty() ? "" : "\n") + xml(raw.substr(0, end));
        }
        return out;
    }

    static std::vector<std::string> member_lines(const HeldSet& set, std::size_t room) {
        std::vector<std::string> words;
        for (const auto& member : set.members) {
            if (words.size() == kMembersShown) {
                words.push_back(fmt::format("and {} more", set.members.size() - kMembersShown));
                break;
            }
            if (!words.empty()) words.back() += ",";
            words.push_back(cut(shown(member_text(member)), std::min<std::size_t>(room - 1, 60), {}));
        }
        auto lines = wrap(words, room);
        if (lines.empty()) lines.emplace_back();
        return lines;
    }

    /// What else the drawing uses, if it does.
    double draw_key(double y) {
        double x = 16;
        const auto key = [&](std::string_view style, const std::string& what) {
            out_ += fmt::format(R"(<rect class="{}" x="{:g}" y="{:g}" width="22" height="13"/>)"
                                "\n",
                                style, x, y - 11);
            out_ += text("note", x + 28, y, what);
            x += 28 + static_cast<double>(columns(what)) * kCharacter + 14;
        };
        key("cpu", "nobody is held there");
        if (machine_.has_unusable) key("cpu unusable", "schedd may not use it");
        if (!machine_.offline.empty()) key("cpu off", "offline");
        if (!machine_.isolated.empty()) key("edge isolated", "isolated");
        for (std::size_t i = 0; machine_.kinds.size() > 1 && i < machine_.kinds.size(); ++i) {
            y += kLegendLine;
            const auto line =
                fmt::format("kind {}{}: CPUs {}", i, i == 0 ? " (slowest)" : "", machine_.kinds[i]);
            out_ += text("note", 16, y, cut(line, 90, {}));
        }
        return y;
    }

    const Machine& machine_;
    const Sizes& s_;
    std::string out_;
};

constexpr std::string_view kStyle = R"svg(<defs><pattern id="offline" width="6" height="6"
 patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#f3f4f6"/>
<rect width="2.2" height="6" fill="#c4c9d1"/></pattern></defs>
<style>
text { font-family: Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2937; }
.heading { font-size: 15px; font-weight: bold; }
.title { fill: #475569; }
.id { font-weight: bold; text-anchor: middle; }
.in { text-anchor: end; fill: #334155; }
.faint { fill: #9ca3af; font-weight: normal; }
.name, .note, .strong, .mark { font-size: 11px; }
.note { fill: #64748b; }
.strong, .mark { font-weight: bold; }
.machine { fill: #ffffff; stroke: #94a3b8; }
.package { fill: #f8fafc; stroke: #94a3b8; }
.node { fill: #eef2f7; stroke: #a3b1c4; }
.cache { fill: #fdfaf1; stroke: #d9c58d; }
.core { fill: #e5e7eb; stroke: #b6bdc9; }
.cpu { fill: #ffffff; stroke: #8a94a6; stroke-width: 0.8; }
.edge { fill: none; stroke: #8a94a6; stroke-width: 0.8; }
.unusable { fill: #e5e7eb; }
.off { fill: url(#offline); }
.isolated { stroke: #b91c1c; stroke-width: 1.4; stroke-dasharray: 3 2; }
)svg";

std::string head(double width, double height, const Sizes& s) {
    auto out = fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{0:g}" height="{1:g}" viewBox="0 0 {0:g} {1:g}">
)",
                           width, height);
    out += kStyle;
    return out + fmt::format(R"(.title {{ font-size: {:g}px; }} .id {{ font-size: {:g}px; }} )"
                             R"(.in {{ font-size: {:g}px; }}
</style>
<rect width="100%" height="100%" fill="#ffffff"/>
)",
                             s.font + 0.5, s.font, std::max(s.font - 2, 6.0));
}

} // namespace

std::string machine_svg(const Machine& machine) {
    const auto s = sizes_of(machine);
    Box whole = box_of(machine);
    lay_out_well(whole, s);
    constexpr double kMargin = 12, kHeading = 34;
    const double width = std::max(whole.width + 2 * kMargin, kLeastWidth);
    Picture picture(machine, s);
    picture.draw(whole, kMargin, kHeading);
    const double end = picture.draw_legend(kHeading + whole.height + 26, width);
    return head(width, end + 14, s) +
           fmt::format(R"(<text class="heading" x="{:g}" y="23">{}</text>)"
                       "\n",
                       kMargin, xml(machine_title(machine))) +
           picture.elements() + "</svg>\n";
}

} // namespace schedd::cli
