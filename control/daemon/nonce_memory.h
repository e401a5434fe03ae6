// SPDX-License-Identifier: BSD-3-Clause
// The windows of nonces and the memory under them: hugepages where there are any. Made at start.
#pragma once

#include "dataplane/auth/nonce_windows.h"
#include "dataplane/io/memory.h"
#include "dataplane/io/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace pinhole::daemon {

class NonceMemory {
  public:
    static io::Result<std::unique_ptr<NonceMemory>> make(std::uint32_t max_contacts,
                                                         std::uint32_t lifetime_s,
                                                         const io::Settings& settings) {
        auto region = io::Region::reserve(auth::NonceWindows::bytes_for(max_contacts),
                                          settings.hugepages, -1, "the nonces of all contacts");
        if (!region) {
            return region.error();
        }
        std::unique_ptr<NonceMemory> made(new NonceMemory(region.take()));
        made->windows_.emplace(table::ArrayMemory{io::Carver::take_fn, &made->carver_},
                               max_contacts, lifetime_s);
        if (!made->windows_->valid()) {
            return io::Error{io::ErrorCode::kNoMemory, "no memory for the nonces of all contacts"};
        }
        return made;
    }
    [[nodiscard]] auth::NonceWindows& windows() { return *windows_; }

  private:
    explicit NonceMemory(io::Region region)
        : region_(std::move(region)), carver_(region_.bytes()) {}

    io::Region region_;
    io::Carver carver_;
    std::optional<auth::NonceWindows> windows_;
};

}  // namespace pinhole::daemon
