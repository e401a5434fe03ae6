// SPDX-License-Identifier: BSD-3-Clause
// Builds REGISTERs as phones write them, for the tests of this folder and of the edge; reads them;
// and keeps what they have stored.
#pragma once

#include "dataplane/registrar/register_request.h"
#include "dataplane/registrar/rules.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/heap_memory.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace pinhole::registrar {

struct RequestText {
    std::string request_uri = "sip:example.com";
    std::string from = "<sip:alice@example.com>;tag=f";
    std::string to = "<sip:alice@example.com>";
    std::string call_id = "call-1";
    unsigned cseq = 1;
    std::vector<std::string> contacts{"<sip:alice@192.168.1.10:5060>"};
    std::string extra;  // header lines with CRLF

    [[nodiscard]] std::string text() const {
        std::string t = "REGISTER " + request_uri + " SIP/2.0\r\n" +
                        "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1;rport\r\n" +
                        "From: " + from + "\r\nTo: " + to + "\r\nCall-ID: " + call_id +
                        "\r\nCSeq: " + std::to_string(cseq) + " REGISTER\r\n";
        for (const std::string& contact : contacts) {
            t += "Contact: " + contact + "\r\n";
        }
        return t + extra + "\r\n";
    }
};

inline net::Flow flow_from(std::uint32_t address, std::uint16_t port) {
    net::Flow flow;
    flow.ours = net::Address::v4(0xc6336401);
    flow.our_udp_port = 5060;
    flow.theirs = net::Address::v4(address);
    flow.their_udp_port = port;
    return flow;
}
inline constexpr std::uint32_t kHome = 0x43c21737;    // 67.194.23.55
inline constexpr std::uint32_t kOffice = 0x43c21738;  // 67.194.23.56

// A request that has been read; keeps its text alive.
struct ReadRequest {
    Verdict verdict = Verdict::kOk;
    std::string text;
    sip::Message message;
    Whose whose;
    RegisterRequest request;
};

inline const table::KeyedHash& test_hash() {
    static const std::array<std::byte, table::KeyedHash::kSeedBytes> kSeed{std::byte{1}};
    static const table::KeyedHash kHash{kSeed};
    return kHash;
}

inline std::unique_ptr<ReadRequest> read(const RequestText& text,
                                         const RegistrarPolicy& policy = {},
                                         const Moment& now = {.ms = 5'000'000, .s = 1'000'000},
                                         net::Flow flow = flow_from(kHome, 32947)) {
    auto made = std::make_unique<ReadRequest>();
    made->text = text.text();
    sip::Identity identity;
    (void)identity.add_domain("example.com");
    identity.add_local(net::Address::v4(0xc6336401), 5060);
    if (sip::parse(made->text, made->message) != sip::ParseError::kOk) {
        made->verdict = Verdict::kCount;
        return made;
    }
    const ReadContext context{policy, identity, test_hash(), now};
    made->verdict = read_whose(made->message, flow, context, made->whose);
    if (made->verdict == Verdict::kOk) {
        made->verdict = read_contacts(made->message, context, nullptr, made->whose, made->request);
    }
    return made;
}

// A small table, for tests of what the registrar does with a given record.
class Stored {
  public:
    Stored() {
        const table::ShardMemory shard = memory_.shard();
        table_ = table::BindingTable::make(
            {.max_contacts = 100,
             .hash = test_hash(),
             .reclaimer = {[](void*) { return std::uint64_t{0}; },
                           [](void*, std::uint64_t) { return true; }, nullptr},
             .arrays = memory_.arrays(),
             .shards = {&shard, 1}});
    }
    table::BindingTable& table() { return *table_; }

    // Makes the contacts of a good request, by its plan.
    Verdict add(const RegisterRequest& request) {
        Verdict verdict = Verdict::kOk;
        (void)table_->change_owner(request.whose->aor_hash, request.whose->aor,
                                   [&](const table::Current& current, table::Edit& edit) {
                                       verdict = plan(current, request, {}, {}, edit);
                                       return verdict == Verdict::kOk;
                                   });
        return verdict;
    }
    [[nodiscard]] const table::Record* record(const RegisterRequest& request) const {
        return table_->find(request.whose->aor_hash, request.whose->aor);
    }

  private:
    table::HeapMemory memory_;
    std::unique_ptr<table::BindingTable> table_;
};

}  // namespace pinhole::registrar
