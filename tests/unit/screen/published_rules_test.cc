// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/screen/published_rules.h"

#include "tests/unit/screen/support.h"

#include <map>

namespace pinhole::screen {
namespace {

// A worker that is quiescent when the test says so.
struct Readers {
    std::uint64_t now = 0;
    std::uint64_t passed_up_to = 0;

    table::Reclaimer reclaimer() {
        return {[](void* self) { return ++static_cast<Readers*>(self)->now; },
                [](void* self, std::uint64_t token) {
                    return token <= static_cast<Readers*>(self)->passed_up_to;
                },
                this};
    }
    void all_quiescent() { passed_up_to = now; }
};

void hit(const RuleSet& set, std::string_view text) {
    (void)set.judge(set.match(text, nullptr, 0), 0);
}

std::map<std::string, std::uint64_t> hits(const PublishedRules& published) {
    std::map<std::string, std::uint64_t> out;
    for (const RuleHits& each : published.hits()) {
        out[each.rule] = each.hits;
    }
    return out;
}

using Hits = std::map<std::string, std::uint64_t>;

TEST(PublishedRules, HitsGoOnOverAReload) {
    Readers readers;
    PublishedRules published(readers.reclaimer());
    EXPECT_EQ(published.pointer().load(), nullptr);
    EXPECT_TRUE(published.hits().empty());
    published.put(compiled("any /a/ drop a\nany /b/ drop b\n"));
    const RuleSet& first = *published.pointer().load();
    hit(first, "a");
    hit(first, "b");
    EXPECT_EQ(hits(published), (Hits{{"a", 1}, {"b", 1}}));

    published.put(compiled("any /c/ drop c\nany /a/ drop a\n"));
    EXPECT_EQ(hits(published), (Hits{{"a", 1}, {"c", 0}}));
    published.reclaim();
    hit(first, "a");  // a worker still has the old set
    hit(*published.pointer().load(), "a");
    EXPECT_EQ(hits(published), (Hits{{"a", 3}, {"c", 0}}));
    readers.all_quiescent();
    published.reclaim();
    EXPECT_EQ(hits(published), (Hits{{"a", 3}, {"c", 0}}));

    published.put(compiled("any /a/ drop a\nany /b/ drop b\n"));
    readers.all_quiescent();
    published.reclaim();
    EXPECT_EQ(hits(published), (Hits{{"a", 3}, {"b", 0}})) << "b was gone and begins anew";
}

}  // namespace
}  // namespace pinhole::screen
