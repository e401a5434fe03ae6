// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/memory.h"

#include "dataplane/io/errors.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace pinhole::io {
namespace {

constexpr std::size_t kPage = std::size_t{2} << 20;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

std::size_t round_up(std::size_t bytes) {
    return (bytes + kPage - 1) / kPage * kPage;
}

std::string in_megabytes(std::size_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB";
}

std::size_t read_number(const std::string& path) {
    std::ifstream file(path);
    std::size_t number = kNoLimit;  // also for cgroup's "max"
    return file >> number ? number : kNoLimit;
}

// What cgroup v2 leaves this process on the way up to the root.
std::size_t cgroup_left() {
    std::ifstream self("/proc/self/cgroup");
    std::string line;
    std::size_t left = kNoLimit;
    while (std::getline(self, line)) {
        if (!line.starts_with("0::")) {
            continue;
        }
        for (std::string path = line.substr(3); !path.empty(); path.erase(path.rfind('/'))) {
            const std::string folder = "/sys/fs/cgroup" + (path == "/" ? "" : path);
            const std::size_t limit = read_number(folder + "/memory.max");
            const std::size_t used = read_number(folder + "/memory.current");
            if (limit != kNoLimit && used != kNoLimit) {
                left = std::min(left, limit > used ? limit - used : 0);
            }
            if (path.rfind('/') == std::string::npos) {
                break;
            }
        }
    }
    return left;
}

// Prefers one node's memory; a machine that cannot say so loses nothing but speed.
void prefer_node(void* at, std::size_t bytes, int socket) {
    if (socket >= 0 && socket < 64) {
        const unsigned long node = 1UL << socket;
        syscall(SYS_mbind, at, bytes, MPOL_PREFERRED, &node, sizeof node * 8 + 1, 0);
    }
}

// Now, not in a worker's first touch: what was reserved is there.
bool populate(void* at, std::size_t bytes) {
    return madvise(at, bytes, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
}

std::span<std::byte> map_hugepages(std::size_t bytes, int socket) {
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT), -1, 0);
    if (at == MAP_FAILED) {
        return {};
    }
    prefer_node(at, bytes, socket);
    if (!populate(at, bytes)) {
        munmap(at, bytes);
        return {};
    }
    return {static_cast<std::byte*>(at), bytes};
}

std::span<std::byte> map_plain(std::size_t bytes, int socket) {
    // One page more, so that a 2 MB boundary is in it.
    void* raw =
        mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) {
        return {};
    }
    const auto start = reinterpret_cast<std::uintptr_t>(raw);
    const std::size_t before = round_up(start) - start;
    auto* at = static_cast<std::byte*>(raw) + before;
    if (before > 0) {
        munmap(raw, before);
    }
    munmap(at + bytes, kPage - before);
    madvise(at, bytes, MADV_HUGEPAGE);
    prefer_node(at, bytes, socket);
    if (!populate(at, bytes)) {
        munmap(at, bytes);
        return {};
    }
    return {at, bytes};
}

}  // namespace

std::size_t available_bytes() {
    std::ifstream file("/proc/meminfo");
    std::string word;
    std::size_t available = kNoLimit;
    while (file >> word) {
        if (word == "MemAvailable:") {
            file >> available;
            available *= 1024;
            break;
        }
    }
    return std::min(available, cgroup_left());
}

std::size_t free_hugepage_bytes() {
    const std::size_t pages =
        read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    const std::size_t reserved =
        read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages");
    if (pages == kNoLimit) {
        return 0;
    }
    return (pages - std::min(pages, reserved == kNoLimit ? 0 : reserved)) * kPage;
}

Status check_available(std::size_t needed, std::string_view what) {
    const std::size_t there = available_bytes() / 16 * 15;
    if (needed <= there) {
        return {};
    }
    return Error{ErrorCode::kNoMemory, std::string(what) + " needs " + in_megabytes(needed) +
                                           " of memory and only " + in_megabytes(there) +
                                           " may be taken: lower [dataplane] max_contacts or "
                                           "workers, or give the machine (or its cgroup) more"};
}

Result<Region> Region::reserve(std::size_t bytes, HugepageMode mode, int socket,
                               std::string_view what) {
    Region region;
    bytes = round_up(std::max<std::size_t>(bytes, 1));
    if (mode != HugepageMode::kOff && free_hugepage_bytes() >= bytes) {
        region.bytes_ = map_hugepages(bytes, socket);
        region.pages_ = PageKind::kHugepages;
    }
    if (!region.bytes_.empty()) {
        return region;
    }
    if (mode == HugepageMode::kOn) {
        return Error{ErrorCode::kNoMemory,
                     std::string(what) + " needs " + std::to_string(bytes / kPage) +
                         " hugepages of 2 MB and " + std::to_string(free_hugepage_bytes() / kPage) +
                         " are free: raise vm.nr_hugepages (sysctl), or set hugepages = \"auto\""};
    }
    if (Status enough = check_available(bytes, what); !enough) {
        return enough.error();
    }
    region.pages_ = PageKind::kTransparent;
    region.bytes_ = map_plain(bytes, socket);
    if (region.bytes_.empty()) {
        return system_error(
            std::string("cannot take ") + in_megabytes(bytes) + " for " + std::string(what), errno);
    }
    return region;
}

Region::Region(Region&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), pages_(other.pages_) {}

Region& Region::operator=(Region&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(pages_, other.pages_);
    return *this;
}

Region::~Region() {
    if (!bytes_.empty()) {
        munmap(bytes_.data(), bytes_.size());
    }
}

void* Carver::take(std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    if (bytes > rest_.size()) {
        return nullptr;
    }
    void* piece = rest_.data();
    rest_ = rest_.subspan(std::min(rest_.size(), (bytes + kLine - 1) / kLine * kLine));
    return piece;
}

std::string_view page_kind_name(PageKind kind) {
    return kind == PageKind::kHugepages ? "hugepages" : "transparent 2 MB pages";
}

}  // namespace pinhole::io
