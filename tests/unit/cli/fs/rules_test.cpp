// The rules of files: texts, error numbers, and where targets of links lead.
#include <cerrno>
#include <map>

#include <gtest/gtest.h>

#include "cli/fs/error_number.h"
#include "cli/fs/file_text.h"
#include "cli/fs/target.h"

namespace schedd::cli::fs {
namespace {

const Attribute kThreshold{"threshold", "unsigned"};
const Attribute kPrecedence{"precedence", "integer"};
const Attribute kHandleAll{"handle_all", "boolean"};
const Attribute kNodeSet{"node_set", "text"};

int refusal(const Attribute& attribute, std::string_view bytes) {
    const auto value = written_value(attribute, bytes);
    return value ? 0 : value.error();
}

TEST(AFile, HasOneValueAndANewline) {
    EXPECT_EQ(file_text("1500"), "1500\n");
    EXPECT_EQ(file_text(kNodeSet, ""), "\n");
    EXPECT_EQ(file_text(kHandleAll, "true"), "1\n");
    EXPECT_EQ(file_text(kHandleAll, "false"), "0\n");
    EXPECT_EQ(file_text(kNodeSet, "true"), "true\n") << "a text that only looks like one";
}

TEST(AFile, IsAPageAtMostAndEndsInAWholeLine) {
    std::string lines;
    for (int pid = 10000; pid < 11000; ++pid) lines += std::to_string(pid) + " 250\n";
    const auto text = file_text(lines);
    EXPECT_LE(text.size(), kFileBytes);
    EXPECT_GT(text.size(), kFileBytes - 10);
    EXPECT_TRUE(text.ends_with(" 250\n"));
    EXPECT_EQ(file_text(std::string(10000, 'x')).size(), kFileBytes);
}

TEST(AWrite, LosesItsNewlineAndNothingElse) {
    EXPECT_EQ(written_value(kThreshold, "1500\n"), "1500");
    EXPECT_EQ(written_value(kThreshold, "1500"), "1500");
    EXPECT_EQ(written_value(kThreshold, " 12x"), " 12x") << "the daemon judges what is a number";
    EXPECT_EQ(written_value(kThreshold, "\n"), "");
}

TEST(AWrite, IsALineOfText) {
    EXPECT_EQ(refusal(kNodeSet, "1\n2\n"), EINVAL);
    EXPECT_EQ(refusal(kNodeSet, "1\n\n"), EINVAL);
    EXPECT_EQ(refusal(kNodeSet, std::string_view("\0\1", 2)), EINVAL);
    EXPECT_EQ(refusal(kNodeSet, "a\tb"), EINVAL);
    EXPECT_EQ(refusal(kNodeSet, std::string(kFileBytes, 'x')), 0);
    EXPECT_EQ(refusal(kNodeSet, std::string(kFileBytes + 1, 'x')), EFBIG);
}

TEST(AWrite, OfHandleAllIsAShortIntegerAsInTheOriginal) {
    EXPECT_EQ(written_value(kHandleAll, "1\n"), "true");
    EXPECT_EQ(written_value(kHandleAll, "7\n"), "true");
    EXPECT_EQ(written_value(kHandleAll, "0\n"), "false");
    EXPECT_EQ(written_value(kHandleAll, "-1\n"), "false");
    EXPECT_EQ(refusal(kHandleAll, "\n"), EINVAL);
    EXPECT_EQ(refusal(kHandleAll, "all\n"), EINVAL);
    EXPECT_EQ(refusal(kHandleAll, "1x\n"), EINVAL);
    EXPECT_EQ(refusal(kHandleAll, "-\n"), EINVAL);
    EXPECT_EQ(refusal(kHandleAll, "32768\n"), ERANGE);
    EXPECT_EQ(refusal(kHandleAll, "-99999999999999999999\n"), ERANGE);
}

TEST(ARefusedNumber, IsOutOfRangeIfItIsANumber) {
    EXPECT_TRUE(is_out_of_range(kThreshold, "99999999999999999999999"));
    EXPECT_TRUE(is_out_of_range(kThreshold, "0xFFFFFFFFFFFFFFFFF"));
    EXPECT_TRUE(is_out_of_range(kPrecedence, "-5000"));
    for (const auto* junk : {"", "x", "12x", "-1", "0x", "1 2", "+1"})
        EXPECT_FALSE(is_out_of_range(kThreshold, junk)) << junk;
    EXPECT_FALSE(is_out_of_range(kNodeSet, "12"));
}

Failure own(const std::string& name) { return {Exit::error, "", "org.schedd1.Error." + name}; }

TEST(AnErrorNumber, IsTheOriginalsForEachRefusal) {
    EXPECT_EQ(error_number(own("TypeMismatch"), Act::link), EINVAL);
    EXPECT_EQ(error_number(own("Cycle"), Act::link), EINVAL);
    EXPECT_EQ(error_number(own("Busy"), Act::link), EPERM) << "a symlink into a port that has a source";
    EXPECT_EQ(error_number(own("Busy"), Act::create), EBUSY) << "mkdir there";
    EXPECT_EQ(error_number(own("NoSuchObject"), Act::create), ENOENT) << "an unknown type";
    EXPECT_EQ(error_number(own("Exists"), Act::create), EEXIST);
    EXPECT_EQ(error_number(own("InvalidValue"), Act::attach), EINVAL);
    EXPECT_EQ(error_number(own("Conflict"), Act::attach), EPERM) << "while handle_all";
    EXPECT_EQ(error_number(own("NotAttachable"), Act::attach), EPERM);
    EXPECT_EQ(error_number(own("NoSuchObject"), Act::attach), ESRCH);
    EXPECT_EQ(error_number(own("Busy"), Act::remove), EBUSY);
    EXPECT_EQ(error_number(own("NotSupported"), Act::remove), EPERM);
    EXPECT_EQ(error_number(own("InvalidValue"), Act::write), EINVAL);
    EXPECT_EQ(error_number(own("Busy"), Act::write), EBUSY) << "a node set that another has";
    EXPECT_EQ(error_number(own("LimitExceeded"), Act::write), ERANGE) << "a node beyond the maximum";
    EXPECT_EQ(error_number(own("LimitExceeded"), Act::create), ENOSPC);
    EXPECT_EQ(error_number(own("NoValue"), Act::read), EAGAIN);
}

TEST(AnErrorNumber, IsThereForEveryKindOfTheDaemons) {
    const std::map<std::string, int> others{{"NotApplied", EIO},       {"CpuOffline", EINVAL},
                                            {"StaleTopology", EAGAIN}, {"ControllerUnavailable", ENODEV},
                                            {"HeldByOther", EBUSY},    {"Io", EIO},
                                            {"OfALaterVersion", EIO},  {"Conflict", EBUSY}};
    for (const auto& [name, number] : others) EXPECT_EQ(error_number(own(name), Act::write), number) << name;
    EXPECT_EQ(error_number(own("Denied"), Act::write), EPERM);
}

TEST(AnErrorNumber, TellsWhetherTheDaemonIsThere) {
    EXPECT_EQ(error_number({Exit::not_running, "", ""}, Act::read), ENOTCONN);
    EXPECT_EQ(error_number({Exit::denied, "", ""}, Act::write), EPERM);
    EXPECT_EQ(error_number({Exit::usage, "", ""}, Act::write), EINVAL);
    EXPECT_EQ(error_number({Exit::error, "", "org.freedesktop.DBus.Error.NoReply"}, Act::read), ETIMEDOUT);
    EXPECT_EQ(error_number({Exit::error, "", "org.freedesktop.DBus.Error.Timeout"}, Act::read), ETIMEDOUT);
    EXPECT_EQ(error_number({Exit::error, "", "org.freedesktop.DBus.Error.InvalidArgs"}, Act::write), EINVAL);
    EXPECT_EQ(error_number({Exit::error, "", ""}, Act::read), EIO);
    EXPECT_EQ(error_number({Exit::error, "", "org.freedesktop.DBus.Error.Busy"}, Act::read), EIO);
}

struct ATarget : testing::Test {
    std::string resolve(std::string_view target, std::string_view from) {
        const auto look_up = [](const std::map<std::string, std::string>& links) {
            return [&links](const std::string& path) -> std::expected<std::optional<std::string>, int> {
                const auto at = links.find(path);
                if (at == links.end()) return std::nullopt;
                if (at->second.empty()) return std::unexpected(EPERM);
                return at->second;
            };
        };
        const auto led = resolve_target(target, from, "/config", look_up(outside), look_up(inside));
        return led ? *led : std::to_string(led.error());
    }
    std::map<std::string, std::string> outside;
    std::map<std::string, std::string> inside{{"/krg_schedulers", "krg_scheduler"}};
};

const std::string kSource = "/krg_scheduler/probes/cpu/node_load";

TEST_F(ATarget, IsLookedUpFromTheCallersDirectory) {
    EXPECT_EQ(resolve("probes/cpu/node_load", "/config/krg_scheduler"), kSource);
    EXPECT_EQ(resolve("../../probes/cpu/node_load", "/config/krg_scheduler/schedulers/A"), kSource);
    EXPECT_EQ(resolve("./node_load/", "/config/krg_scheduler/probes/cpu"), kSource);
    EXPECT_EQ(resolve("config//krg_scheduler/probes/cpu/node_load", "/"), kSource);
    EXPECT_EQ(resolve(".", "/config" + kSource), kSource);
}

TEST_F(ATarget, MayBeAbsoluteAndSpelledAsInTheSlides) {
    EXPECT_EQ(resolve("/config/krg_scheduler/probes/cpu/node_load", "/root"), kSource);
    EXPECT_EQ(resolve("/config/krg_schedulers/probes/cpu/node_load", "/root"), kSource);
    EXPECT_EQ(resolve("/config/krg_schedulers/../krg_scheduler/probes/cpu/node_load", "/root"), kSource);
    EXPECT_EQ(resolve("/config/../config/krg_scheduler/probes/cpu/node_load", "/root"), kSource);
}

TEST_F(ATarget, FollowsLinksOutsideAndInside) {
    outside["/srv/view"] = "../config";
    outside["/abs"] = "/config/krg_schedulers";
    inside["/krg_scheduler/schedulers/A/p/port/cpu"] = "../../../../probes/cpu/node_load";
    EXPECT_EQ(resolve("/srv/view/krg_scheduler/probes/cpu/node_load", "/"), kSource);
    EXPECT_EQ(resolve("/abs/probes/cpu/node_load", "/"), kSource);
    EXPECT_EQ(resolve("cpu", "/config/krg_scheduler/schedulers/A/p/port"), kSource);
}

TEST_F(ATarget, OutsideTheMountIsRefused) {
    const auto refused = std::to_string(EPERM);
    EXPECT_EQ(resolve("/etc/passwd", "/config"), refused);
    EXPECT_EQ(resolve("../../../../../../etc", "/config/krg_scheduler"), refused);
    EXPECT_EQ(resolve("node_load", "/root"), refused);
    EXPECT_EQ(resolve("/configuration/krg_scheduler", "/"), refused) << "only begins like the mount point";
    EXPECT_EQ(resolve("", "/root"), refused);
}

TEST_F(ATarget, InACircleOfLinksIsRefused) {
    outside["/a"] = "/b";
    outside["/b"] = "a";
    EXPECT_EQ(resolve("/a/krg_scheduler", "/"), std::to_string(ELOOP));
}

TEST_F(ATarget, EndsWhereNothingMustBeLookedAt) {
    outside["/bound"] = "";
    EXPECT_EQ(resolve("/bound/../config/krg_scheduler", "/"), std::to_string(EPERM));
}

TEST_F(ATarget, IsNotAskedOfTheMountPointItself) {
    outside["/config"] = "/elsewhere"; // asking would wait for the file view, which is asking
    EXPECT_EQ(resolve("/config/krg_scheduler", "/"), "/krg_scheduler");
}

} // namespace
} // namespace schedd::cli::fs
