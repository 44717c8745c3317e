// The one table of who may include what, and the words that pure code does without.
#include <algorithm>
#include <array>
#include <span>

#include "tests/tidy/rules.h"

namespace schedd::tidy {

namespace {

/// The longest prefix that fits a file decides. `may` lists prefixes of project headers, blank-separated;
/// pure tiers take nothing else but the standard library and fmt.
struct Layer {
    std::string_view prefix;
    std::string_view may;
    bool is_pure;
};
constexpr std::array kLayers{
    Layer{"components/kit/", "components/kit/", true},
    Layer{"components/model/", "components/kit/ components/model/", true},
    Layer{"components/probes/", "components/kit/ components/model/ components/probes/", true},
    Layer{"components/filters/", "components/kit/ components/model/ components/filters/", true},
    Layer{"components/placement/", "components/kit/ components/model/ components/placement/", true},
    Layer{"components/membership/", "components/kit/ components/model/ components/membership/", true},
    Layer{"components/sim/", "components/kit/ components/model/ components/placement/ components/sim/", true},
    Layer{"policies/", "components/kit/ components/model/ policies/", true},
    Layer{"dbus/", "components/ dbus/", false},
    Layer{"service/host/", "components/ service/host/", false},
    Layer{"service/actuators/", "components/ service/actuators/", false},
    Layer{"service/desktop/", "components/ service/desktop/", false},
    Layer{"service/systemd/",
          "components/ service/systemd/ service/actuators/unit_manager.h service/host/plain_file.h", false},
    Layer{"service/net/", "components/ service/net/ service/host/plain_file.h service/host/write_all.h",
          false},
    Layer{"service/remote/", "components/ service/remote/", false},
    Layer{"service/", "components/ policies/ dbus/ service/", false},
    Layer{"cli/fs/", "components/kit/ components/model/path.h cli/", false},
    Layer{"cli/", "components/kit/ components/membership/key_text.h cli/", false},
    Layer{"tests/tidy/", "tests/tidy/", false},
    Layer{"tests/kit/", "components/ tests/kit/", false},
    Layer{"tests/", "components/ policies/ dbus/ service/ cli/ tests/", false},
};

/// Libraries that only some folders may know; `may` lists prefixes of files.
struct Library {
    std::string_view header;
    std::string_view may;
};
constexpr std::array kLibraries{
    Library{"sdbus-c++/", "dbus/ cli/ tests/"},
    Library{"toml++/", "service/config_toml.cpp"},
    Library{"CLI/", "service/options.cpp service/simulate/options.cpp cli/ tests/"},
    Library{"nlohmann/", "dbus/ cli/ service/ tests/"},
    Library{"hwloc", "service/host/ tests/"},
    Library{"libcgroup", "service/actuators/ tests/"},
    Library{"netlink/", "service/host/ service/net/ tests/"},
    Library{"fuse3/", "cli/fs/"},
    Library{"sodium", "service/net/ tests/"},
    Library{"gtest/", "tests/"},
    Library{"gmock/", "tests/"},
    Library{"benchmark/", "tests/"},
};

/// Standard headers that bring the outside into pure code.
constexpr std::array<std::string_view, 14> kOutside{"thread",       "mutex",
                                                    "shared_mutex", "condition_variable",
                                                    "future",       "filesystem",
                                                    "fstream",      "iostream",
                                                    "random",       "ctime",
                                                    "cstdio",       "csignal",
                                                    "semaphore",    "latch"};

constexpr std::array<std::string_view, 18> kWords{"std::thread",   "std::jthread",  "std::mutex",
                                                  "thread_local",  "getenv",        "system_clock",
                                                  "steady_clock",  "random_device", "std::rand",
                                                  "std::cout",     "std::cerr",     "std::ifstream",
                                                  "std::ofstream", "fopen",         "gettimeofday",
                                                  "clock_gettime", "throw",         "std::async"};

/// Beginnings of strings that are absolute paths.
constexpr std::array<std::string_view, 6> kAbsolute{"\"/proc", "\"/sys", "\"/etc",
                                                    "\"/run",  "\"/var", "\"/dev"};

bool lists(std::string_view prefixes, std::string_view path) {
    while (!prefixes.empty()) {
        const auto blank = prefixes.find(' ');
        if (path.starts_with(prefixes.substr(0, blank))) return true;
        if (blank == std::string_view::npos) return false;
        prefixes.remove_prefix(blank + 1);
    }
    return false;
}

const Layer* layer_of(std::string_view path) {
    const Layer* best = nullptr;
    for (const auto& layer : kLayers)
        if (path.starts_with(layer.prefix) && (!best || layer.prefix.size() > best->prefix.size()))
            best = &layer;
    return best;
}

/// The header of an #include line with its opening quote or bracket, "" for other lines.
std::string_view included_by(std::string_view line) {
    if (!line.starts_with("#include")) return {};
    const auto open = line.find_first_of("<\"");
    const auto close = line.find_first_of(">\"", open + 1);
    return open == std::string_view::npos || close == std::string_view::npos
               ? ""
               : line.substr(open, close - open);
}

std::string refuse_include(const Layer& layer, std::string_view path, std::string_view header) {
    const auto name = header.substr(1);
    if (header.front() == '"')
        return lists(layer.may, name)
                   ? ""
                   : "may not include \"" + std::string(name) + "\"; allowed: " + std::string(layer.may);
    for (const auto& library : kLibraries)
        if (name.starts_with(library.header) && !lists(library.may, path))
            return "may not include <" + std::string(name) + ">; only these may: " + std::string(library.may);
    const bool is_standard = name.find_first_of("/.") == std::string_view::npos;
    const bool is_outside = std::ranges::find(kOutside, name) != kOutside.end();
    if (layer.is_pure && !name.starts_with("fmt/") && (!is_standard || is_outside))
        return "is pure and may not include <" + std::string(name) + ">";
    return {};
}

bool is_word(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether `line` holds `word` and not just a longer name with it inside.
bool holds(std::string_view line, std::string_view word) {
    for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || !is_word(line[at - 1])) && (end == line.size() || !is_word(line[end]))) return true;
    }
    return false;
}

} // namespace

Findings check_layers(const File& file) {
    Findings found;
    if (!is_cpp(file.path)) return found;
    const auto* layer = layer_of(file.path);
    if (!layer)
        return {{file.path, 0, "is in no layer; add its folder to the table in tests/tidy/layers.cpp"}};
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
        ++number;
        const auto header = included_by(line);
        if (header.empty()) continue;
        if (auto why = refuse_include(*layer, file.path, header); !why.empty())
            found.push_back({file.path, number, std::move(why)});
    }
    return found;
}

Findings check_words(const File& file) {
    Findings found;
    const auto* layer = layer_of(file.path);
    if (!is_cpp(file.path) || !layer || !layer->is_pure) return found;
    const auto code = code_of(file.text);
    const auto raw_lines = lines_of(file.text);
    std::size_t number = 0;
    for (const auto line : lines_of(code)) {
        const auto raw = raw_lines[number++];
        for (const auto word : kWords)
            if (holds(line, word))
                found.push_back({file.path, number, "is pure and may not use " + std::string(word)});
        for (const auto path : kAbsolute)
            if (const auto at = raw.find(path); at != std::string_view::npos && line[at] == '"')
                found.push_back(
                    {file.path, number,
                     "is pure and may not hold the absolute path " + std::string(path.substr(1))});
    }
    return found;
}

} // namespace schedd::tidy
