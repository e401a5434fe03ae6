// SPDX-License-Identifier: BSD-3-Clause
// A configuration without fault, in pieces, so that a case can replace one.
#pragma once

#include "control/config/load.h"

#include <string>

namespace pinhole::config {

struct Pieces {
    std::string dataplane = "";
    std::string port = "[[port]]\ndevice = \"af_packet:eth0\"\n";
    std::string registrar = "[registrar]\ndomains = [\"example.com\"]\n";
    std::string auth = "[auth]\nmode = \"off\"\n";
    std::string core = "[core]\npeers = [\"203.0.113.10\"]\n";
    std::string rest = "";

    [[nodiscard]] std::string text() const {
        return dataplane + port + registrar + auth + core + rest;
    }
};

inline std::string list(const Loaded& loaded) {
    return describe(loaded.issues, "f");
}

inline std::string port(const std::string& lines) {
    return "[[port]]\n" + lines;
}
inline std::string registrar(const std::string& lines) {
    return "[registrar]\ndomains = [\"example.com\"]\n" + lines;
}
inline std::string core(const std::string& peers) {
    return "[core]\npeers = " + peers + "\n";
}

}  // namespace pinhole::config
