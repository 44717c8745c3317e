// The ledger's lines: tab-separated, one per event, names escaped as in paths.
//   schedd-ledger 1 BOOT-ID
//   + process 123 45678 affinity ORIGINAL WRITTEN      recorded (for a group: + cgroup PATH 0 ...)
//   = process 123 45678 WRITTEN                        about to be written; nothing: about to be let go
//   - process 123 45678                                as it was, or gone
#include "components/placement/ledger.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/path.h"
#include "components/model/proc_text.h"

namespace schedd::placement {

namespace {

constexpr std::string_view kMagic = "schedd-ledger 1 ";
constexpr std::size_t kCompactFloor = 256; // lines below which compaction is not worth a rename

std::string key_of(const Target& target) {
    switch (target.sort) {
    case Target::Sort::process: return fmt::format("process\t{}\t{}", target.pid, target.start_time);
    case Target::Sort::cgroup: return fmt::format("cgroup\t{}\t0", escape_name(target.name));
    case Target::Sort::unit: return fmt::format("unit\t{}\t0", escape_name(target.name));
    }
    return {};
}

void write(Ledger::Entry& entry, const CpuSet& cpus) {
    if (!entry.written.empty()) entry.before = entry.written;
    entry.written = cpus;
}

std::string note_line(const Target& target, const CpuSet& cpus) {
    return fmt::format("=\t{}\t{}\n", key_of(target), cpus.text());
}

/// One line, or two if there is something written before.
std::string record_lines(const Target& target, const Ledger::Entry& entry) {
    const auto& first = entry.before.empty() ? entry.written : entry.before;
    auto lines = fmt::format("+\t{}\t{}\t{}\t{}\n", key_of(target), entry.actuator,
                             escape_name(entry.original), first.text());
    return entry.before.empty() ? lines : lines + note_line(target, entry.written);
}

/// Fields between tabs; at most 7.
struct Fields {
    std::array<std::string_view, 7> at;
    std::size_t count = 0;
};

Fields fields_of(std::string_view line) {
    Fields fields;
    while (fields.count < fields.at.size()) {
        const auto tab = line.find('\t');
        fields.at[fields.count++] = line.substr(0, tab);
        if (tab == std::string_view::npos) break;
        line.remove_prefix(tab + 1);
    }
    return fields;
}

std::optional<Target> target_of(const Fields& fields) {
    if (fields.count < 4) return std::nullopt;
    const auto number = parse_unsigned(fields.at[3]);
    if (!number || fields.at[2].empty()) return std::nullopt;
    if (fields.at[1] == "process") {
        const auto pid = parse_unsigned(fields.at[2]);
        if (!pid || *pid == 0 || *pid > INT32_MAX) return std::nullopt;
        return Target::process(static_cast<Pid>(*pid), *number);
    }
    const auto name = unescape_name(fields.at[2]);
    if (!name) return std::nullopt;
    if (fields.at[1] == "cgroup") return Target::cgroup(*name);
    if (fields.at[1] == "unit") return Target{Target::Sort::unit, 0, 0, *name};
    return std::nullopt;
}

bool take_line_into(std::map<Target, Ledger::Entry>& entries, std::string_view line) {
    const auto fields = fields_of(line);
    const auto target = target_of(fields);
    if (!target) return false;
    if (fields.at[0] == "-") return entries.erase(*target) == 1;
    if (fields.at[0] == "=" && fields.count == 5) {
        const auto cpus = CpuSet::parse(fields.at[4]);
        const auto known = entries.find(*target);
        if (!cpus || known == entries.end()) return false;
        write(known->second, *cpus);
        return true;
    }
    if (fields.at[0] != "+" || fields.count != 7) return false;
    const auto cpus = CpuSet::parse(fields.at[6]);
    auto original = unescape_name(fields.at[5]);
    if (!cpus || !original) return false;
    entries.insert_or_assign(*target, Ledger::Entry{std::string(fields.at[4]), std::move(*original), *cpus});
    return true;
}

} // namespace

Ledger::Ledger(LedgerStore& store, std::string boot_id, std::string_view text,
               std::vector<std::string>& complaints)
    : store_(store), boot_id_(std::move(boot_id)) {
    // a crash can tear the last line only; what it described had not been touched yet
    text = text.substr(0, text.rfind('\n') + 1);
    if (text.empty()) return;
    const auto first = take_line(text);
    if (first != header()) {
        if (!first.starts_with(kMagic)) complaints.push_back("the ledger has no valid header; ignoring it");
        return;
    }
    lines_ = 1;
    while (!text.empty()) {
        const auto line = take_line(text);
        ++lines_;
        if (!take_line_into(entries_, line))
            complaints.push_back(fmt::format("ledger line {} cannot be understood; ignoring it", lines_));
    }
}

std::string Ledger::header() const { return fmt::format("{}{}", kMagic, boot_id_); }

const Ledger::Entry* Ledger::find(const Target& target) const {
    const auto at = entries_.find(target);
    return at == entries_.end() ? nullptr : &at->second;
}

Status Ledger::record(const std::vector<std::pair<Target, Entry>>& added) {
    if (added.empty()) return {};
    std::string lines = pending_; // which stays until all is stored
    for (const auto& [target, entry] : added) lines += record_lines(target, entry);
    auto stored = lines_ == 0 ? store_.replace(header() + "\n" + lines) : store_.append(lines);
    if (!stored) return stored;
    pending_.clear();
    lines_ += added.size() + (lines_ == 0 ? 1 : 0);
    for (const auto& [target, entry] : added) entries_.insert_or_assign(target, entry);
    return {};
}

void Ledger::note_written(const Target& target, const CpuSet& cpus) {
    const auto at = entries_.find(target);
    if (at == entries_.end() || at->second.written == cpus) return;
    write(at->second, cpus);
    pending_ += note_line(target, cpus);
    ++lines_;
}

void Ledger::forget(const Target& target) {
    if (entries_.erase(target) == 0) return;
    pending_ += fmt::format("-\t{}\n", key_of(target));
    ++lines_;
}

Status Ledger::flush() {
    if (lines_ > kCompactFloor && lines_ > 4 * entries_.size()) {
        std::string all = header() + "\n";
        for (const auto& [target, entry] : entries_) all += record_lines(target, entry);
        if (auto replaced = store_.replace(all); !replaced) return replaced;
        lines_ = static_cast<std::size_t>(std::ranges::count(all, '\n'));
        pending_.clear();
        return {};
    }
    if (pending_.empty()) return {};
    if (auto appended = store_.append(pending_); !appended) return appended;
    pending_.clear();
    return {};
}

} // namespace schedd::placement
