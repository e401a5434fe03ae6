// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/client.h"

#include "control/api/routes.h"
#include "control/api/unix_socket.h"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace pinhole::api {
namespace {

// Longer than the server gives a connection.
constexpr int kTimeoutSeconds = 10;
// Ten million subscribers take that long to read, on a busy machine.
constexpr int kReloadTimeoutSeconds = 120;

}  // namespace

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

std::string Client::no_connection() const {
    const int error = probe_unix(path_);
    switch (error) {
        case ENOENT:
            return "there is no " + path_ +
                   ": is pinhole running? If its [control] socket is elsewhere, say --socket PATH";
        case ECONNREFUSED:
            return "nobody listens at " + path_ + ": pinhole has stopped; start it again";
        case EACCES:
        case EPERM:
            return "no permission to open " + path_ +
                   ": use sudo, or join the group that owns the socket";
        case 0:
            return "pinhole took the connection at " + path_ +
                   " but gave no answer: is it overloaded?";
        default:
            return "can't connect to " + path_ + ": " + std::generic_category().message(error);
    }
}

Answer Client::request(const char* method, const std::string& target) const {
    Answer answer;
    httplib::Client client(path_);
    client.set_address_family(AF_UNIX);
    client.set_default_headers({{"Host", "pinhole"}});
    client.set_connection_timeout(kTimeoutSeconds);
    const std::string_view verb(method);
    client.set_read_timeout(verb == "POST" ? kReloadTimeoutSeconds : kTimeoutSeconds);
    const httplib::Result result = verb == "DELETE" ? client.Delete(target)
                                   : verb == "POST" ? client.Post(target)
                                                    : client.Get(target);
    if (!result) {
        answer.problem = no_connection();
        return answer;
    }
    answer.status = result->status;
    answer.body = nlohmann::json::parse(result->body, nullptr, /*allow_exceptions=*/false);
    if (answer.body.is_discarded() || !answer.body.is_object()) {
        answer.body = nullptr;
        answer.status = 0;
        answer.problem = "what answers at " + path_ + " is not pinhole";
    } else if (answer.status != 200) {
        answer.problem =
            answer.body.value("error", "pinhole answered " + std::to_string(answer.status));
    }
    return answer;
}

Answer Client::status() const {
    return request("GET", "/v1/status");
}

Answer Client::cores() const {
    return request("GET", "/v1/cores");
}

Answer Client::show(std::string_view aor) const {
    return request("GET", "/v1/bindings/" + percent_encode(aor));
}

Answer Client::why(std::string_view aor) const {
    return request("GET", "/v1/why/" + percent_encode(aor));
}

Answer Client::nat(std::size_t limit) const {
    return request("GET", "/v1/nat?limit=" + std::to_string(limit));
}

Answer Client::list(std::string_view prefix, std::size_t limit) const {
    Answer all;
    std::string after;
    std::size_t left = limit;
    do {
        Answer page = request("GET", "/v1/bindings?prefix=" + percent_encode(prefix) +
                                         "&limit=" + std::to_string(std::min(left, kMaxListLimit)) +
                                         "&after=" + percent_encode(after));
        if (!page.ok()) {
            return page;
        }
        const std::size_t count = page.body["aors"].size();
        after = page.body.value("next", "");
        if (all.status == 0) {
            all = std::move(page);
        } else {
            for (auto& aor : page.body["aors"]) {
                all.body["aors"].push_back(std::move(aor));
            }
            all.body["next"] = after;
        }
        // An empty page may still have a next one: a stretch of the table without the prefix.
        left -= std::min(left, count);
    } while (left != 0 && !after.empty());
    return all;
}

Answer Client::reload() const {
    return request("POST", "/v1/reload");
}

Answer Client::drain(int stop_after_s) const {
    return request(
        "POST", "/v1/drain" + (stop_after_s < 0 ? std::string{}
                                                : "?stop_after_s=" + std::to_string(stop_after_s)));
}

Answer Client::end_drain() const {
    return request("DELETE", "/v1/drain");
}

Answer Client::remove(std::string_view aor, std::string_view contact) const {
    return request("DELETE", "/v1/bindings/" + percent_encode(aor) +
                                 (contact.empty() ? "" : "?contact=" + percent_encode(contact)));
}

Answer Client::capture_start(std::string_view filter) const {
    return request("POST", std::string(kCapture) + "?filter=" + percent_encode(filter));
}

Answer Client::capture_stop(std::uint64_t id) const {
    return request("DELETE", std::string(kCapture) + "?id=" + std::to_string(id));
}

Client::Chunk Client::capture_take(std::uint64_t id) const {
    httplib::Client client(path_);
    client.set_address_family(AF_UNIX);
    client.set_default_headers({{"Host", "pinhole"}});
    client.set_read_timeout(kTimeoutSeconds);
    const httplib::Result result = client.Get(std::string(kCapture) + "?id=" + std::to_string(id));
    Chunk chunk;
    if (!result) {
        chunk.problem = no_connection();
    } else if (result->status != 200) {
        chunk.problem = "pinhole has ended the capture";
    } else {
        chunk.bytes = result->body;
        chunk.missed = std::strtoull(result->get_header_value(kMissedHeader).c_str(), nullptr, 10);
    }
    return chunk;
}

}  // namespace pinhole::api
