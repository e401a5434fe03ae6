// SPDX-License-Identifier: BSD-3-Clause
// Prints pinhole.toml(5); run by the build. The programs print their own pages (--manual).
#include "control/manual/command_page.h"
#include "control/manual/config_page.h"

#include <cstdio>

int main() {
    const std::string page = pinhole::manual::config_page(pinhole::manual::today());
    return std::fputs(page.c_str(), stdout) >= 0 ? 0 : 1;
}
