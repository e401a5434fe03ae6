// SPDX-License-Identifier: BSD-3-Clause
// The HTTP server, once for TCP (`[http] listen`, read only) and once for the Unix control socket
// (which may change things: who may open it is the file's mode). Runs in a thread of its own with a
// few more for requests, bounded in number, size and time; a slow or silly client costs one of them
// for seconds, never the daemon.
#pragma once

#include "control/api/system.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pinhole::api {

// Of a Unix socket: its mode, and its group by name; empty: that of the process.
struct SocketFile {
    unsigned mode = 0660;
    std::string group;
};

class Server {
  public:
    enum class Access : std::uint8_t { kReadOnly, kFull };

    // `system` outlives the server.
    Server(System& system, Access access);
    ~Server();  // stops
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Each returns nothing, or the sentence why it can't be. Listening when they return. `host` is
    // an address without brackets; port 0 takes a free one, see port().
    [[nodiscard]] std::optional<std::string> start_tcp(const std::string& host, std::uint16_t port);
    // Makes the parent directory (0755) if need be; the socket gets the mode and group. A socket
    // file that nobody listens at is removed first; a living one, or a file that is no socket, is
    // an error. stop() removes it.
    [[nodiscard]] std::optional<std::string> start_unix(const std::string& path,
                                                        const SocketFile& file = {});
    // Ends in well under a second, whatever clients do. Harmless when not started.
    void stop();

    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pinhole::api
