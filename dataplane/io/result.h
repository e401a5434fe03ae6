// SPDX-License-Identifier: BSD-3-Clause
// What start-up code of io returns: a value, or a code and one sentence that tells the operator
// what to do. Never used in a worker's loop. Knows no DPDK.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace pinhole::io {

enum class ErrorCode : std::uint8_t {
    kInvalid,       // a setting that cannot be
    kMissing,       // an interface, a device, a file that is not there
    kNoPermission,  // a capability or file permission is lacking
    kBusy,          // held by another process
    kNoMemory,      // too little memory, or too few hugepages
    kUnsupported,   // this build, kernel or device does not do it
    kSystem,        // any other refusal, with the system's own words
};

struct Error {
    ErrorCode code = ErrorCode::kSystem;
    std::string message;  // one sentence, no newline, no full stop needed from the caller
};

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

    [[nodiscard]] bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    // Only for ok().
    [[nodiscard]] T& value() { return *std::get_if<0>(&state_); }
    [[nodiscard]] const T& value() const { return *std::get_if<0>(&state_); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    [[nodiscard]] T take() { return std::move(value()); }

    // Only for !ok().
    [[nodiscard]] const Error& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, Error> state_;
};

// Nothing, or an error.
class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: implicit

    [[nodiscard]] bool ok() const { return !failed_; }
    explicit operator bool() const { return ok(); }
    [[nodiscard]] const Error& error() const { return error_; }

  private:
    Error error_;
    bool failed_ = false;
};

}  // namespace pinhole::io
