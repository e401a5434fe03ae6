// SPDX-License-Identifier: BSD-3-Clause
// What all who play share: the plan, the gateways, the way out, the count of the phase. Pure.
#pragma once

#include "bench/load/messages.h"
#include "bench/load/nat_gateways.h"
#include "bench/load/send_batch.h"
#include "bench/load/tally.h"

#include <cstdint>

namespace pinhole::load {

struct Stage {
    Stage(const Plan& of, SendBatch& way_out)
        : plan(of),
          messages(of),
          gateways(of.phones, of.gateways, of.first_gateway, of.timeouts, of.seed),
          batch(way_out) {}

    [[nodiscard]] Fields fields(const Ticket& ticket) const {
        return {ticket.phone, ticket.sequence, gateways.number_behind(ticket.phone)};
    }
    // A message of `len` bytes that stands in batch.room() leaves the phone by its gateway.
    void leave(PhoneIndex phone, std::size_t len, std::uint64_t now_ns) {
        if (len == 0) {
            tally->too_long.add();
            return;
        }
        PublicEnd from;
        if (gateways.leave(phone, now_ns / 1'000'000, from)) {
            tally->new_mappings.add();
        }
        send(from.address, from.udp_port, len);
    }
    void leave_core(std::size_t len) {
        if (len == 0) {
            tally->too_long.add();
            return;
        }
        send(plan.core, plan.core_port, len);
    }

    const Plan& plan;
    Messages messages;
    NatGateways gateways;
    SendBatch& batch;
    Tally* tally = nullptr;  // of the present phase

  private:
    void send(const net::Address& from, std::uint16_t from_port, std::size_t len) {
        net::Flow flow;
        flow.ours = from;
        flow.our_udp_port = from_port;
        flow.theirs = plan.edge;
        flow.their_udp_port = plan.edge_port;
        batch.add(flow, len);
    }
};

}  // namespace pinhole::load
