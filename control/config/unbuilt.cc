// SPDX-License-Identifier: BSD-3-Clause
// Keys whose names are settled and whose work isn't done yet. To ask for it is an error, never
// ignored: an operator who writes `mode = "digest"` must not get a registrar without passwords. Who
// builds one of these deletes its line.
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
        "auth.mode", [](const Config& c) { return c.auth.mode == AuthMode::kDigest; },
        "is \"digest\", which this version can't do: digest authentication comes in a later "
        "one. Until then write mode = \"off\", and let only networks that you trust reach pinhole"},
    Unbuilt{"auth.realm", [](const Config& c) { return !c.auth.realm.empty(); },
            "is set, but this version has no digest authentication to use it: remove the key"},
    Unbuilt{
        "auth.subscribers", [](const Config& c) { return !c.auth.subscribers.empty(); },
        "is set, but this version reads no subscribers, so anyone may register: remove the key"},
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
