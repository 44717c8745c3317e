// Node as others see it; the work is done in Node::Impl.
#include "components/membership/node.h"

#include <algorithm>

#include "components/membership/node_impl.h"

namespace schedd::membership {

Node::Impl::Impl(NodeSettings settings, const NodeWorld& world)
    : settings_(std::move(settings)), world_(world),
      envelope_(settings_.cluster, settings_.uid, world.cipher),
      peers_(std::clamp<std::size_t>(settings_.max_peers, 1, limits::kPeers)), boot_(settings_.boot) {
    settings_.max_peers = std::clamp<std::size_t>(settings_.max_peers, 1, limits::kPeers);
    settings_.period = detector::of_tenths(detector::tenths_of(settings_.period));
    if (settings_.name.size() > limits::kPeerName) settings_.name.resize(limits::kPeerName);
    if (settings_.addresses.size() > limits::kAddresses) settings_.addresses.resize(limits::kAddresses);
    if (settings_.peers.size() > limits::kMesh) {
        settings_.peers.resize(limits::kMesh);
        say(Severity::error, settings_.name, "more than 128 peers are listed; the others are not told");
    }
    join_soon();
}

Node::Node(NodeSettings settings, const NodeWorld& world)
    : impl_(std::make_unique<Impl>(std::move(settings), world)) {}
Node::~Node() = default;

void Node::set_listener(NodeListener* listener) { impl_->listener_ = listener; }
void Node::received(const Arrival& arrival, Bytes datagram) { impl_->received(arrival, datagram); }
void Node::received(const Arrival& arrival, const Message& message, std::size_t size) {
    impl_->accept(arrival, message, size);
}

void Node::overflowed() { impl_->frozen_until_ = impl_->now() + impl_->period(); }

void Node::network_changed(std::span<const Address> own_addresses) {
    const auto count = std::min(own_addresses.size(), limits::kAddresses);
    impl_->settings_.addresses.assign(own_addresses.begin(),
                                      own_addresses.begin() + static_cast<std::ptrdiff_t>(count));
    impl_->full_beats_ = std::max(impl_->full_beats_, 1);
    impl_->beat_soon();
}

Time Node::tick() { return impl_->tick(); }
Time Node::due() const { return impl_->due_; }

void Node::set_published(std::vector<Published> sources) { impl_->publish(std::move(sources)); }

void Node::set_name(std::string name) {
    name.resize(std::min(name.size(), limits::kPeerName));
    if (name == impl_->settings_.name) return;
    impl_->settings_.name = std::move(name);
    impl_->full_beats_ = std::max(impl_->full_beats_, 1);
}

void Node::drain(bool is_draining) {
    impl_->settings_.is_draining = is_draining;
    impl_->hurry(impl_->now());
}

void Node::leave() {
    if (impl_->has_left_ || impl_->is_displaced_) return;
    impl_->has_left_ = true;
    const auto before = std::exchange(impl_->state_, Announced::leaving);
    impl_->goodbye_.begin(impl_->now());
    impl_->say_goodbye();
    if (impl_->listener_) impl_->listener_->self_changed(Announced::leaving, before);
}

bool Node::is_gone() const { return impl_->is_gone(); }

void Node::spread(Bytes delta) {
    if (delta.empty() || delta.size() > limits::kDelta || impl_->has_left_ || impl_->is_displaced_) return;
    impl_->delta_.assign(delta.begin(), delta.end());
    impl_->spread_.begin(impl_->now());
    impl_->send_spread();
}

Announced Node::state() const { return impl_->state_; }
std::optional<NodeId> Node::number() const { return impl_->number_; }
std::string_view Node::number_trouble() const { return impl_->number_trouble_; }
NodeUid Node::uid() const { return impl_->settings_.uid; }
const Values& Node::values() const { return impl_->values_; }
std::vector<PeerFacts> Node::peers() const { return impl_->facts(); }
std::uint64_t Node::fingerprint() const { return impl_->fingerprint(); }

std::optional<PeerFacts> Node::peer(NodeUid uid) const {
    const auto* peer = std::as_const(impl_->peers_).find(uid);
    return peer ? std::optional(impl_->facts_of(*peer)) : std::nullopt;
}

std::optional<NodeUid> Node::find(std::string_view what) const { return impl_->find(what); }
std::optional<std::int64_t> Node::clock_offset_ms() const { return impl_->offset(); }

std::uint64_t Node::common_features() const {
    auto features = impl_->settings_.features;
    for (const auto& peer : impl_->peers_)
        if (is_there(peer.level)) features &= peer.features;
    return features;
}

Node::Counts Node::counts() const {
    auto counts = impl_->counts_;
    counts.dropped = impl_->envelope_.dropped();
    if (impl_->is_isolated_) counts.isolated += impl_->now() - impl_->isolated_since_;
    return counts;
}

std::vector<Node::Remembered> Node::remember() const { return impl_->remember(); }
void Node::recall(std::span<const Remembered> peers) { impl_->recall(peers); }

} // namespace schedd::membership
