// SPDX-License-Identifier: BSD-3-Clause
// Walks the TOML tree by the schema. toml++ throws at a syntax error, which ends here; all else is
// collected.
#include "control/config/load.h"

#include "control/config/rules.h"
#include "control/config/schema.h"
#include "control/config/suggest.h"
#include "control/config/values.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <type_traits>

namespace pinhole::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxShown = 60;
constexpr std::size_t kMaxListLength = 4'096;

Position place_of(const toml::source_region& source) {
    return {static_cast<std::uint32_t>(source.begin.line),
            static_cast<std::uint32_t>(source.begin.column)};
}

// As a message shows it: strings in quotes, cut if long, without control characters.
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

class Loader {
  public:
    Loader() : complaints_(positions_, out_.issues) {}

    Loaded run(const toml::table& root);

  private:
    void section(const std::string& name, const toml::node& node);
    void ports(const toml::node& node);
    void keys(std::string_view section, const std::string& prefix, const toml::table& table,
              Port& port);
    void unknown_section(const std::string& name);
    void unknown_key(std::string_view section, const std::string& key, const std::string& full);
    void value(const Property& property, const std::string& key, const toml::node& node,
               Port& port);
    void name_ports();

    // One for each kind of Field. Each leaves the target alone if it complains.
    bool read(const Property& property, const std::string& key, const toml::node& node,
              bool* target);
    bool read(const Property& property, const std::string& key, const toml::node& node,
              std::string* target);
    bool read(const Property& property, const std::string& key, const toml::node& node,
              Choice target);
    template <typename T>
    bool read(const Property& property, const std::string& key, const toml::node& node,
              std::vector<T>* target);
    template <typename T>
    bool read(const Property& property, const std::string& key, const toml::node& node, T* target);

    bool wrong(const Property& property, const std::string& key, const toml::node& node,
               std::string_view reason = {});

    Loaded out_;
    Positions positions_;
    Complaints complaints_;
    Port no_port_;
};

bool Loader::wrong(const Property& property, const std::string& key, const toml::node& node,
                   std::string_view reason) {
    const Position place = place_of(node.source());
    std::string message = "is " + shown(node) + ", but ";
    message += reason.empty() ? "must be " + expected(property) : std::string(reason);
    out_.issues.push_back({Severity::kError, place.line, place.column, key, std::move(message)});
    return false;
}

bool Loader::read(const Property& property, const std::string& key, const toml::node& node,
                  bool* target) {
    const auto* value = node.as_boolean();
    if (value == nullptr) {
        return wrong(property, key, node);
    }
    *target = value->get();
    return true;
}

bool Loader::read(const Property& property, const std::string& key, const toml::node& node,
                  std::string* target) {
    const auto* value = node.as_string();
    if (value == nullptr) {
        return wrong(property, key, node);
    }
    *target = value->get();
    return true;
}

bool Loader::read(const Property& property, const std::string& key, const toml::node& node,
                  Choice target) {
    const auto* value = node.as_string();
    const auto names = split_choices(property.choices);
    const auto found =
        value == nullptr ? names.end() : std::find(names.begin(), names.end(), value->get());
    if (found == names.end()) {
        return wrong(property, key, node);
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
bool Loader::read(const Property& property, const std::string& key, const toml::node& node,
                  T* target) {
    if constexpr (std::is_integral_v<T>) {
        const auto* value = node.as_integer();
        if (value == nullptr || value->get() < property.min || value->get() > property.max) {
            return wrong(property, key, node);
        }
        *target = static_cast<T>(value->get());
    } else {
        const auto* value = node.as_string();
        if (value == nullptr) {
            return wrong(property, key, node);
        }
        auto reading = read_text(value->get(), target);
        if (!reading.value) {
            return wrong(property, key, node, reading.reason);
        }
        *target = std::move(*reading.value);
    }
    return true;
}

template <typename T>
bool Loader::read(const Property& property, const std::string& key, const toml::node& node,
                  std::vector<T>* target) {
    // A single element may stand without brackets.
    if (!node.is_array() && !node.is_table()) {
        T element{};
        if (!read(property, key, node, &element)) {
            return false;
        }
        *target = {std::move(element)};
        return true;
    }
    const auto* array = node.as_array();
    if (array == nullptr) {
        return wrong(property, key, node);
    }
    if (array->size() > kMaxListLength) {
        return wrong(property, key, node, "has more than 4096 elements");
    }
    std::vector<T> elements;
    bool good = true;
    for (const toml::node& item : *array) {
        T element{};
        if (!read(property, key, item, &element)) {
            good = false;
        } else if (std::find(elements.begin(), elements.end(), element) != elements.end()) {
            good = wrong(property, key, item, "stands in the list twice");
        } else {
            elements.push_back(std::move(element));
        }
    }
    if (good && elements.empty() && std::is_same_v<T, std::uint16_t>) {
        good = wrong(property, key, node, "must have at least one element");
    }
    if (good) {
        *target = std::move(elements);
    }
    return good;
}

void Loader::value(const Property& property, const std::string& key, const toml::node& node,
                   Port& port) {
    std::visit([&](auto target) { read(property, key, node, target); },
               property.field(out_.config, port));
}

void Loader::unknown_section(const std::string& name) {
    const auto names = section_names();
    std::string message = "is no section";
    if (const auto near = suggest(name, names)) {
        message += *near == kPortSection ? ": did you mean [[port]]?"
                                         : ": did you mean [" + std::string(*near) + "]?";
    } else {
        message += ". There are:";
        for (const std::string_view known : names) {
            message += " " + std::string(known);
        }
    }
    complaints_.error(name, std::move(message));
}

void Loader::unknown_key(std::string_view section, const std::string& key,
                         const std::string& full) {
    const auto names = key_names(section);
    std::string message = "is no key";
    if (const auto near = suggest(key, names)) {
        message += ": did you mean " + std::string(*near) + "?";
    } else {
        const auto owner =
            std::find_if(properties().begin(), properties().end(),
                         [&](const Property& property) { return property.name == key; });
        if (owner != properties().end()) {
            message += " of this section: it belongs in [" + std::string(owner->section) + "]";
        } else {
            message += " of this section. There are:";
            for (const std::string_view known : names) {
                message += " " + std::string(known);
            }
        }
    }
    complaints_.error(full, std::move(message));
}

void Loader::keys(std::string_view section, const std::string& prefix, const toml::table& table,
                  Port& port) {
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        const std::string full = prefix + "." + name;
        positions_[full] = place_of(key.source());
        if (const Property* property = find_property(section, name)) {
            value(*property, full, node, port);
        } else {
            unknown_key(section, name, full);
        }
    }
}

void Loader::ports(const toml::node& node) {
    const auto* array = node.as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
        complaints_.error(std::string(kPortSection),
                          "must be written [[port]], with two brackets: there may be several");
        return;
    }
    for (const toml::node& item : *array) {
        const std::string prefix = port_key(out_.config.ports.size());
        positions_[prefix] = place_of(item.source());
        Port port;
        keys(kPortSection, prefix, *item.as_table(), port);
        out_.config.ports.push_back(std::move(port));
    }
}

void Loader::section(const std::string& name, const toml::node& node) {
    const auto names = section_names();
    if (name == kPortSection) {
        ports(node);
    } else if (std::find(names.begin(), names.end(), name) == names.end()) {
        unknown_section(name);
    } else if (const auto* table = node.as_table()) {
        keys(name, name, *table, no_port_);
    } else {
        complaints_.error(name,
                          "is " + shown(node) + ", but must be a section, written [" + name + "]");
    }
}

void Loader::name_ports() {
    for (std::size_t i = 0; i < out_.config.ports.size(); ++i) {
        Port& port = out_.config.ports[i];
        if (port.name.empty() && !complaints_.written(port_key(i) + ".name")) {
            port.name = port.device.has_kernel_interface() ? port.device.argument
                                                           : "pinhole" + std::to_string(i);
        }
    }
}

Loaded Loader::run(const toml::table& root) {
    for (const auto& [key, node] : root) {
        const std::string name(key.str());
        positions_[name] = place_of(key.source());
        section(name, node);
    }
    name_ports();
    check_rules(out_.config, complaints_);
    check_unbuilt(out_.config, complaints_);
    // In the order of the file; what is missing altogether comes last.
    std::stable_sort(out_.issues.begin(), out_.issues.end(), [](const Issue& a, const Issue& b) {
        const auto place = [](const Issue& issue) {
            return issue.line == 0 ? UINT32_MAX : issue.line;
        };
        return place(a) != place(b) ? place(a) < place(b) : a.column < b.column;
    });
    return std::move(out_);
}

Loaded failed(std::uint32_t line, std::uint32_t column, std::string message) {
    Loaded out;
    out.issues.push_back({Severity::kError, line, column, {}, std::move(message)});
    return out;
}

}  // namespace

bool Loaded::ok() const {
    return std::none_of(issues.begin(), issues.end(),
                        [](const Issue& issue) { return issue.severity == Severity::kError; });
}

Loaded parse(std::string_view toml_text) {
    try {
        const toml::table root = toml::parse(toml_text);
        return Loader().run(root);
    } catch (const toml::parse_error& error) {
        const Position place = place_of(error.source());
        return failed(place.line, place.column,
                      "not TOML from here on: " + std::string(error.description()));
    }
}

Loaded load_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (file) {
        text.resize(kMaxFileBytes + 1);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad() || (text.empty() && !file.eof())) {
        return failed(0, 0, "can't be read: is the path right, and may this user read it?");
    }
    if (text.size() > kMaxFileBytes) {
        return failed(0, 0, "is larger than 1 MB: this is no configuration of pinhole");
    }
    return parse(text);
}

}  // namespace pinhole::config
