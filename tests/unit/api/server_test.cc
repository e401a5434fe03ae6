// SPDX-License-Identifier: BSD-3-Clause
// The server over a real loopback connection and a real Unix socket.
#include "control/api/server.h"

#include "control/api/client.h"
#include "control/api/unix_socket.h"
#include "tests/unit/api/fake_system.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

namespace pinhole::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class TcpServer : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto problem = server_.start_tcp("127.0.0.1", 0);
        ASSERT_FALSE(problem) << *problem;
    }

    httplib::Result get(const std::string& target) {
        return httplib::Client("127.0.0.1", server_.port()).Get(target);
    }

    // A connection that httplib's client would not make.
    int connect_raw() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(server_.port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
        return fd;
    }

    static std::string read_all(int fd) {
        std::string out;
        char buffer[4096];
        for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof(buffer))) > 0;) {
            out.append(buffer, static_cast<std::size_t>(got));
        }
        return out;
    }

    FakeSystem system_;
    Server server_{system_, Server::Access::kReadOnly};
};

TEST_F(TcpServer, Metrics) {
    const auto result = get("/metrics");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 200);
    EXPECT_EQ(result->body, "pinhole_contacts{core=\"0\"} 3\n");
    EXPECT_THAT(result->get_header_value("Content-Type"), HasSubstr("version=0.0.4"));
}

// No word of the policy lets in what the page doesn't bring along.
TEST_F(TcpServer, StatusPage) {
    const auto result = get("/");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 200);
    EXPECT_EQ(result->get_header_value("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(result->get_header_value("X-Content-Type-Options"), "nosniff");
    const std::string policy = result->get_header_value("Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'sha256-"));
    for (const char* loose : {"unsafe", "*", "http", "data:"}) {
        EXPECT_EQ(policy.find(loose), std::string::npos) << policy;
    }
    EXPECT_THAT(result->body, HasSubstr("<title>pinhole</title>"));
    // No way from a text to markup or code.
    for (const char* unsafe : {"innerHTML", "outerHTML", "insertAdjacent", "document.write",
                               "eval(", "src=", "href=", "style=", "onclick"}) {
        EXPECT_EQ(result->body.find(unsafe), std::string::npos) << unsafe;
    }
}

TEST_F(TcpServer, GivesNoPackets) {
    EXPECT_EQ(get("/v1/capture?id=7")->status, 403);
    EXPECT_EQ(httplib::Client("127.0.0.1", server_.port()).Post("/v1/capture")->status, 403);
    EXPECT_EQ(system_.capture_filter, "");
}

TEST_F(TcpServer, HealthAndReadiness) {
    const auto healthy = get("/healthz");
    ASSERT_TRUE(healthy);
    EXPECT_EQ(healthy->status, 200);
    EXPECT_EQ(healthy->body, "ok\n");
    const auto ready = get("/readyz");
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->status, 503);
    EXPECT_EQ(ready->body, "port eth0 has no address\n");
}

TEST_F(TcpServer, StatusAndCores) {
    EXPECT_EQ(json::parse(get("/v1/status")->body)["max_contacts"], 1'000'000);
    EXPECT_EQ(json::parse(get("/v1/cores")->body)["cores"][0]["cpu"], 3);
    const json rates = json::parse(get("/v1/rates")->body);
    EXPECT_EQ(rates["per_s"]["registers"], json::parse("[1.0, 2.0]"));
    EXPECT_EQ(rates["per_s"]["pongs"].size(), 0u);
    EXPECT_EQ(rates["most"], 300);
}

TEST_F(TcpServer, OneAorHoweverItIsWritten) {
    for (const char* target : {"/v1/bindings/sip:100@example.com", "/v1/bindings/100@example.com",
                               "/v1/bindings/sip%3A100%40example.com"}) {
        const auto result = get(target);
        ASSERT_TRUE(result) << target;
        EXPECT_EQ(result->status, 200) << target;
        const json body = json::parse(result->body);
        EXPECT_EQ(body["aor"], "sip:100@example.com");
        EXPECT_EQ(body["bindings"].size(), 2u);
        EXPECT_EQ(body["bindings"][0]["far_end"], "67.194.23.55:32947");
        EXPECT_EQ(body["bindings"][0]["id"], "18446744073709551600");
        EXPECT_TRUE(body["bindings"][1]["rtt_s"].is_null());
    }
    // Only one layer of escapes is HTTP's.
    EXPECT_EQ(get("/v1/bindings/a%2520b@example.com")->status, 200);
}

TEST_F(TcpServer, NatByLimit) {
    const json nat = json::parse(get("/v1/nat?limit=1")->body);
    EXPECT_EQ(nat["gateways"], 2);
    ASSERT_EQ(nat["largest"].size(), 1u);
    EXPECT_EQ(nat["largest"][0]["lessons"][0]["survived_s"], 148);
    EXPECT_EQ(nat["outages"][0]["since_ago_s"], 754);
    EXPECT_EQ(json::parse(get("/v1/nat")->body)["largest"].size(), 2u);
    EXPECT_EQ(get("/v1/nat?limit=0")->status, 400);
}

TEST_F(TcpServer, WhyOfAnyAor) {
    const json story = json::parse(get("/v1/why/sip:100@example.com")->body);
    EXPECT_EQ(story["aor"], "sip:100@example.com");
    EXPECT_TRUE(story["ledger"].get<bool>());
    ASSERT_EQ(story["contacts"].size(), 2u);
    EXPECT_EQ(story["contacts"][0]["binding"]["far_end"], "67.194.23.55:32947");
    EXPECT_EQ(story["contacts"][0]["events"][0], (json{{"event", "registered"},
                                                       {"times", 1},
                                                       {"ago_s", 3600},
                                                       {"rtt_s", nullptr},
                                                       {"port", 32947}}));
    EXPECT_TRUE(story["contacts"][1]["binding"].is_null());
    EXPECT_EQ(get("/v1/why/200@example.com")->status, 200) << "nothing known is an answer";
    EXPECT_EQ(get("/v1/why/no-aor")->status, 400);
    EXPECT_EQ(get("/v1/why/")->status, 400);
    EXPECT_EQ(get("/v1/whyx")->status, 404);
}

TEST_F(TcpServer, WrongAors) {
    EXPECT_EQ(get("/v1/bindings/200@example.com")->status, 404);
    EXPECT_EQ(get("/v1/bindings/")->status, 400);
    EXPECT_EQ(get("/v1/bindings/a%0ab")->status, 400);
    EXPECT_EQ(get("/v1/bindings/a%20b")->status, 400);
    EXPECT_EQ(get("/v1/bindings/" + std::string(513, 'a'))->status, 400);
    EXPECT_EQ(get("/v1/bindingsx")->status, 404);
    EXPECT_EQ(get("/v1")->status, 404);
    EXPECT_EQ(get("/../etc/passwd")->status, 404);
}

TEST_F(TcpServer, ListIsPaged) {
    json page = json::parse(get("/v1/bindings?limit=1")->body);
    ASSERT_EQ(page["aors"].size(), 1u);
    EXPECT_EQ(page["aors"][0]["aor"], "sip:100@example.com");
    page = json::parse(
        get("/v1/bindings?limit=1&after=" + percent_encode(page["next"].get<std::string>()))->body);
    EXPECT_EQ(page["aors"][0]["aor"], "sip:a%20b@example.com");
    EXPECT_EQ(page["next"], "");
    EXPECT_EQ(json::parse(get("/v1/bindings?prefix=sip%3A1")->body)["aors"].size(), 1u);
    for (const char* bad :
         {"limit=0", "limit=1001", "limit=x", "limit=-1", "after=nonsense", "prefix=a%0a"}) {
        EXPECT_EQ(get("/v1/bindings?" + std::string(bad))->status, 400) << bad;
    }
}

TEST_F(TcpServer, ReadsOnly) {
    httplib::Client client("127.0.0.1", server_.port());
    const auto removed = client.Delete("/v1/bindings/100@example.com");
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->status, 405);
    EXPECT_EQ(removed->get_header_value("Allow"), "GET, HEAD");
    EXPECT_EQ(client.Post("/v1/reload")->status, 405) << "at the control socket alone";
    EXPECT_EQ(client.Post("/v1/drain")->status, 405) << "likewise";
    EXPECT_EQ(client.Delete("/v1/drain")->status, 405) << "likewise";
    EXPECT_EQ(client.Post("/v1/status", "x", "text/plain")->status, 405);
    EXPECT_EQ(get("/v1/bindings/100@example.com")->status, 200);
}

TEST_F(TcpServer, GarbageGetsNothingAndHarmsNothing) {
    for (const std::string& garbage :
         {std::string("\x16\x03\x01\x02", 4), std::string("GET\r\n\r\n"), std::string(100'000, 'A'),
          "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n",
          std::string("POST /v1/status HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n")}) {
        const int fd = connect_raw();
        (void)::send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL);
        ::shutdown(fd, SHUT_WR);
        EXPECT_THAT(read_all(fd), ::testing::Not(HasSubstr("200 OK")));
        ::close(fd);
    }
    EXPECT_EQ(get("/healthz")->status, 200);
}

TEST_F(TcpServer, OneRequestAConnection) {
    const int fd = connect_raw();
    const std::string two =
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    ASSERT_EQ(::send(fd, two.data(), two.size(), MSG_NOSIGNAL), static_cast<ssize_t>(two.size()));
    const std::string answer = read_all(fd);
    ::close(fd);
    EXPECT_NE(answer.find("HTTP/1.1 200"), std::string::npos);
    EXPECT_EQ(answer.find("HTTP/1.1 200"), answer.rfind("HTTP/1.1 200"));
}

TEST_F(TcpServer, StopsUnderSilentClients) {
    // More than there are threads: without the stop flag each would keep its thread for the whole
    // deadline.
    std::vector<int> fds;
    for (int i = 0; i < 20; ++i) {
        fds.push_back(connect_raw());
    }
    server_.stop();
    for (const int fd : fds) {
        ::close(fd);
    }
    EXPECT_FALSE(get("/healthz"));
    EXPECT_FALSE(server_.start_tcp("127.0.0.1", 0));
    EXPECT_EQ(get("/healthz")->status, 200);
}

TEST_F(TcpServer, TakenPortIsASentence) {
    FakeSystem system;
    Server other(system, Server::Access::kReadOnly);
    const auto problem = other.start_tcp("127.0.0.1", server_.port());
    ASSERT_TRUE(problem);
    EXPECT_THAT(*problem, HasSubstr("can't listen on 127.0.0.1 port"));
    EXPECT_THAT(*problem, HasSubstr("[http] listen"));
}

TEST(Ipv6Server, Listens) {
    FakeSystem system;
    Server server(system, Server::Access::kReadOnly);
    if (server.start_tcp("::1", 0)) {
        GTEST_SKIP() << "no IPv6 loopback here";
    }
    EXPECT_EQ(httplib::Client("::1", server.port()).Get("/healthz")->status, 200);
}

class UnixServer : public ::testing::Test {
  protected:
    TemporaryDirectory directory_;
    std::string path_ = directory_.file("run/control.sock");
    FakeSystem system_;
    Server server_{system_, Server::Access::kFull};
};

TEST_F(UnixServer, MakesDirectoryAndSocketAndRemovesIt) {
    ASSERT_FALSE(server_.start_unix(path_));
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    EXPECT_EQ(status.st_mode & 0777, 0660u);
    EXPECT_TRUE(Client(path_).status().ok());
    server_.stop();
    EXPECT_NE(::stat(path_.c_str(), &status), 0);
}

TEST_F(UnixServer, GivesTheSocketTheModeAndTheGroup) {
    struct stat status {};
    ASSERT_FALSE(server_.start_unix(path_, {0600, {}}));
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const auto problem = server_.start_unix(path_, {0660, "no-such-group"});
    ASSERT_TRUE(problem);
    EXPECT_THAT(*problem, HasSubstr("there is no group no-such-group"));
    EXPECT_NE(::stat(path_.c_str(), &status), 0);
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root may give a file to a group that it isn't in";
    }
    ASSERT_FALSE(server_.start_unix(path_, {0660, "daemon"}));
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_gid, ::getgrnam("daemon")->gr_gid);
}

TEST_F(UnixServer, Removes) {
    ASSERT_FALSE(server_.start_unix(path_));
    const Client client(path_);
    EXPECT_EQ(client.remove("100@example.com", "sip:nobody@x").status, 404);
    Answer answer = client.remove("100@example.com", "sip:100@192.168.1.11:5060");
    ASSERT_TRUE(answer.ok()) << answer.problem;
    EXPECT_EQ(answer.body["removed"], 1);
    answer = client.remove("sip:100@example.com", "");
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer.body["removed"], 1);
    answer = client.remove("sip:100@example.com", "");
    EXPECT_TRUE(answer.not_found());
    EXPECT_EQ(answer.problem, "sip:100@example.com has no binding");
}

TEST_F(UnixServer, TakesOverFromADeadOne) {
    std::filesystem::create_directories(directory_.file("run"));
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ::close(fd);  // the file stays, as after kill -9
    EXPECT_EQ(probe_unix(path_), ECONNREFUSED);
    const auto problem = server_.start_unix(path_);
    EXPECT_FALSE(problem) << *problem;
    EXPECT_TRUE(Client(path_).status().ok());
}

TEST_F(UnixServer, NeverFromALivingOne) {
    ASSERT_FALSE(server_.start_unix(path_));
    Server other(system_, Server::Access::kFull);
    const auto problem = other.start_unix(path_);
    ASSERT_TRUE(problem);
    EXPECT_THAT(*problem, HasSubstr("another pinhole listens at"));
    EXPECT_TRUE(Client(path_).status().ok());
}

TEST_F(UnixServer, LeavesAFileAlone) {
    const std::string path = directory_.file("precious");
    std::ofstream(path) << "data";
    const auto problem = server_.start_unix(path);
    ASSERT_TRUE(problem);
    EXPECT_THAT(*problem, HasSubstr("is no socket"));
    EXPECT_TRUE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace pinhole::api
