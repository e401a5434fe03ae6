// SPDX-License-Identifier: BSD-3-Clause
// In place of steering.cc where clang, libbpf or libxdp were missing at build time: an af_xdp port
// says so.
#include "dataplane/io/xdp/steering.h"

namespace pinhole::io {

Result<std::unique_ptr<XdpSteering>> XdpSteering::prepare(const std::string& interface,
                                                          unsigned /*ifindex*/) {
    return Error{ErrorCode::kUnsupported,
                 "this pinhole was built without af_xdp: build it where clang, libbpf-dev and "
                 "libxdp-dev are installed, or use af_packet:" +
                     interface};
}
XdpSteering::~XdpSteering() = default;
Status XdpSteering::attach() {
    return {};
}
Status XdpSteering::set_targets(std::span<const net::Endpoint> /*endpoints*/) {
    return {};
}

}  // namespace pinhole::io
