// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/arena.h"

#include <jemalloc/jemalloc.h>
#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace pinhole::table {

// What jemalloc calls for more memory. It hands us back its pointer to `table`, which is the first
// member.
struct RecordArena::Hooks {
    extent_hooks_t table;
    std::uintptr_t begin;
    std::uintptr_t end;
    std::atomic<std::uintptr_t> next;  // written under jemalloc's lock of the arena's growth

    static void* alloc(extent_hooks_t* table, void* wanted, std::size_t bytes,
                       std::size_t alignment, bool* zero, bool* commit, unsigned) {
        auto& self = *reinterpret_cast<Hooks*>(table);
        std::uintptr_t next = self.next.load(std::memory_order_relaxed);
        std::uintptr_t at = 0;
        do {
            at = (next + alignment - 1) / alignment * alignment;
            if (at > self.end || self.end - at < bytes ||
                (wanted != nullptr && wanted != reinterpret_cast<void*>(at))) {
                return nullptr;
            }
        } while (!self.next.compare_exchange_weak(next, at + bytes, std::memory_order_relaxed));
        if (*zero) {
            std::memset(reinterpret_cast<void*>(at), 0, bytes);
        }
        *commit = true;
        return reinterpret_cast<void*>(at);
    }
    // True: refused. jemalloc then keeps the extent and uses it again.
    static bool refuse_dalloc(extent_hooks_t*, void*, std::size_t, bool, unsigned) { return true; }
    // False: done. One region: any neighbours may be merged, anything may be split.
    static bool split(extent_hooks_t*, void*, std::size_t, std::size_t, std::size_t, bool,
                      unsigned) {
        return false;
    }
    static bool merge(extent_hooks_t*, void*, std::size_t, void*, std::size_t, bool, unsigned) {
        return false;
    }
};

namespace {

bool set_decay(unsigned arena, const char* which, ssize_t ms) {
    char name[64];
    std::snprintf(name, sizeof name, "arena.%u.%s_decay_ms", arena, which);
    return mallctl(name, nullptr, nullptr, &ms, sizeof ms) == 0;
}

// jemalloc grows an arena by ever larger pieces, an eighth more each time, and the last one lies
// half empty: some 28 bytes a contact of a million. The region is there already, so small ones cost
// nothing.
bool set_growth(unsigned arena, std::size_t most_bytes) {
    char name[64];
    std::snprintf(name, sizeof name, "arena.%u.retain_grow_limit", arena);
    return mallctl(name, nullptr, nullptr, &most_bytes, sizeof most_bytes) == 0;
}

}  // namespace

std::unique_ptr<RecordArena> RecordArena::make(void* region, std::size_t bytes) {
    if (region == nullptr || bytes < kMinRegionBytes) {
        return nullptr;
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(region);
    // Purging, committing and destroying are left out: jemalloc takes a null hook for a refusal.
    extent_hooks_t table{};
    table.alloc = &Hooks::alloc;
    table.dalloc = &Hooks::refuse_dalloc;
    table.split = &Hooks::split;
    table.merge = &Hooks::merge;
    std::unique_ptr<RecordArena> made(
        new RecordArena(std::unique_ptr<Hooks>(new Hooks{table, begin, begin + bytes, {begin}})));
    extent_hooks_t* hooks = &made->hooks_->table;
    std::size_t size = sizeof made->arena_;
    if (mallctl("arenas.create", &made->arena_, &size, &hooks, sizeof(extent_hooks_t*)) != 0) {
        made->hooks_.reset();  // nothing to destroy
        return nullptr;
    }
    if (!set_decay(made->arena_, "dirty", -1) || !set_decay(made->arena_, "muzzy", -1) ||
        !set_growth(made->arena_, std::size_t{2} << 20) ||
        mallctl("tcache.create", &made->tcache_, &size, nullptr, 0) != 0) {
        return nullptr;
    }
    made->flags_ = MALLOCX_ARENA(made->arena_) | MALLOCX_TCACHE(made->tcache_);
    return made;
}

RecordArena::RecordArena(std::unique_ptr<Hooks> hooks) : hooks_(std::move(hooks)) {}

RecordArena::~RecordArena() {
    if (hooks_ == nullptr) {
        return;
    }
    if (flags_ != 0) {
        mallctl("tcache.destroy", nullptr, nullptr, &tcache_, sizeof tcache_);
    }
    char name[64];
    std::snprintf(name, sizeof name, "arena.%u.destroy", arena_);
    mallctl(name, nullptr, nullptr, nullptr, 0);
}

RecordAllocator RecordArena::allocator() {
    return {[](void* self, std::size_t bytes) {
                return mallocx(bytes, static_cast<RecordArena*>(self)->flags_);
            },
            // Never without the tcache: what goes to the thread's own would come back from a plain
            // malloc.
            [](void* self, void* record, std::size_t bytes) {
                sdallocx(record, bytes, static_cast<RecordArena*>(self)->flags_);
            },
            this,
            /*ends_whole=*/true};
}

std::size_t RecordArena::carved_bytes() const {
    return hooks_->next.load(std::memory_order_relaxed) - hooks_->begin;
}

}  // namespace pinhole::table
