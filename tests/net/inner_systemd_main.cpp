// schedd-inner-systemd: starts a systemd as PID 1 of namespaces of its own (InnerSystemd), prints its pid as
// this process sees it, and ends it when the standard input ends. Exits with 77 where that cannot be.
#include <iostream>
#include <string>

#include "tests/bench/inner_systemd.h"

int main() {
    const auto inner = schedd::bench::InnerSystemd::start();
    if (!inner) {
        std::cerr << inner.error().text() << "\n";
        return 77;
    }
    std::cout << inner->pid() << std::endl;
    for (std::string line; std::getline(std::cin, line);) {}
    return 0;
}
