// Messages as JSON, object paths as tree paths.
#include "cli/bus_message.h"

#include <memory>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <systemd/sd-bus.h>

namespace schedd::cli {
namespace {

/// A signal on a connection that leads nowhere.
class AMessage : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_), 0);
        ASSERT_GE(sd_bus_new(&bus_), 0);
        ASSERT_GE(sd_bus_set_fd(bus_, ends_[0], ends_[0]), 0);
        ASSERT_GE(sd_bus_start(bus_), 0);
        ASSERT_GE(sd_bus_message_new_signal(bus_, &message_, "/org/schedd1", "org.schedd1.Manager", "Test"),
                  0);
    }
    void TearDown() override {
        sd_bus_message_unref(message_);
        sd_bus_close_unref(bus_);
        ::close(ends_[1]);
    }
    std::string text() {
        EXPECT_GE(sd_bus_message_seal(message_, 1, 0), 0);
        EXPECT_GE(sd_bus_message_rewind(message_, 1), 0);
        return arguments_of(message_).dump();
    }

    int ends_[2] = {-1, -1};
    sd_bus* bus_ = nullptr;
    sd_bus_message* message_ = nullptr;
};

TEST_F(AMessage, WithoutArgumentsIsAnEmptyArray) { EXPECT_EQ(text(), "[]"); }

TEST_F(AMessage, KeepsTheTypesOfItsArguments) {
    ASSERT_GE(sd_bus_message_append(message_, "sxtbduiqny", "a\"b", INT64_C(-7),
                                    UINT64_C(18446744073709551615), 1, 0.5, 7U, -7, 65535, -1, 255),
              0);
    EXPECT_EQ(text(), R"(["a\"b",-7,18446744073709551615,true,0.5,7,-7,65535,-1,255])");
}

TEST_F(AMessage, TurnsDictionariesIntoObjects) {
    ASSERT_GE(sd_bus_message_append(message_, "sa{sv}as", "org.schedd1.Probe", 2, "ProbePeriod", "t",
                                    UINT64_C(500), "Name", "s", "cpu", 2, "A", "B"),
              0);
    EXPECT_EQ(text(), R"(["org.schedd1.Probe",{"ProbePeriod":500,"Name":"cpu"},["A","B"]])");
}

TEST_F(AMessage, ReadsWhatInterfacesAddedCarries) {
    ASSERT_GE(sd_bus_message_append(message_, "oa{sa{sv}}", "/org/schedd1/probes/cpu", 2, "org.schedd1.Probe",
                                    1, "Type", "s", "cpu", "org.freedesktop.DBus.Peer", 0),
              0);
    EXPECT_EQ(
        text(),
        R"(["/org/schedd1/probes/cpu",{"org.schedd1.Probe":{"Type":"cpu"},"org.freedesktop.DBus.Peer":{}}])");
}

TEST_F(AMessage, ReadsEmptyContainersAndStructures) {
    ASSERT_GE(sd_bus_message_append(message_, "asa{sv}(si)v", 0, 0, "x", 3, "as", 1, "y"), 0);
    EXPECT_EQ(text(), R"([[],{},["x",3],["y"]])");
}

TEST(AnObjectPath, IsTheTreePathAgain) {
    EXPECT_EQ(tree_path("/org/schedd1"), "");
    EXPECT_EQ(tree_path("/org/schedd1/probes/mem_5fprobe/ram_5ffree"), "probes/mem_probe/ram_free");
    EXPECT_EQ(tree_path("/org/schedd1/schedulers/A/process_5fset/process_3a12"),
              "schedulers/A/process_set/process:12");
}

TEST(AnObjectPath, EscapesWhatIsOddInANameAsTheTreeDoes) {
    EXPECT_EQ(tree_path("/org/schedd1/exec_3a_2fusr_2fbin"), "exec:%2Fusr%2Fbin");
    EXPECT_EQ(tree_path("/org/schedd1/a_25_1b_20"), "a%25%1B%20");
}

TEST(AnObjectPath, StaysAsItIsWhenItIsNotOurs) {
    EXPECT_EQ(tree_path("/org/freedesktop/DBus"), "/org/freedesktop/DBus");
    EXPECT_EQ(tree_path("/org/schedd12/x"), "/org/schedd12/x");
    EXPECT_EQ(tree_path("/org/schedd1/bad_5"), "bad_5");
    EXPECT_EQ(tree_path("/org/schedd1/bad_zz"), "bad_zz");
}

} // namespace
} // namespace schedd::cli
