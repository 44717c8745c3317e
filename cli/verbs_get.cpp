// The verb get: values and attributes of places, once or whenever they change.
#include <ctime>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"

namespace schedd::cli {

namespace {

struct Reading {
    std::string text; // for people; may be several lines
    Json json;
};

/// A source or sink as a whole: its value, or all its values by parameter.
Answer<Reading> flow_reading(const Json& part, const std::string& place) {
    const Json& flow = field(part, "flow");
    if (!text_at(flow, "parameter").empty()) {
        const Json& values = field(flow, "values");
        std::vector<std::vector<std::string>> rows{{shown(text_at(flow, "parameter")), "value"}};
        for (const auto& [parameter, value] : values.items())
            rows.push_back({shown(parameter), shown(scalar(value))});
        auto text = table(rows, {Align::left, Align::right}, {});
        const auto count = number_at(flow, "count");
        if (count > static_cast<std::int64_t>(values.size()))
            text += fmt::format("and {} more; name one: get '{}[{}]'\n",
                                count - static_cast<std::int64_t>(values.size()), shown(place),
                                shown(text_at(flow, "parameter")));
        return Reading{text, values};
    }
    const Json& value =
        text_at(part, "kind") == "port" ? field(flow, "collected_value") : field(flow, "value");
    if (!value.is_null()) return Reading{shown(scalar(value)) + "\n", value};
    const auto why = text_at(flow, "why_none");
    return give_up(Exit::error,
                   fmt::format("{} has no value{}{}", shown(place), why.empty() ? "" : ": ", shown(why)));
}

/// What another node has published: its value, and with --json its age and whose it is.
Answer<Reading> published_reading(const Json& published) {
    return Reading{shown(scalar(field(published, "value"))) + "\n",
                   {{"value", field(published, "value")},
                    {"age_ms", field(published, "age_ms")},
                    {"node", field(published, "node")}}};
}

Answer<Reading> part_reading(const Json& part, const std::string& place) {
    if (text_at(part, "kind") == "published") return published_reading(part);
    if (field(part, "flow").is_object()) return flow_reading(part, place);
    if (auto text = print_attributes(part, {}); !text.empty()) {
        Json values = Json::object();
        for (const auto& [name, attribute] : field(part, "attributes").items())
            values[name] = field(attribute, "value");
        return Reading{std::move(text), std::move(values)};
    }
    Reading reading{{}, Json::array()};
    for (const auto& child : field(part, "children")) {
        reading.text += shown(text_at(child, "name")) + "\n";
        reading.json.push_back(text_at(child, "name"));
    }
    return reading;
}

/// The daemon answers with text; what is a number or a flag in full becomes one.
Json typed(const std::string& text) {
    const auto json = Json::parse(text, nullptr, false);
    return json.is_number() || json.is_boolean() ? json : Json(text);
}

/// "web2:probes/cpu/node_load"; of this node itself that may be an attribute, too.
Answer<Reading> read_far(Bus& bus, const std::string& place) {
    const auto described = bus.call("Describe", {place});
    if (described) {
        const auto part = parse_json(*described, "Describe");
        if (!part) return std::unexpected(part.error());
        return part_reading(*part, place);
    }
    if (described.error().exit != Exit::error) return std::unexpected(described.error());
    const auto read = bus.call("Read", {place});
    if (!read) return std::unexpected(read.error());
    return Reading{shown(*read) + "\n", typed(*read)};
}

Answer<Reading> read_place(Bus& bus, const std::string& place) {
    if (const auto mark = place.find_first_of(":/"); mark != std::string::npos && place[mark] == ':')
        return read_far(bus, place);
    const auto leaf = place.substr(place.find_last_of('/') + 1);
    const bool maybe_part = !place.ends_with(']');
    // A part is described; anything with a dot is read first, since only members may have dots in their
    // names.
    const bool read_first = !maybe_part || leaf.find('.') != std::string::npos;
    Answer<std::string> read = std::string();
    if (read_first) {
        read = bus.call("Read", {place});
        if (read) return Reading{shown(*read) + "\n", typed(*read)};
        if (!maybe_part || read.error().exit != Exit::error) return std::unexpected(read.error());
    }
    const auto described = bus.call("Describe", {place});
    if (!described) return std::unexpected(read_first ? read.error() : described.error());
    const auto part = parse_json(*described, "Describe");
    if (!part) return std::unexpected(part.error());
    return part_reading(*part, place);
}

/// One place alone is just its value; several are named.
std::string for_people(const std::string& place, const Reading& reading, bool several) {
    if (!several) return reading.text;
    const bool is_short = reading.text.find('\n') + 1 == reading.text.size();
    return is_short ? fmt::format("{} = {}", shown(place), reading.text)
                    : fmt::format("{}:\n{}", shown(place), reading.text);
}

Answer<Exit> get_once(const Session& session, Bus& bus) {
    const auto& options = session.options;
    Json all = Json::object();
    std::string text;
    std::optional<Failure> failure;
    for (const auto& place : options.words) {
        const auto reading = read_place(bus, place);
        if (!reading) {
            // What can be read is worth having; the last failure is the one that is returned.
            if (reading.error().exit != Exit::error) return std::unexpected(reading.error());
            if (failure) complain(failure->text);
            failure = reading.error();
            all[place] = nullptr;
            continue;
        }
        all[place] = reading->json;
        text += for_people(place, *reading, options.words.size() > 1);
    }
    const auto written = print(options.json == JsonForm::off ? text : dump_json(all, options.json));
    if (!written) return std::unexpected(written.error());
    if (failure) return std::unexpected(*failure);
    return Exit::ok;
}

/// Looks at each place every interval; values come and go, so only the daemon's own end ends this.
Answer<Exit> get_watching(const Session& session, Bus& bus) {
    const auto& options = session.options;
    std::vector<std::string> last(options.words.size());
    for (bool is_first = true;; is_first = false) {
        for (std::size_t i = 0; i < options.words.size(); ++i) {
            const auto& place = options.words[i];
            auto reading = read_place(bus, place);
            if (!reading && (is_first || reading.error().exit != Exit::error))
                return std::unexpected(reading.error());
            if (!reading) reading = Reading{reading.error().text + "\n", nullptr};
            if (!is_first && reading->text == last[i]) continue;
            last[i] = reading->text;
            const auto line =
                options.json == JsonForm::off
                    ? clock_text() + "  " + for_people(place, *reading, options.words.size() > 1)
                    : dump_json({{"time", clock_text()}, {"place", place}, {"value", reading->json}},
                                options.json);
            if (const auto written = print(line); !written) return std::unexpected(written.error());
        }
        const auto pause_ms = static_cast<long>(options.interval_ms);
        const timespec pause{.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1'000'000};
        ::nanosleep(&pause, nullptr);
    }
}

} // namespace

Answer<Exit> run_get(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    return session.options.watch ? get_watching(session, *bus) : get_once(session, *bus);
}

} // namespace schedd::cli
