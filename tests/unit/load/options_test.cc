// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace pinhole::load {
namespace {

class Read {
  public:
    explicit Read(std::vector<std::string> words) {
        words.insert(words.begin(), "pinhole-load");
        std::vector<char*> argv;
        for (std::string& word : words) {
            argv.push_back(word.data());
        }
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        status = read_options(static_cast<int>(argv.size()), argv.data(), options);
        said = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    }
    Options options;
    std::optional<int> status;
    std::string said;
};

Read with(std::vector<std::string> more, const std::string& play = "refresh",
          const std::string& edge = "198.51.100.1") {
    more.insert(more.begin(), {play, "--port", "memif:/run/x.sock", "--edge", edge});
    return Read(std::move(more));
}

TEST(Options, AMirrorNeedsItsPortAlone) {
    const Read read({"reflect", "--port", "memif:/run/x.sock", "--core", "0"});
    EXPECT_FALSE(read.status.has_value()) << read.said;
    EXPECT_EQ(read.options.plan.play, Play::kReflect);
    EXPECT_EQ(read.options.cores, std::vector<unsigned>{0});
    EXPECT_EQ(Read({"reflect"}).status, 2);
    EXPECT_EQ(Read({"echo", "--port", "memif:/run/x.sock"}).status, 2);
}

TEST(Options, TheLeast) {
    const Read read = with({});
    ASSERT_FALSE(read.status) << read.said;
    const Plan& plan = read.options.plan;
    EXPECT_EQ(plan.play, Play::kRefresh);
    EXPECT_EQ(net::to_string(plan.edge), "198.51.100.1");
    EXPECT_EQ(plan.edge_port, 5060);
    EXPECT_EQ(net::to_string(plan.first_gateway), "100.64.0.1");
    EXPECT_EQ(read.options.own, plan.first_gateway);
    EXPECT_EQ(read.options.next_hop, plan.edge);
    EXPECT_FALSE(read.options.next_hop_mac);
    EXPECT_EQ(plan.duration_ns, 10'000'000'000U);
    EXPECT_EQ(with({}, "register").options.plan.duration_ns, 0U);
    EXPECT_EQ(with({"--count", "5"}).options.plan.duration_ns, 0U);
}

TEST(Options, Ipv6AndPorts) {
    const Read read = with({"--core-address", "[2001:db8::9]:5080"}, "call", "[2001:db8::1]:5070");
    ASSERT_FALSE(read.status) << read.said;
    EXPECT_EQ(read.options.plan.edge_port, 5070);
    EXPECT_EQ(read.options.plan.core_port, 5080);
    EXPECT_EQ(net::to_string(read.options.plan.first_gateway), "2001:db8:64::1");
    EXPECT_FALSE(with({}, "live", "2001:db8::1").status);
}

TEST(Options, Everything) {
    const Read read = with({"--phones",       "50",
                            "--gateways",     "5",
                            "--timeouts",     "30:1,never:2",
                            "--rate",         "1000.5",
                            "--window",       "0",
                            "--seconds",      "2.5",
                            "--timeout",      "0.5",
                            "--core",         "1",
                            "--next-hop-mac", "02:00:00:00:00:ff",
                            "--router",       "198.51.100.254"});
    ASSERT_FALSE(read.status) << read.said;
    EXPECT_EQ(read.options.plan.duration_ns, 2'500'000'000U);
    EXPECT_EQ(read.options.plan.timeout_ns, 500'000'000U);
    EXPECT_EQ(read.options.plan.rate_per_s, 1000.5);
    EXPECT_EQ(read.options.cores, std::vector<unsigned>{1});
    EXPECT_EQ((*read.options.next_hop_mac)[5], 0xff);
    EXPECT_EQ(net::to_string(read.options.own), "198.51.100.254");
}

TEST(Options, MistakesAreExplained) {
    const auto refuses = [](const Read& read, const std::string& why) {
        EXPECT_EQ(read.status, std::optional<int>(2));
        EXPECT_NE(read.said.find(why), std::string::npos) << read.said;
    };
    refuses(Read({}), "play is required");
    refuses(Read({"register", "--port", "memif:/x"}), "--edge is required");
    refuses(with({}, "sing"), "sing");
    refuses(with({}, "register", "edge.example.com"), "must be ADDRESS");
    refuses(with({"--gateways-at", "x"}), "must be an IPv4 or IPv6 address");
    refuses(with({"--gateways-at", "2001:db8::1"}), "another IP version");
    refuses(with({"--timeouts", "30:"}), "must be like 30:70");
    refuses(with({"--phones", "5", "--gateways", "6"}), "more gateways than phones");
    refuses(with({"--phones", "100000", "--gateways", "4"}), "too few");
    refuses(with({"--gateways-at", "255.255.255.250"}), "do not follow");
    refuses(with({"--next-hop-mac", "02:00:00:00:00"}), "must be a MAC");
    refuses(with({"--window", "0"}), "no pace");
    refuses(with({}, "call"), "who calls?");
    refuses(with({"--call-rate", "5"}, "live"), "who calls?");
    refuses(with({"--domain", std::string(300, 'a')}), "too long");
    refuses(Read({"--subscribers", "/x", "--realm", "r"}), "needs --realm and --password");
    EXPECT_EQ(Read({"--help"}).status, std::optional<int>(0));
    EXPECT_EQ(Read({"--version"}).status, std::optional<int>(0));
}

TEST(Options, SubscribersAreWritten) {
    char path[] = "/tmp/ph-subscribers-XXXXXX";
    close(mkstemp(path));
    const Read read(
        {"--subscribers", path, "--realm", "r", "--password", "secret", "--phones", "2"});
    ASSERT_FALSE(read.status) << read.said;
    ASSERT_TRUE(write_subscribers(read.options));
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    unlink(path);
    // md5("10000000:r:secret") and so on, by md5sum.
    EXPECT_EQ(text.str(),
              "10000000:r:219b6b67fbb5c32268ff88426b4c7264\n"
              "10000001:r:0b18d110d228ff619be0fadbe0fcd143\n");
    Options nowhere = read.options;
    nowhere.subscribers = "/nonexistent/file";
    EXPECT_FALSE(write_subscribers(nowhere));
}

}  // namespace
}  // namespace pinhole::load
