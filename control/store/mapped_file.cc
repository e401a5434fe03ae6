// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/mapped_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace pinhole::store {
namespace {

constexpr mode_t kOwnFile = S_IRUSR | S_IWUSR;

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
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  private:
    int fd_;
};

std::span<std::byte> map(int fd, std::size_t bytes, int protection, int flags) {
    void* at = mmap(nullptr, bytes, protection, flags, fd, 0);
    return at == MAP_FAILED ? std::span<std::byte>{}
                            : std::span(static_cast<std::byte*>(at), bytes);
}

}  // namespace

std::string last_error() {
    return reason(errno);
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) {
        munmap(bytes_.data(), bytes_.size());
    }
}

MappedFile MappedFile::open(const std::string& path, std::optional<std::string>& error) {
    MappedFile file;
    const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat about {};
    if (!opened.is_open() || fstat(opened.fd(), &about) != 0) {
        error = "can't read " + path + ": " + last_error();
        return file;
    }
    if (about.st_size > 0) {
        file.bytes_ =
            map(opened.fd(), static_cast<std::size_t>(about.st_size), PROT_READ, MAP_SHARED);
        if (file.bytes_.empty()) {
            error = "can't map " + path + ": " + last_error();
        } else {
            (void)madvise(file.bytes_.data(), file.bytes_.size(), MADV_WILLNEED);
        }
    }
    return file;
}

MappedFile MappedFile::create(const std::string& path, std::size_t bytes,
                              std::optional<std::string>& error) {
    MappedFile file;
    (void)unlink(path.c_str());
    const Descriptor opened(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnFile));
    if (!opened.is_open()) {
        error = "can't make " + path + ": " + last_error();
        return file;
    }
    int failed = posix_fallocate(opened.fd(), 0, static_cast<off_t>(bytes));
    if (failed == 0) {
        file.bytes_ = map(opened.fd(), bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
        failed = file.bytes_.empty() ? errno : 0;
    }
    if (failed != 0) {
        (void)unlink(path.c_str());
        error =
            "can't have " + std::to_string(bytes >> 10) + " KB at " + path + ": " + reason(failed);
    }
    return file;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

DirectoryLock::~DirectoryLock() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

DirectoryLock DirectoryLock::take(const std::string& directory, std::optional<std::string>& error) {
    DirectoryLock lock;
    std::error_code failed;
    if (std::filesystem::create_directories(directory, failed)) {
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, failed);
    }
    lock.fd_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat about {};
    if (lock.fd_ < 0 || fstat(lock.fd_, &about) != 0) {
        error = "can't use the directory " + directory + ": " + last_error();
    } else if (about.st_uid != geteuid() || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        // Whoever can put files there can put bindings into the table.
        error = directory +
                " must be a directory of the user that pinhole runs as, and writable "
                "for nobody else";
    } else if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
        error = errno == EWOULDBLOCK ? "another pinhole keeps its journal in " + directory +
                                           ": each needs directories of its own"
                                     : "can't lock " + directory + ": " + last_error();
    }
    return lock;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    return *this;
}

AppendFile::~AppendFile() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

AppendFile AppendFile::create(const std::string& path, std::optional<std::string>& error) {
    AppendFile file;
    file.fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, kOwnFile);
    if (file.fd_ < 0) {
        error = "can't make " + path + ": " + last_error();
    }
    return file;
}

bool AppendFile::append(std::span<const std::byte> first, std::span<const std::byte> second) {
    const std::uint64_t whole = size_ + first.size() + second.size();
    std::uint64_t written = size_;
    while (written < whole) {
        const std::size_t done = written - size_;
        const auto one = first.subspan(std::min(done, first.size()));
        const auto two = second.subspan(done > first.size() ? done - first.size() : 0);
        const std::array<iovec, 2> parts{iovec{const_cast<std::byte*>(one.data()), one.size()},
                                         iovec{const_cast<std::byte*>(two.data()), two.size()}};
        const ssize_t n = writev(fd_, parts.data(), parts.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            const int error = n == 0 ? ENOSPC : errno;
            (void)!ftruncate(fd_, static_cast<off_t>(size_));
            errno = error;
            return false;
        }
        written += static_cast<std::uint64_t>(n);
    }
    size_ = whole;
    return true;
}

bool AppendFile::sync() {
    return fdatasync(fd_) == 0;
}

bool sync_directory(const std::string& directory) {
    const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.is_open() && fsync(opened.fd()) == 0;
}

}  // namespace pinhole::store
