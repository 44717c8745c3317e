// What the kernel and the state directory hold: proc files, CPU lists, member names, pressure, the ledger.
#include "components/kit/number.h"
#include "components/model/proc_text.h"
#include "components/placement/ledger.h"
#include "components/probes/numa_text.h"
#include "components/probes/stall_meter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kit/world.h"

using namespace schedd;

namespace {

class TextStore final : public placement::LedgerStore {
public:
    kit::Status append(std::string_view lines) override {
        text_ += lines;
        return {};
    }
    kit::Status replace(std::string_view all) override {
        text_ = all;
        return {};
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

bool same(const placement::Ledger& a, const placement::Ledger& b) {
    return std::ranges::equal(a.entries(), b.entries(), [](const auto& x, const auto& y) {
        return x.first == y.first && x.second.actuator == y.second.actuator &&
               x.second.original == y.second.original && x.second.written == y.second.written;
    });
}

void check_ledger(std::string_view text) {
    std::vector<std::string> complaints;
    TextStore ignored;
    const placement::Ledger read(ignored, "boot", text, complaints);
    TextStore store;
    placement::Ledger copy(store, "boot", "", complaints);
    const std::vector<std::pair<model::Target, placement::Ledger::Entry>> all(read.entries().begin(),
                                                                              read.entries().end());
    fuzz::require(copy.record(all).has_value(), "entries can be recorded");
    std::vector<std::string> none;
    const placement::Ledger again(ignored, "boot", store.text(), none);
    fuzz::require(none.empty() && same(read, again), "a ledger reads back what it recorded", store.text());
}

void check_cpus(std::string_view text) {
    const auto set = model::CpuSet::parse(text);
    if (!set) return;
    const auto again = model::CpuSet::parse(set->text());
    fuzz::require(again && *again == *set, "a CPU list's text parses to the set", set->text());
}

void check_process(std::string_view text) {
    test::World world;
    for (const auto* file : {"stat", "cgroup", "status", "cmdline"})
        world.host.set(std::string("proc/7/") + file, std::string(text));
    const auto info = world.table.look(7);
    fuzz::require(!info || info->pid == 7, "a process is the one that was asked for");
    (void)world.table.scan();
    const auto group = world.table.cgroup_of(7, "cpuset");
    fuzz::require(group.find('\n') == std::string::npos, "a group is one line", group);
    (void)world.table.user_of(7);
    (void)world.table.command_line_of(7);
}

void check_nodes(std::string_view text) {
    std::vector<std::int64_t> sizes;
    if (probes::parse_numa_stat(text, sizes)) {
        fuzz::require(!sizes.empty() && sizes.size() <= kit::limits::kMaxNodes, "nodes are within the limit");
        std::string again = "anon";
        std::int64_t sum = 0;
        for (std::size_t node = 0; node < sizes.size(); ++node) {
            fuzz::require(sizes[node] >= -1, "a size is one, or -1 for none");
            if (sizes[node] < 0) continue;
            fuzz::require(!__builtin_add_overflow(sum, sizes[node], &sum),
                          "all nodes together can be summed");
            again += " N" + std::to_string(node) + "=" + std::to_string(sizes[node] * 1024);
        }
        std::vector<std::int64_t> copy;
        fuzz::require(probes::parse_numa_stat(again + "\n", copy) && copy == sizes, "sizes read back", again);
    }
    const auto available = probes::parse_node_available(text);
    fuzz::require(!available || *available >= 0, "what is available is no debt");
}

void check_numbers(std::string_view text) {
    if (const auto number = kit::parse_unsigned(text))
        fuzz::require(kit::parse_unsigned(std::to_string(*number)) == number, "a number reads back");
    if (const auto number = kit::parse_integer(text))
        fuzz::require(kit::parse_integer(std::to_string(*number)) == number, "an integer reads back");
    (void)model::parse_schedstat(text);
    (void)model::parse_uptime(text);
    const auto stat = model::parse_proc_stat(text);
    fuzz::require(!stat || (stat->pid > 0 && stat->threads >= 0), "a stat line is of a process");
    (void)model::MemberName::parse(text);
    (void)probes::parse_pressure(text);
    check_nodes(text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_from(data, size);
    check_numbers(text);
    check_cpus(text);
    check_ledger(text);
    check_process(text);
    return 0;
}
