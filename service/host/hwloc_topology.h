// TopologyReader: hwloc's picture of the machine, or of a described one, as a model::Topology.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "components/kit/result.h"
#include "components/model/topology.h"

namespace schedd::host {

using namespace schedd::model;

/// Where the topology comes from. `text` is the file or the description.
struct TopologySource {
    enum class Kind { automatic, xml, synthetic };
    Kind kind = Kind::automatic;
    std::string text = {};

    /// "auto", "xml:FILE" or "synthetic:DESCRIPTION"; else invalid_value, the error says what would be
    /// accepted.
    static Result<TopologySource> parse(std::string_view option);
};

class TopologyReader {
public:
    /// `root` is where sys and proc are read for `auto`; a recorded tree has them below another root than
    /// "/".
    explicit TopologyReader(TopologySource source, std::string root = "/")
        : source_(std::move(source)), root_(std::move(root)) {}

    /// Reads the machine again; the generation is one more than the last when anything differs from then.
    /// Fails with invalid_value (file, description), limit_exceeded (it describes CPUs >= limits::kMaxCpus),
    /// io. Such CPUs of the machine itself are left out.
    Result<Topology> load();
    /// Which CPUs the last load() has left out, and why; empty if it was none.
    [[nodiscard]] const std::string& left_out() const { return left_out_; }

private:
    TopologySource source_;
    std::string root_;
    std::optional<Topology> last_;
    std::string left_out_;
};

/// Whether two pictures agree in everything but the generation.
bool same_machine(const Topology& a, const Topology& b);

} // namespace schedd::host
