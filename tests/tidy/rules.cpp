// Lengths, openings, marks, scripts and READMEs.
#include "tests/tidy/rules.h"

#include <algorithm>
#include <array>
#include <set>

namespace schedd::tidy {

namespace {

bool is_name(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Columns on a screen: continuation bytes of UTF-8 take none.
std::size_t columns_of(std::string_view line) {
    return static_cast<std::size_t>(
        std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\n");
    return first == std::string_view::npos ? ""
                                           : text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

/// Whether the text before a '{', back to the last ';', '{' or '}', is the head of a function.
bool opens_function(std::string_view head) {
    // directives before it are no part of it
    if (const auto hash = head.rfind('#'); hash != std::string_view::npos)
        head.remove_prefix(std::min(head.find('\n', hash), head.size()));
    head = trimmed(head);
    if (head.find(')') == std::string_view::npos || head.ends_with('=') || head.ends_with(',') ||
        head.ends_with('('))
        return false;
    for (const std::string_view word : {"namespace", "class", "struct", "enum", "union", "extern \""})
        if (head.starts_with(word)) return false;
    return true;
}

/// Ends of a quoted piece that starts at `at`: the index after its closing quote.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == quote || text[i] == '\n') return i + 1;
    }
    return text.size();
}

std::size_t end_of_raw(std::string_view text, std::size_t at) {
    const auto open = text.find('(', at);
    if (open == std::string_view::npos) return text.size();
    const auto closing = ")" + std::string(text.substr(at + 2, open - at - 2)) + "\"";
    const auto end = text.find(closing, open);
    return end == std::string_view::npos ? text.size() : end + closing.size();
}

std::string folder_part(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

/// "a/b/../c" -> "a/c".
std::string normal(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= path.size();) {
        const auto slash = std::min(path.find('/', at), path.size());
        const auto part = path.substr(at, slash - at);
        if (part == ".." && !parts.empty()) parts.pop_back();
        else if (!part.empty() && part != ".") parts.push_back(part);
        at = slash + 1;
    }
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? "" : "/") + part;
    return out;
}

constexpr std::array<std::string_view, 11> kEndings{".h",  ".cpp",  ".md",   ".sh",   ".xml", ".txt",
                                                    ".py", ".dict", ".json", ".conf", ".8"};
constexpr std::array<std::string_view, 7> kTop{"components/", "policies/", "dbus/", "service/",
                                               "cli/",        "tests/",    "units/"};

/// Whether a word in backquotes names a file or folder of this project.
bool names_file(std::string_view word) {
    const bool is_plain =
        std::ranges::all_of(word, [](char c) { return is_name(c) || c == '.' || c == '/' || c == '-'; });
    if (!is_plain || word.empty() || word.front() == '/' || word.front() == '.') return false;
    // capitals stand for something to be put in, as in NAME.cpp
    const auto slash = word.rfind('/');
    const auto leaf = word.substr(slash == std::string_view::npos ? 0 : slash + 1);
    const auto stem = leaf.substr(0, leaf.find('.'));
    const bool is_capital =
        !stem.empty() && std::ranges::all_of(stem, [](char c) { return c < 'a' || c > 'z'; });
    if (is_capital && stem != "README" && stem != "CONTRACT") return false;
    if (std::ranges::any_of(kTop, [&](auto top) { return word.starts_with(top); })) return true;
    return std::ranges::any_of(kEndings, [&](auto ending) {
        return word.ends_with(ending) && word.size() > ending.size();
    });
}

} // namespace

std::string Finding::text() const { return path + ":" + std::to_string(line) + ": " + what; }

bool is_cpp(std::string_view path) { return path.ends_with(".cpp") || path.ends_with(".h"); }

bool is_script(const File& file) {
    return file.path.ends_with(".sh") || file.text.starts_with("#!/bin/bash") ||
           file.text.starts_with("#!/bin/sh") || file.text.starts_with("#!/usr/bin/env bash");
}

std::string_view folder_of(std::string_view path) {
    const auto slash = path.find('/');
    return slash == std::string_view::npos ? "" : path.substr(0, slash);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::string code_of(std::string_view text) {
    std::string code(text);
    const auto blank = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < code.size(); ++i)
            if (code[i] != '\n') code[i] = ' ';
    };
    for (std::size_t i = 0; i < text.size();) {
        const bool after_name = i > 0 && is_name(text[i - 1]);
        std::size_t end = i + 1;
        if (text.substr(i).starts_with("//")) {
            end = std::min(text.find('\n', i), text.size());
            blank(i, end);
        } else if (text.substr(i).starts_with("/*")) {
            end = std::min(text.find("*/", i), text.size() - 2) + 2;
            blank(i, end);
        } else if (text.substr(i).starts_with("R\"") && !after_name) {
            end = end_of_raw(text, i);
            blank(i + 2, end - 1);
        } else if (text[i] == '"' || (text[i] == '\'' && !after_name)) { // 1'000 is no character
            end = end_of_quoted(text, i);
            blank(i + 1, end - 1);
        }
        i = end;
    }
    return code;
}

Findings check_lengths(const File& file) {
    Findings found;
    if (!is_cpp(file.path) && !is_script(file)) return found;
    const auto lines = lines_of(file.text);
    if (lines.size() > kFileLines)
        found.push_back(
            {file.path, 0,
             "has " + std::to_string(lines.size()) + " lines, the limit is " + std::to_string(kFileLines)});
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (const auto columns = columns_of(lines[i]); columns > kColumns)
            found.push_back(
                {file.path, i + 1,
                 "has " + std::to_string(columns) + " columns, the limit is " + std::to_string(kColumns)});
    return found;
}

Findings check_functions(const File& file) {
    Findings found;
    if (!is_cpp(file.path)) return found;
    const auto code = code_of(file.text);
    std::size_t line = 1;
    std::size_t head = 0;     // where the text before the next brace starts
    std::size_t depth = 0;    // of braces inside the function
    std::size_t started = 0;  // its first line; 0 = not in one
    std::size_t brackets = 0; // a brace inside parentheses is a value or a lambda
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (c == '\n') ++line;
        if (c == '(') ++brackets;
        if (c == ')' && brackets > 0) --brackets;
        if (c == '{' && started == 0 && brackets == 0) {
            const bool is_value = i > 0 && is_name(code[i - 1]);
            if (is_value) continue; // member_{value} in a list of initializers
            if (opens_function(std::string_view(code).substr(head, i - head))) {
                started = line;
                depth = 0;
            }
        }
        if (c == '{' && started != 0) ++depth;
        if (c == '}' && started != 0 && --depth == 0) {
            const auto length = line - started + 1;
            if (length > kFunctionLines)
                found.push_back({file.path, started,
                                 "a function of " + std::to_string(length) + " lines, the limit is " +
                                     std::to_string(kFunctionLines)});
            started = 0;
        }
        if (c == ';' || c == '{' || c == '}') head = i + 1;
    }
    return found;
}

Findings check_opening(const File& file) {
    if (!is_cpp(file.path)) return {};
    std::string opening;
    for (const auto line : lines_of(file.text)) {
        if (!line.starts_with("// ")) break;
        opening += std::string(line.substr(3)) + " ";
    }
    const bool is_sentence = std::ranges::count(opening, ' ') >= 2 && opening.find('.') != std::string::npos;
    if (is_sentence) return {};
    return {{file.path, 1, "does not open with a sentence that says what it is"}};
}

Findings check_marks(const File& file, std::string_view source_dir) {
    // in two pieces, so that this file does not find itself
    static const std::array<std::string, 3> kMarks{std::string("TO") + "DO", std::string("FIX") + "ME",
                                                   std::string("XX") + "X"};
    static const std::array<std::string, 2> kPlaces{std::string("/wo") + "rk/", std::string("/ho") + "me/"};
    Findings found;
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
        ++number;
        for (const auto& mark : kMarks) {
            const auto at = line.find(mark);
            if (at == std::string_view::npos) continue;
            const auto end = at + mark.size();
            if ((at == 0 || !is_name(line[at - 1])) && (end == line.size() || !is_name(line[end])))
                found.push_back({file.path, number, "holds " + mark});
        }
        for (const std::string_view place :
             {std::string_view(kPlaces[0]), std::string_view(kPlaces[1]), source_dir}) {
            const auto at = place.empty() ? std::string_view::npos : line.find(place);
            // "build/work/" is no absolute path
            if (at != std::string_view::npos && (at == 0 || !is_name(line[at - 1])))
                found.push_back({file.path, number, "holds a path of one machine: " + std::string(place)});
        }
    }
    return found;
}

Findings check_script(const File& file) {
    if (!is_script(file)) return {};
    Findings found;
    const auto lines = lines_of(file.text);
    if (std::ranges::none_of(lines, [](auto line) { return line.starts_with("set -e"); }))
        found.push_back({file.path, 0, "does not say set -e"});
    if (lines.size() < 2 || !lines[0].starts_with("#!") || !lines[1].starts_with("# "))
        found.push_back({file.path, 1, "does not open with an interpreter and a sentence"});
    return found;
}

Findings check_readme(const File& readme, const std::vector<std::string>& paths) {
    Findings found;
    const std::set<std::string> known(paths.begin(), paths.end());
    const auto is_there = [&](const std::string& word) {
        const auto folder = folder_part(readme.path);
        if (known.contains(normal(folder + "/" + word)) || known.contains(normal(word))) return true;
        return std::ranges::any_of(paths,
                                   [&](const std::string& path) { return path.ends_with("/" + word); });
    };
    // "engine.h/.cpp" is two files, "service/builtin" a header and what belongs to it
    const auto exists = [&](std::string word) {
        if (word.ends_with(".h/.cpp")) word.resize(word.size() - 5);
        return is_there(word) || is_there(word + ".h") || is_there(word + ".cpp");
    };
    std::size_t number = 0;
    bool is_block = false;
    for (auto line : lines_of(readme.text)) {
        ++number;
        if (line.starts_with("```")) is_block = !is_block;
        if (is_block) continue;
        for (auto at = line.find('`'); at != std::string_view::npos; at = line.find('`')) {
            const auto end = line.find('`', at + 1);
            if (end == std::string_view::npos) break;
            const auto word = line.substr(at + 1, end - at - 1);
            line.remove_prefix(end + 1);
            if (names_file(word) && !exists(std::string(word)))
                found.push_back(
                    {readme.path, number, "names " + std::string(word) + ", which does not exist"});
        }
    }
    return found;
}

Findings check_folders(const std::vector<std::string>& files) {
    const std::set<std::string> known(files.begin(), files.end());
    std::set<std::string> folders;
    for (const auto& file : files)
        if (is_cpp(file) || file.ends_with(".sh") || file.ends_with(".xml"))
            folders.insert(folder_part(file));
    Findings found;
    for (const auto& folder : folders) {
        const auto home = folder.starts_with("tests/unit/") ? std::string("tests/unit") : folder;
        const auto readme = home.empty() ? std::string("README.md") : home + "/README.md";
        if (!known.contains(readme)) found.push_back({folder, 0, "has no README.md"});
    }
    return found;
}

} // namespace schedd::tidy
