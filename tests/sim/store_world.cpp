// The simulated network of the replicas.
#include "tests/sim/store_world.h"

#include <algorithm>

namespace schedd::membership::sim {

namespace {
constexpr Duration kPeriod = 1s;
constexpr Duration kDelay = 300us;    // one way
constexpr Duration kPerFrame = 600us; // 64 KiB at 1 Gbit/s
constexpr std::uint64_t kShadow = 1'000'000;
} // namespace

struct Link {
    std::size_t from = 0;
    std::size_t to = 0;
    std::uint64_t from_life = 0;
    std::uint64_t to_life = 0;
    NodeUid asked{};
    std::unique_ptr<Sync> left;
    std::unique_ptr<Sync> right;
    bool is_over = false;
};

// ---- files ------------------------------------------------------------------------------------------------

Status Disk::append(std::span<const std::shared_ptr<const Entry>> entries, const Marks& marks) {
    if (log.empty()) log = journal_text::log_header();
    const auto record = journal_text::record(entries, marks, clocks_.wall_ms(), hash_);
    log.insert(log.end(), record.begin(), record.end());
    last_record_ = record.size();
    return {};
}

Status Disk::replace(const Store& store) {
    snapshot = journal_text::snapshot(store, hash_);
    log.clear();
    last_record_ = 0;
    return {};
}

Status Disk::set_aside(const Store& /*store*/) {
    ++aside;
    return {};
}

void Disk::wipe() {
    snapshot.clear();
    log.clear();
    last_record_ = 0;
}

void Disk::tear(Rng& rng) {
    if (last_record_ == 0) return;
    log.resize(log.size() - 1 - rng.below(last_record_ - 1));
    last_record_ = 0;
}

// ---- a node -----------------------------------------------------------------------------------------------

Node::Node(Cluster& cluster_in, std::size_t index_in)
    : cluster(cluster_in), index(index_in), uid{index_in + 1}, wall(cluster_in.clock), disk(wall, hash),
      rng(cluster_in.rng.next()) {}

void Node::spread(Bytes delta) {
    const auto copy = std::make_shared<Octets>(delta.begin(), delta.end());
    const auto number = ++deltas;
    for (const auto pause : {Duration(0ms), Duration(50ms), Duration(200ms)})
        cluster.at(cluster.clock.now() + pause + kDelay, [this, copy, number, born = life] {
            if (number == deltas) cluster.tell_delta(index, born, copy);
        });
}

void Node::connect(NodeUid peer, const Address& /*address*/) { cluster.begin(*this, peer); }

void Node::changed() {
    if (cluster.on_changed) cluster.on_changed(*this);
}

// ---- the cluster ------------------------------------------------------------------------------------------

Cluster::Cluster(std::size_t count, std::uint64_t seed, double loss_in) : rng(seed), loss(loss_in) {
    for (std::size_t i = 0; i < count; ++i) nodes.push_back(std::make_unique<Node>(*this, i));
}
Cluster::~Cluster() = default;

void Cluster::start(std::size_t index) {
    auto& node = *nodes[index];
    if (node.replica) return;
    ++node.life;
    node.store = std::make_unique<Store>(node.uid, node.wall, node.hash);
    const auto loaded = journal_text::load(node.disk.snapshot, node.disk.log, *node.store, node.hash);
    node.disk.log.resize(loaded.log_good);
    node.replica =
        std::make_unique<Replica>(*node.store, node.uid,
                                  ReplicaWorld{clock, node.wall, node.rng, node.log, node.disk, node});
    node.heard = clock.now();
    node.complete_at = kNever;
    node.tick_at = kNever;
    node.inbound = 0;
    tick(node);
    at(clock.now() + Duration(rng.below(50'000'000)),
       [this, index, life = node.life] { beat(index, life, true); });
    at(clock.now() + 4s, [this, index, life = node.life] {
        auto& one = *nodes[index];
        if (one.life == life && one.replica && clock.now() - one.heard >= 4s) one.replica->alone(clock.now());
    });
}

void Cluster::stop(std::size_t index) {
    auto& node = *nodes[index];
    if (!node.replica) return;
    for (const auto& link : links_)
        if (!link->is_over && (link->from == index || link->to == index)) end(*link, false);
    node.replica.reset();
    node.store.reset();
    notice_absence();
}

void Cluster::notice_absence() {
    at(clock.now() + 5500ms, [this] {
        for (const auto& a : nodes)
            for (const auto& b : nodes)
                if (a != b && a->replica && !hears(*b, *a)) a->replica->lost(b->uid, clock.now());
    });
}

void Cluster::split(const std::function<int(std::size_t)>& side_of) {
    for (const auto& node : nodes) node->side = side_of(node->index);
    for (const auto& link : links_)
        if (!link->is_over && nodes[link->from]->side != nodes[link->to]->side) end(*link, false);
    notice_absence();
}

void Cluster::heal() {
    for (const auto& node : nodes) node->side = 0;
}

void Cluster::tick(Node& node) {
    if (!node.replica) return;
    const auto next = node.replica->tick(clock.now());
    if (node.complete_at == kNever && node.replica->is_complete()) node.complete_at = clock.now();
    node.latest = std::max(node.latest, node.store->latest());
    if (on_tick) on_tick(node);
    if (next >= node.tick_at && node.tick_at > clock.now()) return;
    node.tick_at = std::max(next, clock.now() + 1ms);
    at(node.tick_at, [this, &node, life = node.life, when = node.tick_at] {
        if (node.life != life || node.tick_at != when) return;
        node.tick_at = kNever;
        tick(node);
    });
}

void Cluster::hear(Node& to, const Message& message) {
    to.heard = clock.now();
    to.replica->heard(message, {}, clock.now());
    tick(to);
}

void Cluster::beat(std::size_t index, std::uint64_t life, bool is_join) {
    auto& node = *nodes[index];
    if (node.life != life || !node.replica) return;
    Message message;
    message.header.sender = node.uid;
    message.header.type = is_join ? Type::join : Type::heartbeat;
    message.core.state = node.replica->is_complete() ? Announced::alive : Announced::joining;
    message.core.digest = node.replica->digest();
    message.core.latest = node.replica->latest();
    at(clock.now() + kDelay, [this, index, message] {
        for (const auto& other : nodes)
            if (other->index != index && hears(*nodes[index], *other) && !is_lost()) hear(*other, message);
    });
    const Duration jitter(rng.below(200'000'000));
    at(clock.now() + kPeriod - 100ms + jitter, [this, index, life] { beat(index, life, false); });
    if (index == 0 && shadows > 0 && is_join)
        for (std::size_t i = 0; i < shadows; ++i)
            at(clock.now() + Duration(rng.below(1'000'000'000)), [this, i] { shadow_beat(i); });
}

void Cluster::shadow_beat(std::size_t number) {
    if (!nodes[0]->replica) return;
    Message message;
    message.header.sender = NodeUid{kShadow + number};
    message.core.state = Announced::alive;
    message.core.digest = nodes[0]->replica->digest();
    message.core.latest = nodes[0]->replica->latest();
    for (const auto& other : nodes)
        if (other->replica && !is_lost()) hear(*other, message);
    at(clock.now() + kPeriod - 100ms + Duration(rng.below(200'000'000)),
       [this, number] { shadow_beat(number); });
}

void Cluster::tell_delta(std::size_t from, std::uint64_t life, const std::shared_ptr<Octets>& delta) {
    if (nodes[from]->life != life || !nodes[from]->replica) return;
    Message message;
    message.header.sender = nodes[from]->uid;
    message.header.type = Type::conf_delta;
    message.delta = *delta;
    for (const auto& other : nodes)
        if (other->index != from && hears(*nodes[from], *other) && !is_lost()) {
            other->replica->delta(message, clock.now());
            tick(*other);
        }
}

void Cluster::begin(Node& from, NodeUid to) {
    ++connections;
    const auto uid = static_cast<std::uint64_t>(to);
    auto link = std::make_shared<Link>();
    link->from = from.index;
    link->to = uid >= kShadow ? 0 : uid - 1;
    link->asked = to;
    link->from_life = from.life;
    links_.push_back(link);
    at(clock.now() + 3 * kDelay, [this, link] {
        if (link->is_over) return;
        auto& a = *nodes[link->from];
        auto& b = *nodes[link->to];
        if (a.life != link->from_life || !hears(a, b) || b.inbound >= limits::kSyncsIn) {
            end(*link, false);
            return;
        }
        ++b.inbound;
        link->to_life = b.life;
        link->left = a.replica->sync(link->asked);
        link->right = b.replica->sync(std::nullopt);
        pump(link);
    });
}

void Cluster::pump(const std::shared_ptr<Link>& link) {
    if (link->is_over) return;
    std::vector<std::pair<Sync*, Octets>> moving;
    for (auto [from, to] :
         {std::pair(link->left.get(), link->right.get()), std::pair(link->right.get(), link->left.get())})
        if (auto frame = from->next(); !frame.empty()) moving.emplace_back(to, std::move(frame));
    if (moving.empty()) {
        end(*link, link->left->is_done() && link->right->is_done());
        return;
    }
    std::size_t bytes = 0;
    for (const auto& [to, frame] : moving) bytes = std::max(bytes, frame.size());
    const auto share = static_cast<double>(bytes) / static_cast<double>(limits::kFrame);
    const Duration took = kDelay + std::chrono::duration_cast<Duration>(kPerFrame * share);
    at(clock.now() + took, [this, link, moving = std::move(moving)] {
        if (link->is_over) return;
        for (const auto& [to, frame] : moving)
            if (!to->take(frame)) {
                end(*link, false);
                return;
            }
        pump(link);
    });
}

void Cluster::end(Link& link, bool is_complete) {
    if (link.is_over) return;
    link.is_over = true;
    auto& a = *nodes[link.from];
    auto& b = *nodes[link.to];
    const bool was_open = link.left != nullptr;
    link.left.reset();
    link.right.reset();
    if (was_open && b.replica && b.life == link.to_life) {
        --b.inbound;
        b.replica->sync_ended(std::nullopt, is_complete, clock.now());
        tick(b);
    }
    if (a.replica && a.life == link.from_life) {
        a.replica->sync_ended(link.asked, is_complete, clock.now());
        at(clock.now(), [this, &a] { tick(a); });
    }
}

void Cluster::run(Duration time) {
    const auto until = clock.now() + time;
    while (!events_.empty() && events_.top().when <= until) {
        const auto event = events_.top();
        events_.pop();
        clock.set(std::max(clock.now(), event.when));
        event.what();
        if (links_.size() > 1000) std::erase_if(links_, [](const auto& link) { return link->is_over; });
    }
    clock.set(until);
}

void Cluster::skip_hours(int hours) {
    for (int i = 0; i < hours; ++i) {
        clock.advance(1h - 3s);
        run(3s);
    }
}

Status Cluster::write(std::size_t index, std::vector<Write> changes) {
    auto& node = *nodes[index];
    if (!node.replica) return fail(Errc::busy, "it is down");
    auto status = node.replica->write(changes, node.wall.offset_ms);
    tick(node);
    return status;
}

bool Cluster::are_equal() const {
    const Node* first = nullptr;
    for (const auto& node : nodes) {
        if (!node->replica) continue;
        if (!first) first = node.get();
        if (node->store->digest() != first->store->digest()) return false;
    }
    return true;
}

Duration Cluster::until_equal(Duration at_most) {
    const auto start = clock.now();
    while (clock.now() - start < at_most) {
        if (are_equal()) return clock.now() - start;
        run(10ms);
    }
    return are_equal() ? at_most : kNever;
}

} // namespace schedd::membership::sim
