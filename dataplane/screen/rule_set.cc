// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/screen/rule_set.h"

#include "dataplane/sip/writer.h"

#include <hs/hs.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace pinhole::screen {
namespace {

struct DatabaseDeleter {
    void operator()(hs_database_t* database) const { (void)hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, DatabaseDeleter>;

struct ScratchDeleter {
    void operator()(hs_scratch_t* scratch) const { (void)hs_free_scratch(scratch); }
};
using Scratch = std::unique_ptr<hs_scratch_t, ScratchDeleter>;

// One worker's own. A value is at most as long as a datagram; of the room for unfolding only what
// a folded value needs is ever touched.
struct alignas(64) Lane {
    Scratch scratch;
    std::unique_ptr<char[]> unfolded = std::make_unique<char[]>(sip::kMaxDatagram);
    std::vector<Counter> hits;
};

// Fields that the same rules look at.
struct Group {
    std::vector<unsigned> rules;
    std::vector<Field> fields;
    Database database;
};

unsigned flags_of(const Rule& rule, bool matches_empty) {
    return HS_FLAG_SINGLEMATCH | (rule.caseless ? HS_FLAG_CASELESS : 0U) |
           (rule.dot_all ? HS_FLAG_DOTALL : 0U) | (rule.multiline ? HS_FLAG_MULTILINE : 0U) |
           (matches_empty ? HS_FLAG_ALLOWEMPTY : 0U);
}

std::string message_of(hs_compile_error_t* error) {
    std::string text = error->message;
    (void)hs_free_compile_error(error);
    return text;
}

// What Hyperscan says of a pattern alone. False: it can't be used.
bool examine(const Rule& rule, bool& matches_empty, Complaints& complaints) {
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* error = nullptr;
    // With every flag that makes it accept more: what is odd only is found below.
    if (hs_expression_info(rule.pattern.c_str(), flags_of(rule, true), &info, &error) !=
        HS_SUCCESS) {
        complaints.push_back({rule.line, false, "the pattern is refused: " + message_of(error)});
        return false;
    }
    matches_empty = info->min_width == 0;
    std::free(info);  // Hyperscan's own allocator is malloc unless told otherwise
    if (matches_empty) {
        complaints.push_back({rule.line, true,
                              "the pattern matches the empty string: unless ^ and $ hold it, it "
                              "hits whatever comes"});
    }
    return true;
}

std::vector<Group> groups_of(std::span<const Rule> rules) {
    std::vector<Group> groups;
    for (std::size_t f = 0; f < kFieldCount; ++f) {
        const auto field = static_cast<Field>(f);
        std::vector<unsigned> wanted;
        for (unsigned i = 0; i < rules.size(); ++i) {
            if (rules[i].looks_at(field)) {
                wanted.push_back(i);
            }
        }
        const auto same = std::find_if(groups.begin(), groups.end(),
                                       [&](const Group& group) { return group.rules == wanted; });
        if (same != groups.end()) {
            same->fields.push_back(field);
        } else if (!wanted.empty()) {
            groups.push_back({std::move(wanted), {field}, nullptr});
        }
    }
    return groups;
}

// Hyperscan names the first expression that it fails at.
bool build(Group& group, std::span<const Rule> rules, const std::vector<bool>& matches_empty,
           Complaints& complaints) {
    std::vector<const char*> expressions;
    std::vector<unsigned> flags;
    for (const unsigned i : group.rules) {
        expressions.push_back(rules[i].pattern.c_str());
        flags.push_back(flags_of(rules[i], matches_empty[i]));
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), group.rules.data(),
                         static_cast<unsigned>(expressions.size()), HS_MODE_BLOCK, nullptr,
                         &database, &error) != HS_SUCCESS) {
        const std::uint32_t line =
            error->expression < 0
                ? 0
                : rules[group.rules[static_cast<unsigned>(error->expression)]].line;
        complaints.push_back({line, false, "the pattern is refused: " + message_of(error)});
        return false;
    }
    group.database.reset(database);
    return true;
}

bool make_lanes(const std::vector<Group>& groups, std::size_t rule_count, std::span<Lane> lanes) {
    hs_scratch_t* grown = nullptr;
    for (const Group& group : groups) {
        if (hs_alloc_scratch(group.database.get(), &grown) != HS_SUCCESS) {
            (void)hs_free_scratch(grown);
            return false;
        }
    }
    const Scratch first(grown);
    for (Lane& lane : lanes) {
        lane.hits = std::vector<Counter>(rule_count);
        hs_scratch_t* own = nullptr;
        if (first != nullptr && hs_clone_scratch(first.get(), &own) != HS_SUCCESS) {
            return false;
        }
        lane.scratch.reset(own);
    }
    return true;
}

int note(unsigned rule, unsigned long long /*from*/, unsigned long long /*to*/, unsigned /*flags*/,
         void* matches) {
    static_cast<Matches*>(matches)->set(rule);
    return 0;
}

// A fold is white space to whoever reads the value, so it is to the pattern (RFC 3261 §7.3.1).
void scan(const Group& group, std::string_view value, Lane& lane, bool may_be_folded,
          Matches& matches) {
    if (may_be_folded && value.find('\n') != std::string_view::npos) [[unlikely]] {
        sip::Writer out(lane.unfolded.get(), sip::kMaxDatagram);
        value = out.unfolded(value).view();  // never longer than what it is made from
    }
    (void)hs_scan(group.database.get(), value.data(), static_cast<unsigned>(value.size()), 0,
                  lane.scratch.get(), note, &matches);
}

sip::HeaderId header_of(Field field) {
    switch (field) {
        case Field::kUserAgent:
            return sip::HeaderId::kUserAgent;
        case Field::kFrom:
            return sip::HeaderId::kFrom;
        case Field::kTo:
            return sip::HeaderId::kTo;
        case Field::kContact:
            return sip::HeaderId::kContact;
        default:
            return sip::HeaderId::kCallId;
    }
}

}  // namespace

struct RuleSet::Impl {
    std::vector<Rule> rules;
    Matches counting;  // rules that only count
    std::vector<Group> groups;
    std::vector<Lane> lanes;  // by worker; freed before the databases that they were made for
};

RuleSet::RuleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleSet::~RuleSet() = default;

std::unique_ptr<RuleSet> RuleSet::compile(std::span<const Rule> rules, unsigned workers,
                                          Complaints& complaints) {
    if (hs_valid_platform() != HS_SUCCESS) {
        complaints.push_back({0, false, "this CPU lacks SSSE3, which Hyperscan needs"});
        return nullptr;
    }
    if (rules.size() > kMaxRules) {
        complaints.push_back({0, false, "too many rules"});
        return nullptr;
    }
    std::vector<bool> matches_empty(rules.size());
    bool good = true;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        bool empty = false;
        good = examine(rules[i], empty, complaints) && good;
        matches_empty[i] = empty;
    }
    if (!good) {
        return nullptr;
    }
    auto impl = std::make_unique<Impl>();
    impl->rules.assign(rules.begin(), rules.end());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        impl->counting[i] = rules[i].action == Action::kCountOnly;
    }
    impl->groups = groups_of(rules);
    for (Group& group : impl->groups) {
        good = build(group, rules, matches_empty, complaints) && good;
    }
    if (!good) {
        return nullptr;
    }
    impl->lanes = std::vector<Lane>(workers);
    if (!make_lanes(impl->groups, rules.size(), impl->lanes)) {
        complaints.push_back({0, false, "there is not enough memory for the rules"});
        return nullptr;
    }
    return std::unique_ptr<RuleSet>(new RuleSet(std::move(impl)));
}

Matches RuleSet::match(std::string_view text, const sip::Message* message, unsigned worker) const {
    Matches matches;
    Lane& lane = impl_->lanes[worker];
    for (const Group& group : impl_->groups) {
        for (const Field field : group.fields) {
            if (field == Field::kAny) {
                scan(group, text, lane, false, matches);
            } else if (message == nullptr) {
                continue;
            } else if (field == Field::kRequestUri) {
                scan(group, message->request_uri, lane, false, matches);
            } else {
                const sip::HeaderId id = header_of(field);
                for (std::uint8_t i = message->first_index(id); i != sip::kNoHeader;
                     i = message->next_index(id, i)) {
                    scan(group, message->value(i), lane, !message->plain(), matches);
                }
            }
        }
    }
    return matches;
}

Verdict RuleSet::judge(const Matches& matches, unsigned worker) const {
    Verdict verdict;
    if (matches.none()) [[likely]] {
        return verdict;
    }
    Lane& lane = impl_->lanes[worker];
    for (std::size_t i = 0; i < impl_->rules.size(); ++i) {
        const bool counts = matches[i] && (impl_->counting[i] || verdict.passes());
        if (!counts) {
            continue;
        }
        lane.hits[i].add();
        if (!impl_->counting[i]) {
            verdict = {impl_->rules[i].action, impl_->rules[i].code};
        }
    }
    return verdict;
}

std::span<const Rule> RuleSet::rules() const {
    return impl_->rules;
}

std::uint64_t RuleSet::hits(std::size_t rule) const {
    std::uint64_t sum = 0;
    for (const Lane& lane : impl_->lanes) {
        sum += lane.hits[rule].get();
    }
    return sum;
}

std::size_t RuleSet::database_count() const {
    return impl_->groups.size();
}

}  // namespace pinhole::screen
