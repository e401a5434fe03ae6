// SPDX-License-Identifier: BSD-3-Clause
// RFC 3261 §10.3 as plainly as it can be told, over a map of vectors: what the registrar is held
// against. It knows requests as they were meant, not their text, and shares no code with the
// registrar but the types of a flow and of the policy. For tests.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/registrar/policy.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pinhole::corpus {

// A Contact as a request asks for it. Two with one `device` are equal as URIs, however spelled.
struct Asked {
    enum class Kind { kGood, kStar, kUnreadable, kNoSip };
    Kind kind = Kind::kGood;
    unsigned device = 0;
    std::string uri;
    std::string instance;  // "<urn:...>"; empty: none
    std::uint32_t reg_id = 0;
    std::string params;                    // as echoed, the instance and the reg-id included
    std::optional<std::uint16_t> q;        // thousandths
    std::optional<std::uint32_t> expires;  // readable ones
};

struct Register {
    enum class Defect { kNone, kForeignTo, kRequire, kUnreadableFrom, kUnreadableTo, kCSeqMethod };
    Defect defect = Defect::kNone;
    std::string aor;
    std::string call_id;
    std::uint32_t cseq = 0;
    net::Flow flow;
    std::optional<std::uint32_t> expires;
    std::vector<Asked> contacts;
};

struct Bound {
    Asked contact;
    std::string call_id;
    std::uint32_t cseq = 0;
    net::Flow flow;
    std::uint64_t refreshed_ms = 0;
    std::uint32_t expires_at_s = 0;
    std::uint32_t registered_at_s = 0;
};

class Model {
  public:
    explicit Model(const registrar::RegistrarPolicy& policy) : policy_(policy) {}

    // The code of the answer.
    unsigned take(const Register& request, std::uint64_t now_ms) {
        now_ms_ = now_ms;
        request_ = &request;
        if (const unsigned code = code_of(request.defect); code != 200) {
            return code;
        }
        asked_.clear();
        star_ = false;
        for (const Asked& contact : request.contacts) {
            if (const unsigned code = read(contact); code != 200) {
                return code;
            }
        }
        if (asks_for_a_flow_and_more()) {
            return 400;
        }
        // All of it on a copy: whole or not at all.
        std::vector<Bound> bound = bindings(request.aor, now_ms);
        const unsigned code = star_ ? remove_all(bound) : carry_out(bound);
        if (code == 200) {
            bindings_[request.aor] = bound;
        }
        return code;
    }

    // Those that have not expired, in the order that they came.
    [[nodiscard]] std::vector<Bound> bindings(const std::string& aor, std::uint64_t now_ms) const {
        const auto found = bindings_.find(aor);
        std::vector<Bound> out = found == bindings_.end() ? std::vector<Bound>{} : found->second;
        std::erase_if(out, [&](const Bound& b) { return b.expires_at_s <= now_ms / 1000; });
        return out;
    }

  private:
    static unsigned code_of(Register::Defect defect) {
        switch (defect) {
            case Register::Defect::kNone:
                return 200;
            case Register::Defect::kForeignTo:
                return 404;
            case Register::Defect::kRequire:
                return 420;
            default:
                return 400;
        }
    }

    [[nodiscard]] std::uint32_t lifetime_s(const Asked& contact) const {
        const std::uint32_t asked =
            contact.expires.value_or(request_->expires.value_or(policy_.default_expires_s));
        const bool raised = asked != 0 && policy_.too_brief == registrar::TooBrief::kRaise;
        return std::min(raised ? std::max(asked, policy_.min_expires_s) : asked,
                        policy_.max_expires_s);
    }

    unsigned read(const Asked& contact) {
        if (contact.kind == Asked::Kind::kUnreadable) {
            return 400;
        }
        if (star_ || contact.kind == Asked::Kind::kStar) {
            const bool good = !star_ && asked_.empty() && request_->expires == 0U;
            star_ = true;
            return good ? 200 : 400;
        }
        if (contact.kind == Asked::Kind::kNoSip) {
            return 400;
        }
        if (lifetime_s(contact) != 0 && lifetime_s(contact) < policy_.min_expires_s) {
            return 423;
        }
        // The same twice in one request: the later word counts.
        const auto same = std::find_if(asked_.begin(), asked_.end(),
                                       [&](const Asked& a) { return a.device == contact.device; });
        if (same != asked_.end()) {
            *same = contact;
        } else {
            asked_.push_back(contact);
        }
        return 200;
    }

    // RFC 5626 §6.
    [[nodiscard]] bool asks_for_a_flow_and_more() const {
        unsigned added = 0;
        bool flow = false;
        for (const Asked& contact : asked_) {
            if (lifetime_s(contact) != 0) {
                ++added;
                flow |= contact.reg_id != 0;
            }
        }
        return flow && added > 1;
    }

    enum class Order { kNewer, kAgain, kLate };
    [[nodiscard]] Order order(const Bound& bound) const {
        const bool counts = bound.call_id == request_->call_id &&
                            now_ms_ - bound.refreshed_ms < registrar::kLatePacketWindow_ms;
        if (!counts || request_->cseq > bound.cseq) {
            return Order::kNewer;
        }
        return request_->cseq == bound.cseq ? Order::kAgain : Order::kLate;
    }

    unsigned remove_all(std::vector<Bound>& bound) const {
        for (const Bound& b : bound) {
            if (order(b) != Order::kNewer) {
                return 500;
            }
        }
        bound.clear();
        return 200;
    }

    [[nodiscard]] bool means(const Asked& contact, const Bound& bound) const {
        if (!contact.instance.empty() && !bound.contact.instance.empty()) {
            if (contact.instance != bound.contact.instance ||
                contact.reg_id != bound.contact.reg_id) {
                return false;
            }
            const auto of_instance =
                std::count_if(asked_.begin(), asked_.end(), [&](const Asked& a) {
                    return a.instance == contact.instance && a.reg_id == contact.reg_id;
                });
            if (contact.reg_id != 0 || of_instance == 1) {
                return true;
            }
        }
        return contact.device == bound.contact.device &&
               (bound.call_id == request_->call_id || bound.flow.theirs == request_->flow.theirs);
    }

    // Of several the surest: its very text under its Call-ID, or its URI under its Call-ID.
    [[nodiscard]] unsigned likeness(const Asked& contact, const Bound& bound) const {
        if (!means(contact, bound)) {
            return 0;
        }
        const bool same_call =
            bound.call_id == request_->call_id && bound.contact.device == contact.device;
        const bool same_text =
            bound.contact.uri == contact.uri && bound.contact.params == contact.params;
        return 1 + (same_call ? 1 : 0) + (same_call && same_text ? 1 : 0);
    }

    unsigned carry_out(std::vector<Bound>& bound) {
        const std::size_t before = bound.size();
        std::vector<bool> named(before, false);
        std::vector<bool> gone(before, false);
        bool grows = false;
        for (const Asked& contact : asked_) {
            std::size_t i = before;
            unsigned surest = 0;
            for (std::size_t at = 0; at < before; ++at) {
                const unsigned here = named[at] || gone[at] ? 0 : likeness(contact, bound[at]);
                if (here > surest) {
                    surest = here;
                    i = at;
                }
            }
            const std::uint32_t expires_s = lifetime_s(contact);
            if (i == before) {
                if (expires_s != 0) {
                    bound.push_back(bound_by(contact, expires_s, now_s()));
                    grows = true;
                }
                continue;
            }
            switch (order(bound[i])) {
                case Order::kLate:
                    return 500;
                case Order::kAgain:
                    named[i] = true;
                    break;
                case Order::kNewer:
                    gone[i] = expires_s == 0;
                    named[i] = !gone[i];
                    if (named[i]) {
                        grows |= contact.uri != bound[i].contact.uri ||
                                 contact.params != bound[i].contact.params;
                        bound[i] = bound_by(contact, expires_s, bound[i].registered_at_s);
                    }
                    break;
            }
        }
        return !grows || make_room(bound, named, gone) ? drop(bound, gone) : 403;
    }

    // Of those that the request does not name the longest not refreshed go first.
    [[nodiscard]] bool make_room(const std::vector<Bound>& bound, const std::vector<bool>& named,
                                 std::vector<bool>& gone) const {
        const auto count = [&] {
            return bound.size() -
                   static_cast<std::size_t>(std::count(gone.begin(), gone.end(), true));
        };
        while (count() > policy_.max_contacts_per_aor) {
            std::size_t oldest = gone.size();
            for (std::size_t i = 0; i < gone.size(); ++i) {
                const bool may_go = !gone[i] && !named[i];
                if (may_go &&
                    (oldest == gone.size() || bound[i].refreshed_ms < bound[oldest].refreshed_ms)) {
                    oldest = i;
                }
            }
            if (oldest == gone.size() || policy_.full_aor == registrar::FullAor::kReject) {
                return false;
            }
            gone[oldest] = true;
        }
        return true;
    }

    static unsigned drop(std::vector<Bound>& bound, const std::vector<bool>& gone) {
        for (std::size_t i = gone.size(); i-- > 0;) {
            if (gone[i]) {
                bound.erase(bound.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
        return 200;
    }

    [[nodiscard]] std::uint32_t now_s() const { return static_cast<std::uint32_t>(now_ms_ / 1000); }
    [[nodiscard]] Bound bound_by(const Asked& contact, std::uint32_t expires_s,
                                 std::uint32_t registered_at_s) const {
        // The second in which it is granted has begun already, and doesn't count.
        return {contact, request_->call_id,       request_->cseq, request_->flow,
                now_ms_, now_s() + 1 + expires_s, registered_at_s};
    }

    const registrar::RegistrarPolicy& policy_;
    std::map<std::string, std::vector<Bound>> bindings_;
    std::uint64_t now_ms_ = 0;
    const Register* request_ = nullptr;
    std::vector<Asked> asked_;
    bool star_ = false;
};

}  // namespace pinhole::corpus
