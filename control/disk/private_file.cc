// SPDX-License-Identifier: BSD-3-Clause
#include "control/disk/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace pinhole::disk {
namespace {

// Group and others, to read, write or execute.
constexpr mode_t kForOthers = S_IRWXG | S_IRWXO;

std::string reason(int error) {
    return std::generic_category().message(error);
}

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] bool open() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }
    // False: what was written may not have arrived (errno).
    [[nodiscard]] bool end() { return close(std::exchange(fd_, -1)) == 0; }

  private:
    int fd_;
};

std::string octal(mode_t mode) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "0%03o", static_cast<unsigned>(mode & 07777));
    return text.data();
}

std::optional<std::string> refuse(const std::string& path, const struct stat& about,
                                  std::size_t max) {
    if (!S_ISREG(about.st_mode)) {
        return path + " is no regular file: name one, or a path where there is none yet";
    }
    if ((about.st_mode & kForOthers) != 0) {
        return path + " is open to others than its owner (mode " + octal(about.st_mode) +
               "): chmod 600 it, or remove it if they may have read what is in it";
    }
    if (about.st_size > static_cast<off_t>(max)) {
        return path +
               " is larger than anything that pinhole writes there: put back a good copy, or "
               "remove it";
    }
    return std::nullopt;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = write(fd, text.data(), text.size());
        if (n < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    return true;
}

// Whole and on the disk; else errno says why.
bool write_new(const std::string& path, std::string_view text) {
    (void)unlink(path.c_str());  // what a crash has left
    Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    return file.open() && write_all(file.fd(), text) && fsync(file.fd()) == 0 && file.end();
}

// A name is on the disk when its directory is.
bool sync_directory(const std::filesystem::path& directory) {
    const Descriptor opened(
        open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.open() && fsync(opened.fd()) == 0;
}

}  // namespace

PrivateFile read_private(const std::string& path, std::size_t max) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.open()) {
        if (errno == ENOENT) {
            return {};
        }
        return {.error = "can't read " + path + ": " + reason(errno) +
                         ". Give it to the user that pinhole runs as"};
    }
    struct stat about {};
    if (fstat(file.fd(), &about) != 0) {
        return {.error = "can't read " + path + ": " + reason(errno)};
    }
    if (auto refusal = refuse(path, about, max)) {
        return {.error = std::move(refusal)};
    }
    std::string text(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t n = read(file.fd(), text.data() + size, text.size() - size);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return {.error = "can't read " + path + ": " + reason(errno)};
        }
        size += n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    text.resize(size);
    return {.text = std::move(text)};
}

std::optional<std::string> replace_private(const std::string& path, std::string_view text) {
    const std::string next = path + ".new";
    if (!write_new(next, text) || rename(next.c_str(), path.c_str()) != 0) {
        const int error = errno;
        (void)unlink(next.c_str());
        return "can't write " + path + ": " + reason(error) +
               ". Its directory must be there, with room, for the user that pinhole runs as";
    }
    if (!sync_directory(std::filesystem::path(path).parent_path())) {
        return "can't write the directory of " + path + " to the disk: " + reason(errno);
    }
    return std::nullopt;
}

}  // namespace pinhole::disk
