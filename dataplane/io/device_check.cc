// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/device_check.h"

#include "dataplane/io/device_kernel.h"
#include "dataplane/io/errors.h"

#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

namespace pinhole::io {
namespace {

namespace fs = std::filesystem;

bool has_capability(unsigned capability) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    return syscall(SYS_capget, &header, sets) != 0 ||
           (sets[capability / 32].effective >> capability % 32 & 1) != 0;
}

struct Capability {
    unsigned number;
    const char* name;
};

Status check_capabilities(const std::string& name, DeviceKind kind) {
    static constexpr Capability kPacket[] = {{CAP_NET_RAW, "CAP_NET_RAW"},
                                             {CAP_NET_ADMIN, "CAP_NET_ADMIN"}};
    // The program is found again on the interface by its id, which only CAP_SYS_ADMIN may; its
    // memory is pinned.
    static constexpr Capability kXdp[] = {{CAP_NET_RAW, "CAP_NET_RAW"},
                                          {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
                                          {CAP_IPC_LOCK, "CAP_IPC_LOCK"},
                                          {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
    const std::span<const Capability> wanted = kind == DeviceKind::kAfXdp
                                                   ? std::span<const Capability>(kXdp)
                                                   : std::span<const Capability>(kPacket);
    std::string missing;
    for (const Capability& c : wanted) {
        if (!has_capability(c.number)) {
            missing.append(missing.empty() ? "" : " and ").append(c.name);
        }
    }
    if (missing.empty()) {
        return {};
    }
    return Error{ErrorCode::kNoPermission,
                 name + " needs " + missing +
                     ": run as root, or give that to the service "
                     "(AmbientCapabilities= in the unit, --cap-add for a container)"};
}

Status check_pci(const std::string& name, const std::string& address) {
    const fs::path folder = fs::path("/sys/bus/pci/devices") / address;
    std::error_code failed;
    if (address.empty() || !fs::exists(folder, failed)) {
        return Error{ErrorCode::kMissing, name + ": there is no PCI device " + address +
                                              ": `lspci -D` lists those there are"};
    }
    const std::string driver = fs::read_symlink(folder / "driver", failed).filename();
    // The last three serve DPDK and the kernel at once and stay bound to the kernel's driver.
    static constexpr const char* kUsable[] = {"vfio-pci",  "uio_pci_generic", "igb_uio",
                                              "mlx5_core", "mlx4_core",       "mana"};
    if (std::none_of(std::begin(kUsable), std::end(kUsable),
                     [&](const char* k) { return driver == k; })) {
        return Error{
            ErrorCode::kBusy,
            name + " is bound to " + (driver.empty() ? "no driver" : driver) +
                ", not to vfio-pci: run `modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci " +
                address + "` (its kernel interface goes away then)"};
    }
    if (driver == "vfio-pci" && access("/dev/vfio/vfio", R_OK | W_OK) != 0) {
        return Error{ErrorCode::kNoPermission,
                     name + ": /dev/vfio/vfio may not be opened (" + error_text(errno) +
                         "): run as root, or give the service's user /dev/vfio"};
    }
    return {};
}

// A socket file that nobody listens on is what a killed server left; it is in the way of the next.
Status clear_stale_socket(const std::string& name, const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const bool answered = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const int why = errno;
    close(fd);
    if (!answered && why == ECONNREFUSED) {
        unlink(path.c_str());
        return {};
    }
    if (!answered && why == ENOENT) {
        return {};
    }
    return Error{ErrorCode::kBusy, name + ": another process already serves " + path +
                                       ": stop it, or let this port be the client of that socket"};
}

Status check_memif(const DeviceSettings& settings, const std::string& name) {
    const std::string& path = settings.argument;
    const fs::path folder = fs::path(path).parent_path();
    if (path.empty() || path.front() != '/' || path.size() >= sizeof(sockaddr_un::sun_path) ||
        path.find(',') != std::string::npos) {
        return Error{ErrorCode::kInvalid,
                     name +
                         ": a memif port wants the absolute path of its socket, shorter "
                         "than 108 characters and without a comma"};
    }
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) {
        return Error{ErrorCode::kMissing,
                     name + ": there is no directory " + folder.string() + ": create it"};
    }
    if (access(folder.c_str(), W_OK) != 0) {
        return Error{ErrorCode::kNoPermission,
                     name + ": " + folder.string() + " may not be written (" + error_text(errno) +
                         "): let the user that pinhole runs as write there, or run as root"};
    }
    return Status();
}

Status check_interface(const std::string& name, const DeviceSettings& settings) {
    if (Result<KernelInterface> interface = kernel_interface(settings.argument); !interface) {
        return Error{interface.error().code, name + ": " + interface.error().message};
    }
    return check_capabilities(name, settings.kind);
}

}  // namespace

std::string device_name(const DeviceSettings& settings) {
    static constexpr const char* kKinds[] = {"af_packet:", "af_xdp:", "pci:", "memif:", "vdev:"};
    return kKinds[static_cast<std::size_t>(settings.kind)] + settings.argument;
}

std::string pci_address(const std::string& argument) {
    return std::count(argument.begin(), argument.end(), ':') == 1 ? "0000:" + argument : argument;
}

Status check_device(const DeviceSettings& settings) {
    const std::string name = device_name(settings);
    switch (settings.kind) {
        case DeviceKind::kAfPacket:
            return check_interface(name, settings);
        case DeviceKind::kAfXdp:
#ifdef PINHOLE_XDP
            return check_interface(name, settings);
#else
            return Error{
                ErrorCode::kUnsupported,
                name +
                    ": this pinhole was built without af_xdp: build it where clang, libbpf-dev and "
                    "libxdp-dev are installed, or use af_packet:" +
                    settings.argument};
#endif
        case DeviceKind::kPci:
            return check_pci(name, pci_address(settings.argument));
        case DeviceKind::kMemif:
            if (Status usable = check_memif(settings, name); !usable || !settings.memif_server) {
                return usable;
            }
            return clear_stale_socket(name, settings.argument);
        case DeviceKind::kVdev:
            break;
    }
    if (settings.argument.empty() || settings.argument.front() == ',') {
        return Error{ErrorCode::kInvalid,
                     name + ": a vdev port wants DPDK's device string, as in vdev:net_null0"};
    }
    return {};
}

}  // namespace pinhole::io
