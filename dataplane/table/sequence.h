// SPDX-License-Identifier: BSD-3-Clause
// The sequence word of a record. Whoever claims it (any worker, by compare-and-swap, bounded) may
// change what it guards; readers copy and look again. Guarded words are atomics, stored with
// release and loaded with acquire: a reader that saw one word of a change therefore also sees the
// claim before it, with no fence (which ThreadSanitizer cannot follow; on x86 the code is the
// same).
//
//   | version[30] | dead[1] | claimed[1] |    dead: another record has taken its place, or none
#pragma once

#include <atomic>
#include <cstdint>

namespace pinhole::table {

inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

enum class Claim : std::uint8_t { kClaimed, kDead, kContended };

class SequenceWord {
  public:
    // How often a claim or a read is tried again. A refresh holds a claim for some 50 ns, a
    // structural change for about 1 us; a holder that lost its core holds it for longer than
    // anybody should wait.
    static constexpr int kMaxTries = 256;

    [[nodiscard]] Claim claim() {
        for (int i = 0; i < kMaxTries; ++i) {
            // Acquire pairs with retire(): who sees a dead record finds in its bucket what replaced
            // it.
            std::uint32_t seen = word_.load(std::memory_order_acquire);
            if ((seen & kDead) != 0) {
                return Claim::kDead;
            }
            // seq_cst, because ChangeMarks::mark_claimed() needs the claim ordered before its look
            // at the mark.
            if ((seen & kClaimed) == 0 &&
                word_.compare_exchange_strong(seen, seen | kClaimed, std::memory_order_seq_cst,
                                              std::memory_order_relaxed)) {
                return Claim::kClaimed;
            }
            cpu_relax();
        }
        return Claim::kContended;
    }
    // By the holder: what was changed is there to see. Pairs with the loads in claim() and read().
    void release() {
        const std::uint32_t held = word_.load(std::memory_order_relaxed);
        word_.store((held & ~kClaimed) + kVersion, std::memory_order_release);
    }
    // By the holder: nothing was changed, so readers need not look again.
    void release_unchanged() {
        word_.store(word_.load(std::memory_order_relaxed) & ~kClaimed, std::memory_order_release);
    }
    // By the holder, the owner: this record is history. What replaces it must be published before.
    void retire() {
        const std::uint32_t held = word_.load(std::memory_order_relaxed);
        word_.store((held & ~kClaimed) | kDead, std::memory_order_release);
    }

    // Calls `copy` until it ran with nothing changed meanwhile. It must load the guarded words with
    // acquire. A dead record reads as it was last. False: contended.
    template <class Copy>
    [[nodiscard]] bool read(Copy&& copy) const {
        for (int i = 0; i < kMaxTries; ++i) {
            const std::uint32_t before = word_.load(std::memory_order_seq_cst);
            if ((before & kClaimed) == 0) {
                copy();
                if (word_.load(std::memory_order_relaxed) == before) {
                    return true;
                }
            }
            cpu_relax();
        }
        return false;
    }
    // The same, and which version it was.
    template <class Copy>
    [[nodiscard]] bool read(Copy&& copy, std::uint32_t& version) const {
        std::uint32_t before = 0;
        const bool whole = read([&] {
            before = word_.load(std::memory_order_relaxed);
            copy();
        });
        version = before / kVersion;
        return whole;
    }

    // By the holder: the version that release() will make.
    [[nodiscard]] std::uint32_t next_version() const {
        return ((word_.load(std::memory_order_relaxed) & ~kClaimed) + kVersion) / kVersion;
    }
    // Of a record that nobody else knows yet.
    void begin_at(std::uint32_t version) {
        word_.store(version * kVersion, std::memory_order_relaxed);
    }
    // Of a copy: see Record::copy_out().
    [[nodiscard]] std::uint32_t as_copied() const {
        return word_.load(std::memory_order_relaxed) / kVersion;
    }
    [[nodiscard]] static constexpr std::uint32_t copy_of(std::uint32_t version) {
        return version * kVersion;
    }
    // Of two versions of one record within 2^29 of each other, is `a` the later?
    [[nodiscard]] static constexpr bool is_later(std::uint32_t a, std::uint32_t b) {
        return static_cast<std::int32_t>((a - b) * kVersion) > 0;
    }
    [[nodiscard]] bool dead() const { return (word_.load(std::memory_order_acquire) & kDead) != 0; }

  private:
    static constexpr std::uint32_t kClaimed = 1;
    static constexpr std::uint32_t kDead = 2;
    static constexpr std::uint32_t kVersion = 4;

    std::atomic<std::uint32_t> word_{0};
};
static_assert(sizeof(SequenceWord) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace pinhole::table
