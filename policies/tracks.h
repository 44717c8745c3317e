// Tracks: what a policy remembers of each subject, kept for as long as the subject is there.
#pragma once

#include <algorithm>
#include <vector>

#include "components/model/subjects.h"

namespace schedd::policies {

/// Makes `tracks` follow `subjects`, both ordered by target: who has gone is forgotten, who is new has
/// nothing but its target. Costs a comparison each while nobody comes or goes.
template <class Track> void follow(std::vector<Track>& tracks, const model::Subjects& subjects) {
    if (std::ranges::equal(tracks, subjects, {}, &Track::target, &model::Subject::target)) return;
    std::vector<Track> next;
    next.reserve(subjects.size());
    auto old = tracks.begin();
    for (const model::Subject& subject : subjects) {
        while (old != tracks.end() && old->target < subject.target) ++old;
        if (old != tracks.end() && old->target == subject.target) next.push_back(std::move(*old++));
        else next.emplace_back().target = subject.target;
    }
    tracks = std::move(next);
}

} // namespace schedd::policies
