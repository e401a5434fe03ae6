// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/server.h"

#include "control/api/deadline_stream.h"
#include "control/api/routes.h"
#include "control/api/task_queue.h"
#include "control/api/unix_socket.h"

#include <fcntl.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace pinhole::api {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMaxWaiting = 32;
constexpr std::size_t kMaxPayloadBytes = 4096;
constexpr std::chrono::seconds kMaxConnectionTime{5};
constexpr int kBacklog = 64;

// httplib's server, but for one request a connection and a deadline over all of it.
class HttpServer final : public httplib::Server {
  public:
    std::atomic<bool> stopping{false};

  private:
    bool process_and_close_socket(socket_t socket) override {
        DeadlineStream stream(socket, kMaxConnectionTime, stopping);
        bool closed = false;
        const bool good =
            process_request(stream, /*close_connection=*/true, closed, [](httplib::Request&) {});
        ::shutdown(socket, SHUT_WR);
        drain(socket);
        ::close(socket);
        return good;
    }

    // What the client sent beyond its request: closing with it unread would reset the connection
    // under our answer.
    static void drain(int socket) {
        std::array<char, 4096> rest;
        for (int i = 0; i < 16 && ::recv(socket, rest.data(), rest.size(), MSG_DONTWAIT) > 0; ++i) {
        }
    }
};

std::string reason() {
    return std::generic_category().message(errno);
}

}  // namespace

struct Server::Impl {
    Impl(System& of, Access with) : system(of), access(with) {}

    void make() {
        server = std::make_unique<HttpServer>();
        server->new_task_queue = [] { return new BoundedTaskQueue(kThreads, kMaxWaiting); };
        server->set_payload_max_length(kMaxPayloadBytes);
        server->set_socket_options([this](socket_t socket) {
            prepare(socket, socket_mode);
            listening = socket;
        });
        server->set_default_headers({{"Cache-Control", "no-store"}});
        server->set_pre_routing_handler([this](const auto& request, auto& response) {
            answer(system, access, request, response);
            return httplib::Server::HandlerResponse::Handled;
        });
        server->set_exception_handler([](const auto&, auto& response, const std::exception_ptr&) {
            response.status = 500;
            response.set_content("{\"error\": \"out of memory or worse: see the log\"}\n",
                                 "application/json");
        });
    }

    // Before bind(). Not httplib's default, whose SO_REUSEPORT lets two daemons share a port and
    // each lose half of the requests. A Unix socket's mode here makes the file's, so that at no
    // moment the world may connect.
    static void prepare(socket_t socket, mode_t mode) {
        const int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        ::fcntl(socket, F_SETFD, FD_CLOEXEC);
        ::fchmod(socket, mode);
    }

    // Until the accept loop turns: httplib's stop() before that would be lost.
    void run() {
        ::listen(listening,
                 kBacklog);  // httplib's own is 5: a sixth client at once would wait a second
        ended.store(false);
        thread = std::thread([this] {
            server->listen_after_bind();
            ended.store(true);
        });
        while (!server->is_running() && !ended.load()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    System& system;
    const Access access;
    std::unique_ptr<HttpServer> server;
    std::thread thread;
    std::atomic<bool> ended{true};
    int listening = -1;  // httplib's; good as long as it listens
    std::uint16_t port = 0;
    mode_t socket_mode = 0660;
    std::string socket_path;       // of a Unix socket that we made, ...
    struct stat socket_status {};  // ... and which file that was
};

Server::Server(System& system, Access access) : impl_(std::make_unique<Impl>(system, access)) {}

Server::~Server() {
    stop();
}

std::optional<std::string> Server::start_tcp(const std::string& host, std::uint16_t port) {
    stop();
    impl_->make();
    errno = 0;
    const int bound = port == 0 ? impl_->server->bind_to_any_port(host)
                                : (impl_->server->bind_to_port(host, port) ? port : -1);
    if (bound <= 0) {
        const std::string why = reason();
        impl_->server.reset();
        return "can't listen on " + host + " port " + std::to_string(port) + ": " + why +
               ". Is another program there, or is the address not this host's? See [http] listen";
    }
    impl_->port = static_cast<std::uint16_t>(bound);
    impl_->run();
    return std::nullopt;
}

std::optional<std::string> Server::start_unix(const std::string& path, const SocketFile& file) {
    stop();
    if (auto problem = clear_for_bind(path)) {
        return problem;
    }
    impl_->socket_mode = file.mode;
    impl_->make();
    impl_->server->set_address_family(AF_UNIX);
    errno = 0;
    if (!impl_->server->bind_to_port(path, 1)) {  // httplib wants a port though there is none
        const std::string why = reason();
        impl_->server.reset();
        return "can't make the control socket " + path + ": " + why;
    }
    // Whatever the umask has taken away.
    ::chmod(path.c_str(), file.mode);
    if (auto problem = give_to_group(path, file.group)) {
        ::unlink(path.c_str());
        impl_->server.reset();
        return problem;
    }
    ::stat(path.c_str(), &impl_->socket_status);
    impl_->socket_path = path;
    impl_->run();
    return std::nullopt;
}

void Server::stop() {
    if (impl_->server == nullptr) {
        return;
    }
    impl_->server->stopping.store(true);
    impl_->server->stop();
    impl_->thread.join();
    impl_->server.reset();
    impl_->port = 0;
    // Only the file that is ours: another daemon may have taken the path.
    struct stat now {};
    if (!impl_->socket_path.empty() && ::lstat(impl_->socket_path.c_str(), &now) == 0 &&
        now.st_ino == impl_->socket_status.st_ino && now.st_dev == impl_->socket_status.st_dev) {
        ::unlink(impl_->socket_path.c_str());
    }
    impl_->socket_path.clear();
}

std::uint16_t Server::port() const {
    return impl_->port;
}

}  // namespace pinhole::api
