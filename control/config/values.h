// SPDX-License-Identifier: BSD-3-Clause
// The small languages inside configuration strings: a device, an address, a peer, a domain, what to
// listen on. Each reader gives the value or the reason why it is none, as the end of the sentence
// `is "…", but …`. Pure.
#pragma once

#include "control/config/config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pinhole::config {

template <typename T>
struct Reading {
    std::optional<T> value;
    std::string reason;  // set if there is no value
};

[[nodiscard]] Reading<DeviceSpec> read_device(std::string_view text);
[[nodiscard]] Reading<net::Address> read_address(std::string_view text);
[[nodiscard]] Reading<Peer> read_peer(std::string_view text);
[[nodiscard]] Reading<Domain> read_domain(std::string_view text);
[[nodiscard]] Reading<Listen> read_listen(std::string_view text);

[[nodiscard]] std::string to_text(const DeviceSpec& device);
[[nodiscard]] std::string to_text(const net::Address& address);
[[nodiscard]] std::string to_text(const Peer& peer);
[[nodiscard]] std::string to_text(const Domain& domain);
[[nodiscard]] std::string to_text(const Listen& listen);

// Can the kernel have an interface of this name (1 to 15 characters, no slash, colon or white
// space)?
[[nodiscard]] bool is_interface_name(std::string_view text);

}  // namespace pinhole::config
