// SPDX-License-Identifier: BSD-3-Clause
// pinholectl's side of the control socket: one request, one answer or a sentence that says what to
// do. One thread.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinhole::api {

struct Answer {
    int status = 0;       // HTTP's; 0 if there was no answer
    nlohmann::json body;  // null if there is none
    std::string problem;  // empty if the status is 200

    [[nodiscard]] bool ok() const { return status == 200 && problem.empty(); }
    [[nodiscard]] bool not_found() const { return status == 404; }
};

class Client {
  public:
    explicit Client(std::string socket_path) : path_(std::move(socket_path)) {}

    [[nodiscard]] Answer status() const;
    [[nodiscard]] Answer cores() const;
    [[nodiscard]] Answer show(std::string_view aor) const;
    [[nodiscard]] Answer why(std::string_view aor) const;
    [[nodiscard]] Answer nat(std::size_t limit) const;
    // As many pages as `limit` takes, put together; `next` tells whether there are more.
    [[nodiscard]] Answer list(std::string_view prefix, std::size_t limit) const;
    [[nodiscard]] Answer reload() const;
    // `stop_after_s` below 0: it goes on till somebody stops it.
    [[nodiscard]] Answer drain(int stop_after_s) const;
    [[nodiscard]] Answer end_drain() const;
    // `contact` empty: all of them.
    [[nodiscard]] Answer remove(std::string_view aor, std::string_view contact) const;

    // `body` has the capture's `id`.
    [[nodiscard]] Answer capture_start(std::string_view filter) const;
    // What came since the last one.
    struct Chunk {
        std::string bytes;
        std::uint64_t missed = 0;
        std::string problem;  // empty if there are bytes, or none yet
    };
    [[nodiscard]] Chunk capture_take(std::uint64_t id) const;
    [[nodiscard]] Answer capture_stop(std::uint64_t id) const;

  private:
    [[nodiscard]] Answer request(const char* method, const std::string& target) const;
    [[nodiscard]] std::string no_connection() const;

    std::string path_;
};

// Everything but letters, digits and -._~ as %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace pinhole::api
