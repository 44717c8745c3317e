// Counting operator new: proves that a path allocates nothing.
#pragma once

#include <cstddef>

namespace schedd::test {

/// Calls of any operator new in this program so far. Counts only in programs that have
/// tests/kit/count_new.cpp among their sources; a test that relies on it first checks that counting_works().
std::size_t allocations();

/// True if an allocation made here is counted.
bool counting_works();

/// Allocations made while `work()` ran.
template <class Work> std::size_t allocations_in(const Work& work) {
    const auto before = allocations();
    work();
    return allocations() - before;
}

} // namespace schedd::test
