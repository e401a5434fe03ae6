// SPDX-License-Identifier: BSD-3-Clause
// The messages of tests/corpus, byte for byte.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace pinhole::corpus {

inline std::string read_message(const std::string& folder, const std::string& name) {
    std::ifstream file(std::string(PINHOLE_CORPUS_DIR) + "/" + folder + "/" + name,
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The names of a folder's messages, sorted.
inline std::vector<std::string> messages_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(PINHOLE_CORPUS_DIR) + "/" + folder)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace pinhole::corpus
