// The sealed stream of a synchronisation: both ends agree, and nobody else is believed.
#include "service/net/secret_stream.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/net/fixed_keys.h"

namespace schedd::net {
namespace {

using test::FixedKeys;

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct Pair {
    explicit Pair(const KeySource& a, const KeySource& b)
        : caller(SecretStream::End::caller, 7, NodeUid{1}, a),
          called(SecretStream::End::called, 7, NodeUid{2}, b) {}
    Status meet() {
        if (auto taken = called.take_hello(caller.hello()); !taken) return taken;
        if (auto taken = caller.take_hello(called.hello()); !taken) return taken;
        if (auto taken = called.take_begin(caller.begin()); !taken) return taken;
        return caller.take_begin(called.begin());
    }
    SecretStream caller, called;
};

std::vector<std::byte> sealed(SecretStream& stream, std::string_view text, bool is_last = false) {
    std::vector<std::byte> out;
    stream.seal(bytes_of(text), is_last, out);
    EXPECT_EQ(out.size(), text.size() + kFrameOverhead);
    return {out.begin() + 4, out.end()};
}

TEST(ASealedStream, CarriesFramesBothWays) {
    const FixedKeys keys({{3, 'a'}});
    Pair pair(keys, keys);
    ASSERT_TRUE(pair.meet());
    EXPECT_EQ(pair.called.other(), NodeUid{1});
    EXPECT_EQ(pair.caller.other(), NodeUid{2});
    for (const std::string_view text : {"", "first", "second"}) {
        EXPECT_EQ(text_of(pair.called.open(sealed(pair.caller, text)).value().bytes), text);
        EXPECT_EQ(text_of(pair.caller.open(sealed(pair.called, text)).value().bytes), text);
    }
    EXPECT_TRUE(pair.caller.open(sealed(pair.called, "end", true)).value().is_last);
}

TEST(ASealedStream, TakesTheLongestFrame) {
    const FixedKeys keys({{3, 'a'}});
    Pair pair(keys, keys);
    ASSERT_TRUE(pair.meet());
    const std::string longest(membership::limits::kFrame, 'x');
    EXPECT_EQ(text_of(pair.called.open(sealed(pair.caller, longest)).value().bytes), longest);
}

TEST(ASealedStream, IsNotBelievedWithAnotherKeyOfTheSameNumber) {
    const FixedKeys ours({{3, 'a'}});
    const FixedKeys theirs({{3, 'b'}});
    Pair pair(theirs, ours);
    ASSERT_TRUE(pair.meet()) << "nothing has been sealed yet";
    const auto frame = pair.called.open(sealed(pair.caller, "first"));
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind, Errc::denied);
}

TEST(ASealedStream, UsesTheCallersKeyIfTheRingHasIt) {
    const FixedKeys old({{3, 'a'}});
    const FixedKeys both({{4, 'b'}, {3, 'a'}});
    Pair pair(old, both);
    ASSERT_TRUE(pair.meet());
    EXPECT_TRUE(pair.called.open(sealed(pair.caller, "first")));
    Pair back(both, old);
    const auto met = back.meet();
    ASSERT_FALSE(met);
    EXPECT_EQ(met.error().kind, Errc::no_such_object);
    EXPECT_EQ(met.error().what, "key 4 is not in the ring");
}

TEST(ASealedStream, RefusesHellosOfOthers) {
    const FixedKeys keys({{3, 'a'}});
    const SecretStream caller(SecretStream::End::caller, 7, NodeUid{1}, keys);
    const std::vector<std::byte> good(caller.hello().begin(), caller.hello().end());
    const auto refused = [&](std::size_t at, NodeUid self = NodeUid{2}) {
        SecretStream called(SecretStream::End::called, 7, self, keys);
        auto hello = good;
        if (at < hello.size()) hello[at] ^= std::byte{0x80};
        const auto taken = called.take_hello(hello);
        return taken ? std::string() : taken.error().text();
    };
    EXPECT_EQ(refused(kHello), "");
    EXPECT_EQ(refused(0), "what calls does not speak schedd's protocol");
    EXPECT_EQ(refused(4), "synchronisation of major version 129: this program speaks version 1");
    EXPECT_EQ(refused(8), "it belongs to another cluster");
    EXPECT_EQ(refused(kHello, NodeUid{1}), "it has this node's own identity");
    SecretStream called(SecretStream::End::called, 7, NodeUid{2}, keys);
    EXPECT_FALSE(called.take_hello({}));
    EXPECT_FALSE(called.take_hello(Bytes(good).first(kHello - 1)));
}

TEST(ASealedStream, NoticesWhatWasChangedRepeatedLeftOutOrSentBack) {
    const FixedKeys keys({{3, 'a'}});
    const auto fails = [&](const auto& play) {
        Pair pair(keys, keys);
        EXPECT_TRUE(pair.meet());
        return !play(pair).has_value();
    };
    EXPECT_TRUE(fails([](Pair& p) {
        auto frame = sealed(p.caller, "first");
        frame[3] ^= std::byte{1};
        return p.called.open(frame);
    }));
    EXPECT_TRUE(fails([](Pair& p) {
        const auto frame = sealed(p.caller, "first");
        EXPECT_TRUE(p.called.open(frame));
        return p.called.open(frame);
    }));
    EXPECT_TRUE(fails([](Pair& p) {
        sealed(p.caller, "first");
        return p.called.open(sealed(p.caller, "second"));
    }));
    EXPECT_TRUE(fails([](Pair& p) { return p.caller.open(sealed(p.caller, "first")); }));
    EXPECT_TRUE(fails([](Pair& p) { return p.called.open({}); }));
}

TEST(ASealedStream, OfAnEarlierConnectionIsNotBelievedInThis) {
    const FixedKeys keys({{3, 'a'}});
    SecretStream caller(SecretStream::End::caller, 7, NodeUid{1}, keys);
    SecretStream first(SecretStream::End::called, 7, NodeUid{2}, keys);
    ASSERT_TRUE(first.take_hello(caller.hello()));
    ASSERT_TRUE(caller.take_hello(first.hello()));
    const auto begin = caller.begin();
    const auto frame = sealed(caller, "first");
    // all that was sent is sent again, to the same node
    SecretStream again(SecretStream::End::called, 7, NodeUid{2}, keys);
    ASSERT_TRUE(again.take_hello(caller.hello()));
    ASSERT_TRUE(again.take_begin(begin));
    EXPECT_FALSE(again.open(frame));
}

} // namespace
} // namespace schedd::net
