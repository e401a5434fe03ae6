// SPDX-License-Identifier: BSD-3-Clause
#include "control/allowance/allowance_file.h"

#include "dataplane/net/address.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>

namespace pinhole::allowance {
namespace {

constexpr std::string_view kHead = "pinhole allowances 1";
constexpr std::string_view kSaved = "saved ";
constexpr std::string_view kEnd = "end ";
constexpr std::string_view kPrefix = "/64";
// Behind the eight bytes of an IPv6 network: what admit::Limits names it by.
constexpr std::uint8_t kPrefixMark = 64;
constexpr double kMaxPhones = 65'535;

std::string name_text(const admit::SourceName& name) {
    net::Address address{name};
    if (address.is_v4()) {
        return net::to_string(address);
    }
    address.bytes[15] = 0;
    return net::to_string(address) + std::string(kPrefix);
}

std::optional<admit::SourceName> parse_name(std::string_view text) {
    const bool is_prefix =
        text.size() > kPrefix.size() && text.substr(text.size() - kPrefix.size()) == kPrefix;
    auto address =
        net::parse_address(is_prefix ? text.substr(0, text.size() - kPrefix.size()) : text);
    if (!address || address->is_v4() == is_prefix) {
        return std::nullopt;
    }
    if (is_prefix) {
        std::fill(address->bytes.begin() + 8, address->bytes.end(), std::uint8_t{0});
        address->bytes[15] = kPrefixMark;
    }
    return address->bytes;
}

template <class T>
std::optional<T> number(std::string_view text, int base) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional<T>(value)
                                                                    : std::nullopt;
}

std::optional<KnownAddress> parse_line(std::string_view line) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) {
        return std::nullopt;
    }
    const auto name = parse_name(line.substr(0, space));
    const std::string_view count = line.substr(space + 1);
    double phones = 0;
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), phones);
    const bool good = error == std::errc{} && end == count.data() + count.size() && phones >= 0 &&
                      phones <= kMaxPhones;
    return name && good ? std::optional<KnownAddress>({*name, static_cast<float>(phones)})
                        : std::nullopt;
}

std::string sum_text(std::string_view text) {
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx",
                  static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
    return hex.data();
}

// Takes the first line off, without its end; nothing where no line is whole.
std::optional<std::string_view> next_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

// Empty: it is good.
std::string read_body(std::string_view text, Allowances& out) {
    if (next_line(text) != kHead) {
        return "does not begin with \"" + std::string(kHead) + "\"";
    }
    const auto saved = next_line(text).value_or("");
    const auto saved_s = saved.substr(0, kSaved.size()) == kSaved
                             ? number<std::uint64_t>(saved.substr(kSaved.size()), 10)
                             : std::nullopt;
    if (!saved_s) {
        return "does not say when it was saved";
    }
    out.saved_s = *saved_s;
    while (const auto line = next_line(text)) {
        const auto address = parse_line(*line);
        if (!address) {
            return "has a line that is no address and a number";
        }
        out.addresses.push_back(*address);
    }
    return {};
}

}  // namespace

ParsedAllowances parse_allowances(std::string_view text) {
    const std::size_t at =
        text.size() < 2 ? std::string_view::npos : text.rfind('\n', text.size() - 2);
    if (at == std::string_view::npos || text.back() != '\n') {
        return {.reason = "is cut short"};
    }
    const std::string_view body = text.substr(0, at + 1);
    const std::string_view last = text.substr(at + 1, text.size() - at - 2);
    Allowances allowances;
    std::string reason = read_body(body, allowances);
    const std::string end = std::string(kEnd) + std::to_string(allowances.addresses.size()) + " ";
    if (last.substr(0, kEnd.size()) != kEnd) {
        reason = "is cut short";
    } else if (reason.empty() && last != end + sum_text(body)) {
        reason = "is not as it was written: its sum is another";
    }
    if (!reason.empty()) {
        return {.reason = std::move(reason)};
    }
    return {.allowances = std::move(allowances)};
}

std::string allowances_text(const Allowances& allowances) {
    std::string text =
        std::string(kHead) + "\n" + std::string(kSaved) + std::to_string(allowances.saved_s) + "\n";
    for (const KnownAddress& address : allowances.addresses) {
        std::array<char, 32> phones{};
        std::snprintf(phones.data(), phones.size(), " %.2f\n",
                      std::clamp(static_cast<double>(address.phones), 0.0, kMaxPhones));
        text += name_text(address.name) + phones.data();
    }
    const std::string sum = sum_text(text);
    return text + std::string(kEnd) + std::to_string(allowances.addresses.size()) + " " + sum +
           "\n";
}

std::vector<KnownAddress> merged(std::span<const std::span<const KnownAddress>> of_workers) {
    std::map<admit::SourceName, float> sums;
    for (const auto& addresses : of_workers) {
        for (const KnownAddress& address : addresses) {
            sums[address.name] += address.phones;
        }
    }
    std::vector<KnownAddress> out;
    out.reserve(sums.size());
    for (const auto& [name, phones] : sums) {
        out.push_back({name, phones});
    }
    std::stable_sort(out.begin(), out.end(), [](const KnownAddress& a, const KnownAddress& b) {
        return a.phones > b.phones;
    });
    out.resize(std::min(out.size(), kMostKept));
    return out;
}

void age(Allowances& allowances, std::uint64_t now_s) {
    // One that was saved in the future was saved under a wrong clock: it is taken as new.
    const double age_s =
        now_s > allowances.saved_s ? static_cast<double>(now_s - allowances.saved_s) : 0;
    const auto left = static_cast<float>(std::exp(-age_s / admit::SourceTable::kMemory_s));
    for (KnownAddress& address : allowances.addresses) {
        address.phones *= left;
    }
}

}  // namespace pinhole::allowance
