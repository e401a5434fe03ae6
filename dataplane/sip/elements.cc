// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/elements.h"

#include "dataplane/sip/params.h"
#include "dataplane/sip/text.h"

namespace pinhole::sip {

bool Elements::next(std::string_view& element) {
    for (;;) {
        while (next_element(rest_, element)) {
            if (!element.empty()) {
                return true;
            }
        }
        if (next_header_ == kNoHeader) {
            return false;
        }
        header_ = next_header_;
        rest_ = message_.value(header_);
        next_header_ = message_.next_index(id_, header_);
    }
}

bool lists_anything(const Message& message, HeaderId id) {
    Elements elements(message, id);
    std::string_view element;
    return elements.next(element);
}

bool lists_token(const Message& message, HeaderId id, std::string_view token) {
    Elements elements(message, id);
    std::string_view element;
    while (elements.next(element)) {
        if (equals_ci(element, token)) {
            return true;
        }
    }
    return false;
}

}  // namespace pinhole::sip
