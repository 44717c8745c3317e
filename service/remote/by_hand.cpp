// What people ask of the mover: to move this, to send all guests away, to bring all back, to save and revive.
#include <algorithm>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/proc_text.h"
#include "service/remote/remote_mover.h"

namespace schedd::remote {

namespace {

constexpr std::size_t kWaiting = 256;

bool is_called(const Site& site, const std::string& node) {
    return site.name == node || (site.number >= 0 && fmt::to_string(site.number) == node);
}

} // namespace

Result<std::uint64_t> RemoteMover::ask_for(const std::string& what, const std::string& node,
                                           const std::string& reason, bool is_dry_run) {
    const auto unit = unit_named(what);
    if (!unit) return std::unexpected(unit.error());
    const auto sites = hooks_.sites();
    if (sites.empty())
        return fail(Errc::not_supported, "there is no other node", "membership is off: see schedd-cli nodes");
    const auto site = std::ranges::find_if(sites, [&](const Site& one) { return is_called(one, node); });
    if (site == sites.end())
        return fail(Errc::no_such_object, fmt::format("node '{}'", node.substr(0, 64)),
                    "schedd-cli nodes lists those there are");
    if (auto fit = check(*unit, &*site); !fit) return std::unexpected(fit.error());
    if (std::ranges::find(waiting_, *unit, &Wanted::unit) != waiting_.end())
        return fail(Errc::busy, *unit, "it waits for a move already");
    if (waiting_.size() >= kWaiting)
        return fail(Errc::limit_exceeded, "too many moves wait", fmt::format("limit moves = {}", kWaiting));
    if (is_dry_run) return 0;
    waiting_.push_back({++last_id_, *unit, site->name, reason, clock_.now()});
    return last_id_;
}

std::map<std::string, std::string> RemoteMover::guests() {
    std::map<std::string, std::string> all;
    const auto folder = steps_.settings().directory.substr(1) + "/guests";
    const auto here = own_name();
    (void)host_.list(folder, [&](std::string_view name) {
        if (name.starts_with('.')) return;
        std::string buffer(4096, '\0');
        const auto text = host_.read(fmt::format("{}/{}", folder, name), buffer);
        std::string_view rest = text ? *text : std::string_view();
        while (!rest.empty()) {
            const auto line = take_line(rest);
            if (!line.starts_with("home=") || line.substr(5) == here) continue;
            if (look_at(host_, std::string(name)).init != 0)
                all.emplace(std::string(name), std::string(line.substr(5)));
        }
    });
    return all;
}

Result<std::size_t> RemoteMover::expel(bool is_dry_run) {
    if (!unavailable_.empty()) return fail(Errc::not_supported, unavailable_);
    const auto sites = hooks_.sites();
    std::size_t count = 0;
    std::size_t turn = 0;
    std::string stuck;
    for (const auto& [unit, home] : guests()) {
        std::vector<const Site*> fit;
        for (const auto& site : sites) {
            if (site.is_self || !site.trouble.empty()) continue;
            if (site.name == home) {
                fit = {&site};
                break;
            }
            fit.push_back(&site);
        }
        if (fit.empty())
            return fail(Errc::no_such_object, "there is nowhere to go", "no other node takes work");
        // without its home, spread: one after the other gets one
        if (auto asked = ask_for(unit, fit[turn++ % fit.size()]->name, "expelled", is_dry_run); asked)
            ++count;
        else stuck = asked.error().text();
    }
    if (count == 0 && !stuck.empty()) return fail(Errc::not_applied, "no guest can be sent away", stuck);
    return count;
}

Result<std::size_t> RemoteMover::bring(bool is_dry_run) {
    if (!unavailable_.empty()) return fail(Errc::not_supported, unavailable_);
    std::size_t count = 0;
    const auto here = own_name();
    for (const auto& site : hooks_.sites()) {
        if (site.is_self || site.is_gone || site.address.empty()) continue;
        ++count;
        if (is_dry_run) continue;
        auto ask = [this, site, here](const JobResult& linked) {
            auto job = steps_.send_home(site, here);
            const auto complain = [this, site](const std::string& why) {
                log_.write(Severity::warning, "migration",
                           fmt::format("node {} does not send back what is this node's: {}", site.name, why));
            };
            if (!linked.is_done()) return complain(linked.said);
            if (!job) return complain(job.error().text());
            runner_.start(std::move(*job), [complain](const JobResult& result) {
                if (!result.is_done()) complain(result.said);
            });
        };
        auto job = steps_.link(site);
        if (!job) return std::unexpected(job.error());
        runner_.start(std::move(*job), std::move(ask));
    }
    return count;
}

std::uint64_t RemoteMover::begin_job(Job job, MoveFacts facts, std::string done) {
    facts.id = ++last_id_;
    jobs_.push_back(facts);
    hooks_.told(facts);
    runner_.start(std::move(job), [this, facts, done = std::move(done)](const JobResult& result) mutable {
        std::erase_if(jobs_, [&](const auto& one) { return one.id == facts.id; });
        std::string_view printed = result.printed;
        if (facts.unit.empty()) facts.unit = take_line(printed);
        facts.phase = result.is_done() ? done : "failed";
        if (!result.is_done()) facts.detail = result.said;
        hooks_.told(facts);
        is_over(std::move(facts));
    });
    return last_id_;
}

Result<std::uint64_t> RemoteMover::checkpoint(const std::string& what, const std::string& to,
                                              bool is_dry_run) {
    const auto unit = unit_named(what);
    if (!unit) return std::unexpected(unit.error());
    if (!to.starts_with('/'))
        return fail(Errc::invalid_value, fmt::format("'{}'", to), "an absolute path is wanted");
    if (!unavailable_.empty()) return fail(Errc::not_supported, unavailable_);
    const bool is_saved = std::ranges::find(jobs_, *unit, &MoveFacts::unit) != jobs_.end();
    if (under_way(*unit) || is_saved)
        return fail(Errc::busy, *unit, is_saved ? "it is being saved" : "it is being moved");
    const auto payload = look_now(*unit);
    if (!payload.why_not.empty()) return fail(Errc::not_supported, *unit, payload.why_not);
    if (is_dry_run) return 0;
    return begin_job(steps_.checkpoint(*unit, to, payload.bytes),
                     {.unit = *unit,
                      .node = to,
                      .phase = "saving",
                      .reason = "by hand",
                      .bytes = payload.bytes},
                     "saved");
}

Result<std::uint64_t> RemoteMover::revive(const std::string& from, bool is_dry_run) {
    if (!from.starts_with('/'))
        return fail(Errc::invalid_value, fmt::format("'{}'", from), "an absolute path is wanted");
    if (!unavailable_.empty()) return fail(Errc::not_supported, unavailable_);
    if (is_dry_run) return 0;
    return begin_job(steps_.revive(from), {.node = from, .phase = "reviving", .reason = "by hand"},
                     "revived");
}

} // namespace schedd::remote
