// SPDX-License-Identifier: BSD-3-Clause
// Where big memory comes from. A Region is what the binding table is carved from: hugepages if
// enough are free, else private memory that the kernel is asked to back by 2 MB pages. It is
// checked against what the machine (and the cgroup) has before it is taken, so that too little
// memory is a sentence at start and not a kill later. Start-up only; the bytes themselves belong to
// whoever carves them.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::io {

enum class PageKind : std::uint8_t { kHugepages, kTransparent };

class Region {
  public:
    // `what` names the use in the sentence ("the table of 1000000 contacts"); `socket` is a NUMA
    // node or -1. The bytes are zero, 2 MB aligned, a multiple of 2 MB.
    static Result<Region> reserve(std::size_t bytes, HugepageMode mode, int socket,
                                  std::string_view what);

    Region() = default;
    Region(Region&& other) noexcept;
    Region& operator=(Region&& other) noexcept;
    ~Region();

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
    [[nodiscard]] PageKind pages() const { return pages_; }

  private:
    std::span<std::byte> bytes_;
    PageKind pages_ = PageKind::kTransparent;
};

// Hands a region out piece by piece, each zero and aligned to 64 bytes; nothing comes back. One
// thread.
class Carver {
  public:
    explicit Carver(std::span<std::byte> rest) : rest_(rest) {}

    // nullptr if there is not enough left.
    [[nodiscard]] void* take(std::size_t bytes);
    // The same as a plain function, for code that is handed its memory (table::ArrayMemory).
    static void* take_fn(void* carver, std::size_t bytes) {
        return static_cast<Carver*>(carver)->take(bytes);
    }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }

  private:
    std::span<std::byte> rest_;
};

// "hugepages" or "transparent 2 MB pages", for the start-up line and `pinholectl status`.
[[nodiscard]] std::string_view page_kind_name(PageKind kind);

// What may still be used: MemAvailable, or what the cgroup leaves if that is less.
[[nodiscard]] std::size_t available_bytes();
// Free hugepages of 2 MB, in bytes.
[[nodiscard]] std::size_t free_hugepage_bytes();

// An error if `needed` bytes of ordinary memory are not there, with a sixteenth of what there is
// left to others: a process that takes the last byte brings the kernel's OOM killer upon all of
// them.
Status check_available(std::size_t needed, std::string_view what);

}  // namespace pinhole::io
