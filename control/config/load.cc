// SPDX-License-Identifier: BSD-3-Clause
// Walks the TOML tree by the schema. toml++ throws at a syntax error, which ends here; all else is
// collected.
#include "control/config/load.h"

#include "control/config/read_node.h"
#include "control/config/rules.h"
#include "control/config/schema.h"
#include "control/config/suggest.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>

namespace pinhole::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

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
    void name_ports();

    Loaded out_;
    Positions positions_;
    Complaints complaints_;
    Port no_port_;
};

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
            read_node(*property, full, node, property->field(out_.config, port), out_.issues);
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
