// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/client.h"

#include "control/api/server.h"
#include "tests/unit/api/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace pinhole::api {
namespace {

using ::testing::HasSubstr;

TEST(ClientErrors, SayWhatToDo) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("control.sock");
    EXPECT_THAT(Client(path).status().problem, HasSubstr("is pinhole running?"));

    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ::close(fd);
    const Answer answer = Client(path).show("100@example.com");
    EXPECT_THAT(answer.problem, HasSubstr("pinhole has stopped"));
    EXPECT_FALSE(answer.ok());
    EXPECT_FALSE(answer.not_found());
}

TEST(ClientList, PutsPagesTogether) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("control.sock");
    FakeSystem system;
    Server server(system, Server::Access::kFull);
    ASSERT_FALSE(server.start_unix(path));
    const Client client(path);
    Answer all = client.list("", 100);
    ASSERT_TRUE(all.ok()) << all.problem;
    EXPECT_EQ(all.body["aors"].size(), 2u);
    EXPECT_EQ(all.body["next"], "");
    Answer one = client.list("", 1);
    ASSERT_TRUE(one.ok());
    EXPECT_EQ(one.body["aors"].size(), 1u);
    EXPECT_NE(one.body["next"], "");
    EXPECT_EQ(client.list("sip:a", 5).body["aors"].size(), 1u);
}

TEST(ClientReload, TellsWhatWasReadOrWhatIsWrong) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("control.sock");
    FakeSystem system;
    Server server(system, Server::Access::kFull);
    ASSERT_FALSE(server.start_unix(path));
    const Answer good = Client(path).reload();
    ASSERT_TRUE(good.ok()) << good.problem;
    EXPECT_EQ(good.body["reloaded"][0], "screening rules: 7");
    EXPECT_EQ(good.body["warnings"][0], "/etc/screen.rules:9: odd");
    system.bad_rules = true;
    const Answer bad = Client(path).reload();
    EXPECT_EQ(bad.status, 422);
    EXPECT_THAT(bad.problem, HasSubstr("/etc/screen.rules:3: is no action\n"));
    EXPECT_THAT(bad.problem, HasSubstr("stays in use"));
}

TEST(ClientDrain, BeginsAndEnds) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("control.sock");
    FakeSystem system;
    Server server(system, Server::Access::kFull);
    ASSERT_FALSE(server.start_unix(path));
    const Answer begun = Client(path).drain(-1);
    ASSERT_TRUE(begun.ok()) << begun.problem;
    EXPECT_TRUE(begun.body["draining"].get<bool>());
    EXPECT_TRUE(system.draining);
    EXPECT_EQ(system.drain_stop_s, std::nullopt);
    ASSERT_TRUE(Client(path).drain(30).ok());
    EXPECT_EQ(system.drain_stop_s, 30U);
    ASSERT_TRUE(Client(path).end_drain().ok());
    EXPECT_FALSE(system.draining);
}

TEST(ClientCapture, BeginsTakesBytesAsTheyAreAndEnds) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("control.sock");
    FakeSystem system;
    Server server(system, Server::Access::kFull);
    ASSERT_FALSE(server.start_unix(path));
    const Client client(path);
    const Answer started = client.capture_start("host ::1 text a&b=c");
    ASSERT_TRUE(started.ok()) << started.problem;
    EXPECT_EQ(started.body["id"], 7);
    EXPECT_EQ(system.capture_filter, "host ::1 text a&b=c");
    const Client::Chunk chunk = client.capture_take(7);
    EXPECT_EQ(chunk.problem, "");
    EXPECT_EQ(chunk.bytes, std::string("\x0a\x0d\x00\xff", 4));
    EXPECT_EQ(chunk.missed, 3u);
    EXPECT_TRUE(client.capture_stop(7).ok());
    EXPECT_THAT(client.capture_take(8).problem, HasSubstr("ended"));
    EXPECT_FALSE(client.capture_stop(0).ok());
    EXPECT_EQ(client.capture_start("bad").problem, "no filter");
    EXPECT_FALSE(client.capture_start(std::string(257, 'x')).ok());
}

TEST(PercentEncode, KeepsOnlyWhatIsSafe) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("sip:a%20b@x/?&\n\xff"), "sip%3Aa%2520b%40x%2F%3F%26%0A%FF");
}

}  // namespace
}  // namespace pinhole::api
