// The kernel's messages about interfaces: whatever the bytes, the list stays bounded and consistent.
#include "service/net/link_watch.h"
#include "tests/fuzz/fuzz.h"

using namespace schedd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    net::LinkTable table({}, [](const std::string& name) { return name.starts_with("wl"); });
    const auto bytes = std::as_bytes(std::span(data, size));
    net::take_netlink(table, bytes);
    const auto links = table.links();
    fuzz::require(links.size() <= net::kLinks, "no more interfaces than the limit");
    for (const auto& link : links) {
        fuzz::require(link.facts.index != 0, "every interface has an index");
        fuzz::require(link.addresses.size() <= net::kLinkAddresses, "no more addresses than the limit");
        fuzz::require(!link.is_fit() || (!link.addresses.empty() && !link.facts.name.empty()),
                      "what is fit has a name and an address");
    }
    // told again, nothing of what holds is news, but for what was taken back in between
    const auto fit = table.fit();
    fuzz::require(fit.size() <= links.size(), "what is fit is among all");
    return 0;
}
