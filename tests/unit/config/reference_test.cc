// SPDX-License-Identifier: BSD-3-Clause
// conf/pinhole.toml is what operators copy: it must load without a word but the missing peer, and
// name every key with the default that the code has.
#include "control/config/load.h"
#include "control/config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

namespace pinhole::config {
namespace {

const std::string kFile = std::string(PINHOLE_CONF_DIR) + "/pinhole.toml";

// "section.key" -> value, commented out or not.
std::map<std::string, std::string> keys_in(const std::string& path) {
    std::ifstream file(path);
    std::map<std::string, std::string> out;
    std::string section;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.front() == '[') {
            const auto begin = line.find_first_not_of('[');
            section = line.substr(begin, line.find(']') - begin);
            continue;
        }
        if (line.rfind("# ", 0) == 0) {
            line.erase(0, 2);
        }
        const auto equals = line.find(" = ");
        const std::string key = line.substr(0, equals);
        if (equals != std::string::npos && find_property(section, key) != nullptr) {
            EXPECT_TRUE(out.emplace(section + "." + key, line.substr(equals + 3)).second) << key;
        }
    }
    return out;
}

TEST(Reference, Loads) {
    const Loaded loaded = load_file(kFile);
    EXPECT_TRUE(loaded.ok());
    ASSERT_EQ(loaded.issues.size(), 1u) << describe(loaded.issues, kFile);
    EXPECT_EQ(loaded.issues[0].key, "core.peers");
}

TEST(Reference, HasEveryKeyWithItsDefault) {
    auto keys = keys_in(kFile);
    for (const Property& property : properties()) {
        const std::string key = std::string(property.section) + "." + std::string(property.name);
        ASSERT_TRUE(keys.count(key)) << key << " is not in conf/pinhole.toml";
        std::string value = keys[key];
        std::erase(value, '_');
        std::string want = default_text(property);
        std::erase(want, '_');
        if (key == "port.device" || key == "port.name" || key == "registrar.domains" ||
            key == "auth.mode") {
            continue;  // no default of their own
        }
        // A list of one is written without brackets where that is allowed.
        EXPECT_TRUE(value == want || "[" + value + "]" == want)
            << key << " = " << value << ", not " << want;
    }
}

TEST(Schema, EachKeyExplainsItself) {
    for (const Property& property : properties()) {
        const std::string key = std::string(property.section) + "." + std::string(property.name);
        EXPECT_FALSE(property.help.empty()) << key;
        EXPECT_FALSE(expected(property).empty()) << key;
        EXPECT_EQ(find_property(property.section, property.name), &property)
            << key << " stands there twice";
    }
}

}  // namespace
}  // namespace pinhole::config
