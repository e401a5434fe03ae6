// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/driver_log.h"

#include "dataplane/io/errors.h"

#include <sys/mman.h>
#include <unistd.h>

#include <rte_log.h>

#include <cstdio>
#include <deque>
#include <mutex>

#ifdef PINHOLE_XDP
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <cstdarg>
#endif

namespace pinhole::io {
namespace {

constexpr std::size_t kMaxLines = 4;
constexpr std::size_t kMaxLineBytes = 200;

struct Words {
    std::mutex mutex;
    std::deque<std::string> lines;
};
Words& words() {
    static Words w;
    return w;
}

ssize_t write_log(void* /*cookie*/, const char* data, std::size_t size) {
    add_driver_words({data, size});
    return static_cast<ssize_t>(size);
}

#ifdef PINHOLE_XDP
void add_formatted(const char* format, va_list arguments) {
    char line[kMaxLineBytes + 1];
    std::vsnprintf(line, sizeof line, format, arguments);
    add_driver_words(line);
}
int print_bpf(libbpf_print_level level, const char* format, va_list arguments) {
    if (level == LIBBPF_WARN) {
        add_formatted(format, arguments);
    }
    return 0;
}
int print_xdp(libxdp_print_level level, const char* format, va_list arguments) {
    if (level == LIBXDP_WARN) {
        add_formatted(format, arguments);
    }
    return 0;
}
#endif

}  // namespace

void capture_driver_log() {
    static FILE* stream = [] {
        cookie_io_functions_t functions{};
        functions.write = write_log;
        FILE* f = fopencookie(nullptr, "w", functions);
        if (f != nullptr) {
            std::setvbuf(f, nullptr, _IOLBF, 0);
        }
        return f;
    }();
    rte_openlog_stream(stream);
#ifdef PINHOLE_XDP
    libbpf_set_print(print_bpf);
    libxdp_set_print(print_xdp);
#endif
}

void forget_driver_words() {
    std::lock_guard lock(words().mutex);
    words().lines.clear();
}

void add_driver_words(std::string_view text) {
    std::lock_guard lock(words().mutex);
    auto& lines = words().lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (!line.empty() && (lines.empty() || lines.back() != line)) {
            lines.emplace_back(line.substr(0, kMaxLineBytes));
        }
        if (lines.size() > kMaxLines) {
            lines.pop_front();
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

std::string last_driver_words() {
    std::lock_guard lock(words().mutex);
    std::string all;
    for (const std::string& line : words().lines) {
        all += (all.empty() ? "" : "; ") + line;
    }
    return all;
}

StderrToDriverLog::StderrToDriverLog() {
    std::fflush(stderr);
    memory_ = memfd_create("stderr", MFD_CLOEXEC);
    stderr_ = dup(STDERR_FILENO);
    if (memory_ >= 0 && stderr_ >= 0) {
        dup2(memory_, STDERR_FILENO);
    }
}

StderrToDriverLog::~StderrToDriverLog() {
    std::fflush(stderr);
    if (memory_ >= 0 && stderr_ >= 0) {
        dup2(stderr_, STDERR_FILENO);
        char text[4096];
        const ssize_t n = pread(memory_, text, sizeof text, 0);
        add_driver_words({text, n > 0 ? static_cast<std::size_t>(n) : 0});
    }
    if (memory_ >= 0) {
        close(memory_);
    }
    if (stderr_ >= 0) {
        close(stderr_);
    }
}

}  // namespace pinhole::io
