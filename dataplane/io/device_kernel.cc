// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/device_kernel.h"

#include "dataplane/io/errors.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pinhole::io {
namespace {

class ControlSocket {
  public:
    ControlSocket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~ControlSocket() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    bool ask(unsigned long request, ifreq& r) const { return ioctl(fd_, request, &r) == 0; }

  private:
    int fd_;
};

ifreq request_for(const std::string& name) {
    ifreq r{};
    std::memcpy(r.ifr_name, name.data(), std::min(name.size(), sizeof r.ifr_name - 1));
    return r;
}

void read_channels(const ControlSocket& control, const std::string& name,
                   KernelInterface& interface) {
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq r = request_for(name);
    r.ifr_data = reinterpret_cast<char*>(&channels);
    if (control.ask(SIOCETHTOOL, r)) {
        interface.channels = std::max(1U, channels.combined_count + channels.rx_count);
        interface.channels_combined = channels.max_combined > 0;
    }
}

}  // namespace

Result<KernelInterface> kernel_interface(const std::string& name) {
    const ControlSocket control;
    KernelInterface interface;
    ifreq r = request_for(name);
    if (name.empty() || name.size() >= IFNAMSIZ || !control.ask(SIOCGIFINDEX, r)) {
        return Error{ErrorCode::kMissing,
                     "there is no interface \"" + name +
                         "\" in this network namespace: `ip link` lists those there are"};
    }
    interface.ifindex = static_cast<unsigned>(r.ifr_ifindex);
    if (!control.ask(SIOCGIFHWADDR, r) || r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        return Error{ErrorCode::kUnsupported,
                     "interface " + name + " is not Ethernet: a port needs one that is"};
    }
    std::memcpy(interface.mac.data(), r.ifr_hwaddr.sa_data, interface.mac.size());
    if (control.ask(SIOCGIFMTU, r)) {
        interface.mtu = static_cast<unsigned>(r.ifr_mtu);
    }
    if (control.ask(SIOCGIFFLAGS, r)) {
        interface.flags = static_cast<unsigned short>(r.ifr_flags);
    }
    read_channels(control, name, interface);
    return interface;
}

void restore_promiscuous(const std::string& name, unsigned flags) {
    const ControlSocket control;
    ifreq r = request_for(name);
    if (control.ask(SIOCGIFFLAGS, r) &&
        (static_cast<unsigned>(r.ifr_flags) & IFF_PROMISC) != (flags & IFF_PROMISC)) {
        r.ifr_flags = static_cast<short>(r.ifr_flags ^ IFF_PROMISC);
        control.ask(SIOCSIFFLAGS, r);
    }
}

Status set_mtu(const std::string& name, unsigned mtu) {
    ifreq r = request_for(name);
    r.ifr_mtu = static_cast<int>(mtu);
    return ControlSocket().ask(SIOCSIFMTU, r)
               ? Status()
               : system_error("cannot set the MTU of " + name, errno);
}

Status set_mac(const std::string& name, const Mac& mac) {
    ifreq r = request_for(name);
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::memcpy(r.ifr_hwaddr.sa_data, mac.data(), mac.size());
    return ControlSocket().ask(SIOCSIFHWADDR, r)
               ? Status()
               : system_error("cannot set the MAC of " + name, errno);
}

Status bring_up(const std::string& name) {
    const ControlSocket control;
    ifreq r = request_for(name);
    if (control.ask(SIOCGIFFLAGS, r)) {
        r.ifr_flags = static_cast<short>(r.ifr_flags | IFF_UP);
        if (control.ask(SIOCSIFFLAGS, r)) {
            return {};
        }
    }
    return system_error("cannot bring " + name + " up", errno);
}

}  // namespace pinhole::io
