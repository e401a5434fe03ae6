// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/deadline_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pinhole::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long a stop may go unseen.
constexpr milliseconds kSlice{20};

}  // namespace

DeadlineStream::DeadlineStream(int socket, milliseconds allowed, const std::atomic<bool>& stopping)
    : socket_(socket), deadline_(steady_clock::now() + allowed), stopping_(stopping) {}

bool DeadlineStream::wait_for(short events) const {
    while (!stopping_.load(std::memory_order_relaxed)) {
        const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
        if (left.count() <= 0) {
            return false;
        }
        pollfd waiting{socket_, events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(left, kSlice).count()));
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
    return false;
}

bool DeadlineStream::is_readable() const {
    return begin_ != end_ || wait_for(POLLIN);
}
bool DeadlineStream::is_writable() const {
    return wait_for(POLLOUT);
}

ssize_t DeadlineStream::read(char* out, size_t size) {
    if (begin_ == end_) {
        ssize_t got = -1;
        do {
            if (!wait_for(POLLIN)) {
                return -1;
            }
            got = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        } while (got < 0 && (errno == EAGAIN || errno == EINTR));
        if (got <= 0) {
            return got;
        }
        begin_ = 0;
        end_ = static_cast<std::size_t>(got);
    }
    const std::size_t count = std::min(size, end_ - begin_);
    std::memcpy(out, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
}

ssize_t DeadlineStream::write(const char* data, size_t size) {
    ssize_t sent = -1;
    do {
        if (!wait_for(POLLOUT)) {
            return -1;
        }
        sent = ::send(socket_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && (errno == EAGAIN || errno == EINTR));
    return sent;
}

// Nobody here asks who the client is.
void DeadlineStream::get_remote_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
}

void DeadlineStream::get_local_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
}

}  // namespace pinhole::api
