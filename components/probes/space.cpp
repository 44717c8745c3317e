// space_probe - how much room there is in the file system of one directory.
//   directory /var/tmp on a file system of 100 GiB with 20 GiB left -> free_space 20971520, total_space
//   104857600
// What is left for root alone does not count. A host that cannot tell (a recorded tree) has no value. Usage:
// create probes/space_probe; write probes/space_probe.directory /scratch; link space_probe/free_space
// .../free_space
#include "components/kit/file_space.h"
#include "components/kit/host.h"
#include "components/model/machine_types.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

enum Attribute : std::size_t { kPeriod, kDirectory };
constexpr AttributeSpec kAttributes[] = {
    probe_period("5000"),
    {.name = "directory",
     .kind = AttributeKind::text,
     .initial = "/",
     .doc = "The directory, from the root; the same on all nodes."},
    publish("free_space"),
};

enum SourceIndex : std::size_t { kFree, kTotal };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "free_space", .type = types::kSpace, .doc = "Room for whoever is not root."},
    {.name = "total_space", .type = types::kSpace, .doc = "Size of the file system."},
};

class SpaceProbe final : public Probe {
public:
    SpaceProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), meter_(dynamic_cast<FileSpace*>(&environment.host)) {
        for (const auto& spec : kSourceSpecs) adopt(std::make_unique<PlainSource>(spec));
    }

    void measure(Time now) override {
        const auto space = meter_ ? meter_->space_of(text_at(kDirectory).substr(1))
                                  : fail(Errc::not_supported, "there are no file systems here", "");
        put(kFree, space ? std::optional(space->free_kib) : std::nullopt, now);
        put(kTotal, space ? std::optional(space->total_kib) : std::nullopt, now);
        note_trouble(space ? std::string() : space.error().text());
    }

protected:
    Status accepts(std::size_t index, const AttributeValue& value) const override {
        if (index != kDirectory) return Probe::accepts(index, value);
        const auto& path = std::get<std::string>(value);
        if (!path.starts_with('/') || path.find('\0') != std::string::npos)
            return fail(Errc::invalid_value, "directory is not '" + path + "'",
                        "a path from the root, such as /var/tmp");
        return {};
    }
    void changed(std::size_t index) override {
        Probe::changed(index == kDirectory ? std::size_t{kPeriod} : index); // measured anew at once
    }

private:
    void put(std::size_t index, std::optional<std::int64_t> value, Time now) const {
        auto& source = static_cast<PlainSource&>(*children()[index]);
        if (!value) return source.clear();
        const auto before = source.read({});
        const Sample sample{.value = *value, .time = now, .fresh_for = fresh_for()};
        if (before && before->value == sample.value) source.refresh(sample);
        else source.set(sample);
    }

    FileSpace* meter_;
};

} // namespace

const Descriptor kSpaceProbe{
    .name = "space_probe",
    .kind = Kind::probe,
    .doc = "How much room there is in the file system of one directory.",
    .make = make_part<SpaceProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "space",
};

} // namespace schedd::probes
