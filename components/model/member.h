// Member: one entry of a process set - a process, a group of them, a unit or a rule - and what became of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "components/model/part.h"
#include "components/model/process_table.h"
#include "components/model/subject.h"

namespace schedd::model {

/// A member's name, taken apart: "process:123" is {process, 123}, "exec:/usr/bin/make" is {exec,
/// "/usr/bin/make"}.
struct MemberName {
    enum class Sort { process, process_children, group, session, user, cgroup, unit, exec };
    Sort sort = Sort::process;
    Pid id = 0;       // process, process_children, group, session; user: the uid
    std::string text; // cgroup, unit, exec

    /// Fails with invalid_value; the error lists the sorts.
    static Result<MemberName> parse(std::string_view text);
};

/// One member of a process set. Its attributes report what became of it.
class Member final : public Part {
public:
    enum Attribute : std::size_t {
        kWeight,
        kClass,
        kCpus,
        kExclusive,
        kMemory,
        kQuota,
        kState,
        kWantedCpus,
        kWrittenCpus,
        kEffectiveCpus,
        kDetail
    };
    static const std::vector<AttributeSpec>& table();

    Member(std::string name, MemberName parsed, std::unique_ptr<ProcessHold> hold, std::uint64_t start_time)
        : Part(Kind::member, std::move(name), nullptr, table()), parsed_(std::move(parsed)),
          hold_(std::move(hold)), start_time_(start_time) {}

    [[nodiscard]] const MemberName& parsed() const { return parsed_; }
    [[nodiscard]] std::uint64_t weight() const { return unsigned_at(kWeight); }
    [[nodiscard]] Demand demand() const;
    /// CPU time in percent of one CPU; 0 = as much as there is.
    [[nodiscard]] std::uint64_t quota() const { return unsigned_at(kQuota); }
    [[nodiscard]] bool wants_local_memory() const { return text_at(kMemory) == "local"; }
    /// False once a held process has ended; members without a hold live until they are removed.
    [[nodiscard]] bool alive() const { return !hold_ || hold_->alive(); }
    [[nodiscard]] std::uint64_t start_time() const { return start_time_; }
    /// A larger number was attached later.
    [[nodiscard]] std::uint64_t order() const { return order_; }
    void set_order(std::uint64_t order);
    /// Sets a reported attribute; true if it changed.
    bool report_text(Attribute which, std::string text) { return report(which, std::move(text)); }

protected:
    void changed(std::size_t index) override;

private:
    MemberName parsed_;
    std::unique_ptr<ProcessHold> hold_;
    std::uint64_t start_time_;
    std::uint64_t order_ = 0;
};

} // namespace schedd::model
