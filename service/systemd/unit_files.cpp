// Looking through systemd's directories, and reading what it loaded.
#include "service/systemd/unit_files.h"

#include <filesystem>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/model/unit_name.h"
#include "service/host/plain_file.h"

namespace schedd::systemd {

namespace {

namespace fs = std::filesystem;

bool has_section(const fs::path& file) {
    const auto text = host::read_plain_file(file.string(), limits::kUnitFile);
    return text && *text && (*text)->find("[X-Schedd]") != std::string::npos;
}

/// Calls `visit` for each entry; what vanishes meanwhile or may not be read is passed over.
template <class Visit> void for_each_in(const fs::path& directory, const Visit& visit) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        visit(entry->path());
}

} // namespace

SectionIndex SectionIndex::scan(std::span<const std::string> directories) {
    SectionIndex index;
    for (const auto& directory : directories)
        for_each_in(directory, [&](const fs::path& path) {
            const auto name = path.filename().string();
            if (!name.ends_with(".d")) {
                if (model::check_unit_name(name) && has_section(path)) index.names_.insert(name);
                return;
            }
            bool found = false;
            for_each_in(path, [&](const fs::path& file) {
                found = found || (file.extension() == ".conf" && has_section(file));
            });
            if (found) index.names_.insert(name.substr(0, name.size() - 2));
        });
    return index;
}

bool SectionIndex::may_concern(std::string_view unit) const {
    for (const auto& name : names_for_drop_ins(unit))
        if (names_.contains(name)) return true;
    return false;
}

std::vector<std::string> SectionIndex::single_units() const {
    std::vector<std::string> units;
    for (const auto& name : names_) {
        const bool is_prefix = name.find("-.") != std::string::npos || name.find("-@") != std::string::npos;
        if (model::check_unit_name(name) && !model::is_template(name) && !is_prefix) units.push_back(name);
    }
    return units;
}

std::vector<std::string> names_for_drop_ins(std::string_view unit) {
    std::vector<std::string> names{std::string(unit)};
    const auto dot = unit.rfind('.');
    const std::string type(unit.substr(std::min(dot + 1, unit.size())));
    auto stem = unit.substr(0, dot);
    std::vector<std::string> ends{""}; // behind a prefix; of an instance: its own, its template's, and none
    if (const auto at = stem.find('@'); at != std::string_view::npos) {
        stem = stem.substr(0, at + 1);
        if (stem.size() + type.size() + 1 != unit.size()) {
            names.push_back(fmt::format("{}.{}", stem, type));
            ends.push_back("@" + std::string(unit.substr(at + 1, dot - at - 1)));
        }
        ends.emplace_back("@");
        stem.remove_suffix(1);
    }
    for (auto dash = stem.rfind('-'); dash != std::string_view::npos && dash > 0;
         dash = stem.substr(0, dash).rfind('-'))
        for (const auto& end : ends)
            names.push_back(fmt::format("{}-{}.{}", stem.substr(0, dash), end, type));
    names.push_back(type);
    return names;
}

UnitWish wish_of(const LoadedUnit& unit) {
    UnitWish wish;
    for (const auto& file : unit.files) {
        const auto text = host::read_plain_file(file, limits::kUnitFile);
        if (!text) {
            wish.complaints.push_back(text.error().text());
        } else if (*text && (*text)->size() > limits::kUnitFile) {
            wish.complaints.push_back(
                fmt::format("{}: the file is too long and is passed over; at most {} bytes", file,
                            limits::kUnitFile));
        } else if (*text) {
            read_section(wish, unit.id, file, **text);
        }
    }
    return wish;
}

} // namespace schedd::systemd
