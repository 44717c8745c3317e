// FakeProcessKernel: pidfds and live ids out of a table that the test sets.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "components/model/process_table.h"

namespace schedd::test {

/// A pid that was not set lives not. Ending a pid ends the holds on it; a reused pid gets new holds.
class FakeProcessKernel final : public model::ProcessKernel {
public:
    using Pid = model::Pid;

    void set(Pid pid, Pid group, Pid session) {
        auto& row = rows_[pid];
        row.ids = {group, session};
        if (!row.alive) row.alive = std::make_shared<bool>(true);
    }
    void end(Pid pid) {
        const auto at = rows_.find(pid);
        if (at == rows_.end()) return;
        *at->second.alive = false;
        rows_.erase(at);
    }

    kit::Result<std::unique_ptr<model::ProcessHold>> hold(Pid pid) override {
        const auto at = rows_.find(pid);
        if (at == rows_.end())
            return kit::fail(kit::Errc::no_such_object, "there is no process " + std::to_string(pid));
        return std::make_unique<Hold>(at->second.alive);
    }
    std::optional<Ids> ids(Pid pid) override {
        ++ids_asked_;
        const auto at = rows_.find(pid);
        if (at == rows_.end()) return std::nullopt;
        return at->second.ids;
    }
    [[nodiscard]] std::size_t ids_asked() const { return ids_asked_; }

private:
    class Hold final : public model::ProcessHold {
    public:
        explicit Hold(std::shared_ptr<bool> alive) : alive_(std::move(alive)) {}
        [[nodiscard]] bool alive() const override { return *alive_; }

    private:
        std::shared_ptr<bool> alive_;
    };
    struct Row {
        Ids ids{};
        std::shared_ptr<bool> alive;
    };
    std::map<Pid, Row> rows_;
    std::size_t ids_asked_ = 0;
};

} // namespace schedd::test
