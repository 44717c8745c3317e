// Families on sd-bus, below sdbus-c++: a fallback table with a finder, and an enumerator for who lists them.
#include "dbus/family.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <unordered_map>

#include <systemd/sd-bus.h>

#include "dbus/paths.h"

namespace schedd::dbus {

struct Family::Implementation {
    sd_bus* bus;
    FamilyTable table;
    std::vector<sd_bus_vtable> rows = {};
    // by what is in the path behind the folder's
    std::unordered_map<std::string, const model::Part*> parts = {};
    sd_bus_slot* objects = nullptr;
    sd_bus_slot* names = nullptr;

    ~Implementation() {
        sd_bus_slot_unref(objects);
        sd_bus_slot_unref(names);
    }
};

namespace {

constexpr std::uint64_t kFlagBits = (std::uint64_t{1} << 56U) - 1; // as many as sd_bus_vtable has

std::uint64_t flags_of(Emits emits) {
    switch (emits) {
    case Emits::constant: return SD_BUS_VTABLE_PROPERTY_CONST;
    case Emits::change: return SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
    case Emits::invalidation: return SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION;
    case Emits::nothing: return 0;
    }
    return 0;
}

} // namespace

Family::Family(Connection& connection, FamilyTable table)
    : implementation_(new Implementation{.bus = connection.raw(), .table = std::move(table)}) {
    auto& self = *implementation_;
    const auto find = [](sd_bus*, const char* path, const char*, void* data, void** found,
                         sd_bus_error*) -> int {
        const auto& family = *static_cast<Implementation*>(data);
        const std::string_view whole(path);
        if (whole.size() <= family.table.below.size() + 1) return 0;
        const auto at = family.parts.find(std::string(whole.substr(family.table.below.size() + 1)));
        if (at == family.parts.end()) return 0;
        *found = data; // the getter looks for itself
        return 1;
    };
    const auto get = [](sd_bus*, const char* path, const char*, const char* property, sd_bus_message* reply,
                        void* data, sd_bus_error* error) -> int {
        const auto& family = *static_cast<Implementation*>(data);
        const auto at = family.parts.find(path + family.table.below.size() + 1);
        if (at == family.parts.end()) return -ENOENT;
        for (const auto& one : family.table.properties)
            if (one.name == property) try {
                    Writer writer(reply);
                    one.get(*at->second, writer);
                    return 1;
                } catch (const std::exception& e) {
                    return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, e.what());
                }
        return -ENOENT;
    };
    const auto list = [](sd_bus*, const char*, void* data, char*** names, sd_bus_error*) -> int {
        const auto& family = *static_cast<Implementation*>(data);
        auto** all = static_cast<char**>(std::calloc(family.parts.size() + 1, sizeof(char*)));
        if (!all) return -ENOMEM;
        std::size_t count = 0;
        for (const auto& [name, part] : family.parts)
            all[count++] = strdup((family.table.below + '/' + name).c_str());
        *names = all;
        return 0;
    };
    self.rows.push_back(SD_BUS_VTABLE_START(0));
    for (const auto& property : self.table.properties)
        self.rows.push_back(SD_BUS_PROPERTY(property.name.c_str(), property.signature.data(), get, 0,
                                            flags_of(property.emits) & kFlagBits));
    self.rows.push_back(SD_BUS_VTABLE_END);
    if (sd_bus_add_fallback_vtable(self.bus, &self.objects, self.table.below.c_str(),
                                   self.table.interface.c_str(), self.rows.data(), find, &self) < 0 ||
        sd_bus_add_node_enumerator(self.bus, &self.names, self.table.below.c_str(), list, &self) < 0)
        throw std::runtime_error("the bus takes no table for " + self.table.below);
}

Family::~Family() = default;

// A member is told from the others by the end of its path; the part forgets its own before its object goes.
class Family::Member final : public OnBus {
public:
    Member(Implementation& family, const model::Part& part)
        : family_(family), path_(object_path(part.path())) {
        family_.parts[name()] = &part;
    }
    ~Member() override { family_.parts.erase(name()); }

    // What the bus cannot take (its queue is full, it is gone) is dropped.
    void announce() override { sd_bus_emit_object_added(family_.bus, path_.c_str()); }
    void retract() override { sd_bus_emit_object_removed(family_.bus, path_.c_str()); }
    void emit_changed(const std::vector<std::string>& properties) override {
        std::vector<char*> names;
        for (const auto& name : properties) names.push_back(const_cast<char*>(name.c_str()));
        names.push_back(nullptr);
        sd_bus_emit_properties_changed_strv(family_.bus, path_.c_str(), family_.table.interface.c_str(),
                                            names.data());
    }

private:
    [[nodiscard]] std::string name() const { return path_.substr(family_.table.below.size() + 1); }
    Implementation& family_;
    std::string path_;
};

std::unique_ptr<OnBus> Family::add(const model::Part& part) {
    return std::make_unique<Member>(*implementation_, part);
}

} // namespace schedd::dbus
