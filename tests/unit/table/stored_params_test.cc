// SPDX-License-Identifier: BSD-3-Clause
// What is kept of a Contact's parameters comes back as the phone wrote them, to the letter.
#include "dataplane/table/stored_params.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace pinhole::table {
namespace {

const std::string kLower = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
const std::string kUpper = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6";
const std::string kDigits = "00000000-0000-1000-8000-000123451714";

std::string with_instance(const std::string& uuid, const std::string& before = {},
                          const std::string& behind = {}) {
    return before + ";+sip.instance=\"<urn:uuid:" + uuid + ">\"" + behind;
}

// Where the registrar finds it: between the quotes of the parameter of this name, in any case.
std::string_view instance_of(std::string_view params) {
    std::string lower(params);
    std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
    const std::size_t at = lower.find("+sip.instance=\"");
    if (at == std::string::npos) {
        return {};
    }
    const std::size_t begin = at + 15;
    const std::size_t end = params.find('"', begin);
    return end == std::string::npos ? params.substr(begin) : params.substr(begin, end - begin);
}

struct Kept {
    Kept(std::string_view params, std::string_view instance) {
        const ParamsKeeper keeper(params, instance);
        bytes.resize(keeper.bytes());
        EXPECT_EQ(keeper.write(bytes.data()), bytes.data() + bytes.size());
        stored = {bytes, keeper.form(), keeper.instance_offset(), keeper.instance_len()};
        EXPECT_TRUE(StoredParams::sound(bytes.size(), keeper.form(), keeper.instance_offset(),
                                        keeper.instance_len()));
        form = keeper.form();
    }
    explicit Kept(std::string_view params) : Kept(params, instance_of(params)) {}

    std::string bytes;
    StoredParams stored;
    ParamsForm form;
};

void expect_back(const std::string& params, const Kept& kept) {
    StoredParams::Room room;
    StoredInstance::Room instance_room;
    const std::string instance(instance_of(params));
    EXPECT_EQ(kept.stored.size(), params.size());
    EXPECT_EQ(kept.stored.text(room), params);
    EXPECT_EQ(kept.stored, params);
    EXPECT_EQ(kept.stored.instance().text(instance_room), instance) << params;
    EXPECT_EQ(kept.stored.instance(), instance);
    EXPECT_EQ(kept.stored.instance_in(params), instance);
    EXPECT_EQ(kept.stored.instance().empty(), instance.empty());
    // Nothing else passes for it: not with any character another, nor one more or less.
    std::string other = params;
    for (char& c : other) {
        for (const char wrong : {static_cast<char>(c ^ 0x20), static_cast<char>(c ^ 1), '\0'}) {
            if (wrong != c) {
                const char right = std::exchange(c, wrong);
                EXPECT_FALSE(kept.stored == other) << other;
                c = right;
            }
        }
    }
    EXPECT_FALSE(kept.stored == params + ";");
    if (!params.empty()) {
        EXPECT_FALSE(kept.stored == params.substr(1));
        EXPECT_FALSE(kept.stored == params.substr(0, params.size() - 1));
    }
}

TEST(StoredParams, Rfc4122_3_AUuidTakesSixteenBytes) {
    const struct {
        std::string params;
        ParamsForm form;
    } kCases[] = {
        {with_instance(kLower), ParamsForm::kLowerUuid},
        {with_instance(kUpper), ParamsForm::kUpperUuid},
        {with_instance(kDigits), ParamsForm::kLowerUuid},
        {with_instance("ffffffff-ffff-ffff-ffff-ffffffffffff"), ParamsForm::kLowerUuid},
        {with_instance("00000000-0000-1000-8000-805EC0112233"), ParamsForm::kUpperUuid},
        {with_instance(kUpper, ";reg-id=1"), ParamsForm::kUpperUuid},
        {with_instance(kLower, "", ";reg-id=1;ob"), ParamsForm::kLowerUuid},
        {with_instance(kLower, ";audio;methods=\"INVITE\"", ";x"), ParamsForm::kLowerUuid},
    };
    for (const auto& c : kCases) {
        const Kept kept(c.params);
        EXPECT_EQ(kept.form, c.form) << c.params;
        EXPECT_EQ(kept.bytes.size(), c.params.size() - 48);
        expect_back(c.params, kept);
    }
}

TEST(StoredParams, AllElseStaysText) {
    const std::vector<std::string> kCases{
        "",
        ";reg-id=1",
        with_instance("F81D4FAE-7dec-11d0-a765-00a0c91e6bf6"),  // both cases
        with_instance("f81d4fae-7dec-11d0-a765-00a0c91e6bfG"),
        with_instance("f81d4fae-7dec-11d0-a765-00a0c91e6bf"),
        with_instance("f81d4fae-7dec-11d0-a765-00a0c91e6bf66"),
        with_instance("f81d4fae07dec-11d0-a765-00a0c91e6bf6"),
        with_instance("f81d4fa-e7dec-11d0-a765-00a0c91e6bf6"),
        with_instance("{81d4fae-7dec-11d0-a765-00a0c91e6bf}"),
        with_instance(""),
        with_instance(kLower.substr(0, 35) + "\xe6"),
        ";+sip.instance=\"urn:uuid:" + kLower + "\"",
        ";+sip.instance=\"[urn:uuid:" + kLower + "]\"",
        ";+sip.instance=\"<URN:UUID:" + kLower + ">\"",
        ";+SIP.INSTANCE=\"<urn:uuid:" + kLower + ">\"",
        ";+sip.instance=\"<urn:uuid:" + kLower + ">",
        ";+sip.instance=\"<urn:guid:" + kLower + ">\"",
        " +sip.instance=\"<urn:uuid:" + kLower + ">\"",
        ";+sip.instance=\"<urn:uuid:" + kLower + " \"",
    };
    for (const std::string& params : kCases) {
        const Kept kept(params);
        EXPECT_EQ(kept.form, ParamsForm::kText) << params;
        EXPECT_EQ(kept.bytes, params);
        expect_back(params, kept);
    }
}

TEST(StoredParams, AnInstanceThatStandsElsewhereIsNone) {
    const std::string params = with_instance(kLower);
    const std::string elsewhere = "<urn:uuid:" + kLower + ">";
    const Kept kept(params, elsewhere);
    EXPECT_EQ(kept.form, ParamsForm::kText);
    EXPECT_TRUE(kept.stored.instance().empty());
    // The instance alone, with nothing around it.
    EXPECT_EQ(Kept(elsewhere, elsewhere).form, ParamsForm::kText);
}

TEST(StoredParams, TheLongestHasItsRoom) {
    const std::string behind(kMaxParamsBytes - 64, 'x');
    const std::string params = with_instance(kUpper, "", behind);
    ASSERT_EQ(params.size(), kMaxParamsBytes);
    const Kept kept(params);
    EXPECT_EQ(kept.form, ParamsForm::kUpperUuid);
    expect_back(params, kept);
    // The table takes none that is longer.
    const std::string longer = params + "x";
    EXPECT_EQ(ParamsKeeper(longer, instance_of(longer)).form(), ParamsForm::kText);
}

TEST(StoredParams, InstancesCompareWhateverTheirForm) {
    const auto instance = [](const Kept& kept) { return kept.stored.instance(); };
    const Kept lower(with_instance(kLower));
    const Kept upper(with_instance(kUpper));
    // As another phone of this instance may write it: it is text there.
    const Kept text(";+SIP.INSTANCE=\"<urn:uuid:" + kLower + ">\"");
    EXPECT_EQ(instance(lower), instance(Kept(with_instance(kLower, ";a", ";b"))));
    EXPECT_EQ(instance(lower), instance(text));
    EXPECT_EQ(instance(text), instance(lower));
    EXPECT_FALSE(instance(lower) == instance(upper));
    EXPECT_FALSE(instance(lower) == instance(Kept(with_instance(kDigits))));
}

TEST(StoredParams, FormsThatDontFitAreNotSound) {
    EXPECT_TRUE(StoredParams::sound(16, ParamsForm::kLowerUuid, 16, 47));
    EXPECT_TRUE(StoredParams::sound(25, ParamsForm::kUpperUuid, 25, 47));
    EXPECT_FALSE(StoredParams::sound(15, ParamsForm::kLowerUuid, 16, 47));
    EXPECT_FALSE(StoredParams::sound(16, ParamsForm::kLowerUuid, 17, 47));
    EXPECT_FALSE(StoredParams::sound(16, ParamsForm::kLowerUuid, 15, 47));
    EXPECT_FALSE(StoredParams::sound(16, ParamsForm::kLowerUuid, 16, 46));
    EXPECT_FALSE(StoredParams::sound(64, ParamsForm::kCount, 16, 47));
    EXPECT_FALSE(StoredParams::sound(kMaxParamsBytes - 47, ParamsForm::kLowerUuid, 16, 47));
    EXPECT_FALSE(StoredParams::sound(64, ParamsForm::kText, 18, 47));
    EXPECT_FALSE(StoredParams::sound(kMaxParamsBytes + 1, ParamsForm::kText, 0, 0));
}

// Whatever a phone sends: text from a few pieces, so that most of it is nearly a UUID.
TEST(StoredParams, RandomTextsComeBack) {
    std::mt19937 random(7);
    const auto dice = [&](std::size_t n) { return random() % n; };
    std::size_t packed = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string uuid = dice(2) == 0 ? kLower : kUpper;
        for (char& c : uuid) {
            if (c != '-') {
                c = (dice(2) == 0 ? kLower : kUpper)[dice(8)];
            }
        }
        if (dice(2) == 0) {
            std::transform(uuid.begin(), uuid.end(), uuid.begin(),
                           dice(2) == 0 ? ::tolower : ::toupper);
        }
        std::string params = with_instance(uuid, dice(3) == 0 ? ";reg-id=1" : "",
                                           std::string(dice(3) * dice(20), 'b'));
        if (dice(3) == 0) {
            params[dice(params.size())] = static_cast<char>(dice(256));
        }
        const Kept kept(params);
        StoredParams::Room room;
        ASSERT_EQ(kept.stored.text(room), params);
        ASSERT_TRUE(kept.stored == params);
        packed += kept.form != ParamsForm::kText ? 1 : 0;
    }
    EXPECT_GT(packed, 5'000U);
}

TEST(UuidText, SixteenAtOnceAreAsOneByOne) {
    std::mt19937 random(3);
    for (int i = 0; i < 1'000; ++i) {
        std::array<char, kUuidBytes> bytes;
        std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
        for (const HexCase letters : {HexCase::kLower, HexCase::kUpper}) {
            std::array<char, 2 * kUuidBytes> wide;
            std::array<char, 2 * kUuidBytes> scalar;
            uuid_digits(bytes.data(), letters, wide.data());
            uuid_digits_scalar(bytes.data(), letters, scalar.data());
            ASSERT_EQ(wide, scalar);
            std::array<char, kUuidChars> text;
            std::array<char, kUuidBytes> again;
            write_uuid(bytes.data(), letters, text.data());
            read_uuid(text.data(), again.data());
            ASSERT_EQ(again, bytes);
        }
    }
}

}  // namespace
}  // namespace pinhole::table
