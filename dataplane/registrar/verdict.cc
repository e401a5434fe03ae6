// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/verdict.h"

#include <array>
#include <cstddef>

namespace pinhole::registrar {
namespace {

struct Entry {
    unsigned status;
    std::string_view reason;
};

constexpr std::array<Entry, static_cast<std::size_t>(Verdict::kCount)> kEntries{{
    {200, ""},
    {404, ""},
    {400, "Bad Request-URI"},
    {400, "Bad From"},
    {400, "Bad To"},
    {400, "Bad Contact"},
    {400, "Too Many Contacts"},
    {400, "Bad Path"},
    {400, "Bad Use Of Contact *"},
    {439, ""},
    {400, "One Contact With reg-id At A Time"},
    {400, "Contact Or Path Too Long"},
    {420, ""},
    {423, ""},
    {500, "CSeq Out Of Order"},
    {403, "Too Many Contacts Registered"},
    {503, ""},
    {503, ""},
    {503, ""},
}};

}  // namespace

unsigned status_of(Verdict verdict) {
    return kEntries[static_cast<std::size_t>(verdict)].status;
}

std::string_view reason_of(Verdict verdict) {
    return kEntries[static_cast<std::size_t>(verdict)].reason;
}

}  // namespace pinhole::registrar
