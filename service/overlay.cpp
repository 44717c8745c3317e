// Laying settings over the tree, and taking them off.
#include "service/overlay.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/log.h"

namespace schedd::service {

namespace {

bool is_below(const Path& path, const Path& top) {
    const auto& names = path.names();
    const auto& above = top.names();
    return names.size() >= above.size() && std::equal(above.begin(), above.end(), names.begin());
}

/// "epp=power max_mhz=1800": which words, whatever CPUs they are about; the preferences first.
std::string words_of(const std::vector<FrequencyHint>& hints) {
    std::set<std::pair<int, std::string>> words;
    for (const auto& hint : hints) {
        if (!hint.preference.empty()) words.emplace(0, "epp=" + hint.preference);
        if (hint.least_khz) words.emplace(1, fmt::format("min_mhz={}", *hint.least_khz / 1000));
        if (hint.most_khz) words.emplace(2, fmt::format("max_mhz={}", *hint.most_khz / 1000));
    }
    std::string text;
    for (const auto& [rank, word] : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

Verb write_of(const Path& part, const std::string& attribute, const AttributeValue& value) {
    return {.what = Verb::Do::write, .path = part, .word = attribute, .value = value};
}

} // namespace

Overlay::Overlay(Tree& tree, Apply apply) : tree_(tree), apply_(std::move(apply)) {
    tree_.add_listener(*this);
}

Overlay::~Overlay() { tree_.remove_listener(*this); }

void Overlay::part_removed(const Path& path, Part& /*part*/) {
    std::erase_if(laid_, [&](const auto& laid) { return is_below(laid.first.first, path); });
    std::erase_if(theirs_, [&](const Key& key) { return is_below(key.first, path); });
}

void Overlay::part_changed(Part& part, std::string_view attribute) {
    if (is_own_ || laid_.empty()) return;
    const auto at = laid_.find({part.path(), std::string(attribute)});
    if (at == laid_.end() || *part.read_attribute(attribute) == at->second.value) return;
    theirs_.insert(at->first);
    laid_.erase(at);
}

void Overlay::complain(Policy& by, const std::string& what) {
    auto& all = complaints_[&by];
    if (all.size() < limits::kTextValue / 2) all += (all.empty() ? "" : "; ") + what;
}

/// One whose table asks for nothing that does not hold is not told.
void Overlay::complain_of_hints() {
    for (auto* policy : hinting_) {
        const auto asked = words_of(policy->settings()->hints);
        const auto& [trouble, preference_trouble] = hint_trouble_;
        for (const auto* why : {&trouble, &preference_trouble})
            if (!why->empty() && (why == &trouble || asked.starts_with("epp=")))
                complain(*policy, fmt::format("the table of {} asks for {}, but {}", policy->parent()->name(),
                                              asked, *why));
    }
}

void Overlay::hints_told(const std::string& trouble, const std::string& preference_trouble) {
    std::pair told(trouble, preference_trouble);
    if (hint_trouble_ == told) return;
    hint_trouble_ = std::move(told);
    if (!is_lifted_) follow();
}

void Overlay::want_there(Policy& by, const Path& path, const Setting& setting) {
    const auto part = tree_.find(path);
    const auto* spec = part ? (*part)->attribute_spec(setting.attribute) : nullptr;
    const auto value = spec ? parse_attribute(*spec, setting.value)
                            : Result<AttributeValue>(fail(Errc::no_such_object, "it is not there", {}));
    const auto name = fmt::format("{}.{}", path.text(), setting.attribute);
    if (!value) {
        complain(by, fmt::format("{} is not set: {}", name, value.error().what));
        return;
    }
    const Key key{path, setting.attribute};
    if (theirs_.contains(key)) {
        complain(by, fmt::format("{} was written by somebody else, and stays", name));
        wanted_.emplace(key, Wanted{(*part)->read_attribute(setting.attribute).value(), nullptr});
        return;
    }
    const auto [at, is_new] = wanted_.emplace(key, Wanted{*value, &by});
    if (!is_new && at->second.value != *value)
        complain(by, fmt::format("{} is set to {} by another scheduler", name, text_of(at->second.value)));
}

void Overlay::want(Policy& by, const Setting& setting) {
    const auto& names = setting.part.names();
    if (names.size() != 3 || names[1] != "*") return want_there(by, setting.part, setting);
    for (const auto& scheduler : tree_.schedulers().children()) {
        const auto* policy = static_cast<const Scheduler&>(*scheduler).policy();
        const bool is_meant = policy && policy != &by &&
                              (policy->type()->name == names[2] || policy->type()->alias == names[2]);
        if (is_meant) want_there(by, policy->path(), setting);
    }
}

void Overlay::gather() {
    std::vector<const Scheduler*> schedulers;
    for (const auto& part : tree_.schedulers().children()) {
        const auto& scheduler = static_cast<const Scheduler&>(*part);
        const bool speaks =
            scheduler.policy() && scheduler.ejected().empty() && scheduler.runs_here() == Here::yes;
        const auto* settings = speaks ? scheduler.policy()->settings() : nullptr;
        if (settings && *settings != Settings{}) schedulers.push_back(&scheduler);
    }
    std::ranges::stable_sort(schedulers, [](const Scheduler* a, const Scheduler* b) {
        return a->precedence() != b->precedence() ? a->precedence() > b->precedence() : a->name() < b->name();
    });
    wanted_.clear();
    const auto hints_before = std::exchange(hints_, {});
    hinting_.clear();
    complaints_.clear();
    CpuSet hinted;
    for (const auto* scheduler : schedulers) {
        auto& policy = *scheduler->policy();
        for (const auto& setting : policy.settings()->settings) want(policy, setting);
        if (!policy.settings()->hints.empty()) hinting_.push_back(&policy);
        for (auto hint : policy.settings()->hints) {
            hint.cpus = hint.cpus - hinted;
            hinted |= hint.cpus;
            if (!hint.cpus.empty()) hints_.push_back(std::move(hint));
        }
    }
    if (hints_ != hints_before) hint_trouble_ = {};
    complain_of_hints();
    std::erase_if(theirs_, [&](const Key& key) { return !wanted_.contains(key); });
    std::erase_if(wanted_, [](const auto& wanted) { return wanted.second.by == nullptr; });
}

Status Overlay::write(const Recipe& recipe) {
    if (recipe.empty()) return {};
    is_own_ = true;
    auto done = apply_(recipe);
    is_own_ = false;
    return done;
}

/// What goes first, then what comes: one transaction.
Status Overlay::change() {
    Recipe recipe;
    auto next = laid_;
    for (const auto& [key, laid] : laid_) {
        const auto at = wanted_.find(key);
        if (at != wanted_.end()) continue;
        recipe.push_back(write_of(key.first, key.second, laid.before));
        next.erase(key);
    }
    for (const auto& [key, wanted] : wanted_) {
        const auto at = next.find(key);
        if (at != next.end() && at->second.value == wanted.value) continue;
        const auto before = tree_.find(key.first).value()->read_attribute(key.second).value();
        if (at == next.end()) next.emplace(key, Laid{before, wanted.value});
        else at->second.value = wanted.value;
        if (before != wanted.value) recipe.push_back(write_of(key.first, key.second, wanted.value));
    }
    auto done = write(recipe);
    if (done) laid_ = std::move(next);
    return done;
}

void Overlay::follow() {
    if (is_lifted_) return;
    gather();
    std::map<Key, AttributeValue> values;
    for (const auto& [key, wanted] : wanted_) values.emplace(key, wanted.value);
    const bool was_refused = !refused_.empty() && refused_ == values;
    if (auto done = was_refused ? Status() : change(); !done) {
        refused_ = std::move(values);
        trouble_ = done.error().text();
        tree_.environment().log.write(Severity::warning, "settings", "all stay as they were: " + trouble_);
    } else if (!was_refused) {
        refused_.clear();
        trouble_.clear();
    }
    if (!refused_.empty())
        for (const auto& [key, wanted] : wanted_)
            if (!complaints_.contains(wanted.by)) complain(*wanted.by, "no setting holds: " + trouble_);
    tell();
}

void Overlay::tell() {
    std::map<Path, std::string> troubled;
    for (const auto& [policy, what] : complaints_) {
        troubled.emplace(policy->path(), what);
        policy->settings_told(what);
    }
    for (const auto& [path, what] : told_)
        if (!troubled.contains(path))
            if (const auto part = tree_.find(path); part && (*part)->kind() == Kind::policy)
                static_cast<Policy&>(**part).settings_told({});
    told_ = std::move(troubled);
}

void Overlay::lift() {
    if (is_lifted_) return;
    Recipe recipe;
    for (const auto& [key, laid] : laid_) recipe.push_back(write_of(key.first, key.second, laid.before));
    if (auto done = write(recipe); !done) {
        tree_.environment().log.write(Severity::error, "settings",
                                      "cannot be taken off: " + done.error().text());
        return;
    }
    laid_.clear();
    is_lifted_ = true;
}

void Overlay::lay() {
    is_lifted_ = false;
    follow();
}

Recipe Overlay::kept_out(const Recipe& recipe) {
    Recipe rest;
    for (const auto& verb : recipe) {
        const auto at = verb.what == Verb::Do::write ? laid_.find({verb.path, verb.word}) : laid_.end();
        if (at == laid_.end()) {
            rest.push_back(verb);
            continue;
        }
        const auto part = tree_.find(verb.path);
        const auto* spec = part ? (*part)->attribute_spec(verb.word) : nullptr;
        const auto value = spec ? check_attribute(*spec, verb.value) : Result<AttributeValue>(verb.value);
        if (value) at->second.before = *value;
        else rest.push_back(verb); // refused where that is told
    }
    return rest;
}

} // namespace schedd::service
