// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/mirror.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace pinhole::netlink {
namespace {

// The kernel fills at most 32 KB at a time.
constexpr std::size_t kBufferLen = 65536;
// Room for a burst of news: a BGP session that comes up tells of each route. Half of it is the
// kernel's own bookkeeping.
constexpr int kReceiveBuffer = 8 << 20;
// Buffers taken in by one process(), so that a flood of news does not keep the thread for ever.
constexpr int kMaxReads = 256;
// A dump that the kernel changed meanwhile (NLM_F_DUMP_INTR) is repeated this often.
constexpr int kMaxDumpTries = 5;
constexpr timeval kDumpTimeout{5, 0};

constexpr std::array kGroups{RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
                             RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};

std::string system_error(const char* what) {
    return std::string("netlink: ") + what + ": " + std::strerror(errno);
}

void raise_receive_buffer(int fd) {
    // Past the system's limit if we may (CAP_NET_ADMIN), else up to it; an overrun is noticed
    // either way.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
    }
}

}  // namespace

void Mirror::Closer::operator()(mnl_socket* socket) const {
    mnl_socket_close(socket);
}

Mirror::Mirror() : buffer_(kBufferLen) {}

Mirror::~Mirror() {
    // What we had kept resolved goes back to the kernel's own ways.
    for (const LinkAddress& neighbour : kept_) {
        send_resolve(neighbour, Keep::kOnce);
    }
}

std::unique_ptr<Mirror> Mirror::open(std::string& error) {
    std::unique_ptr<Mirror> mirror(new Mirror);
    if (!mirror->open_sockets(error) ||
        !mirror->dump({DumpKind::kLinks, DumpKind::kAddresses, DumpKind::kRoutesV4,
                       DumpKind::kRoutesV6, DumpKind::kNeighbours},
                      error)) {
        return nullptr;
    }
    return mirror;
}

bool Mirror::open_sockets(std::string& error) {
    events_.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC));
    requests_.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!events_ || !requests_ || mnl_socket_bind(events_.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_bind(requests_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
        error = system_error("cannot open a socket");
        return false;
    }
    for (int group : kGroups) {
        if (mnl_socket_setsockopt(events_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) <
            0) {
            error = system_error("cannot subscribe");
            return false;
        }
    }
    // Before Linux 5.3 there are no nexthop objects, and nothing to hear of them.
    int nexthops = RTNLGRP_NEXTHOP;
    (void)mnl_socket_setsockopt(events_.get(), NETLINK_ADD_MEMBERSHIP, &nexthops, sizeof nexthops);
    raise_receive_buffer(mnl_socket_get_fd(events_.get()));
    const int fd = mnl_socket_get_fd(requests_.get());
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kDumpTimeout, sizeof kDumpTimeout);
    return true;
}

int Mirror::poll_fd() const {
    return mnl_socket_get_fd(events_.get());
}

bool Mirror::dump(std::initializer_list<DumpKind> kinds, std::string& error) {
    for (const DumpKind kind : kinds) {
        Dumped result = Dumped::kAgain;
        for (int i = 0; i < kMaxDumpTries && result == Dumped::kAgain; ++i) {
            result = dump_once(kind, error);
        }
        if (result == Dumped::kFailed) {
            return false;
        }
        // Changing faster than we can read: what changed is on its way as events, but once more
        // won't hurt.
        everything_doubtful_ = everything_doubtful_ || result == Dumped::kAgain;
    }
    return true;
}

Mirror::Dumped Mirror::dump_once(DumpKind kind, std::string& error) {
    alignas(nlmsghdr) std::array<char, kRequestLen> request;
    const std::uint32_t sequence = ++sequence_;
    const nlmsghdr* message = write_dump_request(request.data(), kind, sequence);
    if (mnl_socket_sendto(requests_.get(), message, message->nlmsg_len) < 0) {
        error = system_error("cannot ask for a dump");
        return Dumped::kFailed;
    }
    state_.begin_dump(kind);
    bool interrupted = false;
    for (;;) {
        const ssize_t got = mnl_socket_recvfrom(requests_.get(), buffer_.data(), buffer_.size());
        if (got < 0) {
            state_.abort_dump();
            error = system_error("a dump was cut off");
            return Dumped::kFailed;
        }
        int left = static_cast<int>(got);
        for (const auto* m = reinterpret_cast<const nlmsghdr*>(buffer_.data());
             mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
            if (m->nlmsg_seq != sequence) {
                continue;
            }
            interrupted = interrupted || (m->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            // An error where routes were asked for means that their table is not there yet: an
            // empty one.
            const bool routes = kind == DumpKind::kRoutesV4 || kind == DumpKind::kRoutesV6;
            if (m->nlmsg_type == NLMSG_DONE || (m->nlmsg_type == NLMSG_ERROR && routes)) {
                state_.end_dump(kind);
                return interrupted ? Dumped::kAgain : Dumped::kWhole;
            }
            if (m->nlmsg_type == NLMSG_ERROR) {
                state_.abort_dump();
                error = "netlink: the kernel refuses a dump";
                return Dumped::kFailed;
            }
            state_.apply(parse_message(m));
        }
    }
}

bool Mirror::receive_events(std::uint64_t now_ms) {
    for (int i = 0; i < kMaxReads; ++i) {
        const ssize_t got = mnl_socket_recvfrom(events_.get(), buffer_.data(), buffer_.size());
        if (got > 0) {
            take(buffer_.data(), static_cast<std::size_t>(got), now_ms);
        } else if (got < 0 && errno == ENOBUFS) {
            ++overruns_;
            everything_doubtful_ = true;
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else {
            return true;
        }
    }
    return false;
}

void Mirror::take(const void* buffer, std::size_t len, std::uint64_t now_ms) {
    int left = static_cast<int>(len);
    for (const auto* m = static_cast<const nlmsghdr*>(buffer); mnl_nlmsg_ok(m, left);
         m = mnl_nlmsg_next(m, &left)) {
        const Update update = parse_message(m);
        state_.apply(update);
        const auto* neighbour = std::get_if<NeighbourUpdate>(&update);
        if (neighbour == nullptr || !neighbour->stale) {
            continue;
        }
        // Our packets don't pass through the kernel, so it doesn't see that this one is in use.
        const LinkAddress key{neighbour->entry.ifindex, neighbour->entry.address};
        if (resolver_.remembers(key)) {
            resolve(key.ifindex, key.address, now_ms);
        }
    }
}

void Mirror::process(std::uint64_t now_ms) {
    const bool read_all = receive_events(now_ms);
    // A dump before the old news are read would be overtaken by them.
    if (read_all) {
        redump_where_needed(now_ms);
    }
    ask_for_kept(now_ms);
}

void Mirror::redump_where_needed(std::uint64_t now_ms) {
    if ((!everything_doubtful_ && !state_.routes_doubtful()) || now_ms < next_redump_ms_) {
        return;
    }
    next_redump_ms_ = now_ms + kRedumpEveryMs;
    ++redumps_;
    const bool everything = everything_doubtful_;
    everything_doubtful_ = false;
    std::string error;
    if (everything &&
        !dump({DumpKind::kLinks, DumpKind::kAddresses, DumpKind::kNeighbours}, error)) {
        everything_doubtful_ = true;
    }
    if (!dump({DumpKind::kRoutesV4, DumpKind::kRoutesV6}, error)) {
        everything_doubtful_ = true;
    }
}

void Mirror::set_ports(std::span<const net::PortInterface> ports) {
    ports_.assign(ports.begin(), ports.end());
    ports_changed_ = true;
    update_kept();
}

bool Mirror::build_due(std::uint64_t now_ms) const {
    return dirty() && now_ms >= next_build_ms_;
}

int Mirror::build_wait_ms(std::uint64_t now_ms) const {
    if (!dirty()) {
        return -1;
    }
    return now_ms >= next_build_ms_ ? 0 : static_cast<int>(next_build_ms_ - now_ms);
}

net::Fib Mirror::build_fib(std::uint64_t now_ms) {
    update_kept();
    state_.clear_dirty();
    ports_changed_ = false;
    next_build_ms_ = now_ms + build_every_ms_;
    return state_.build_fib(ports_);
}

void Mirror::build_took(std::uint64_t ms) {
    next_build_ms_ -= build_every_ms_;
    build_every_ms_ = std::max(kBuildEveryMs, 4 * ms);
    next_build_ms_ += build_every_ms_;
}

void Mirror::resolve(std::uint32_t ifindex, const Address& address, std::uint64_t now_ms) {
    const LinkAddress key{ifindex, address};
    if (resolver_.ask(key, now_ms)) {
        // Asking without kManaged would end the kernel's keeping of it.
        const bool kept = std::binary_search(kept_.begin(), kept_.end(), key);
        send_resolve(key, kept ? Keep::kManaged : Keep::kOnce);
    }
}

void Mirror::keep_resolved(std::vector<LinkAddress> neighbours) {
    pinned_ = std::move(neighbours);
    update_kept();
}

void Mirror::update_kept() {
    std::vector<LinkAddress> wanted = state_.gateways(ports_);
    wanted.insert(wanted.end(), pinned_.begin(), pinned_.end());
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    for (const LinkAddress& neighbour : wanted) {
        if (!std::binary_search(kept_.begin(), kept_.end(), neighbour)) {
            send_resolve(neighbour, Keep::kManaged);
        }
    }
    for (const LinkAddress& neighbour : kept_) {
        if (!std::binary_search(wanted.begin(), wanted.end(), neighbour)) {
            send_resolve(neighbour, Keep::kOnce);
        }
    }
    kept_ = std::move(wanted);
}

// The kernel forgets even managed ones when their link goes down.
void Mirror::ask_for_kept(std::uint64_t now_ms) {
    if (now_ms < next_keep_ms_) {
        return;
    }
    next_keep_ms_ = now_ms + kKeepEveryMs;
    for (const LinkAddress& neighbour : kept_) {
        if (!state_.neighbour_usable(neighbour)) {
            send_resolve(neighbour, Keep::kManaged);
        }
    }
}

void Mirror::send_resolve(const LinkAddress& neighbour, Keep keep) {
    alignas(nlmsghdr) std::array<char, kRequestLen> request;
    const nlmsghdr* message = write_resolve_request(request.data(), neighbour.ifindex,
                                                    neighbour.address, keep, ++sequence_);
    if (mnl_socket_sendto(requests_.get(), message, message->nlmsg_len) < 0) {
        resolve_errno_ = errno;
    }
    read_refusals();
}

// The kernel answers only to refuse, and has done so when the request returns.
void Mirror::read_refusals() {
    alignas(nlmsghdr) std::array<char, 512> answer;
    const int fd = mnl_socket_get_fd(requests_.get());
    for (;;) {
        const ssize_t got = recv(fd, answer.data(), answer.size(), MSG_DONTWAIT);
        if (got <= 0) {
            return;
        }
        const auto* message = reinterpret_cast<const nlmsghdr*>(answer.data());
        if (mnl_nlmsg_ok(message, static_cast<int>(got)) && message->nlmsg_type == NLMSG_ERROR &&
            mnl_nlmsg_get_payload_len(message) >= sizeof(nlmsgerr)) {
            resolve_errno_ = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message))->error;
        }
    }
}

}  // namespace pinhole::netlink
