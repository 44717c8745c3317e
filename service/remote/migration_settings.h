// MigrationSettings: the [migration] table of schedd.conf, as a value; checked by the reader of the files.
#pragma once

#include <cstdint>
#include <string>

namespace schedd::remote {

struct MigrationSettings {
    std::string ssh_user = "root";
    std::uint16_t ssh_port = 0;                        // 0: as ssh is configured
    std::string directory = "/var/lib/schedd/migrate"; // of the images, the same on all nodes
    std::uint64_t bandwidth = 100;                     // MB/s at which images are taken to travel
    std::uint64_t step_limit =
        30; // s that a step may take which carries no images; the others twice that and more
    bool operator==(const MigrationSettings&) const = default;
};

} // namespace schedd::remote
