// Overlay: what policies want of other schedulers' attributes, written while they want it and put back
// afterwards.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "components/model/tree.h"

namespace schedd::service {

using namespace schedd::model;

/// Nothing of it is told to other nodes or written to files: an attribute's configured value is what it was
/// before, and what export says.
class Overlay final : public TreeListener {
public:
    /// How a transaction is carried out, on this node alone.
    using Apply = std::function<Status(const Recipe&)>;

    /// `tree` outlives it.
    Overlay(Tree& tree, Apply apply);
    ~Overlay() override;
    Overlay(const Overlay&) = delete;
    Overlay& operator=(const Overlay&) = delete;

    /// Makes the tree what the policies want, all of it in one transaction or nothing, and tells them. Of two
    /// that want other values of one attribute the scheduler with the larger precedence has its way, of
    /// equals the first by name. What somebody has written meanwhile is theirs until it is wanted no more.
    /// Costs a look at each scheduler while nothing changes.
    void follow();
    /// Everything as configured, until lay(): for what compares the tree with files.
    void lift();
    void lay();
    /// The recipe without writes of what is overlaid: these become the values that are put back.
    [[nodiscard]] Recipe kept_out(const Recipe& recipe);

    /// How CPUs are to trade speed for energy, of the schedulers in the same order; the first that names a
    /// CPU has it.
    [[nodiscard]] const std::vector<FrequencyHint>& hints() const { return hints_; }
    /// Why the tree has refused what is wanted; "" while it has not.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// What became of the hints, for those that want them: why no hint holds, and why their energy
    /// preferences do not; "" while they do. Kept until it is told again or other hints are wanted.
    void hints_told(const std::string& trouble, const std::string& preference_trouble);
    /// What is wanted and does not hold, by each policy that wants such; the same as each was told.
    [[nodiscard]] const std::map<Path, std::string>& complaints() const { return told_; }
    /// How many attributes have another value than configured.
    [[nodiscard]] std::size_t size() const { return laid_.size(); }

    void part_removed(const Path& path, Part& part) override;
    void part_changed(Part& part, std::string_view attribute) override;

private:
    using Key = std::pair<Path, std::string>;
    struct Laid {
        AttributeValue before;
        AttributeValue value;
    };
    struct Wanted {
        AttributeValue value;
        Policy* by;
    };
    void gather();
    void want(Policy& by, const Setting& setting);
    void want_there(Policy& by, const Path& path, const Setting& setting);
    Status change();
    void complain(Policy& by, const std::string& what);
    void complain_of_hints();
    void tell();
    Status write(const Recipe& recipe);

    Tree& tree_;
    Apply apply_;
    std::map<Key, Laid> laid_;
    std::set<Key> theirs_; // somebody has written it since
    std::map<Key, Wanted> wanted_;
    std::map<Key, AttributeValue> refused_; // the tree has refused all of it
    std::vector<FrequencyHint> hints_;
    std::map<Policy*, std::string> complaints_;
    std::map<Path, std::string> told_;                 // of which trouble policies were told
    std::string trouble_;                              // why the tree refused
    std::vector<Policy*> hinting_;                     // those whose hints these are, as of the last gather()
    std::pair<std::string, std::string> hint_trouble_; // of all, of energy preferences alone
    bool is_own_ = false;                              // the change that is heard of is its own
    bool is_lifted_ = false;
};

} // namespace schedd::service
