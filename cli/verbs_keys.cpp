// nodes keygen: makes a cluster's keys and changes the file they are in; needs no daemon.
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/key_file.h"
#include "cli/text.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

constexpr const char* kDefaultFile = "/etc/schedd/cluster.keys";

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

/// A secret that does not stay in memory.
struct Secret {
    std::string text;
    ~Secret() { ::explicit_bzero(text.data(), text.size()); }
};

std::unexpected<Failure> failed(const std::string& what, const std::string& file) {
    const int reason = errno;
    const auto exit = reason == EACCES || reason == EPERM || reason == EROFS ? Exit::denied : Exit::error;
    return give_up(exit, fmt::format("nodes keygen: {} {}: {}", what, shown(file), std::strerror(reason)));
}

Answer<std::array<unsigned char, kKeyBytes>> random_key() {
    std::array<unsigned char, kKeyBytes> key{};
    if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
        return give_up(Exit::error, "nodes keygen: the system gives no random bytes");
    return key;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return ::fsync(fd) == 0;
}

/// A file for the owner alone, which must not be there yet.
Answer<void> make_file(const std::string& file, const std::string& text) {
    const Descriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (made.get() < 0 && errno == EEXIST)
        return give_up(Exit::error,
                       fmt::format("nodes keygen: {} exists and is left alone; --add puts another "
                                   "key into it",
                                   shown(file)));
    if (made.get() < 0) return failed("cannot make", file);
    if (::fchmod(made.get(), 0600) != 0 || !write_all(made.get(), text)) {
        const auto failure = failed("cannot write", file);
        ::unlink(file.c_str());
        return failure;
    }
    return {};
}

Answer<void> read_file(const std::string& file, std::string& text) {
    const Descriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (open.get() < 0) return failed("cannot read", file);
    struct stat status{};
    if (::fstat(open.get(), &status) != 0) return failed("cannot read", file);
    if (!S_ISREG(status.st_mode))
        return give_up(Exit::error, fmt::format("nodes keygen: {} is no file", shown(file)));
    text.resize(kKeyFileBytes + 1); // one too many is told by who reads the lines
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::read(open.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("cannot read", file);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return {};
}

/// Wholly or not at all: whoever reads it meanwhile sees the old one.
Answer<void> replace_file(const std::string& file, const std::string& text) {
    const auto next = file + ".new";
    ::unlink(next.c_str()); // of an earlier attempt
    if (auto made = make_file(next, text); !made) return made;
    struct stat status{};
    const bool is_owned =
        ::stat(file.c_str(), &status) == 0 &&
        (status.st_uid == ::geteuid() || ::chown(next.c_str(), status.st_uid, status.st_gid) == 0);
    if (!is_owned || ::rename(next.c_str(), file.c_str()) != 0) {
        const auto failure = failed("cannot replace", file);
        ::unlink(next.c_str());
        return failure;
    }
    return {};
}

std::string after_making(const std::string& file) {
    return fmt::
        format("A key is in {0}, for the owner alone. Now:\n"
               "  1. Bring the file to every node of the cluster, by a way that nobody else can read.\n"
               "  2. {1}\n"
               "     or, encrypted for one machine:\n"
               "       systemd-creds encrypt --name=schedd.keys {0} /etc/credstore.encrypted/schedd.keys\n"
               "       and LoadCredentialEncrypted=schedd.keys in a drop-in of schedd.service\n"
               "  3. systemctl restart schedd on each; `schedd-cli nodes` shows who is there.\n",
               shown(file),
               file == kDefaultFile
                   ? std::string("That is where schedd looks for it,")
                   : fmt::format("Say where it is: [cluster] keys = \"{}\" in schedd.conf, or\n"
                                 "     LoadCredential=schedd.keys:{} in a drop-in of schedd.service,",
                                 shown(file), shown(file)));
}

Answer<Exit> tell(const std::string& text) {
    if (const auto written = print(text); !written) return std::unexpected(written.error());
    return Exit::ok;
}

Answer<Exit> make_keys(const std::string& file) {
    auto key = random_key();
    if (!key) return std::unexpected(key.error());
    const Secret secret{new_key_file(*key)};
    ::explicit_bzero(key->data(), key->size());
    if (file == "-") return tell(secret.text);
    if (const auto made = make_file(file, secret.text); !made) return std::unexpected(made.error());
    return tell(after_making(file));
}

Answer<ChangedKeys> changed(const Options& options, std::string_view text) {
    if (options.key_activated != 0)
        return with_key_active(text, static_cast<unsigned>(options.key_activated));
    if (options.key_removed != 0) return with_key_removed(text, static_cast<unsigned>(options.key_removed));
    auto key = random_key();
    if (!key) return std::unexpected(key.error());
    auto added = with_key_added(text, *key);
    ::explicit_bzero(key->data(), key->size());
    return added;
}

Answer<Exit> change_keys(const Options& options, const std::string& file) {
    Secret before;
    if (auto read = read_file(file, before.text); !read) return std::unexpected(read.error());
    auto after = changed(options, before.text);
    if (!after)
        return give_up(after.error().exit,
                       fmt::format("nodes keygen: {}: {}", shown(file), after.error().text));
    const auto id = after->id;
    const Secret secret{std::move(after->text)};
    if (auto replaced = replace_file(file, secret.text); !replaced) return std::unexpected(replaced.error());
    // systemd reads a credential when the service starts, and not at a reload
    const auto spread = "Bring the file to every node and run `schedd-cli reload` there, or "
                        "`systemctl restart schedd` where LoadCredential= names it";
    if (options.key_activated != 0)
        return tell(
            fmt::format("Key {} is used for sending from the next reload on. {};\n"
                        "when all send with it, remove the old one: schedd-cli nodes keygen --remove ID\n",
                        id, spread));
    if (options.key_removed != 0)
        return tell(fmt::format("Key {} is gone from {}. {}.\n", id, shown(file), spread));
    return tell(fmt::format("Key {} is in {} too, and is accepted from the next reload on. {};\n"
                            "when all have it (`schedd-cli doctor` says so), use it: schedd-cli nodes keygen "
                            "--activate {}\n",
                            id, shown(file), spread, id));
}

} // namespace

Answer<Exit> run_keygen(const Session& session) {
    const auto& options = session.options;
    const std::string file = options.words.size() > 1 ? options.words[1] : kDefaultFile;
    const int changes = (options.key_added ? 1 : 0) + (options.key_activated != 0 ? 1 : 0) +
                        (options.key_removed != 0 ? 1 : 0);
    if (changes > 1) return give_up(Exit::usage, "nodes keygen: use one of --add, --activate and --remove");
    if (changes == 1 && file == "-")
        return give_up(Exit::usage, "nodes keygen: '-' goes with a new file; name the one to change");
    if (options.dry_run || options.watch || options.json != JsonForm::off || !options.host.empty())
        return give_up(Exit::usage, "nodes keygen: it works on a file of this machine, without --dry-run, "
                                    "--watch, --json, --host");
    return changes == 0 ? make_keys(file) : change_keys(options, file);
}

} // namespace schedd::cli
