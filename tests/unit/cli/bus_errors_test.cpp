// D-Bus errors as exit codes and sentences.
#include "cli/bus_errors.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace schedd::cli {
namespace {

using testing::HasSubstr;

const BusPlace kSystem{"system", ""};
const BusPlace kPrivate{"unix:path=/tmp/b", ""};

TEST(AFailedCall, WithoutADaemonIsNotRunningAndSaysHowToStartIt) {
    for (const auto* name :
         {"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
          "org.freedesktop.DBus.Error.NoServer", "org.freedesktop.DBus.Error.Disconnected"}) {
        const auto failure = failure_of(name, "", kSystem);
        EXPECT_EQ(failure.exit, Exit::not_running) << name;
        EXPECT_THAT(failure.text, HasSubstr("systemctl start schedd.service"));
    }
    EXPECT_THAT(failure_of("org.freedesktop.DBus.Error.ServiceUnknown", "", kPrivate).text,
                HasSubstr("schedd --bus=unix:path=/tmp/b"));
    EXPECT_THAT(failure_of("org.freedesktop.DBus.Error.ServiceUnknown", "", {"system", "root@far"}).text,
                HasSubstr("ssh root@far"));
}

TEST(AFailedCall, WithoutPermissionIsDenied) {
    for (const auto* name : {"org.schedd1.Error.Denied", "org.freedesktop.DBus.Error.AccessDenied",
                             "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}) {
        const auto failure = failure_of(name, "org.schedd1.configure", kSystem);
        EXPECT_EQ(failure.exit, Exit::denied) << name;
        EXPECT_THAT(failure.text, HasSubstr("org.schedd1.configure"));
    }
}

TEST(AFailedCall, KeepsTheDaemonsWordsButNotItsControlCharacters) {
    const auto failure = failure_of("org.schedd1.Error.Busy", "probes/cpu is in use\x1b[2J", kSystem);
    EXPECT_EQ(failure, (Failure{Exit::error, "probes/cpu is in use\\x1b[2J", "org.schedd1.Error.Busy"}));
    EXPECT_EQ(failure_of("org.schedd1.Error.Busy", "", kSystem).text, "org.schedd1.Error.Busy");
}

TEST(AFailedCall, TellsADaemonThatDiedFromOneThatIsSlow) {
    const auto* name = "org.freedesktop.DBus.Error.NoReply";
    EXPECT_EQ(failure_of(name, "Message recipient disconnected from message bus without replying", kSystem)
                  .exit,
              Exit::not_running);
    EXPECT_EQ(failure_of(name, "timeout", kSystem).exit, Exit::error);
}

TEST(AConnection, ThatFailsSaysWhy) {
    EXPECT_EQ(failure_of_errno(-ENOENT, kPrivate).exit, Exit::not_running);
    EXPECT_EQ(failure_of_errno(-ECONNREFUSED, kPrivate).exit, Exit::not_running);
    EXPECT_THAT(failure_of_errno(-ENOENT, kPrivate).text, HasSubstr("unix:path=/tmp/b"));
    EXPECT_EQ(failure_of_errno(-EACCES, kPrivate).exit, Exit::denied);
    EXPECT_EQ(failure_of_errno(-ETIMEDOUT, kPrivate).exit, Exit::error);
    EXPECT_EQ(failure_of_errno(-EINVAL, kPrivate).exit, Exit::error);
}

TEST(AConnection, ThatBreaksInMidStreamIsNotRunning) {
    for (const int code : {ECONNRESET, EPIPE, ENOTCONN})
        EXPECT_EQ(failure_of_errno(-code, kPrivate).exit, Exit::not_running);
}

TEST(AConnection, ToABusThatIsNotThereIsNotRunning) {
    const auto bus = Bus::open({"unix:path=/nonexistent/schedd-test-bus", ""});
    ASSERT_FALSE(bus);
    EXPECT_EQ(bus.error().exit, Exit::not_running);
}

} // namespace
} // namespace schedd::cli
