// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/scan.h"

#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace pinhole::sip {
namespace {

// A copy on the heap that ends where the text does, so that ASan sees a read past the end.
struct Exact {
    explicit Exact(std::string_view text) : bytes(new char[text.size()]), size(text.size()) {
        std::memcpy(bytes.get(), text.data(), size);
    }
    [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }
    std::unique_ptr<char[]> bytes;
    std::size_t size;
};

// What scan_lines promises, written the plain way: no masks, no chunks.
struct Expected {
    std::vector<std::size_t> start{0};
    std::vector<std::size_t> colon;
    bool complete = false, too_many = false;
    std::size_t body = 0;
};

Expected plain_scan(std::string_view text) {
    Expected out;
    std::size_t colon = kNoColon;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ':' && colon == kNoColon) {
            colon = i;
        }
        if (text[i] != '\n') {
            continue;
        }
        const std::string_view next = text.substr(i + 1);
        if (!next.empty() && (next[0] == ' ' || next[0] == '\t')) {
            continue;
        }
        if (out.colon.size() == kMaxLines) {
            out.too_many = true;
            return out;
        }
        out.colon.push_back(colon);
        out.start.push_back(i + 1);
        colon = kNoColon;
        if (next.substr(0, 2) == "\r\n" || next.substr(0, 1) == "\n") {
            out.complete = true;
            out.body = i + 1 + (next[0] == '\n' ? 1 : 2);
            return out;
        }
    }
    return out;
}

bool stray_cr(std::string_view head) {
    for (std::size_t i = 0; i + 1 < head.size(); ++i) {
        if (head[i] == '\r' && head[i + 1] != '\n') {
            return true;
        }
    }
    return false;
}

bool plain(std::string_view head) {
    for (std::size_t i = 0; i < head.size(); ++i) {
        const bool lf = head[i] == '\n';
        if (lf && (i == 0 || head[i - 1] != '\r')) {
            return false;
        }
        if (lf && i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t')) {
            return false;
        }
    }
    return !stray_cr(head);
}

void expect_same(std::string_view text) {
    const Exact exact(text);
    const Expected expected = plain_scan(text);
    for (const ScanVariant& variant : scan_variants()) {
        Lines lines;
        std::memset(&lines, 0xa5, sizeof lines);
        variant.scan(exact.view(), lines);
        SCOPED_TRACE(std::string(variant.name) + ": " + std::string(text));
        ASSERT_EQ(lines.count, expected.colon.size());
        ASSERT_EQ(lines.complete, expected.complete);
        ASSERT_EQ(lines.too_many, expected.too_many);
        for (std::size_t i = 0; i < lines.count; ++i) {
            ASSERT_EQ(lines.start[i], expected.start[i]);
            ASSERT_EQ(lines.colon[i], expected.colon[i]);
        }
        ASSERT_EQ(lines.start[lines.count], expected.start.back());
        if (expected.complete) {
            ASSERT_EQ(lines.body, expected.body);
            const std::string_view head = text.substr(0, expected.body);
            ASSERT_EQ(lines.stray_cr, stray_cr(head));
            ASSERT_EQ(lines.plain, plain(head));
        }
    }
}

TEST(Scan, VariantsBeginWithTheReference) {
    ASSERT_FALSE(scan_variants().empty());
    EXPECT_STREQ(scan_variants().front().name, "scalar");
    EXPECT_STREQ(scan_variants().back().name, scan_variant_in_use());
}

TEST(Scan, Table) {
    for (const char* text : {"",
                             "\n",
                             "\r\n",
                             "\n\n",
                             "\r\n\r\n",
                             "a",
                             "a\n",
                             "a\r",
                             "a\r\n\r",
                             "a\r\n\r\n",
                             "a\n\n",
                             "a\r\nb: c\r\n\r\n",
                             "a\r\nb: c\r\n d:e\r\n\r\nf: g\r\n",
                             "a\nb\n c:\n\nd",
                             "a\r\n \r\n\r\n",
                             "a\r\nb:\rc\r\n\r\n",
                             "a\r\nb: c\r\r\n\r\n",
                             "a\r\nb: c\r\n\r\n\rx\n",
                             "a\r\nb: c\r\n\nx:\n",
                             " a: b\r\n\r\n",
                             "a\r\n\tb:c\r\n:\r\n::\r\n\r\n"}) {
        expect_same(text);
    }
    expect_same(samples::kYealinkRegister);
    expect_same(samples::kTortuousInvite);
}

TEST(Scan, StrayCrInTheBodyIsNone) {
    Lines lines;
    scan_lines("a\r\nb: c\r\n\r\n\rbody\n", lines);
    EXPECT_TRUE(lines.complete);
    EXPECT_FALSE(lines.stray_cr);
    EXPECT_TRUE(lines.plain);
    scan_lines("a\r\nb: \rc\r\n\r\nbody\n", lines);
    EXPECT_TRUE(lines.stray_cr);
}

TEST(Scan, EveryLengthAroundTheWidths) {
    // A line end, a colon and a fold at every place relative to words, vectors and chunks.
    for (const std::size_t around : {16u, 32u, 64u, 128u, 1024u, 2048u}) {
        for (std::size_t pad = around - 6; pad <= around + 6; ++pad) {
            const std::string filler(pad, 'x');
            expect_same(filler);
            expect_same(filler + "\r\n\r\n");
            expect_same(filler + "\n\n");
            expect_same(filler + ":\r\nh: v\r\n\r\nbody");
            expect_same("s\r\n" + filler + ": v\r\n\r\n");
            expect_same("s\r\nh: " + filler + "\r\n fold\r\nt: u\r\n\r\n");
            expect_same("s\r\nh: " + filler + "\rt: u\r\n\r\n");
        }
    }
}

TEST(Scan, RandomStructure) {
    std::mt19937 random(1);
    const std::vector<std::string> pieces{
        "\r\n", "\r\n", "\n",  "\r", ":",
        " ",    "\t",   "Via", "x",  "a longer piece of text with no marks in it at all"};
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        const std::size_t count = random() % 60;
        for (std::size_t i = 0; i < count; ++i) {
            text += pieces[random() % pieces.size()];
        }
        expect_same(text);
    }
}

TEST(Scan, RandomBytes) {
    std::mt19937 random(2);
    for (int round = 0; round < 3000; ++round) {
        std::string text(random() % 300, '\0');
        for (char& c : text) {
            c = static_cast<char>(random() % 4 == 0 ? "\r\n: \t"[random() % 5] : random());
        }
        expect_same(text);
    }
}

TEST(Scan, TooManyLinesStopAtTheLimit) {
    for (std::size_t headers = 94; headers <= 98; ++headers) {
        std::string text = "s\r\n";
        for (std::size_t i = 0; i < headers; ++i) {
            text += "h: v\r\n";
        }
        text += "\r\n";
        expect_same(text);
        Lines lines;
        scan_lines(text, lines);
        EXPECT_EQ(lines.too_many, headers > kMaxLines - 1) << headers;
        EXPECT_EQ(lines.complete, headers <= kMaxLines - 1) << headers;
    }
}

TEST(Scan, TheLargestDatagram) {
    std::string text = "s\r\nh: ";
    text.append(kMaxDatagram - text.size() - 4, 'x');
    text += "\r\n\r\n";
    ASSERT_EQ(text.size(), kMaxDatagram);
    expect_same(text);
    text[100] = ':';
    text[60000] = '\n';
    expect_same(text);
    std::string colons(kMaxDatagram, ':');
    expect_same(colons);
    std::string lines(kMaxDatagram, '\n');
    expect_same(lines);
}

}  // namespace
}  // namespace pinhole::sip
