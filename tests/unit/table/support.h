// SPDX-License-Identifier: BSD-3-Clause
// What the table's tests share: reclaimers, a table on the heap, and phones to put into it.
#pragma once

#include "dataplane/table/binding_table.h"
#include "dataplane/table/heap_memory.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pinhole::table::test {

inline KeyedHash make_hash(std::uint64_t mask = ~0ull, std::uint8_t key = 7) {
    std::array<std::byte, KeyedHash::kSeedBytes> seed;
    seed.fill(std::byte{key});
    return KeyedHash(seed, mask);
}

// Readers are quiescent whenever the test says so: at once, or up to the token it names.
struct TestReclaimer {
    std::uint64_t now = 0;
    std::uint64_t passed_to = 0;
    bool at_once = true;

    Reclaimer get() {
        return {[](void* self) { return ++static_cast<TestReclaimer*>(self)->now; },
                [](void* self, std::uint64_t token) {
                    auto& reclaimer = *static_cast<TestReclaimer*>(self);
                    return reclaimer.at_once || token <= reclaimer.passed_to;
                },
                this};
    }
    void all_quiescent() { passed_to = now; }
};

struct TestTable {
    explicit TestTable(std::uint32_t max_contacts, std::uint32_t shards = 1,
                       std::uint64_t hash_mask = ~0ull) {
        const std::vector<ShardMemory> memories(shards, memory.shard());
        table = BindingTable::make(
            {max_contacts, make_hash(hash_mask), reclaimer.get(), memory.arrays(), memories});
    }
    BindingTable* operator->() const { return table.get(); }
    BindingTable& operator*() const { return *table; }

    HeapMemory memory;
    TestReclaimer reclaimer;
    std::unique_ptr<BindingTable> table;
};

// Quiescent states as rte_rcu_qsbr keeps them: a token a change, and what each thread has seen.
template <std::uint32_t kThreads>
class TestQsbr {
  public:
    Reclaimer get() {
        return {[](void* self) { return static_cast<TestQsbr*>(self)->now_.fetch_add(1) + 1; },
                [](void* self, std::uint64_t token) {
                    for (const auto& seen : static_cast<TestQsbr*>(self)->seen_) {
                        if (seen.value.load() < token) {
                            return false;
                        }
                    }
                    return true;
                },
                this};
    }
    void quiescent(std::uint32_t thread) { seen_[thread].value.store(now_.load()); }
    void offline(std::uint32_t thread) { seen_[thread].value.store(~0ull); }

  private:
    struct alignas(64) Seen {
        std::atomic<std::uint64_t> value{0};
    };
    std::atomic<std::uint64_t> now_{0};
    std::array<Seen, kThreads> seen_;
};

// What goes back is overwritten.
inline RecordAllocator poisoning() {
    return {[](void*, std::size_t bytes) { return std::malloc(bytes); },
            [](void*, void* record, std::size_t bytes) {
                std::memset(record, 0xdd, bytes);
                std::free(record);
            },
            nullptr};
}

inline net::Flow make_flow(std::uint32_t address, std::uint16_t port = 5060) {
    net::Flow flow;
    flow.ours = net::Address::v4(0xc6336401);
    flow.theirs = net::Address::v4(address);
    flow.our_udp_port = 5060;
    flow.their_udp_port = port;
    return flow;
}

inline std::string make_aor(std::uint64_t n) {
    return "user" + std::to_string(n) + "@example.com";
}

// Of every other phone one that is kept in its short form.
inline std::string make_instance(std::uint64_t n) {
    const std::string number = std::to_string(n);
    return "<urn:uuid:" +
           (n % 2 == 0
                ? number
                : "00000000-0000-1000-8000-" + std::string(12 - number.size(), '0') + number) +
           ">";
}

// A phone's contact; owns its texts.
struct Phone {
    explicit Phone(std::uint64_t n)
        : aor(make_aor(n)),
          uri("sip:" + std::to_string(n) + "@192.168.1.10:5060"),
          params(";+sip.instance=\"" + make_instance(n) + "\"") {
        state.flow = make_flow(static_cast<std::uint32_t>(n) | 0x0a000000);
        state.call_id_hash = n;
        state.expires_at_s = 3600;
        state.cseq = 1;
    }
    NewContact contact() const {
        NewContact c;
        c.uri = uri;
        c.params = params;
        c.instance = std::string_view(params).substr(16, params.size() - 17);
        c.reg_id = 3;
        c.registered_at_s = 17;
        c.state = state;
        return c;
    }

    std::string aor, uri, params;
    ContactState state;
};

// One that lives as long as the program: an edit keeps views of its texts until the change is done.
inline const Phone& kept_phone(std::uint64_t n) {
    static std::map<std::uint64_t, Phone> phones;
    return phones.try_emplace(n, n).first->second;
}

inline ChangeResult add(BindingTable& table, std::string_view aor, const NewContact& contact) {
    return table
        .change_owner(table.hash()(aor), aor,
                      [&](const Current&, Edit& edit) { return edit.add(contact); })
        .result;
}
inline ChangeResult add(BindingTable& table, const Phone& phone) {
    return add(table, phone.aor, phone.contact());
}
inline const Record* find(const BindingTable& table, std::string_view aor) {
    return table.find(table.hash()(aor), aor);
}
inline ChangeResult drop_all(BindingTable& table, std::string_view aor) {
    return table
        .change_owner(table.hash()(aor), aor,
                      [](const Current& current, Edit& edit) {
                          for (std::size_t i = 0; i < current.contacts.size(); ++i) {
                              edit.drop(i);
                          }
                          return true;
                      })
        .result;
}
inline void reclaim_all(BindingTable& table) {
    for (std::uint32_t shard = 0; shard < table.shard_count(); ++shard) {
        while (table.reclaim_owner(shard) != 0) {
        }
    }
}
inline std::vector<std::uint32_t> drained(ChangeMarks& marks) {
    std::vector<std::uint32_t> slots;
    marks.drain(~std::size_t{0}, [&](std::uint32_t slot) { slots.push_back(slot); });
    return slots;
}

}  // namespace pinhole::table::test
