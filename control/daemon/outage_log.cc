// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/outage_log.h"

#include <spdlog/spdlog.h>

#include <string>

namespace pinhole::daemon {

void log_outages(qualify::Gateways& gateways) {
    for (qualify::OutageNotice notice; gateways.news().take(notice);) {
        const std::string where = notice.is_prefix ? qualify::area_text(notice.address)
                                                   : gateways.name_of(notice.address);
        if (notice.began) {
            spdlog::warn(
                "access outage: the {} phones of {} fell silent together; until one answers they "
                "are pinged rarely and not removed",
                notice.phones, where);
        } else {
            spdlog::info("the access outage of {} is over after {} s; it has {} phones", where,
                         notice.at_s - notice.since_s, notice.phones);
        }
    }
}

}  // namespace pinhole::daemon
