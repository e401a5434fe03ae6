// SPDX-License-Identifier: BSD-3-Clause
// The input as the parameters of a stored Contact, its first quoted text as the instance: what is
// kept comes back to the letter, and nothing else passes for it. And as what a damaged journal may
// hold.
#include "dataplane/table/stored_params.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace table = pinhole::table;

void require(bool promise) {
    if (!promise) {
        std::abort();
    }
}

std::string_view first_quoted(std::string_view text) {
    const std::size_t begin = text.find('"');
    const std::size_t end = begin != std::string_view::npos ? text.find('"', begin + 1) : begin;
    return end != std::string_view::npos ? text.substr(begin + 1, end - begin - 1)
                                         : std::string_view{};
}

void keep_and_read(std::string_view params) {
    const std::string_view instance = first_quoted(params);
    const table::ParamsKeeper keeper(params, instance);
    require(keeper.bytes() <= params.size());
    std::vector<char> kept(
        keeper.bytes());  // in its own size, so that a sanitizer sees a step outside
    require(keeper.write(kept.data()) == kept.data() + kept.size());
    require(table::StoredParams::sound(kept.size(), keeper.form(), keeper.instance_offset(),
                                       keeper.instance_len()));
    const table::StoredParams stored({kept.data(), kept.size()}, keeper.form(),
                                     keeper.instance_offset(), keeper.instance_len());
    table::StoredParams::Room room;
    table::StoredInstance::Room instance_room;
    require(stored.text(room) == params && stored == params);
    require(stored.instance_in(params) == instance);
    require(stored.instance().text(instance_room) == instance && stored.instance() == instance);
    std::string other(params);
    for (char& c : other) {
        c = static_cast<char>(c ^ 0x20);
        require(!(stored == other));
        c = static_cast<char>(c ^ 0x20);
    }
}

// Five bytes that say what the rest is.
void read_damaged(std::string_view input) {
    if (input.size() < 5) {
        return;
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    const auto form = static_cast<table::ParamsForm>(byte(0) & 3U);
    const auto offset = static_cast<std::uint16_t>(byte(1) | byte(2) << 8);
    const auto len = static_cast<std::uint16_t>((byte(3) | byte(4) << 8) & 0x3fff);
    const std::vector<char> kept(input.begin() + 5, input.end());
    if (!table::StoredParams::sound(kept.size(), form, offset, len)) {
        return;
    }
    const table::StoredParams stored({kept.data(), kept.size()}, form, offset, len);
    table::StoredParams::Room room;
    table::StoredInstance::Room instance_room;
    const std::string_view text = stored.text(room);
    require(text.size() == stored.size() && stored == text);
    require(stored.instance_in(text) == stored.instance().text(instance_room));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    read_damaged(input);
    keep_and_read(input.substr(0, std::min(input.size(), table::kMaxParamsBytes)));
    return 0;
}
