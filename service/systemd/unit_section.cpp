// Reading [X-Schedd], after config_parse() of systemd (src/shared/conf-parser.c) as systemd.syntax(7) has it.
#include "service/systemd/unit_section.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/utf8.h"
#include "components/model/member.h"

namespace schedd::systemd {

namespace {

constexpr std::string_view kSection = "X-Schedd";
constexpr std::string_view kBlanks = " \t\r";

struct Key {
    std::string_view key;
    std::string_view attribute;
};
constexpr std::array kKeys{Key{"Weight", "weight"},       Key{"Class", "class"},   Key{"CPUs", "cpus"},
                           Key{"Exclusive", "exclusive"}, Key{"Memory", "memory"}, Key{"Quota", "quota"}};
constexpr const char* kAccepted =
    "known are Scheduler, Weight, Class, CPUs, Exclusive, Memory, Quota and OptOut";

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string shown(std::string_view text) {
    std::string out(text.substr(0, 60));
    std::ranges::replace_if(out, [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
    return out;
}

/// "foo@bar.service" for %n, "foo" for %p, "bar" for %i; none if there is a specifier that is not known.
std::optional<std::string> put_in(std::string_view text, std::string_view unit) {
    const auto stem = unit.substr(0, unit.rfind('.'));
    const auto at = stem.find('@');
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        switch (++i < text.size() ? text[i] : '\0') {
        case '%': out += '%'; break;
        case 'n': out += unit; break;
        case 'p': out += stem.substr(0, at); break;
        case 'i': out += at == std::string_view::npos ? std::string_view() : stem.substr(at + 1); break;
        default: return std::nullopt;
        }
    }
    return out;
}

/// Takes lines apart and what was said into the wish.
class SectionReader {
public:
    SectionReader(UnitWish& wish, std::string_view unit, std::string_view file)
        : wish_(wish), unit_(unit), file_(file) {}

    /// A whole line, continued ones joined. False if nothing below it counts.
    bool take(std::string_view line, std::size_t number) {
        line_ = number;
        line = trimmed(line);
        if (line.empty()) return true;
        if (line.front() == '[') {
            if (line.back() != ']') { // systemd passes over the whole file
                complain(fmt::format("'{}' is no section", shown(line)), "[NAME]");
                return false;
            }
            is_ours_ = line.substr(1, line.size() - 2) == kSection;
            return true;
        }
        if (!is_ours_) return true;
        const auto equals = line.find('=');
        if (!kit::is_utf8(line)) complain("the line is no UTF-8 and is passed over", "UTF-8");
        else if (equals == std::string_view::npos)
            complain(fmt::format("'{}' is no assignment", shown(line)), "KEY=VALUE");
        else assign(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
        return true;
    }
    void complain(std::string_view what, std::string_view accepted) {
        if (wish_.complaints.size() == limits::kUnitComplaints) return;
        wish_.complaints.push_back(fmt::format("{}:{}: {}; {}", file_, line_, what, accepted));
    }
    void at(std::size_t number) { line_ = number; }

private:
    [[nodiscard]] std::string where() const { return fmt::format("{}:{}", file_, line_); }

    void assign(std::string_view key, std::string_view value) {
        const auto known = std::ranges::find(kKeys, key, &Key::key);
        if (key == "Scheduler") add_schedulers(value);
        else if (key == "OptOut") opt_out(value);
        else if (known != kKeys.end()) set(std::string(known->attribute), key, value);
        else complain(fmt::format("there is no key '{}'", shown(key)), kAccepted);
    }

    void add_schedulers(std::string_view value) {
        if (value.empty()) wish_.schedulers.clear();
        while (!value.empty()) {
            const auto end = std::min(value.find_first_of(kBlanks), value.size());
            const auto name = put_in(value.substr(0, end), unit_);
            if (!name || name->empty() || name->size() > limits::kNameLength ||
                name->find('/') != std::string::npos)
                complain(fmt::format("'{}' is no name of a scheduler", shown(value.substr(0, end))),
                         "a name, in which %n, %p, %i and %% are put in");
            else if (wish_.schedulers.size() == limits::kUnitSchedulers)
                complain("too many schedulers", fmt::format("at most {}", limits::kUnitSchedulers));
            else if (std::ranges::find(wish_.schedulers, *name, &Said::text) == wish_.schedulers.end())
                wish_.schedulers.push_back({*name, where()});
            value = trimmed(value.substr(end));
        }
    }

    void opt_out(std::string_view value) {
        const auto flag = value.empty() ? std::optional(false) : parse_systemd_boolean(value);
        if (!flag) complain(fmt::format("OptOut cannot be '{}'", shown(value)), "yes or no");
        else if (*flag) wish_.opt_out = Said{"yes", where()};
        else wish_.opt_out.reset();
    }

    void set(const std::string& attribute, std::string_view key, std::string_view value) {
        if (value.empty()) {
            wish_.attributes.erase(attribute);
            return;
        }
        const auto& table = model::Member::table();
        const auto spec = std::ranges::find(table, attribute, &model::AttributeSpec::name);
        std::string text(value);
        if (spec->kind == model::AttributeKind::boolean)
            if (const auto flag = parse_systemd_boolean(value)) text = *flag ? "true" : "false";
        if (!model::parse_attribute(*spec, text))
            complain(fmt::format("{} cannot be '{}'", key, shown(value)), "accepted: " + accepted_by(*spec));
        else wish_.attributes[attribute] = {text, where()};
    }

    UnitWish& wish_;
    std::string_view unit_;
    std::string_view file_;
    std::size_t line_ = 0;
    bool is_ours_ = false;
};

bool is_comment(std::string_view line) {
    const auto start = line.find_first_not_of(kBlanks);
    return start != std::string_view::npos && (line[start] == '#' || line[start] == ';');
}

bool goes_on(std::string_view line) {
    std::size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
}

} // namespace

void read_section(UnitWish& wish, std::string_view unit, std::string_view file, std::string_view text) {
    SectionReader reader(wish, unit, file);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::string joined;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find_first_of(std::string_view("\n\0", 2)), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (joined.size() + line.size() > limits::kUnitLine) {
            reader.at(number);
            reader.complain("the line is too long; it and what follows are passed over",
                            fmt::format("at most {} bytes", limits::kUnitLine));
            return;
        }
        if (is_comment(line)) continue; // also among continued lines
        const bool more = goes_on(line);
        joined += more ? line.substr(0, line.size() - 1) : line;
        if (more) joined += ' ';
        if (more && !text.empty()) continue;
        if (!reader.take(joined, number)) return;
        joined.clear();
    }
}

std::string_view key_of(std::string_view attribute) {
    const auto known = std::ranges::find(kKeys, attribute, &Key::attribute);
    return known == kKeys.end() ? std::string_view() : known->key;
}

std::optional<bool> parse_systemd_boolean(std::string_view text) {
    std::string word(text);
    std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
    static constexpr std::array<std::string_view, 6> kYes{"1", "yes", "y", "true", "t", "on"};
    static constexpr std::array<std::string_view, 6> kNo{"0", "no", "n", "false", "f", "off"};
    if (std::ranges::find(kYes, word) != kYes.end()) return true;
    if (std::ranges::find(kNo, word) != kNo.end()) return false;
    return std::nullopt;
}

} // namespace schedd::systemd
