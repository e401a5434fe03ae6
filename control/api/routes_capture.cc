// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/json.h"
#include "control/api/routes.h"

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <system_error>

namespace pinhole::api {
namespace {

using httplib::Request;
using httplib::Response;
using nlohmann::json;

void send(Response& response, int status, const json& value) {
    response.status = status;
    response.set_content(dump(value), "application/json");
}

// 0 is nobody's.
std::uint64_t id_of(const Request& request) {
    const std::string text = request.get_param_value("id");
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

void start(System& system, const Request& request, Response& response) {
    const std::string filter = request.get_param_value("filter");
    if (filter.size() > kMaxFilterLength) {
        send(response, 400, {{"error", "the filter is too long"}});
        return;
    }
    const CaptureStart started = system.capture_start(filter);
    if (started.problem.empty()) {
        send(response, 200, {{"id", started.id}});
    } else {
        send(response, 409, {{"error", started.problem}});
    }
}

}  // namespace

void answer_capture(System& system, Server::Access access, const Request& request,
                    Response& response) {
    if (access != Server::Access::kFull) {
        send(response, 403,
             {{"error", "packets are read at the control socket only: use pinholectl capture"}});
    } else if (request.method == "POST") {
        start(system, request, response);
    } else if (request.method == "GET") {
        if (auto chunk = system.capture_take(id_of(request))) {
            response.status = 200;
            response.set_header(kMissedHeader, std::to_string(chunk->missed));
            response.set_content(std::move(chunk->bytes), "application/x-pcapng");
        } else {
            send(response, 404, {{"error", "there is no such capture"}});
        }
    } else if (request.method == "DELETE") {
        const bool stopped = system.capture_stop(id_of(request));
        send(response, stopped ? 200 : 404, {{"stopped", stopped}});
    } else {
        response.set_header("Allow", "GET, POST, DELETE");
        send(response, 405,
             {{"error", "a capture is begun by POST, read by GET, ended by DELETE"}});
    }
}

}  // namespace pinhole::api
