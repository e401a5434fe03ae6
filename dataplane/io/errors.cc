// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/errors.h"

#include <rte_errno.h>

#include <cerrno>
#include <cstdlib>

namespace pinhole::io {

std::string error_text(int number) {
    return rte_strerror(std::abs(number));
}

ErrorCode error_code(int number) {
    switch (std::abs(number)) {
        case EPERM:
        case EACCES:
            return ErrorCode::kNoPermission;
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return ErrorCode::kMissing;
        case EBUSY:
        case EADDRINUSE:
            return ErrorCode::kBusy;
        case ENOMEM:
            return ErrorCode::kNoMemory;
        case EINVAL:
            return ErrorCode::kInvalid;
        case ENOTSUP:
        case ENOSYS:
            return ErrorCode::kUnsupported;
        default:
            return ErrorCode::kSystem;
    }
}

Error system_error(std::string_view what, int number) {
    return {error_code(number), std::string(what) + ": " + error_text(number)};
}

}  // namespace pinhole::io
