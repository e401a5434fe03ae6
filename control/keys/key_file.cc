// SPDX-License-Identifier: BSD-3-Clause
#include "control/keys/key_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace pinhole::keys {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "pinhole keys";
constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// A member that is a whole number up to `max`.
std::optional<std::uint64_t> number(const json& from, const char* name, std::uint64_t max) {
    const auto found = from.find(name);
    if (found == from.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() > max) {
        return std::nullopt;
    }
    return found->get<std::uint64_t>();
}

std::optional<KeyBytes> key_bytes(const json& from) {
    const auto found = from.find("key");
    if (found == from.end() || !found->is_string()) {
        return std::nullopt;
    }
    const auto& text = found->get_ref<const std::string&>();
    KeyBytes bytes{};
    if (text.size() != 2 * bytes.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto digit = kHexDigits.find(text[i]);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        bytes[i / 2] = static_cast<std::uint8_t>(bytes[i / 2] << 4 | digit);
    }
    return bytes;
}

std::string hex(const KeyBytes& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += kHexDigits[byte >> 4];
        text += kHexDigits[byte & 15];
    }
    return text;
}

// Empty: it is good, and in `ring`.
std::string read_key(const json& from, KeyRing& ring) {
    const std::string which = "keys[" + std::to_string(ring.newest_first.size()) + "]";
    if (!from.is_object() || from.size() != 3) {
        return "has a " + which + " that is not made of id, created_s and key";
    }
    const auto id = number(from, "id", std::numeric_limits<std::uint8_t>::max());
    const auto created_s = number(from, "created_s", std::numeric_limits<std::int64_t>::max());
    const auto bytes = key_bytes(from);
    if (!id) {
        return "has no id from 0 to 255 in " + which;
    }
    if (!created_s) {
        return "has no time in created_s of " + which;
    }
    if (!bytes) {
        return "has no 32 hexadecimal digits in key of " + which;
    }
    if (std::any_of(ring.newest_first.begin(), ring.newest_first.end(),
                    [&](const StoredKey& key) { return key.id == *id; })) {
        return "has the id " + std::to_string(*id) + " twice";
    }
    ring.newest_first.push_back({static_cast<std::uint8_t>(*id), *created_s, *bytes});
    return {};
}

std::string read_ring(const json& from, KeyRing& ring) {
    if (!from.is_object() || from.value("format", json()) != kFormat) {
        return "is not of the format \"" + std::string(kFormat) + "\"";
    }
    if (from.value("version", json()) != kVersion) {
        return "is not of version 1, the only one that this pinhole knows";
    }
    const auto starts = number(from, "starts", std::numeric_limits<std::uint32_t>::max());
    const auto keys = from.find("keys");
    if (from.size() != 4 || !starts || keys == from.end() || !keys->is_array()) {
        return "is not made of format, version, starts and keys";
    }
    if (keys->empty() || keys->size() > kKept) {
        return "has " + std::to_string(keys->size()) + " keys, not 1 to " + std::to_string(kKept);
    }
    ring.starts = static_cast<std::uint32_t>(*starts);
    for (const json& key : *keys) {
        if (std::string reason = read_key(key, ring); !reason.empty()) {
            return reason;
        }
    }
    return {};
}

}  // namespace

ParsedKeys parse_keys(std::string_view text) {
    const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) {
        return {.reason = "is no JSON, or not all of it"};
    }
    ParsedKeys out;
    KeyRing ring;
    out.reason = read_ring(parsed, ring);
    if (out.reason.empty()) {
        out.ring = std::move(ring);
    }
    return out;
}

std::string keys_text(const KeyRing& ring) {
    json keys = json::array();
    for (const StoredKey& key : ring.newest_first) {
        keys.push_back({{"id", key.id}, {"created_s", key.created_s}, {"key", hex(key.bytes)}});
    }
    const json out{
        {"format", kFormat}, {"version", kVersion}, {"starts", ring.starts}, {"keys", keys}};
    return out.dump(2) + "\n";
}

}  // namespace pinhole::keys
