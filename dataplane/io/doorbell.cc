// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/doorbell.h"

#include "dataplane/io/errors.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace pinhole::io {

Result<Doorbell> Doorbell::create() {
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        return system_error("cannot make an eventfd", errno);
    }
    return Doorbell(fd);
}

Doorbell::~Doorbell() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

void Doorbell::wake() const {
    const std::uint64_t one = 1;
    // It never holds more than a few: there is room.
    (void)!write(fd_, &one, sizeof one);
}

void Doorbell::rise() {
    awaited_.store(false, std::memory_order_relaxed);
    // A thread that was about to ring may write after this: the next sleep then ends at once, for
    // nothing.
    std::uint64_t rung = 0;
    (void)!read(fd_, &rung, sizeof rung);
}

}  // namespace pinhole::io
