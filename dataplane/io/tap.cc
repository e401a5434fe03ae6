// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/tap.h"

#include "dataplane/io/device_kernel.h"
#include "dataplane/io/errors.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace pinhole::io {
namespace {

Error cannot_make(const std::string& name, int why) {
    switch (why) {
        case EPERM:
        case EACCES:
            return {ErrorCode::kNoPermission,
                    "making the TAP " + name +
                        " needs CAP_NET_ADMIN and /dev/net/tun: run as root, or give them to the "
                        "service (AmbientCapabilities=, --cap-add, --device)"};
        case EBUSY:
        case EINVAL:
            return {ErrorCode::kBusy, "the TAP " + name +
                                          " cannot be made, an interface of that name is in use: "
                                          "give the port another tap name"};
        case ENOENT:
        case ENODEV:
            return {ErrorCode::kMissing,
                    "there is no /dev/net/tun, which the TAP " + name +
                        " needs: `modprobe tun`, or give the container that device"};
        default:
            return system_error("cannot make the TAP " + name, why);
    }
}

}  // namespace

Result<std::unique_ptr<Tap>> Tap::open(const std::string& name, const Mac& mac, unsigned mtu) {
    std::unique_ptr<Tap> tap(new Tap);
    if (name.empty() || name.size() >= IFNAMSIZ) {
        return Error{ErrorCode::kInvalid,
                     "\"" + name + "\" is no name for a TAP: 1 to 15 characters"};
    }
    tap->name_ = name;
    tap->fd_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->fd_ < 0) {
        return cannot_make(name, errno);
    }
    ifreq r{};
    name.copy(r.ifr_name, IFNAMSIZ - 1);
    r.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(tap->fd_, TUNSETIFF, &r) != 0) {
        return cannot_make(name, errno);
    }
    tap->ifindex_ = if_nametoindex(name.c_str());
    for (const Status& step : {set_mac(name, mac), set_mtu(name, mtu), bring_up(name)}) {
        if (!step) {
            return step.error();
        }
    }
    return tap;
}

Tap::~Tap() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

std::size_t Tap::read_frame(std::span<std::byte> out) {
    const ssize_t n = read(fd_, out.data(), out.size());
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

bool Tap::write_frame(std::span<const std::byte> frame) {
    return write(fd_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

}  // namespace pinhole::io
