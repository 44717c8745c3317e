// Attachments: keeps the members that unit files ask for ([X-Schedd]) in the tree, and those alone.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "components/model/tree.h"
#include "service/systemd/unit_source.h"

namespace schedd::systemd {

using namespace schedd::model;

class Attachments final : private TreeListener {
public:
    /// How a recipe is carried out; see dbus::Backend::apply.
    using Apply = std::function<Status(const Recipe&, bool dry_run)>;

    /// `tree` and `source` outlive it. `directory` is where `attach --persistent` writes drop-ins.
    Attachments(Tree& tree, UnitSource& source, Apply apply, std::string directory = "/etc/systemd/system");
    ~Attachments() override;

    /// systemd has read its files anew: all units that have a section are looked at. On a failure to ask it
    /// what was said before stays.
    void refresh();
    /// A unit was started or stopped. Costs a look at the index where no file concerns it.
    void refresh(const std::string& unit);
    /// Tries again what waits for a scheduler, if one has come, and every ten seconds to ask a systemd that
    /// did not answer. Costs nothing else.
    void retry();

    /// Attaches now and in the unit's drop-in, both or neither, and has systemd read its files. Fails as
    /// Tree::apply, with not_attachable (no unit, opted out), held_by_other, io.
    Status attach(const std::string& scheduler, const std::string& member,
                  const std::map<std::string, std::string>& attributes, bool dry_run);
    /// Takes the line out of the drop-in, the member out of the tree. Fails with no_such_object if schedd did
    /// not write such a line.
    Status detach(const std::string& scheduler, const std::string& member, bool dry_run);

    /// What the files of a unit ask for and what became of it.
    struct Row {
        std::string unit;
        std::string scheduler; // "" for an opt-out
        std::string state;     // attached, waiting or opted-out
        std::string detail;    // why it waits
        std::string where;     // FILE:LINE
    };
    [[nodiscard]] std::vector<Row> rows() const;

private:
    using Key = std::pair<std::string, std::string>; // scheduler, unit

    void part_added(Part& part) override;
    void part_removed(const Path& path, Part& part) override;

    void look_at(const LoadedUnit& unit);
    void settle();
    void drop_what_nobody_asks_for(const std::set<Key>& asked);
    void attach_unit(const Key& key, const UnitWish& wish);
    [[nodiscard]] Recipe recipe_for(const Key& key, const UnitWish& wish, const Part* member) const;
    void wait(const Key& key, const std::string& why);
    void complain(const std::string& unit, const UnitWish& wish);
    [[nodiscard]] Status may_persist(const std::string& unit) const;

    Tree& tree_;
    UnitSource& source_;
    Apply apply_;
    std::string directory_;
    SectionIndex index_;
    std::map<std::string, UnitWish> wishes_; // by unit
    std::set<Key> ours_;                     // members made from files
    std::set<Key> by_hand_;                  // of those, detached by somebody; until the next refresh()
    std::map<Key, std::string> waiting_;     // with the reason
    std::map<std::string, std::vector<std::string>> told_; // complaints in the log
    Time ask_again_ = kNever;                              // when systemd did not answer
    std::string gave_up_;                                  // why it was not asked to the end
    bool is_dirty_ = false;                                // a scheduler has come or gone
};

} // namespace schedd::systemd
