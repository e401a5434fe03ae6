// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/read_node.h"

#include "control/config/values.h"

#include <algorithm>
#include <sstream>
#include <type_traits>

namespace pinhole::config {
namespace {

constexpr std::size_t kMaxShown = 60;
constexpr std::size_t kMaxListLength = 4'096;

class Reader {
  public:
    Reader(const Property& property, const std::string& key, std::vector<Issue>& issues)
        : property_(property), key_(key), issues_(issues) {}

    // One for each kind of Field. False: it complained and left the target alone.
    bool read(const toml::node& node, bool* target);
    bool read(const toml::node& node, std::string* target);
    bool read(const toml::node& node, Choice target);
    template <typename T>
    bool read(const toml::node& node, std::vector<T>* target);
    template <typename T>
    bool read(const toml::node& node, T* target);

  private:
    bool wrong(const toml::node& node, std::string_view reason = {});

    const Property& property_;
    const std::string& key_;
    std::vector<Issue>& issues_;
};

bool Reader::wrong(const toml::node& node, std::string_view reason) {
    const Position place = place_of(node.source());
    std::string message = "is " + shown(node) + ", but ";
    message += reason.empty() ? "must be " + expected(property_) : std::string(reason);
    issues_.push_back({Severity::kError, place.line, place.column, key_, std::move(message)});
    return false;
}

bool Reader::read(const toml::node& node, bool* target) {
    const auto* value = node.as_boolean();
    if (value == nullptr) {
        return wrong(node);
    }
    *target = value->get();
    return true;
}

bool Reader::read(const toml::node& node, std::string* target) {
    const auto* value = node.as_string();
    if (value == nullptr) {
        return wrong(node);
    }
    *target = value->get();
    return true;
}

bool Reader::read(const toml::node& node, Choice target) {
    const auto* value = node.as_string();
    const auto names = split_choices(property_.choices);
    const auto found =
        value == nullptr ? names.end() : std::find(names.begin(), names.end(), value->get());
    if (found == names.end()) {
        return wrong(node);
    }
    *target.value = static_cast<std::uint8_t>(found - names.begin());
    return true;
}

Reading<DeviceSpec> read_text(std::string_view text, const DeviceSpec*) {
    return read_device(text);
}
Reading<Listen> read_text(std::string_view text, const Listen*) {
    return read_listen(text);
}
Reading<net::Address> read_text(std::string_view text, const net::Address*) {
    return read_address(text);
}
Reading<Domain> read_text(std::string_view text, const Domain*) {
    return read_domain(text);
}
Reading<Peer> read_text(std::string_view text, const Peer*) {
    return read_peer(text);
}

template <typename T>
bool Reader::read(const toml::node& node, T* target) {
    if constexpr (std::is_integral_v<T>) {
        const auto* value = node.as_integer();
        if (value == nullptr || value->get() < property_.min || value->get() > property_.max) {
            return wrong(node);
        }
        *target = static_cast<T>(value->get());
    } else {
        const auto* value = node.as_string();
        if (value == nullptr) {
            return wrong(node);
        }
        auto reading = read_text(value->get(), target);
        if (!reading.value) {
            return wrong(node, reading.reason);
        }
        *target = std::move(*reading.value);
    }
    return true;
}

template <typename T>
bool Reader::read(const toml::node& node, std::vector<T>* target) {
    // A single element may stand without brackets.
    if (!node.is_array() && !node.is_table()) {
        T element{};
        if (!read(node, &element)) {
            return false;
        }
        *target = {std::move(element)};
        return true;
    }
    const auto* array = node.as_array();
    if (array == nullptr) {
        return wrong(node);
    }
    if (array->size() > kMaxListLength) {
        return wrong(node, "has more than 4096 elements");
    }
    std::vector<T> elements;
    bool good = true;
    for (const toml::node& item : *array) {
        T element{};
        if (!read(item, &element)) {
            good = false;
        } else if (std::find(elements.begin(), elements.end(), element) != elements.end()) {
            good = wrong(item, "stands in the list twice");
        } else {
            elements.push_back(std::move(element));
        }
    }
    if (good && elements.empty() && std::is_same_v<T, std::uint16_t>) {
        good = wrong(node, "must have at least one element");
    }
    if (good) {
        *target = std::move(elements);
    }
    return good;
}

}  // namespace

Position place_of(const toml::source_region& source) {
    return {static_cast<std::uint32_t>(source.begin.line),
            static_cast<std::uint32_t>(source.begin.column)};
}

std::string shown(const toml::node& node) {
    if (const auto* text = node.as_string()) {
        std::string out = "\"";
        for (const char c : text->get().substr(0, kMaxShown)) {
            out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        }
        return out + (text->get().size() > kMaxShown ? "…\"" : "\"");
    }
    std::ostringstream out;
    if (const auto* integer = node.as_integer()) {
        out << integer->get();
    } else if (const auto* real = node.as_floating_point()) {
        out << real->get();
    } else if (const auto* boolean = node.as_boolean()) {
        out << (boolean->get() ? "true" : "false");
    } else if (node.is_table()) {
        out << "a table";
    } else if (node.is_array()) {
        out << "a list";
    } else {
        out << "a date or time";
    }
    return out.str();
}

void read_node(const Property& property, const std::string& key, const toml::node& node,
               const Field& target, std::vector<Issue>& issues) {
    Reader reader(property, key, issues);
    std::visit([&](auto where) { reader.read(node, where); }, target);
}

}  // namespace pinhole::config
