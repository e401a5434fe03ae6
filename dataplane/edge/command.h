// SPDX-License-Identifier: BSD-3-Clause
// What one thread asks of a shard's owner, and the answer: a change of structure, by value, over an
// SPSC ring. A REGISTER's command points to the finished request, which stands in a pool of its
// receiver's: it, and the packet that it points into, stay put and unchanged until the answer.
#pragma once

#include "dataplane/registrar/register_request.h"
#include "dataplane/registrar/verdict.h"
#include "dataplane/table/contact_id.h"

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace pinhole::edge {

enum class CommandKind : std::uint8_t {
    kRegister,    // carry out `request`; answered
    kRegistered,  // that answer: `job`, `verdict` and `arrives`
    kExpire,      // remove `id` if its time is over; the control thread looks again by itself
    kRemoveUnreachable,  // remove `id` if it was not refreshed since `since_ms`; likewise
    kRetarget,  // `id` has answered at its Contact's port: reach it there; losing it does no harm
    kRemove,    // remove `id` whatever it is; `done` tells the operator's thread
};

struct alignas(64) Command {
    CommandKind kind = CommandKind::kRegister;
    registrar::Verdict verdict = registrar::Verdict::kOk;
    bool arrives = false;    // of an answer: the AOR was not at that flow before
    std::uint16_t from = 0;  // whose ring: a worker, or Mesh::control(), Mesh::service()
    std::uint32_t job = 0;   // of the receiver, which knows its packet again by it
    const registrar::RegisterRequest* request = nullptr;
    table::ContactId id;
    std::uint32_t since_ms = 0;
    // Of the asker, who waits for it to leave 0: 1 removed, 2 not there, 3 try again.
    std::atomic<std::uint32_t>* done = nullptr;
};
static_assert(sizeof(Command) <= 128 && std::is_trivially_copyable_v<Command>);

// An answered ping, on its way from the worker that got the answer to the control thread.
struct PongNotice {
    table::ContactId id;
    std::uint32_t rtt_us = 0;
    std::uint16_t code = 0;
    std::uint8_t flow_matches = 0;
    std::uint8_t is_probe = 0;  // it was asked at its Contact's port
};
static_assert(sizeof(PongNotice) == 16 && std::is_trivially_copyable_v<PongNotice>);

// A core peer's answer to a check, likewise.
struct PeerPongNotice {
    std::uint16_t peer = 0;  // its place in the configuration
    std::uint16_t code = 0;
    std::uint32_t rtt_us = 0;
};
static_assert(sizeof(PeerPongNotice) == 8 && std::is_trivially_copyable_v<PeerPongNotice>);

}  // namespace pinhole::edge
