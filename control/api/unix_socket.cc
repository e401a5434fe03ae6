// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/unix_socket.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace pinhole::api {
namespace {

std::string reason(int error) {
    return std::generic_category().message(error);
}

}  // namespace

int probe_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return ENAMETOOLONG;
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    const int result =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0
                                                                                         : errno;
    ::close(fd);
    // A full backlog is somebody, too busy to accept.
    return result == EAGAIN ? 0 : result;
}

std::optional<std::string> clear_for_bind(const std::string& path) {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) {
        std::filesystem::create_directories(parent, error);
        if (error) {
            return "can't make the directory " + parent.string() + ": " + error.message();
        }
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return errno == ENOENT ? std::nullopt
                               : std::optional("can't look at " + path + ": " + reason(errno));
    }
    if (!S_ISSOCK(status.st_mode)) {
        return path + " is there and is no socket: remove it, or choose another [control] socket";
    }
    const int probe = probe_unix(path);
    if (probe == 0) {
        return "another pinhole listens at " + path +
               ": stop it, or choose another [control] socket";
    }
    if (probe != ECONNREFUSED) {
        return "can't tell who holds " + path + ": " + reason(probe);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return "can't remove the left-over socket " + path + ": " + reason(errno);
    }
    return std::nullopt;
}

std::optional<std::string> give_to_group(const std::string& path, const std::string& group) {
    if (group.empty()) {
        return std::nullopt;
    }
    struct group entry {};
    struct group* found = nullptr;
    std::vector<char> names(65'536);
    if (::getgrnam_r(group.c_str(), &entry, names.data(), names.size(), &found) != 0 ||
        found == nullptr) {
        return "there is no group " + group + ": make it (addgroup --system " + group +
               "), or choose another [control] group";
    }
    if (::chown(path.c_str(), static_cast<uid_t>(-1), entry.gr_gid) != 0) {
        return "can't give " + path + " to the group " + group + ": " + reason(errno) +
               ". The user that pinhole runs as must be in it (SupplementaryGroups= in the unit)";
    }
    return std::nullopt;
}

}  // namespace pinhole::api
