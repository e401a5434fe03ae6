// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/routes.h"

#include "control/api/json.h"
#include "control/api/page/page.h"

#include <httplib.h>
#include <nlohmann/json.hpp>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace pinhole::api {
namespace {

using httplib::Request;
using httplib::Response;
using nlohmann::json;

constexpr std::string_view kBindings = "/v1/bindings";
constexpr std::string_view kWhy = "/v1/why";
constexpr const char* kJson = "application/json";
constexpr const char* kText = "text/plain; charset=utf-8";

void send_json(Response& response, int status, const json& value) {
    response.status = status;
    response.set_content(dump(value), kJson);
}

void send_error(Response& response, int status, const std::string& sentence) {
    send_json(response, status, {{"error", sentence}});
}

void send_health(Response& response, const Health& health) {
    response.status = health.ok ? 200 : 503;
    response.set_content((health.ok ? "ok" : health.reason) + "\n", kText);
}

std::string parameter(const Request& request, const char* name) {
    return request.has_param(name) ? request.get_param_value(name) : std::string{};
}

bool is_uri_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

// False: what stands there is no number of things to list, and that is said.
bool read_limit(const Request& request, Response& response, std::size_t& limit) {
    const std::string wanted = parameter(request, "limit");
    if (!wanted.empty()) {
        const auto [end, error] =
            std::from_chars(wanted.data(), wanted.data() + wanted.size(), limit);
        if (error != std::errc{} || end != wanted.data() + wanted.size() || limit == 0 ||
            limit > kMaxListLimit) {
            send_error(response, 400,
                       "limit must be a number from 1 to " + std::to_string(kMaxListLimit));
            return false;
        }
    }
    return true;
}

void nat(System& system, const Request& request, Response& response) {
    std::size_t limit = kDefaultListLimit;
    if (read_limit(request, response, limit)) {
        send_json(response, 200, to_json(system.nat(limit)));
    }
}

void list(System& system, const Request& request, Response& response) {
    std::size_t limit = kDefaultListLimit;
    if (!read_limit(request, response, limit)) {
        return;
    }
    std::string prefix = parameter(request, "prefix");
    if (prefix.size() > kMaxAorLength || !is_uri_text(prefix)) {
        send_error(response, 400, "prefix must be the beginning of a URI");
        return;
    }
    if (const auto page = system.list(prefix, limit, parameter(request, "after"))) {
        send_json(response, 200, to_json(*page));
    } else {
        send_error(response, 400, "after must be the `next` of an earlier page");
    }
}

void show(System& system, const std::string& aor, Response& response) {
    if (const auto bindings = system.show(aor)) {
        send_json(response, 200, to_json(*bindings));
    } else {
        send_error(response, 404, aor + " has no binding");
    }
}

// Of an AOR that nothing is known of too: that is an answer.
void why(System& system, const Request& request, Response& response) {
    const auto aor = with_scheme(std::string_view(request.path).substr(kWhy.size() + 1));
    const auto story = aor ? system.why(*aor) : std::nullopt;
    if (story) {
        send_json(response, 200, to_json(*story));
    } else {
        send_error(response, 400, "this is no address of record: write sip:user@domain");
    }
}

bool is_below(const std::string& path, std::string_view parent) {
    return path.size() > parent.size() && path[parent.size()] == '/' &&
           path.compare(0, parent.size(), parent) == 0;
}

void remove(System& system, const std::string& aor, const Request& request, Response& response) {
    const RemoveResult result = system.remove(aor, parameter(request, "contact"));
    switch (result.code) {
        case RemoveResult::Code::kRemoved:
            send_json(response, 200, {{"aor", aor}, {"removed", result.removed}});
            return;
        case RemoveResult::Code::kUnknownAor:
            send_error(response, 404, aor + " has no binding");
            return;
        case RemoveResult::Code::kUnknownContact:
            send_error(response, 404, aor + " has no such contact");
            return;
        case RemoveResult::Code::kBusy:
            send_error(response, 503, "the worker that owns " + aor + " is busy: try again");
            return;
    }
}

// {aor} may hold anything but control characters; httplib has percent-decoded it.
void one_aor(System& system, Server::Access access, const Request& request, bool reading,
             Response& response) {
    const auto aor = with_scheme(std::string_view(request.path).substr(kBindings.size() + 1));
    if (!aor) {
        send_error(response, 400, "this is no address of record: write sip:user@domain");
    } else if (reading) {
        show(system, *aor, response);
    } else if (request.method == "DELETE" && access == Server::Access::kFull) {
        remove(system, *aor, request, response);
    } else {
        response.set_header("Allow",
                            access == Server::Access::kFull ? "GET, HEAD, DELETE" : "GET, HEAD");
        send_error(
            response, 405,
            request.method == "DELETE"
                ? "bindings are removed through the control socket only: use pinholectl remove"
                : "this path is read by GET");
    }
}

void reload(System& system, Server::Access access, const Request& request, Response& response) {
    if (request.method != "POST" || access != Server::Access::kFull) {
        response.set_header("Allow", access == Server::Access::kFull ? "POST" : "");
        send_error(response, 405,
                   "reloading is asked for by POST at the control socket: use pinholectl reload");
        return;
    }
    const ReloadResult result = system.reload();
    std::string problems;
    for (const std::string& problem : result.problems) {
        problems += (problems.empty() ? "" : "\n") + problem;
    }
    if (!problems.empty()) {
        send_json(response, 422, {{"error", problems + "\nwhat was in use stays in use"}});
    } else {
        send_json(response, 200, {{"reloaded", result.done}, {"warnings", result.warnings}});
    }
}

// POST begins it, with ?stop_after_s= if pinhole is to end then; DELETE ends it.
void drain(System& system, Server::Access access, const Request& request, Response& response) {
    const bool on = request.method == "POST";
    if ((!on && request.method != "DELETE") || access != Server::Access::kFull) {
        response.set_header("Allow", access == Server::Access::kFull ? "POST, DELETE" : "");
        send_error(response, 405,
                   "draining is asked for by POST at the control socket: use pinholectl drain");
        return;
    }
    std::optional<std::uint32_t> stop_after_s;
    if (const std::string wanted = parameter(request, "stop_after_s"); !wanted.empty()) {
        std::uint32_t seconds = 0;
        const auto [end, error] =
            std::from_chars(wanted.data(), wanted.data() + wanted.size(), seconds);
        if (error != std::errc{} || end != wanted.data() + wanted.size()) {
            send_error(response, 400, "stop_after_s must be a number of seconds");
            return;
        }
        stop_after_s = seconds;
    }
    if (system.drain(on, stop_after_s)) {
        send_json(response, 200, {{"draining", on}});
    } else {
        send_error(response, 503, "the service thread is busy: try again");
    }
}

void send_page(Response& response) {
    response.status = 200;
    response.set_header("Content-Security-Policy", status_page_policy());
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_content(std::string(status_page()), "text/html; charset=utf-8");
}

// True if `path` is one of the fixed ones.
bool fixed_path(System& system, const Request& request, Response& response) {
    const std::string& path = request.path;
    if (path == "/") {
        send_page(response);
    } else if (path == "/metrics") {
        response.status = 200;
        response.set_content(system.metrics_text(), "text/plain; version=0.0.4; charset=utf-8");
    } else if (path == "/healthz") {
        send_health(response, system.healthy());
    } else if (path == "/readyz") {
        send_health(response, system.ready());
    } else if (path == "/v1/status") {
        send_json(response, 200, to_json(system.status()));
    } else if (path == "/v1/cores") {
        send_json(response, 200, to_json(system.cores()));
    } else if (path == "/v1/rates") {
        send_json(response, 200, to_json(system.rates()));
    } else if (path == "/v1/nat") {
        nat(system, request, response);
    } else if (path == kBindings) {
        list(system, request, response);
    } else {
        return false;
    }
    return true;
}

}  // namespace

std::optional<std::string> with_scheme(std::string_view aor) {
    if (aor.empty() || aor.size() > kMaxAorLength || !is_uri_text(aor)) {
        return std::nullopt;
    }
    const bool has_scheme = (aor.size() > 4 && ::strncasecmp(aor.data(), "sip:", 4) == 0) ||
                            (aor.size() > 5 && ::strncasecmp(aor.data(), "sips:", 5) == 0);
    return has_scheme ? std::string(aor) : "sip:" + std::string(aor);
}

void answer(System& system, Server::Access access, const Request& request, Response& response) {
    const bool reading = request.method == "GET" || request.method == "HEAD";
    if (is_below(request.path, kBindings)) {
        one_aor(system, access, request, reading, response);
    } else if (request.path == "/v1/reload") {
        reload(system, access, request, response);
    } else if (request.path == "/v1/drain") {
        drain(system, access, request, response);
    } else if (request.path == kCapture) {
        answer_capture(system, access, request, response);
    } else if (!reading) {
        response.set_header("Allow", "GET, HEAD");
        send_error(response, 405, "this path is read by GET");
    } else if (is_below(request.path, kWhy)) {
        why(system, request, response);
    } else if (!fixed_path(system, request, response)) {
        send_error(response, 404,
                   "there are /, /metrics, /healthz, /readyz, /v1/status, /v1/cores, /v1/rates, "
                   "/v1/bindings, /v1/bindings/{aor}, /v1/why/{aor} and /v1/nat");
    }
}

}  // namespace pinhole::api
