// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/xdp/steering.h"

#include "dataplane/io/errors.h"
#include "sip_redirect_object.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pinhole::io {
namespace {

constexpr std::string_view kProgramName = "pinhole_sip";
constexpr std::string_view kMapName = "sip_targets";
constexpr unsigned kMaxMaps = 16;

// As sip_redirect.bpf.c has it.
struct Target {
    std::array<std::uint8_t, 16> address;
    std::uint16_t udp_port;  // network order
    std::uint16_t zero;
};
static_assert(sizeof(Target) == 20);

Target target_of(const net::Endpoint& endpoint) {
    return {endpoint.address.bytes, htons(endpoint.udp_port), 0};
}

struct Program {
    std::string name;
    std::vector<std::uint32_t> maps;
};

// The program attached to the interface; no name if there is none.
Program attached_program(unsigned ifindex) {
    std::uint32_t id = 0;
    Program program;
    if (bpf_xdp_query_id(static_cast<int>(ifindex), 0, &id) != 0 || id == 0) {
        return program;
    }
    const int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) {
        program.name = "program " + std::to_string(id);
        return program;
    }
    bpf_prog_info info{};
    std::uint32_t length = sizeof info;
    std::array<std::uint32_t, kMaxMaps> maps{};
    info.nr_map_ids = maps.size();
    info.map_ids = reinterpret_cast<std::uintptr_t>(maps.data());
    if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0) {
        program.name = info.name;
        program.maps.assign(maps.begin(), maps.begin() + std::min(info.nr_map_ids, kMaxMaps));
    }
    close(fd);
    return program;
}

// A descriptor of the first of these maps that has our name, or -1.
int find_map(const std::vector<std::uint32_t>& ids) {
    for (const std::uint32_t id : ids) {
        const int fd = bpf_map_get_fd_by_id(id);
        bpf_map_info info{};
        std::uint32_t length = sizeof info;
        if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && info.name == kMapName) {
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return -1;
}

// Abstract names are per network namespace, as interfaces are, and vanish with the process however
// it ends.
int claim_interface(unsigned ifindex) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const int length =
        std::snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "pinhole-xdp-%u", ifindex);
    if (bind(fd, reinterpret_cast<sockaddr*>(&name),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                    static_cast<std::size_t>(length))) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

}  // namespace

Result<std::unique_ptr<XdpSteering>> XdpSteering::prepare(const std::string& interface,
                                                          unsigned ifindex) {
    std::unique_ptr<XdpSteering> steering(new XdpSteering);
    steering->interface_ = interface;
    steering->ifindex_ = ifindex;
    steering->claim_ = claim_interface(ifindex);
    if (steering->claim_ < 0) {
        return Error{ErrorCode::kBusy,
                     "another pinhole has af_xdp:" + interface + ": stop it first"};
    }
    const Program found = attached_program(ifindex);
    if (found.name == kProgramName) {
        bpf_xdp_detach(static_cast<int>(ifindex), 0, nullptr);
    } else if (!found.name.empty()) {
        return Error{ErrorCode::kBusy, "another XDP program (" + found.name + ") is attached to " +
                                           interface + ": `ip link set dev " + interface +
                                           " xdp off` takes it off, or use af_packet:" + interface};
    }
    steering->object_ = memfd_create("sip_redirect.bpf.o", MFD_CLOEXEC);
    if (steering->object_ < 0 || write(steering->object_, kSipRedirectObject,
                                       sizeof kSipRedirectObject) != sizeof kSipRedirectObject) {
        return system_error("no memory for the XDP program", errno);
    }
    steering->path_ = "/proc/self/fd/" + std::to_string(steering->object_);
    return steering;
}

XdpSteering::~XdpSteering() {
    for (const int fd : {map_, object_, claim_}) {
        if (fd >= 0) {
            close(fd);
        }
    }
}

Status XdpSteering::attach() {
    const Program program = attached_program(ifindex_);
    map_ = program.name == kProgramName ? find_map(program.maps) : -1;
    if (map_ < 0) {
        return Error{ErrorCode::kSystem,
                     "the XDP program on " + interface_ +
                         " cannot be told what to take (its map is not to be found): CAP_BPF and "
                         "CAP_SYS_ADMIN are needed for that, or use af_packet:" +
                         interface_};
    }
    return {};
}

Status XdpSteering::set_targets(std::span<const net::Endpoint> endpoints) {
    static constexpr std::uint8_t kTaken = 1;
    for (const net::Endpoint& endpoint : endpoints) {
        const Target target = target_of(endpoint);
        if (bpf_map_update_elem(map_, &target, &kTaken, BPF_ANY) != 0) {
            return system_error("cannot add an address to the XDP program on " + interface_, errno);
        }
    }
    for (const net::Endpoint& old : targets_) {
        if (std::find(endpoints.begin(), endpoints.end(), old) == endpoints.end()) {
            const Target target = target_of(old);
            bpf_map_delete_elem(map_, &target);
        }
    }
    targets_.assign(endpoints.begin(), endpoints.end());
    return {};
}

}  // namespace pinhole::io
