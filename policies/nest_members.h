// NestMembers: what the members of a nest want of CPUs, who of them waits, and who is left alone.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/model/port.h"
#include "components/model/subjects.h"

namespace schedd::policies {

using namespace schedd::model;

/// What members want, in tasks, and which one waits most of the time in which it wants a CPU.
struct Wanted {
    double batch = 0;
    double latency = 0;
    double normal = 0;
    std::string waiting; // empty: none has a value that counts; never a batch member
    double waiting_share = 0;

    [[nodiscard]] double all() const { return batch + latency + normal; }
};

/// Kept from round to round; indexes are those of the subjects last followed.
class NestMembers {
public:
    /// Takes the subjects as they are now. Who is gone is forgotten.
    void follow(const Subjects& subjects, const CpuSet& usable);
    /// Reads the ports for those last followed. A member without a value counts with its last one. Waiting
    /// that was measured before `since` does not count. False if no process has a load: nothing is known.
    bool measure(const Subjects& subjects, const Port& process_load, const Port& wait, Time since);

    [[nodiscard]] const Wanted& wanted() const { return wanted_; }
    /// Its index, none if it was not followed.
    [[nodiscard]] std::optional<std::size_t> find(const Target& target) const;
    /// It came with CPUs of its own, fewer than all: it is left there, and does not count.
    [[nodiscard]] bool is_confined(std::size_t index) const { return tracks_[index].is_confined; }
    [[nodiscard]] int confined() const { return confined_; }
    /// It was measured at some time, or has no process that could be.
    [[nodiscard]] bool is_known(std::size_t index) const { return tracks_[index].is_known; }

private:
    struct Track {
        Target target;
        bool is_confined = false;
        bool is_known = false;
        double load = 0; // as measured last
    };
    void count(const Subject& subject, const Track& track);
    void look_at_waiting(const Subject& subject, double load, const Port& wait, Time since);

    std::vector<Track> tracks_; // in the subjects' order
    Wanted wanted_;
    int confined_ = 0;
};

} // namespace schedd::policies
