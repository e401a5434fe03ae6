// SPDX-License-Identifier: BSD-3-Clause
// A player and what surrounds it: the batch's buffers, and an edge played by the test, which reads
// what was sent and answers as it likes.
#pragma once

#include "bench/load/player.h"
#include "dataplane/sip/params.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::load {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kMillisecond = 1'000'000;

inline net::Address at(std::string_view text) {
    return *net::parse_address(text);
}

inline Plan small_plan(Play play) {
    Plan plan;
    plan.play = play;
    plan.phones = 10;
    plan.gateways = 4;
    plan.edge = at("198.51.100.1");
    plan.core = at("203.0.113.10");
    plan.first_gateway = at("100.64.0.1");
    plan.run = "cafe0001";
    return plan;
}

// A message that left, read.
struct Sent {
    net::Flow flow;
    std::string text;

    [[nodiscard]] std::string header(sip::HeaderId id) const {
        sip::Message message;
        return sip::parse(text, message) == sip::ParseError::kOk ? std::string(message.first(id))
                                                                 : "(unreadable)";
    }
    [[nodiscard]] bool has(std::string_view what) const {
        return text.find(what) != std::string::npos;
    }
    [[nodiscard]] bool is(std::string_view method) const { return text.starts_with(method); }
};

struct World {
    explicit World(const Plan& asked) : plan(asked) {
        for (std::size_t i = 0; i < buffers.size(); ++i) {
            batch.all()[i].payload = buffers[i].data();
        }
        player = std::make_unique<Player>(plan, batch);
        player->begin(now);
    }

    [[nodiscard]] const Tally& tally() const { return player->tally(player->phases_begun() - 1); }
    [[nodiscard]] std::uint64_t wrong(Wrong what) const {
        return tally().wrong[static_cast<std::size_t>(what)].get();
    }

    // What left since the last time.
    std::vector<Sent> taken() {
        std::vector<Sent> all;
        for (const SendBatch::Place& place : batch.used()) {
            all.push_back({place.flow, std::string(place.payload, place.len)});
        }
        batch.clear();
        return all;
    }
    std::vector<Sent> turn() {
        player->turn(now);
        return taken();
    }
    // To where `sent` came from.
    void deliver(const Sent& sent, const std::string& text, bool sum_is_right = true) {
        deliver_from(plan.edge, plan.edge_port, sent.flow.ours, sent.flow.our_udp_port, text,
                     sum_is_right);
    }
    void deliver_from(const net::Address& src, std::uint16_t src_port, const net::Address& dst,
                      std::uint16_t dst_port, const std::string& text, bool sum_is_right = true) {
        net::Datagram datagram;
        datagram.src = src;
        datagram.src_port = src_port;
        datagram.dst = dst;
        datagram.dst_port = dst_port;
        datagram.payload = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
        player->receive(datagram, sum_is_right, now);
    }
    void grant(const Sent& asked, std::uint32_t expires_s = 600) {
        deliver(asked, granting(asked, expires_s));
    }
    // Everybody is granted what is asked for until nobody asks.
    void register_all(std::uint32_t expires_s = 600) {
        for (int i = 0; i < 100 && player->phase(player->phases_begun() - 1) == Phase::kRegister &&
                        !player->over();
             ++i) {
            for (const Sent& sent : turn()) {
                if (sent.is("REGISTER")) {
                    grant(sent, expires_s);
                }
            }
        }
    }

    // An answer to a request, with these lines besides what is repeated.
    static std::string answer(const Sent& asked, unsigned code, const std::string& lines = "") {
        sip::Message message;
        EXPECT_EQ(sip::parse(asked.text, message), sip::ParseError::kOk) << asked.text;
        std::string text = "SIP/2.0 " + std::to_string(code) + " Said\r\n";
        for (std::size_t i = 0; i < message.header_count(); ++i) {
            switch (message.id(i)) {
                case sip::HeaderId::kVia:
                case sip::HeaderId::kFrom:
                case sip::HeaderId::kTo:
                case sip::HeaderId::kCallId:
                case sip::HeaderId::kCSeq:
                    text += message.header_line(i);
                    break;
                default:
                    break;
            }
        }
        return text + lines + "Content-Length: 0\r\n\r\n";
    }
    static std::string granting(const Sent& asked, std::uint32_t expires_s) {
        return answer(asked, 200,
                      "Contact: " + asked.header(sip::HeaderId::kContact) +
                          ";expires=" + std::to_string(expires_s) + "\r\n");
    }

    Plan plan;
    std::array<std::array<char, SendBatch::kCapacity>, SendBatch::kPlaces> buffers{};
    SendBatch batch;
    std::unique_ptr<Player> player;
    std::uint64_t now = kSecond;
};

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    return text.replace(at, from.size(), to);
}

}  // namespace pinhole::load
