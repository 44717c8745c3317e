// Snapshot and log to bytes and back, with a checksum for each record.
#include "components/membership/journal_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/membership/entries.h"

namespace schedd::membership::journal_text {

namespace {

constexpr std::string_view kSnapshotMagic = "schedd-s";
constexpr std::string_view kLogMagic = "schedd-l";
constexpr std::size_t kHeader = 12;       // magic, versions, two bytes for later
constexpr std::size_t kRecord = 13;       // type, length, checksum
constexpr std::size_t kBatch = 64U << 10; // bytes of entries in a record of a snapshot

enum Type : std::uint8_t {
    kEntries = 1,  // of the snapshot
    kConflict = 2, // when, lost, won
    kMarks = 3,    // the last of a snapshot: latest, floor, how many records
    kChange = 4,   // of the log: when, latest, floor, entries
};

void put_header(Octets& out, std::string_view magic) {
    put_bytes(out, bytes_of(magic));
    put(out, kMajor);
    put(out, kMinor);
    put(out, std::uint16_t{0});
}

std::uint64_t checksum(std::uint8_t type, Bytes payload, const Hash& hash) {
    Octets all;
    all.reserve(payload.size() + 1);
    put(all, type);
    put_bytes(all, payload);
    const auto digest = hash.of(all);
    return OctetReader(std::as_bytes(std::span(digest.bytes))).number<std::uint64_t>();
}

void put_record(Octets& out, std::uint8_t type, Bytes payload, const Hash& hash) {
    put(out, type);
    put(out, static_cast<std::uint32_t>(payload.size()));
    put(out, checksum(type, payload, hash));
    put_bytes(out, payload);
}

struct Record {
    std::uint8_t type = 0;
    Bytes payload;
};

/// The records of a file, one after the other.
class Records {
public:
    Records(Bytes file, std::string_view magic, const Hash& hash) : file_(file), hash_(hash) {
        OctetReader in(file);
        const auto start = in.take(magic.size());
        const auto major = in.number<std::uint8_t>();
        (void)in.take(3);
        if (file.empty()) health_ = Health::absent;
        else if (in.has_failed() || !std::ranges::equal(start, bytes_of(magic))) health_ = Health::corrupted;
        else if (major > kMajor) health_ = Health::newer;
        else good_ = kHeader;
    }
    /// None at the end, or where it cannot go on: health() says which.
    std::optional<Record> next() {
        if (health_ != Health::good || good_ == file_.size()) return {};
        OctetReader in(file_.subspan(good_));
        const auto type = in.number<std::uint8_t>();
        const std::size_t length = in.number<std::uint32_t>();
        const auto sum = in.number<std::uint64_t>();
        const auto payload = in.take(length);
        if (in.has_failed()) health_ = Health::torn;
        else if (checksum(type, payload, hash_) != sum)
            health_ = in.left() == 0 ? Health::torn : Health::corrupted;
        if (health_ != Health::good) return {};
        good_ += kRecord + length;
        return Record{type, payload};
    }
    [[nodiscard]] Health health() const { return health_; }
    [[nodiscard]] std::size_t good() const { return good_; }

private:
    Bytes file_;
    const Hash& hash_;
    Health health_ = Health::good;
    std::size_t good_ = 0;
};

Marks marks_from(OctetReader& in) {
    Marks marks;
    marks.latest.bits = in.number<std::uint64_t>();
    marks.floor.bits = in.number<std::uint64_t>();
    return marks;
}

void put_marks(Octets& out, const Marks& marks) {
    put(out, marks.latest.bits);
    put(out, marks.floor.bits);
}

/// Whether the payload's entries could be read.
bool read_entries(Bytes bytes, std::vector<Entry>& out) {
    return entries::decode(bytes, [&](Entry&& entry) { out.push_back(std::move(entry)); }).has_value();
}

/// What a snapshot says, before any of it is believed.
struct Read {
    std::vector<Entry> entries;
    std::vector<Conflict> conflicts;
    std::optional<Marks> marks; // none: the end is missing
};

bool read_record(const Record& record, std::uint32_t number, Read& out) {
    if (out.marks) return false; // something after the end
    OctetReader in(record.payload);
    if (record.type == kEntries) return read_entries(record.payload, out.entries);
    if (record.type == kConflict) {
        const auto when = in.number<std::uint64_t>();
        std::vector<Entry> both;
        if (in.has_failed() || !read_entries(in.take(in.left()), both) || both.size() != 2) return false;
        out.conflicts.push_back({both[0], both[1], false, when});
    } else if (record.type == kMarks) {
        out.marks = marks_from(in);
        return in.number<std::uint32_t>() == number && !in.has_failed();
    }
    return true; // of a later minor version
}

Health read_snapshot(Bytes bytes, const Hash& hash, Read& out) {
    Records records(bytes, kSnapshotMagic, hash);
    std::uint32_t count = 0;
    while (const auto record = records.next())
        if (!read_record(*record, count++, out)) return Health::corrupted;
    if (records.health() == Health::absent || records.health() == Health::newer) return records.health();
    return records.health() == Health::good && out.marks ? Health::good : Health::corrupted;
}

void read_log(Bytes bytes, bool is_wanted, Store& store, const Hash& hash, Loaded& loaded) {
    Records records(bytes, kLogMagic, hash);
    Marks marks;
    loaded.log = records.health();
    loaded.log_good = records.good();
    while (const auto record = records.next()) {
        OctetReader in(record->payload);
        const auto when = in.number<std::uint64_t>();
        const auto after = marks_from(in);
        std::vector<Entry> entries;
        if (record->type == kChange && (in.has_failed() || !read_entries(in.take(in.left()), entries))) {
            loaded.log = Health::corrupted;
            break;
        }
        loaded.log_good = records.good();
        if (record->type != kChange) continue;
        if (is_wanted) {
            store.restore(entries, when);
            loaded.has_history = loaded.has_history || !entries.empty();
        }
        marks = {std::max(marks.latest, after.latest), std::max(marks.floor, after.floor)};
    }
    if (loaded.log != Health::corrupted) loaded.log = records.health();
    store.raise({marks.latest, is_wanted ? marks.floor : Hlc{}});
}

} // namespace

Octets snapshot(const Store& store, const Hash& hash) {
    Octets out;
    out.reserve(store.bytes() + store.bytes() / 64 + 4096);
    put_header(out, kSnapshotMagic);
    std::uint32_t count = 0;
    Octets payload;
    const auto flush = [&](std::uint8_t type) {
        if (payload.empty()) return;
        put_record(out, type, payload, hash);
        payload.clear();
        ++count;
    };
    store.each([&](const auto& entry) {
        entries::encode(*entry, payload);
        if (payload.size() >= kBatch) flush(kEntries);
    });
    flush(kEntries);
    for (const auto& conflict : store.conflicts()) {
        put(payload, conflict.noticed_wall_ms);
        entries::encode(conflict.lost, payload);
        entries::encode(conflict.won, payload);
        flush(kConflict);
    }
    put_marks(payload, store.marks());
    put(payload, count);
    flush(kMarks);
    return out;
}

Octets log_header() {
    Octets out;
    put_header(out, kLogMagic);
    return out;
}

Octets record(std::span<const std::shared_ptr<const Entry>> entries, const Marks& marks,
              std::uint64_t wall_ms, const Hash& hash) {
    Octets payload;
    put(payload, wall_ms);
    put_marks(payload, marks);
    for (const auto& entry : entries) entries::encode(*entry, payload);
    Octets out;
    put_record(out, kChange, payload, hash);
    return out;
}

Loaded load(Bytes snapshot, Bytes log, Store& store, const Hash& hash) {
    Loaded loaded;
    Read read;
    loaded.snapshot = read_snapshot(snapshot, hash, read);
    const bool is_readable = loaded.snapshot == Health::good || loaded.snapshot == Health::absent;
    if (loaded.snapshot == Health::good) {
        store.restore(read.entries, 0);
        store.clear_conflicts(); // they are told with their times
        for (auto& conflict : read.conflicts) store.restore(std::move(conflict));
        loaded.has_history = !read.entries.empty();
    }
    read_log(log, is_readable, store, hash, loaded);
    if (read.marks && loaded.snapshot == Health::good) store.raise(*read.marks);
    if (loaded.snapshot == Health::corrupted)
        loaded.complaints.emplace_back(
            "the snapshot of the configuration is damaged; it is taken from others");
    if (loaded.snapshot == Health::newer)
        loaded.complaints.emplace_back("the snapshot of the configuration is of a newer version; "
                                       "it is taken from others");
    if (loaded.log == Health::torn)
        loaded.complaints.push_back(fmt::format("the last record of the configuration's log is not complete: "
                                                "{} of {} bytes were read",
                                                loaded.log_good, log.size()));
    if (loaded.log == Health::corrupted)
        loaded.complaints.push_back(fmt::format("the configuration's log is damaged after {} of {} bytes; "
                                                "what came later is taken from others",
                                                loaded.log_good, log.size()));
    if (loaded.log == Health::newer)
        loaded.complaints.emplace_back("the configuration's log is of a newer version; it is not read");
    return loaded;
}

} // namespace schedd::membership::journal_text
