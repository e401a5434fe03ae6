// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/dumpcap.h"

#include "dataplane/io/errors.h"

#include <mntent.h>
#include <signal.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_pdump.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

namespace pinhole::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "ph-";

// Of "ph-123" and "ph-123map_0"; 0: it is no file of a pinhole's.
pid_t pid_of(std::string_view name) {
    if (!name.starts_with(kPrefix)) {
        return 0;
    }
    name.remove_prefix(kPrefix.size());
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    const std::string_view rest(end, static_cast<std::size_t>(name.data() + name.size() - end));
    return error == std::errc{} && (rest.empty() || rest.starts_with("map_")) ? pid : 0;
}

bool is_gone(pid_t pid, bool ours) {
    return pid == getpid() ? ours : kill(pid, 0) != 0 && errno == ESRCH;
}

void remove_from(const fs::path& directory, bool ours) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
        const pid_t pid = pid_of(entry.path().filename().native());
        if (pid > 0 && is_gone(pid, ours)) {
            fs::remove_all(entry.path(), ignored);
        }
    }
}

std::vector<std::string> hugepage_mounts() {
    std::vector<std::string> found;
    const std::unique_ptr<FILE, int (*)(FILE*)> mounts(setmntent("/proc/self/mounts", "r"),
                                                       endmntent);
    while (const mntent* mount = mounts == nullptr ? nullptr : getmntent(mounts.get())) {
        if (std::string_view(mount->mnt_type) == "hugetlbfs") {
            found.emplace_back(mount->mnt_dir);
        }
    }
    return found;
}

}  // namespace

std::string eal_file_prefix() {
    return std::string(kPrefix) + std::to_string(getpid());
}

void remove_shared_files(bool ours) {
    for (const std::string& directory : hugepage_mounts()) {
        remove_from(directory, ours);
    }
    // Where EAL keeps what its processes tell each other; none before its start.
    const fs::path runtime = rte_eal_get_runtime_dir();
    if (!runtime.empty()) {
        remove_from(runtime.parent_path(), ours);
    }
}

Status allow_dumpcap() {
    return rte_pdump_init() == 0 ? Status{}
                                 : system_error("dpdk-dumpcap cannot be let in", rte_errno);
}

void end_dumpcap() {
    rte_pdump_uninit();
}

}  // namespace pinhole::io
