// SPDX-License-Identifier: BSD-3-Clause
// A connection that ends by a deadline as a whole, or at once when the server stops, however slowly
// its client drips bytes. httplib's own stream knows only a timeout a read, so one patient client
// could hold a thread for hours.
#pragma once

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace pinhole::api {

class DeadlineStream final : public httplib::Stream {
  public:
    // Doesn't own the socket. `stopping` outlives the stream.
    DeadlineStream(int socket, std::chrono::milliseconds allowed,
                   const std::atomic<bool>& stopping);

    [[nodiscard]] bool is_readable() const override;
    [[nodiscard]] bool is_writable() const override;
    ssize_t read(char* out, size_t size) override;
    ssize_t write(const char* data, size_t size) override;
    void get_remote_ip_and_port(std::string& ip, int& port) const override;
    void get_local_ip_and_port(std::string& ip, int& port) const override;
    [[nodiscard]] socket_t socket() const override { return socket_; }

  private:
    [[nodiscard]] bool wait_for(short events) const;

    const int socket_;
    const std::chrono::steady_clock::time_point deadline_;
    const std::atomic<bool>& stopping_;
    // httplib reads request lines by the byte.
    std::array<char, 4096> buffer_{};
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace pinhole::api
