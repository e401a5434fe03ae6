// SPDX-License-Identifier: BSD-3-Clause
#include "control/disk/private_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace pinhole::disk {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PrivateFileTest : public ::testing::Test {
  protected:
    PrivateFileTest() {
        std::string made = (fs::temp_directory_path() / "pinhole-disk.XXXXXX").string();
        directory_ = mkdtemp(made.data());
        path_ = (directory_ / "secret").string();
    }
    ~PrivateFileTest() override { fs::remove_all(directory_); }

    void put(const std::string& path, const std::string& text, mode_t mode) {
        std::ofstream(path) << text;
        chmod(path.c_str(), mode);
    }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory_), fs::directory_iterator{}));
    }

    fs::path directory_;
    std::string path_;
};

TEST_F(PrivateFileTest, WhatIsWrittenIsRead) {
    for (const std::string text : {"first", "", "another, longer than the first"}) {
        ASSERT_EQ(replace_private(path_, text), std::nullopt);
        const PrivateFile read = read_private(path_);
        EXPECT_EQ(read.error, std::nullopt);
        EXPECT_EQ(read.text, text);
        EXPECT_EQ(entries(), 1u) << "something is left beside it";
    }
}

TEST_F(PrivateFileTest, IsForItsOwnerAloneWhateverTheUmask) {
    const mode_t before = umask(0);
    put(path_, "old", 0666);
    EXPECT_EQ(replace_private(path_, "new"), std::nullopt);
    umask(before);
    struct stat about {};
    ASSERT_EQ(stat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(PrivateFileTest, NoFileIsNoError) {
    const PrivateFile read = read_private(path_);
    EXPECT_EQ(read.text, std::nullopt);
    EXPECT_EQ(read.error, std::nullopt);
}

TEST_F(PrivateFileTest, WhatOthersMayReachIsRefused) {
    for (const mode_t mode : {0640, 0604, 0620, 0601, 0644}) {
        put(path_, "secret", mode);
        const PrivateFile read = read_private(path_);
        EXPECT_EQ(read.text, std::nullopt) << mode;
        ASSERT_TRUE(read.error.has_value()) << mode;
        EXPECT_THAT(*read.error, HasSubstr("chmod 600"));
        EXPECT_THAT(*read.error, HasSubstr(path_));
    }
    for (const mode_t mode : {0600, 0400, 0700}) {
        put(path_, "secret", mode);
        EXPECT_EQ(read_private(path_).text, "secret") << mode;
    }
}

TEST_F(PrivateFileTest, WhatIsNoFileOrTooLargeIsRefused) {
    const PrivateFile directory = read_private(directory_.string());
    ASSERT_TRUE(directory.error.has_value());
    EXPECT_THAT(*directory.error, HasSubstr("no regular file"));
    put(path_, std::string(kMaxPrivateFile + 1, 'x'), 0600);
    ASSERT_TRUE(read_private(path_).error.has_value());
    EXPECT_EQ(read_private(path_).text, std::nullopt);
}

// A crash between writing and renaming.
TEST_F(PrivateFileTest, ALeftOverIsNoHindrance) {
    put(path_, "old", 0600);
    put(path_ + ".new", "half of", 0444);
    EXPECT_EQ(read_private(path_).text, "old");
    EXPECT_EQ(replace_private(path_, "new"), std::nullopt);
    EXPECT_EQ(read_private(path_).text, "new");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(PrivateFileTest, WhatFailsLeavesTheOldTextAndNothingElse) {
    // A directory is not replaced by a file.
    const std::string taken = (directory_ / "taken").string();
    fs::create_directories(taken + "/inside");
    auto failed = replace_private(taken, "new");
    ASSERT_TRUE(failed.has_value());
    EXPECT_THAT(*failed, HasSubstr(taken));
    EXPECT_TRUE(fs::is_directory(taken));
    EXPECT_EQ(entries(), 1u);
    failed = replace_private((directory_ / "nowhere" / "secret").string(), "new");
    ASSERT_TRUE(failed.has_value());
    EXPECT_THAT(*failed, HasSubstr("No such file or directory"));
}

// Nobody has us write elsewhere by a link in the way.
TEST_F(PrivateFileTest, ALinkInTheWayIsNotFollowed) {
    put(path_, "old", 0600);
    ASSERT_EQ(symlink("/dev/full", (path_ + ".new").c_str()), 0);
    EXPECT_EQ(replace_private(path_, "new"), std::nullopt);
    EXPECT_EQ(read_private(path_).text, "new");
    EXPECT_FALSE(fs::is_symlink(path_));
}

}  // namespace
}  // namespace pinhole::disk
