// LinkWatch: the kernel's word about interfaces and addresses, by libnl, into a LinkTable.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "service/net/link_table.h"

struct nl_sock;

namespace schedd::net {

/// One netlink message of the kernel's (RTM_NEWLINK, DELLINK, NEWADDR, DELADDR); true if the table changed.
/// `bytes` may be anything.
bool take_netlink(LinkTable& table, std::span<const std::byte> bytes);

/// Whether sysfs below `sys` ("/sys") says that the interface is wireless.
bool is_wireless(const std::string& sys, const std::string& name);

class LinkWatch {
public:
    /// Reads what is there now. Needs no privilege. Fails with not_supported where there is no netlink.
    static Result<std::unique_ptr<LinkWatch>> open(std::vector<std::string> patterns,
                                                   const std::string& sys = "/sys");

    /// Readable when there is something to take; non-blocking.
    [[nodiscard]] int fd() const;
    /// Takes what waits; true if links() may say something else now. Messages that were lost (too many at
    /// once) make it read everything again.
    Result<bool> take();
    [[nodiscard]] const LinkTable& table() const { return table_; }
    /// Messages that did not come from the kernel, and were not believed.
    [[nodiscard]] std::uint64_t forged() const { return forged_; }

private:
    struct Closer {
        void operator()(nl_sock* socket) const;
    };
    LinkWatch(nl_sock* socket, LinkTable table) : socket_(socket), table_(std::move(table)) {}
    Status read_all();
    Status dump(int type);

    std::unique_ptr<nl_sock, Closer> socket_;
    LinkTable table_;
    std::uint64_t forged_ = 0;
};

} // namespace schedd::net
