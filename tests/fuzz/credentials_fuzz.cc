// SPDX-License-Identifier: BSD-3-Clause
// See exercise.h for what is asked of the parser.
#include "tests/fuzz/exercise.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    pinhole::sip::fuzz::exercise_credentials({reinterpret_cast<const char*>(data), size});
    return 0;
}
