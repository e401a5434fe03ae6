// SPDX-License-Identifier: BSD-3-Clause
// Keys whose names are settled and whose work isn't done yet. To ask for it is an error, never
// ignored. Who builds one of these deletes its line.
#include "control/config/rules.h"

#include <array>

namespace pinhole::config {
namespace {

struct Unbuilt {
    std::string_view key;
    bool (*asked_for)(const Config&);
    std::string_view message;
};

constexpr std::array kUnbuilt{
    Unbuilt{
        "journal.directory", [](const Config& c) { return !c.journal.directory.empty(); },
        "is set, but this version keeps nothing over a restart: phones come back with their next "
        "REGISTER. Write directory = \"\" or remove the key"},
};

}  // namespace

void check_unbuilt(const Config& config, const Complaints& complaints) {
    for (const Unbuilt& unbuilt : kUnbuilt) {
        if (unbuilt.asked_for(config)) {
            complaints.error(std::string(unbuilt.key), std::string(unbuilt.message));
        }
    }
}

}  // namespace pinhole::config
