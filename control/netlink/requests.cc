// SPDX-License-Identifier: BSD-3-Clause
// What is asked of the kernel: dumps, and neighbours to be resolved.
#include "control/netlink/messages.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace pinhole::netlink {
namespace {

nlmsghdr* begin_request(void* buffer, int type, int flags, std::uint32_t sequence) {
    nlmsghdr* message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = static_cast<std::uint16_t>(type);
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    message->nlmsg_seq = sequence;
    return message;
}

template <typename Fixed>
Fixed* put_fixed(nlmsghdr* message) {
    return static_cast<Fixed*>(mnl_nlmsg_put_extra_header(message, sizeof(Fixed)));
}

}  // namespace

nlmsghdr* write_dump_request(void* buffer, DumpKind kind, std::uint32_t sequence) {
    switch (kind) {
        case DumpKind::kLinks: {
            nlmsghdr* message = begin_request(buffer, RTM_GETLINK, NLM_F_DUMP, sequence);
            put_fixed<ifinfomsg>(message)->ifi_family = AF_UNSPEC;
            return message;
        }
        case DumpKind::kAddresses: {
            nlmsghdr* message = begin_request(buffer, RTM_GETADDR, NLM_F_DUMP, sequence);
            put_fixed<ifaddrmsg>(message)->ifa_family = AF_UNSPEC;
            return message;
        }
        case DumpKind::kRoutesV4:
        case DumpKind::kRoutesV6: {
            nlmsghdr* message = begin_request(buffer, RTM_GETROUTE, NLM_F_DUMP, sequence);
            put_fixed<rtmsg>(message)->rtm_family =
                kind == DumpKind::kRoutesV4 ? AF_INET : AF_INET6;
            return message;
        }
        case DumpKind::kNeighbours:
            break;
    }
    nlmsghdr* message = begin_request(buffer, RTM_GETNEIGH, NLM_F_DUMP, sequence);
    put_fixed<ndmsg>(message)->ndm_family = AF_UNSPEC;
    return message;
}

nlmsghdr* write_resolve_request(void* buffer, std::uint32_t ifindex, const Address& address,
                                Keep keep, std::uint32_t sequence) {
    nlmsghdr* message = begin_request(buffer, RTM_NEWNEIGH, NLM_F_CREATE, sequence);
    auto* neighbour = put_fixed<ndmsg>(message);
    const bool v4 = address.is_v4();
    neighbour->ndm_family = v4 ? AF_INET : AF_INET6;
    neighbour->ndm_ifindex = static_cast<int>(ifindex);
    neighbour->ndm_flags = NTF_USE;
    mnl_attr_put(message, NDA_DST, v4 ? 4 : 16, v4 ? address.v4_bytes() : address.bytes.data());
    if (keep == Keep::kManaged) {
        // A kernel before 5.16 passes over this attribute and does what NTF_USE says.
        mnl_attr_put_u32(message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
    }
    return message;
}

}  // namespace pinhole::netlink
