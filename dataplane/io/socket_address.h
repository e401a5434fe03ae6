// SPDX-License-Identifier: BSD-3-Clause
// An net::Endpoint as the kernel's socket calls want it, and back. Any thread but a worker.
#pragma once

#include "dataplane/io/settings.h"
#include "dataplane/net/address.h"

#include <sys/socket.h>

namespace pinhole::io {

// Fills `out`; the length to hand over with it.
socklen_t to_sockaddr(const net::Endpoint& endpoint, sockaddr_storage& out);
// Of AF_INET or AF_INET6.
[[nodiscard]] net::Endpoint from_sockaddr(const sockaddr_storage& in);

}  // namespace pinhole::io
