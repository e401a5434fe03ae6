// SPDX-License-Identifier: BSD-3-Clause
// Files mapped into memory, and what a directory holds: the journal's two ways to its bytes. Errors
// are sentences that name the path. Any thread but a worker's makes them; the bytes belong to their
// holder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pinhole::store {

class MappedFile {
  public:
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    // To read, as it is. Empty or not there: no bytes and no error.
    static MappedFile open(const std::string& path, std::optional<std::string>& error);
    // New, zero, for this user alone, shared with whoever maps it later. All of its memory is taken
    // now: a tmpfs that is full says so here, and not by a signal later.
    static MappedFile create(const std::string& path, std::size_t bytes,
                             std::optional<std::string>& error);

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

  private:
    std::span<std::byte> bytes_;
};

// An exclusive hold on a directory for as long as this lives, whoever ends us.
class DirectoryLock {
  public:
    DirectoryLock() = default;
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&& other) noexcept;
    ~DirectoryLock();

    // Makes the directory if it isn't there. One of another user's, or that others may write to, is
    // refused.
    static DirectoryLock take(const std::string& directory, std::optional<std::string>& error);

  private:
    int fd_ = -1;
};

// A file that only grows. One thread.
class AppendFile {
  public:
    AppendFile() = default;
    AppendFile(AppendFile&& other) noexcept;
    AppendFile& operator=(AppendFile&& other) noexcept;
    ~AppendFile();

    // New, for this user alone.
    static AppendFile create(const std::string& path, std::optional<std::string>& error);
    // Whole, or it is as long as before. False: errno says why.
    [[nodiscard]] bool append(std::span<const std::byte> first, std::span<const std::byte> second);
    // What has been appended is on the disk. False: some of it may never come there.
    [[nodiscard]] bool sync();
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    int fd_ = -1;
    std::uint64_t size_ = 0;
};

// Names are on the disk when their directory is.
[[nodiscard]] bool sync_directory(const std::string& directory);
[[nodiscard]] std::string last_error();

}  // namespace pinhole::store
