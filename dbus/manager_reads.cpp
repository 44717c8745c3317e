// The methods that only look.
#include <array>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "dbus/describe.h"
#include "dbus/flow_values.h"
#include "dbus/manager_verbs.h"
#include "dbus/owned_fd.h"
#include "dbus/paths.h"

namespace schedd::dbus::verbs {

namespace {

using namespace schedd::model;

/// A sealed file in memory, at its start; -1 if the system has none to give.
int sealed_file(const std::string& text) {
    const int fd = ::memfd_create("schedd-dump", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    std::size_t done = 0;
    while (done < text.size()) {
        const auto written = ::write(fd, text.data() + done, text.size() - done);
        if (written <= 0) break;
        done += static_cast<std::size_t>(written);
    }
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (done == text.size() && ::lseek(fd, 0, SEEK_SET) == 0 && ::fcntl(fd, F_ADD_SEALS, kSeals) == 0)
        return fd;
    ::close(fd);
    return -1;
}

/// A place as people write it; an object path becomes a tree path.
Result<std::string> reading_text(Reader& in) {
    auto text = in.text();
    if (!text.starts_with(kRootPath)) return text;
    const auto path = tree_path(text);
    if (!path) return std::unexpected(path.error());
    return path->text();
}

} // namespace

namespace {

/// A place at another node, or at this one under its name, which then is `local`.
struct FarValue {
    NodeFacts node;
    NodeValue value;
    std::optional<std::string> local = {};
};
Result<FarValue> far_value(const Backend& backend, const RemotePlace& place) {
    const auto nodes = backend.nodes();
    const auto node = find_node(nodes, place.node, backend.network().off);
    if (!node) return std::unexpected(node.error());
    if ((*node)->is_self) return FarValue{**node, {}, std::string(place.path)};
    const auto value = published_by(**node, place.path);
    if (!value) return std::unexpected(value.error());
    return FarValue{**node, *value};
}

} // namespace

Status read(Backend& backend, Reader& in, Writer& out) {
    auto text = reading_text(in);
    if (!text) return std::unexpected(text.error());
    if (const auto far = remote_place(*text)) {
        auto found = far_value(backend, *far);
        if (!found) return std::unexpected(found.error());
        if (!found->local) {
            out.text(fmt::to_string(found->value.value));
            return {};
        }
        *text = std::move(*found->local);
    }
    const auto& tree = backend.tree();
    const auto place = tree.locate(*text);
    if (!place) return std::unexpected(place.error());
    const auto value = tree.read(*place);
    if (value) {
        out.text(*value);
        return {};
    }
    auto error = value.error();
    const bool is_flow = output_of(*place->part) || input_of(*place->part);
    const bool names_value =
        place->attribute.empty() || place->attribute == "value" || place->attribute == "collected_value";
    if (error.kind == Errc::no_such_object && is_flow && names_value) {
        error.kind = Errc::no_value;
        error.detail = why_none(*place->part);
    }
    return std::unexpected(std::move(error));
}

Status describe(Backend& backend, Reader& in, Writer& out) {
    auto text = reading_text(in);
    if (!text) return std::unexpected(text.error());
    if (const auto far = remote_place(*text)) {
        auto found = far_value(backend, *far);
        if (!found) return std::unexpected(found.error());
        if (!found->local) {
            out.text(describe_remote(found->node, found->value));
            return {};
        }
        *text = std::move(*found->local);
    }
    const auto place = backend.tree().locate(*text);
    if (!place) return std::unexpected(place.error());
    if (!place->attribute.empty() || !place->parameter.empty())
        return fail(Errc::invalid_value, fmt::format("'{}' is a value, not a part", text->substr(0, 64)),
                    "Read answers values");
    out.text(describe_part(backend.tree(), *place->part));
    return {};
}

Status export_all(Backend& backend, Reader& in, Writer& out) {
    const auto options = in.options({"format"});
    if (!options) return std::unexpected(options.error());
    const auto format = options->text("format", "toml");
    if (!format) return std::unexpected(format.error());
    if (*format == "toml") {
        out.text(backend.export_config());
        return {};
    }
    if (*format != "verbs")
        return fail(Errc::invalid_value, fmt::format("there is no format '{}'", format->substr(0, 64)),
                    "use toml or verbs");
    std::string text;
    for (const auto& verb : backend.export_verbs()) text += text_of(verb) + '\n';
    out.text(text);
    return {};
}

Status status(Backend& backend, Reader&, Writer& out) {
    out.text(describe_facts(backend.facts(), backend.tree().size()));
    return {};
}

Status types(Backend& backend, Reader&, Writer& out) {
    out.text(describe_types(backend.tree().registry()));
    return {};
}

Status explain(Backend& backend, Reader& in, Writer& out) {
    const auto explanations = backend.explain(in.text());
    if (!explanations) return std::unexpected(explanations.error());
    out.text(describe_explanations(*explanations));
    return {};
}

Status verify(Backend& backend, Reader&, Writer& out) {
    const auto findings = backend.verify();
    if (!findings) return std::unexpected(findings.error());
    out.text(describe_findings(*findings, backend.facts().actuator == "dry-run"));
    return {};
}

Status topology(Backend& backend, Reader&, Writer& out) {
    out.text(describe_machine(backend.machine()));
    return {};
}

Status list_nodes(Backend& backend, Reader&, Writer& out) {
    out.text(describe_nodes(backend.network(), backend.nodes()));
    return {};
}

Status place_task(Backend& backend, Reader& in, Writer& out) {
    // of a command line, what is enough to know it by
    TaskQuestion question{.command = in.text().substr(0, limits::kMemberLength),
                          .scheduler = {},
                          .node = {},
                          .pid = in.caller().pid,
                          .refused = {}};
    const auto options = in.options({"scheduler", "refused", "node"});
    if (!options) return std::unexpected(options.error());
    const auto scheduler = options->text("scheduler", "");
    if (!scheduler) return std::unexpected(scheduler.error());
    const auto node = options->text("node", "");
    if (!node) return std::unexpected(node.error());
    const auto refused = options->text("refused", "");
    if (!refused) return std::unexpected(refused.error());
    auto numbers = node_numbers(*refused);
    if (!numbers) return std::unexpected(numbers.error());
    question.scheduler = *scheduler;
    question.node = *node;
    question.refused = std::move(*numbers);
    const auto place = backend.place_task(question);
    if (!place) return std::unexpected(place.error());
    out.text(describe_place(*place));
    return {};
}

Status doctor(Backend& backend, Reader&, Writer& out) {
    out.text(describe_checks(backend.examine()));
    return {};
}

Status dump(Backend& backend, Reader&, Writer& out) {
    const OwnedFd file(sealed_file(describe_all(backend.tree(), backend.facts(), backend.explain_all())));
    if (file.number < 0) return fail(Errc::io, "the dump cannot be written", "no file in memory to be had");
    out.descriptor(file.number);
    return {};
}

} // namespace schedd::dbus::verbs
