// What may be a member, by name, and what a member says of itself.
#include "components/model/member.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/model/process_set.h"
#include "components/model/unit_name.h"

namespace schedd::model {

namespace {

struct SortName {
    std::string_view prefix;
    MemberName::Sort sort;
    bool numeric;
};
constexpr std::array kSorts{
    SortName{"process+children:", MemberName::Sort::process_children, true},
    SortName{"process:", MemberName::Sort::process, true},
    SortName{"group:", MemberName::Sort::group, true},
    SortName{"session:", MemberName::Sort::session, true},
    SortName{"user:", MemberName::Sort::user, true},
    SortName{"cgroup:", MemberName::Sort::cgroup, false},
    SortName{"unit:", MemberName::Sort::unit, false},
    SortName{"exec:", MemberName::Sort::exec, false},
};

std::unexpected<Error> bad_member(std::string_view text, std::string accepted) {
    return fail(Errc::invalid_value, fmt::format("'{}' cannot be a member", text.substr(0, 80)),
                std::move(accepted));
}

} // namespace

Result<MemberName> MemberName::parse(std::string_view text) {
    const auto at = std::ranges::find_if(kSorts, [&](const auto& s) { return text.starts_with(s.prefix); });
    if (at == kSorts.end())
        return bad_member(text, "use process:PID, process+children:PID, group:PGID, session:SID, user:UID, "
                                "cgroup:/PATH, unit:NAME or exec:PATTERN");
    const auto rest = text.substr(at->prefix.size());
    MemberName name{at->sort, 0, {}};
    if (at->numeric) {
        const auto number = parse_unsigned(rest);
        const bool may_be_zero = at->sort == MemberName::Sort::user;
        if (!number || *number > INT32_MAX || (*number == 0 && !may_be_zero))
            return bad_member(text, fmt::format("{} takes a number from {} to {}", at->prefix,
                                                may_be_zero ? 0 : 1, INT32_MAX));
        // one name for one thing, so that it cannot be attached twice
        if (rest != std::to_string(*number))
            return bad_member(text, fmt::format("write it as {}{}", at->prefix, *number));
        name.id = static_cast<Pid>(*number);
        return name;
    }
    if (rest.empty() || text.size() > limits::kMemberLength || rest.find('\0') != std::string_view::npos ||
        rest.find('\n') != std::string_view::npos)
        return bad_member(text, fmt::format("{} takes 1 to {} bytes on one line", at->prefix,
                                            limits::kMemberLength));
    if (name.sort == Sort::cgroup && (rest.front() != '/' || (rest.size() > 1 && rest.back() == '/') ||
                                      rest.find("/../") != std::string_view::npos || rest.ends_with("/..") ||
                                      rest.find("//") != std::string_view::npos))
        return bad_member(text, "cgroup: takes a path from the hierarchy's root, such as /batch/a");
    if (name.sort == Sort::unit)
        if (auto checked = check_unit_name(rest); !checked) return bad_member(text, checked.error().text());
    name.text = rest;
    return name;
}

const std::vector<AttributeSpec>& Member::table() {
    static const std::vector<AttributeSpec> kTable{
        {.name = "weight",
         .initial = "100",
         .minimum = 1,
         .maximum = 10000,
         .doc = "Share of this member among the others when CPUs are scarce; of a unit also its CPUWeight."},
        {.name = "class",
         .kind = AttributeKind::choice,
         .initial = "normal",
         .choices = "latency normal batch auto",
         .doc =
             "What it is sensitive to, for policies that keep classes apart; auto = as the desktop's slice "
             "says: batch in background.slice, latency in session.slice, else normal."},
        {.name = "cpus",
         .initial = "0",
         .minimum = 0,
         .maximum = limits::kMaxCpus,
         .doc = "How many CPUs it wants; 0 = it does not say."},
        {.name = "exclusive",
         .kind = AttributeKind::boolean,
         .initial = "false",
         .doc = "It wants these CPUs for itself."},
        {.name = "memory",
         .kind = AttributeKind::choice,
         .initial = "any",
         .choices = "any local",
         .doc = "Whether its memory should be on the nodes of its CPUs."},
        {.name = "quota",
         .unit = "percent",
         .initial = "0",
         .minimum = 0,
         .maximum = limits::kMaxCpus * 100,
         .doc = "CPU time a unit may use while it is placed (CPUQuota); 100 = one whole CPU, 0 = no limit."},
        {.name = "state",
         .kind = AttributeKind::text,
         .initial = "pending",
         .read_only = true,
         .doc = "free, applied, pending, overridden, foreign, invalid, conflict or gone."},
        {.name = "wanted_cpus",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "CPUs the stacked schedulers decided on."},
        {.name = "written_cpus",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "CPUs last written by schedd."},
        {.name = "effective_cpus",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "CPUs the kernel said hold when last read back."},
        {.name = "detail",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "Why it stands as it does."},
    };
    return kTable;
}

Demand Member::demand() const {
    Demand demand{.cpus = static_cast<int>(unsigned_at(kCpus)), .exclusive = flag_at(kExclusive)};
    for (const auto work_class : {WorkClass::latency, WorkClass::batch})
        if (text_at(kClass) == name_of(work_class)) demand.work_class = work_class;
    return demand;
}

void Member::set_order(std::uint64_t order) {
    order_ = order;
    if (auto* set = static_cast<ProcessSet*>(parent())) set->members_changed();
}

void Member::changed(std::size_t /*index*/) {
    if (auto* set = static_cast<ProcessSet*>(parent())) set->members_changed();
}

} // namespace schedd::model
