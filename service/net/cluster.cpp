// Opening everything, and the public side of Cluster.
#include "service/net/cluster.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <sodium/randombytes.h>
#include <sys/epoll.h>

#include "components/kit/errno_error.h"
#include "components/kit/number.h"
#include "service/net/cluster_impl.h"
#include "service/net/key_ring.h"
#include "service/net/state_files.h"

namespace schedd::net {

using namespace membership;

namespace {

constexpr std::size_t kIgmpBytes = 1U << 20U;

/// What stands between blanks and colons, from the front; "" at the end.
std::string_view take_word(std::string_view& rest) {
    const auto begin = std::min(rest.find_first_not_of(" \t:"), rest.size());
    rest.remove_prefix(begin);
    const auto word = rest.substr(0, rest.find_first_of(" \t:"));
    rest.remove_prefix(word.size());
    return word;
}

} // namespace

Status Cluster::Impl::open() {
    auto cipher = SodiumCipher::make();
    if (!cipher) return std::unexpected(cipher.error());
    cipher_ = std::move(*cipher);
    if (auto loaded = load_keys(place_.key_file, *cipher_); !loaded) return loaded;
    keys_ = std::make_unique<RingKeys>(*cipher_);
    if (!place_.uid) {
        auto uid = machine_uid();
        if (!uid) return std::unexpected(uid.error());
        place_.uid = *uid;
    }
    // before any file is touched: a second program on this machine must not count a life
    if (auto opened = open_network(*place_.uid); !opened) return opened;
    lives_ = begin_life(place_.state_directory, troubles_);
    store_ = std::make_unique<Store>(*place_.uid, clocks_, hash_);
    journal_ = std::make_unique<JournalFile>(place_.state_directory, hash_, clocks_);
    journal_->load(*store_, troubles_);
    store_->raise({Hlc{lives_.stamp}, {}});
    open_node(*place_.uid);
    for (const auto* troubles : {&lasting_, &troubles_})
        for (const auto& trouble : *troubles) world_.log.write(Severity::warning, "cluster", trouble.text());
    return {};
}

Status Cluster::Impl::watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
    return std::unexpected(errno_error(errno, "watching the cluster's sockets"));
}

Status Cluster::Impl::open_network(NodeUid uid) {
    const auto& settings = place_.settings;
    const auto cluster = cluster_id(settings.name);
    poll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!poll_) return std::unexpected(errno_error(errno, "watching the cluster's sockets"));
    auto transport =
        SocketTransport::open({{cluster, settings.port, settings.group_ttl}, settings.multicast}, world_.log);
    if (!transport) return std::unexpected(transport.error());
    transport_ = std::move(*transport);
    auto hub = SyncHub::open({settings.port, cluster, uid}, *keys_, world_.log);
    if (!hub) return std::unexpected(hub.error());
    hub_ = std::move(*hub);
    hub_->set_hooks({[this](std::optional<NodeUid> peer) { return replica_->sync(peer); },
                     [this](std::optional<NodeUid> peer, bool is_complete, Time now) {
                         replica_->sync_ended(peer, is_complete, now);
                     }});
    auto links = LinkWatch::open(settings.interfaces);
    if (links) links_ = std::move(*links);
    else // peers that are named can be reached all the same
        lasting_.push_back(links.error());
    for (const int fd : {transport_->fd(), hub_->fd(), links_ ? links_->fd() : -1})
        if (fd >= 0)
            if (auto watched = watch(fd); !watched) return watched;
    return {};
}

void Cluster::Impl::open_node(NodeUid uid) {
    const auto& settings = place_.settings;
    replica_ = std::make_unique<Replica>(*store_, uid,
                                         ReplicaWorld{world_.clock, clocks_, world_.rng, world_.log,
                                                      *journal_, *this});
    const auto now = world_.clock.now();
    if (links_) transport_->use(links_->table().fit(), now);
    NodeSettings made;
    made.cluster = cluster_id(settings.name);
    made.uid = uid;
    // chance that clones do not share: they have the same files, and perhaps the same seed
    made.boot = {lives_.counter, randombytes_random()};
    made.name = settings.node_name.empty() ? place_.host_name : settings.node_name;
    made.number = settings.number;
    made.last_number = lives_.number;
    made.period = settings.period;
    made.addresses = own_addresses();
    made.peers = settings.peers;
    made.uses_group = settings.multicast;
    made.is_replay_monotonic = settings.is_replay_monotonic;
    made.is_draining = lives_.is_draining;
    made.features = place_.features;
    node_ = std::make_unique<Node>(std::move(made), NodeWorld{world_.clock, clocks_, world_.rng, world_.log,
                                                              *transport_, *cipher_, *replica_});
    node_->set_listener(this);
    node_->recall(read_peers(place_.state_directory, troubles_));
    if (links_ && settings.multicast && links_->table().fit().empty())
        world_.log.write(Severity::warning, "cluster",
                         "no interface can be used; it waits for one ('schedd-cli doctor' says why)");
}

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() {
    if (impl_->node_) impl_->save(impl_->world_.clock.now());
}

Result<std::unique_ptr<Cluster>> Cluster::open(ClusterPlace place, const ClusterWorld& world) {
    auto impl = std::make_unique<Impl>(std::move(place), world);
    if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
    return std::unique_ptr<Cluster>(new Cluster(std::move(impl)));
}

int Cluster::fd() const { return impl_->poll_.get(); }
Time Cluster::turn() { return impl_->turn(); }
Node& Cluster::node() { return *impl_->node_; }
const Node& Cluster::node() const { return *impl_->node_; }
Replica& Cluster::replica() { return *impl_->replica_; }
const Store& Cluster::store() const { return *impl_->store_; }
Store& Cluster::store() { return *impl_->store_; }
Status Cluster::write(std::span<const Write> changes) { return impl_->write(changes); }
Status Cluster::reload_keys() { return load_keys(impl_->place_.key_file, *impl_->cipher_); }
std::uint64_t Cluster::key_fingerprint() const { return impl_->cipher_->fingerprint(); }
void Cluster::stop() { impl_->node_->leave(); }
bool Cluster::is_stopped() const { return impl_->node_->is_gone(); }
std::vector<GroupFacts> Cluster::groups() const { return impl_->transport_->groups(); }
SocketCounts Cluster::socket_counts() const { return impl_->transport_->counts(); }
std::vector<Error> Cluster::troubles() const {
    auto all = impl_->lasting_;
    all.insert(all.end(), impl_->troubles_.begin(), impl_->troubles_.end());
    return all;
}

void Cluster::drain(bool is_draining) {
    impl_->node_->drain(is_draining);
    impl_->lives_.is_draining = is_draining;
    impl_->save(impl_->world_.clock.now());
}

std::vector<Link> Cluster::links() const {
    return impl_->links_ ? impl_->links_->table().links() : std::vector<Link>();
}

std::optional<bool> Cluster::querier_heard(const std::string& interface) const {
    // made at the moment of reading
    const auto text = read_state("/proc/net/igmp", kIgmpBytes);
    if (!text || !*text) return std::nullopt;
    return querier_in(**text, interface);
}

std::optional<bool> querier_in(std::string_view igmp, std::string_view interface) {
    while (!igmp.empty()) {
        auto line = igmp.substr(0, igmp.find('\n'));
        igmp.remove_prefix(std::min(line.size() + 1, igmp.size()));
        // "2\teth0      :     1      V3": index, name, groups, version of the querier
        const bool is_interface = !line.empty() && line.front() >= '0' && line.front() <= '9';
        (void)take_word(line);
        if (!is_interface || take_word(line) != interface) continue;
        (void)take_word(line);
        const auto version = take_word(line);
        if (version == "V1" || version == "V2") return true;
        return std::nullopt;
    }
    return std::nullopt;
}

} // namespace schedd::net
