// SPDX-License-Identifier: BSD-3-Clause
// What the fuzzers and the robustness test ask of the parsers, whatever the input: views stay
// inside it, what was accepted can be read again and means the same, an answer never carries a line
// that its request smuggled in. A promise that doesn't hold ends the program, as libFuzzer wants
// it. Pure.
#pragma once

#include <string_view>

namespace pinhole::sip::fuzz {

void exercise_message(std::string_view input);
void exercise_uri(std::string_view input);
void exercise_via(std::string_view input);
void exercise_name_addr(std::string_view input);
void exercise_credentials(std::string_view input);
void exercise_reply(std::string_view input);

}  // namespace pinhole::sip::fuzz
