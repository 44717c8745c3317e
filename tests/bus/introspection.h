// Introspection: interface XML as comparable lines.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace schedd::test {

struct MethodLine {
    std::string name;
    std::vector<std::string> in; // signatures
    std::vector<std::string> in_names;
};

struct InterfaceXml {
    /// "method Create(in s path, in s type, in a{sv} options, out o object)", "property Path s read const",
    /// "signal ...".
    std::set<std::string> lines;
    std::vector<MethodLine> methods;
};

/// The interfaces in introspection XML, by name; comments and layout do not count. A property without
/// annotation emits "true", as the specification says.
std::map<std::string, InterfaceXml> parse_interfaces(const std::string& xml);

} // namespace schedd::test
