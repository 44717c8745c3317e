// A reader for the small part of XML that introspection data use.
#include "tests/bus/introspection.h"

#include <regex>

namespace schedd::test {

namespace {

std::string without_comments(std::string xml) {
    for (auto start = xml.find("<!--"); start != std::string::npos; start = xml.find("<!--", start)) {
        const auto end = xml.find("-->", start);
        xml.erase(start, end == std::string::npos ? std::string::npos : end + 3 - start);
    }
    return xml;
}

std::map<std::string, std::string> attributes_of(const std::string& tag) {
    static const std::regex kAttribute("([A-Za-z]+)=\"([^\"]*)\"");
    std::map<std::string, std::string> out;
    for (std::sregex_iterator at(tag.begin(), tag.end(), kAttribute), end; at != end; ++at)
        out[(*at)[1]] = (*at)[2];
    return out;
}

/// The member being read: a line in the making.
struct Member {
    std::string sort;
    std::string name;
    std::string arguments;
    std::string type;
    std::string access;
    std::string emits = "true";
    MethodLine method;
};

void finish(InterfaceXml& interface, Member& member) {
    if (member.sort == "property")
        interface.lines.insert("property " + member.name + " " + member.type + " " + member.access + " " +
                               member.emits);
    else if (!member.sort.empty())
        interface.lines.insert(member.sort + " " + member.name + "(" + member.arguments + ")");
    if (member.sort == "method") interface.methods.push_back(member.method);
    member = Member();
}

void add_argument(Member& member, std::map<std::string, std::string> attributes) {
    const auto direction = attributes.contains("direction") ? attributes["direction"]
                           : member.sort == "method"        ? "in"
                                                            : "out";
    member.arguments += (member.arguments.empty() ? "" : ", ") + direction + " " + attributes["type"] + " " +
                        attributes["name"];
    if (direction != "in") return;
    member.method.in.push_back(attributes["type"]);
    member.method.in_names.push_back(attributes["name"]);
}

} // namespace

std::map<std::string, InterfaceXml> parse_interfaces(const std::string& xml) {
    static const std::regex kTag("<(/?)([a-z]+)([^>]*?)(/?)>");
    const auto text = without_comments(xml);
    std::map<std::string, InterfaceXml> interfaces;
    InterfaceXml* interface = nullptr;
    Member member;
    for (std::sregex_iterator at(text.begin(), text.end(), kTag), end; at != end; ++at) {
        const std::string word = (*at)[2];
        const bool closes = (*at)[1] == "/";
        const bool is_empty = (*at)[4] == "/";
        auto attributes = attributes_of((*at)[3]);
        const bool is_member = word == "method" || word == "property" || word == "signal";
        if (word == "interface" && !closes) interface = &interfaces[attributes["name"]];
        if (!interface) continue;
        if (is_member && !closes) {
            member.sort = word;
            member.name = attributes["name"];
            member.type = attributes["type"];
            member.access = attributes["access"];
            member.method.name = member.name;
        }
        if (word == "arg") add_argument(member, attributes);
        if (word == "annotation" && attributes["name"] == "org.freedesktop.DBus.Property.EmitsChangedSignal")
            member.emits = attributes["value"];
        if (is_member && (closes || is_empty)) finish(*interface, member);
    }
    return interfaces;
}

} // namespace schedd::test
