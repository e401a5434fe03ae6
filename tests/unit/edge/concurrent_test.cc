// SPDX-License-Identifier: BSD-3-Clause
// Two and three edges in threads of their own over one table, joined by rings: phones that arrive
// at whichever worker, refreshes, removals, restarts, phones that take over another's mapping,
// calls and their answers, pings and pongs, and a control thread that lets time pass and removes
// what expires. Run it under ThreadSanitizer too (-Db_sanitize=thread -Djemalloc=disabled). What
// phones do is seeded; which thread comes first is not, so what is held against is what must be so
// in any order.
#include "dataplane/route/ping.h"
#include "tests/unit/edge/edges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pinhole::edge::test {
namespace {

constexpr std::uint32_t kPhones = 48;
constexpr std::uint32_t kAors = 12;  // each with four phones
constexpr std::uint32_t kMappings = 3;
constexpr std::uint32_t kMaxContacts = 44;  // now and then the table is full
constexpr unsigned kSteps = 1'000;          // of each worker, of up to 8 packets
constexpr std::size_t kMostHeld = 300;
constexpr unsigned kAhead = 8;  // steps of a worker or the control thread before the others
constexpr std::uint64_t kFirstNumber = 1'000'000;  // of branches: each is as long as another

std::string user_of(std::uint32_t phone) {
    return std::to_string(100 + phone % kAors);
}
std::string contact_of(std::uint32_t phone) {
    return "sip:p" + std::to_string(phone) + "@192.168.1." + std::to_string(phone + 10) + ":5060";
}
// A phone's own mappings; those of the next one it may be given by its gateway.
net::Flow mapping_of(std::uint32_t phone, std::uint32_t n) {
    return from(kNat, static_cast<std::uint16_t>(20'000 + phone * 16 + n));
}
std::uint32_t next_phone(std::uint32_t phone) {
    return (phone + 1) % kPhones;
}
// "7" of a contact "sip:p7@...".
std::uint32_t phone_of(std::string_view contact) {
    return static_cast<std::uint32_t>(std::stoul(std::string(contact.substr(5))));
}

std::string line_of(std::string_view text, std::string_view header) {
    const std::size_t at = text.find("\r\n" + std::string(header) + ": ");
    return at == std::string_view::npos
               ? ""
               : std::string(text.substr(at + 2, text.find("\r\n", at + 2) - at));
}
// What whoever gets the request answers to it.
std::string answer_to(std::string_view request, const std::string& status) {
    std::string text = "SIP/2.0 " + status + "\r\n";
    for (std::size_t at = request.find("\r\nVia: "); at != std::string_view::npos;
         at = request.find("\r\nVia: ", at + 2)) {
        text += request.substr(at + 2, request.find("\r\n", at + 2) - at);
    }
    const std::string to = line_of(request, "To");
    return text + line_of(request, "From") + to.substr(0, to.size() - 2) + ";tag=phone\r\n" +
           line_of(request, "Call-ID") + line_of(request, "CSeq") + "Content-Length: 0\r\n\r\n";
}
// The number that the request's own branch ends in.
std::uint64_t number_of(std::string_view answer) {
    constexpr std::string_view kMark = "branch=z9hG4bKn";
    return std::stoull(std::string(answer.substr(answer.find(kMark) + kMark.size(), 20)));
}

class Threads : public testing::TestWithParam<unsigned> {
  protected:
    // A worker's thread and what it has done.
    struct Hand {
        std::mt19937 random;
        std::atomic<unsigned> step{0};
        std::uint64_t put = 0;
        std::vector<std::uint64_t> registers;  // numbers of those it has put
        std::vector<std::uint64_t> answers;    // and of those that got an answer
        std::map<std::string, unsigned> codes;
        unsigned calls = 0;  // that reached a phone
    };

    std::uint32_t below(Hand& hand, std::uint32_t n) { return hand.random() % n; }
    bool percent(Hand& hand, std::uint32_t p) { return below(hand, 100) < p; }

    void put(Hand& hand, unsigned worker, const net::Flow& flow, std::string_view text) {
        ++hand.put;
        edges_.put(worker, flow, text);
    }

    // As phones do it, whichever worker their gateway's ports lead them to.
    void put_register(Hand& hand, unsigned worker) {
        const std::uint32_t phone = below(hand, kPhones);
        const std::uint64_t number = numbers_.fetch_add(1);
        const std::uint32_t kind = below(hand, 100);
        const bool moves = kind >= 75;
        const bool takes_over = moves && percent(hand, 50);
        const net::Flow flow = takes_over ? mapping_of(next_phone(phone), 0)
                               : moves    ? mapping_of(phone, below(hand, kMappings))
                                          : mapping_of(phone, 0);
        const std::string call_id = "call-" + std::to_string(phone) +
                                    (percent(hand, 3) ? "-" + std::to_string(number) : "");
        const std::string uri = contact_of(phone);
        const std::string contact =
            kind < 2    ? "Contact: *\r\nExpires: 0\r\n"
            : kind < 10 ? "Contact: <" + uri + ">;expires=0\r\n"
            : kind < 13 ? ""
            : kind < 15
                ? "Contact: <" + uri + ">;expires=5\r\n"
                : "Contact: <" + uri + ">;expires=" + std::to_string(60 + below(hand, 60)) + "\r\n";
        hand.registers.push_back(number);
        put(hand, worker, flow,
            "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1." +
                std::to_string(phone + 10) + ":5060;branch=z9hG4bKn" + std::to_string(number) +
                ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:" + user_of(phone) +
                "@example.com>;tag=f\r\nTo: <sip:" + user_of(phone) + "@example.com>\r\nCall-ID: " +
                call_id + "\r\nCSeq: " + std::to_string(++cseqs_[phone]) + " REGISTER\r\n" +
                contact + "User-Agent: test/" + std::to_string(phone % 3) + std::string(400, '.') +
                "\r\nContent-Length: 0\r\n\r\n");
    }

    void put_call(Hand& hand, unsigned worker) {
        const std::string number = std::to_string(numbers_.fetch_add(1));
        put(hand, worker, from(kCore, kSip),
            "INVITE sip:" + user_of(below(hand, kAors)) +
                "@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKn" +
                number +
                ";rport\r\nMax-Forwards: 69\r\nFrom: <sip:200@example.com>;tag=c\r\nTo: "
                "<sip:100@example.com>\r\nCall-ID: in-" +
                number +
                "\r\nCSeq: 1 INVITE\r\nContact: <sip:200@203.0.113.10>\r\n"
                "Content-Length: 0\r\n\r\n");
    }

    // The answer to a ping of a moment ago. What is read of the table is good until the next round.
    void put_pong(Hand& hand, unsigned worker) {
        table::ContactView contact;
        if (edges_.table().read_slot(below(hand, kMaxContacts), contact) !=
            table::SlotRead::kLive) {
            return;
        }
        std::array<char, 2048> room;
        sip::Writer out(room.data(), room.size());
        ASSERT_TRUE(route::build_ping({contact.id, contact.state.flow, contact.uri, contact.aor},
                                      edges_.keys(), edges_.now().us - 500, out));
        put(hand, worker, contact.state.flow, answer_to(out.view(), "200 OK"));
    }

    void put_some(Hand& hand, unsigned worker) {
        for (std::uint32_t left = below(hand, 9); left != 0; --left) {
            const std::uint32_t kind = below(hand, 10);
            if (kind < 7) {
                put_register(hand, worker);
            } else if (kind < 9) {
                put_call(hand, worker);
            } else {
                put_pong(hand, worker);
            }
        }
    }

    void read_mail(Hand& hand, unsigned worker) {
        for (const Sent& sent : edges_.sent(worker)) {
            if (sent.starts_with("INVITE ")) {
                ++hand.calls;
                put(hand, worker, sent.flow, answer_to(sent.text, "200 OK"));
            } else if (sent.has(" REGISTER\r\n")) {
                hand.answers.push_back(number_of(sent.text));
                ++hand.codes[sent.code()];
            }
        }
    }

    void work(unsigned worker) {
        Hand& hand = hands_[worker];
        for (unsigned step = 0; step < kSteps;) {
            // Not far ahead of the control thread, nor of owners that have to answer.
            if (step <= control_steps_ + kAhead && edges_.held(worker) < kMostHeld) {
                put_some(hand, worker);
                hand.step = ++step;
            } else {
                std::this_thread::yield();
            }
            (void)edges_.round(worker);
            read_mail(hand, worker);
        }
        for (bool worked = true; worked || edges_.held(worker) != 0;) {
            worked = edges_.round(worker);
            read_mail(hand, worker);
        }
        --working_;
        while (working_ != 0) {
            (void)edges_.round(worker);  // others may still ask this owner
        }
    }

    [[nodiscard]] unsigned slowest_step() const {
        unsigned slowest = ~0U;
        for (const Hand& hand : hands_) {
            slowest = std::min(slowest, hand.step.load());
        }
        return slowest;
    }

    // Time, what the control thread knows of contacts, and what it asks of their owners.
    void control() {
        std::mt19937 random(99);
        while (working_ > 1) {
            if (control_steps_ > slowest_step() + kAhead) {
                std::this_thread::yield();
                continue;
            }
            edges_.pass_ms(random() % 5'000);  // a phone registers every 20 s or so
            table::ContactView contact;
            const std::uint32_t slot = random() % kMaxContacts;
            if (commands_left_ != 0 &&
                edges_.table().read_slot(slot, contact) == table::SlotRead::kLive) {
                --commands_left_;
                ask(random() % 8, contact);
            }
            edges_.quiescent_control();
            ++control_steps_;
        }
        edges_.offline_control();
        --working_;
    }
    void ask(unsigned what, const table::ContactView& contact) {
        Command command;
        command.id = contact.id;
        switch (what) {
            case 0:
                command.kind = CommandKind::kRemove;
                command.done = &dones_[commands_left_];
                break;
            case 1:
                command.kind = CommandKind::kRemoveUnreachable;
                command.since_ms = edges_.now().stamp_ms();
                break;
            case 2:
                command.kind = CommandKind::kRetarget;
                break;
            case 3:  // it has missed its pings: who comes to its flow takes it over
            case 4:
            case 5:
            case 6:
                edges_.qualify().write_control(contact.id.slot,
                                               {.generation = contact.id.generation,
                                                .state = table::Reach::kReachable,
                                                .missed = 1,
                                                .flags = table::QualifyView::kEverAnswered});
                return;
            default:
                command.kind = CommandKind::kExpire;
                break;
        }
        removals_ += command.done != nullptr ? 1 : 0;
        edges_.command(edges_.table().shard_of(edges_.table().hash()(contact.aor)), command);
    }

    void run() {
        edges_.quiescent_control();
        std::vector<std::thread> threads;
        for (unsigned worker = 0; worker < GetParam(); ++worker) {
            hands_[worker].random.seed(worker + 1);
            threads.emplace_back([this, worker] { work(worker); });
        }
        std::thread controller([this] { control(); });
        for (std::thread& thread : threads) {
            thread.join();
        }
        controller.join();
        edges_.settle();
    }

    [[nodiscard]] std::uint64_t drops(DropReason reason) const {
        std::uint64_t sum = 0;
        for (unsigned worker = 0; worker < GetParam(); ++worker) {
            sum += edges_.drops(worker, reason);
        }
        return sum;
    }
    [[nodiscard]] std::uint64_t all_drops() const {
        std::uint64_t sum = 0;
        for (std::size_t n = 0; n < static_cast<std::size_t>(DropReason::kCount); ++n) {
            sum += drops(static_cast<DropReason>(n));
        }
        return sum;
    }

    void expect_each_packet_back_once() {
        std::uint64_t put = 0, answered = 0, released = 0, pongs = 0;
        for (unsigned worker = 0; worker < GetParam(); ++worker) {
            const TestSink& sink = edges_.sink(worker);
            EXPECT_EQ(sink.held(), 0U);
            EXPECT_EQ(sink.received, hands_[worker].put);
            put += sink.received;
            answered += sink.answered;
            released += sink.released;
            pongs += sink.pongs.size();
        }
        EXPECT_EQ(answered + released, put);
        EXPECT_EQ(released, all_drops() + pongs);
        EXPECT_GT(pongs, 0U);
    }

    // Or none, if its record was being changed all the while: then it is counted.
    void expect_one_answer_each() {
        std::set<std::uint64_t> asked;
        std::multiset<std::uint64_t> answered;
        std::map<std::string, unsigned> codes;
        for (const Hand& hand : hands_) {
            asked.insert(hand.registers.begin(), hand.registers.end());
            answered.insert(hand.answers.begin(), hand.answers.end());
            for (const auto& [code, count] : hand.codes) {
                codes[code] += count;
            }
        }
        std::uint64_t missing = 0;
        for (const std::uint64_t number : asked) {
            missing += answered.count(number) == 0 ? 1 : 0;
            EXPECT_LE(answered.count(number), 1U) << number;
        }
        EXPECT_EQ(answered.size() + missing, asked.size()) << "an answer that nobody waits for";
        EXPECT_LE(missing, drops(DropReason::kContended));
        EXPECT_EQ(drops(DropReason::kHandoffFull), 0U);
        EXPECT_EQ(drops(DropReason::kTooLarge), 0U);
        EXPECT_EQ(drops(DropReason::kAmplification), 0U);
        for (const char* code : {"200", "423", "500", "503"}) {
            EXPECT_GT(codes[code], 0U) << code;
        }
    }

    // Each contact is its phone's, stands where the phone has registered from, and is found by its
    // flow and by its id.
    void expect_whole_table() {
        std::uint64_t records = 0, contacts = 0;
        table::ListCursor cursor;
        while (edges_.table().list(cursor, ~0U, [&](const table::Record& record) {
            ++records;
            contacts += record.contact_count();
            for (std::size_t i = 0; i < record.contact_count(); ++i) {
                table::ContactView contact;
                ASSERT_TRUE(record.read(i, contact));
                expect_sound(contact);
            }
        })) {
        }
        EXPECT_EQ(edges_.table().counts().records, records);
        EXPECT_EQ(edges_.table().counts().contacts, contacts);
        EXPECT_GT(contacts, 0U);
    }
    void expect_sound(const table::ContactView& contact) {
        const std::uint32_t phone = phone_of(contact.uri);
        ASSERT_LT(phone, kPhones);
        EXPECT_EQ(contact.aor, user_of(phone) + "@example.com");
        EXPECT_EQ(contact.uri, contact_of(phone));
        EXPECT_LE(contact.state.cseq, cseqs_[phone]);
        bool own = false;
        for (std::uint32_t n = 0; n < kMappings; ++n) {
            own |= contact.state.flow == mapping_of(phone, n) ||
                   contact.state.flow == mapping_of(next_phone(phone), n);
        }
        EXPECT_TRUE(own) << net::far_end(contact.state.flow);
        table::ContactView by_id;
        EXPECT_EQ(edges_.table().read(contact.id, by_id), table::SlotRead::kLive);
        std::array<table::ContactId, 16> ids;
        const auto found = edges_.table().find_by_flow(contact.state.flow, ids);
        EXPECT_TRUE(std::find(ids.begin(), ids.begin() + found.count, contact.id) !=
                    ids.begin() + found.count);
    }

    Edges edges_{{.workers = GetParam(), .max_contacts = kMaxContacts}};
    std::vector<Hand> hands_ = std::vector<Hand>(GetParam());
    std::atomic<unsigned> working_{GetParam() + 1};
    std::atomic<std::uint64_t> numbers_{kFirstNumber};
    std::array<std::atomic<std::uint32_t>, kPhones> cseqs_{};
    std::atomic<unsigned> control_steps_{0};
    // The control thread's; fewer than a ring has slots.
    std::uint32_t commands_left_ = 3'000;
    std::uint64_t removals_ = 0;
    std::array<std::atomic<std::uint32_t>, 3'000> dones_{};
};

TEST_P(Threads, NothingIsLostAnsweredTwiceOrTorn) {
    run();
    expect_each_packet_back_once();
    expect_one_answer_each();
    expect_whole_table();
    std::uint64_t calls = 0, done = 0, in_place = 0, handoffs = 0, served = 0, displaced = 0;
    for (unsigned worker = 0; worker < GetParam(); ++worker) {
        calls += hands_[worker].calls;
        in_place += edges_.counters(worker).refreshed_in_place.get();
        handoffs += edges_.counters(worker).handoffs.get();
        served += edges_.counters(worker).handoffs_served.get();
        displaced += edges_.counters(worker).displaced.get();
    }
    for (const auto& each : dones_) {
        done += each != 0 ? 1 : 0;
    }
    EXPECT_EQ(handoffs, served);
    EXPECT_EQ(done, removals_) << "each removal that was asked for is answered";
    // Nothing of what it is about has been missed by chance.
    const std::map<std::string, std::uint64_t> counts{{"calls", calls},
                                                      {"removals", removals_},
                                                      {"refreshes in place", in_place},
                                                      {"handoffs", handoffs},
                                                      {"displaced", displaced}};
    for (const auto& [what, count] : counts) {
        EXPECT_GT(count, 0U) << what;
    }
}

INSTANTIATE_TEST_SUITE_P(Workers, Threads, testing::Values(2U, 3U));

}  // namespace
}  // namespace pinhole::edge::test
