// What the kernel asks, handed to the view. Everything is answered anew: nothing but modes is cached outside.
#define FUSE_USE_VERSION 31

#include "cli/fs/operations.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fuse3/fuse.h>

#include "cli/fs/file_text.h"
#include "cli/fs/view.h"

namespace schedd::cli::fs {

namespace {

/// An open file: what was read of it last. A read at the start reads anew, as in sysfs.
struct OpenFile {
    std::string text;
};

constexpr double kModesHoldSeconds = 3600; // modes and owners of what has this name and number

View& view() { return *static_cast<View*>(fuse_get_context()->private_data); }

OpenFile* open_file(const fuse_file_info* info) { return reinterpret_cast<OpenFile*>(info->fh); }

template <class T> int answer(const Outcome<T>& outcome) { return outcome ? 0 : -outcome.error(); }

mode_t mode_of(const Looks& looks) {
    switch (looks.sort) {
    case Entry::Sort::directory: return S_IFDIR | 0755;
    case Entry::Sort::link: return S_IFLNK | 0777;
    case Entry::Sort::file: return S_IFREG | (looks.is_writable ? 0644 : 0444);
    }
    return 0;
}

/// The same path has the same number while it is the same sort of thing.
ino_t number_of(std::string_view path, mode_t mode) {
    return std::hash<std::string_view>()(path) ^ (mode & S_IFMT);
}

void* start(fuse_conn_info* connection, fuse_config* config) {
    // names are looked up each time: others change the tree as well
    config->entry_timeout = 0;
    config->negative_timeout = 0;
    config->attr_timeout = kModesHoldSeconds;
    config->use_ino = 1;
    config->hard_remove = 1;
    // what a directory holds is told by list(); a look at each entry would cost a call for each link
    connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    return fuse_get_context()->private_data;
}

int get_attributes(const char* path, struct stat* out, fuse_file_info*) {
    const auto looks = view().look(path);
    if (!looks) return -looks.error();
    static const std::time_t kMounted = std::time(nullptr);
    *out = {};
    out->st_mode = mode_of(*looks);
    out->st_ino = number_of(path, out->st_mode);
    out->st_nlink = 1; // of directories: not counted
    out->st_size = static_cast<off_t>(looks->size);
    out->st_uid = ::geteuid();
    out->st_gid = ::getegid();
    out->st_atime = out->st_mtime = out->st_ctime = kMounted;
    return 0;
}

int read_link(const char* path, char* out, std::size_t size) {
    const auto target = view().read_link(path);
    if (!target) return -target.error();
    const auto length = std::min(target->size(), size - 1);
    std::memcpy(out, target->data(), length);
    out[length] = '\0';
    return 0;
}

int read_directory(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                   fuse_readdir_flags) {
    const auto entries = view().list(path);
    if (!entries) return -entries.error();
    const auto add = [&](const char* name, mode_t mode, const std::string& whole) {
        struct stat about{};
        about.st_mode = mode;
        about.st_ino = number_of(whole, mode);
        fill(buffer, name, &about, 0, fuse_fill_dir_flags{});
    };
    add(".", S_IFDIR, path);
    add("..", S_IFDIR, "..");
    const std::string above = std::string_view(path) == "/" ? "/" : std::string(path) + '/';
    for (const auto& entry : *entries)
        add(entry.name.c_str(), mode_of({.sort = entry.sort}), above + entry.name);
    return 0;
}

int make_directory(const char* path, mode_t) { return answer(view().make(path)); }
int remove_directory(const char* path) { return answer(view().remove(path)); }
int unlink_file(const char* path) { return answer(view().unlink(path)); }

int make_link(const char* target, const char* path) {
    std::string from;
    if (*target != '/') {
        char directory[4096];
        const auto name = fmt::format("/proc/{}/cwd", fuse_get_context()->pid);
        const auto size = ::readlink(name.c_str(), directory, sizeof directory);
        if (size <= 0) return -ENOENT; // gone, or of a PID namespace that is not seen from here
        from.assign(directory, static_cast<std::size_t>(size));
    }
    return answer(view().link(target, from, path));
}

int open_path(const char* path, fuse_file_info* info) {
    const auto checked = view().check_open(path, (info->flags & O_ACCMODE) != O_RDONLY);
    if (!checked) return -checked.error();
    info->fh = reinterpret_cast<std::uint64_t>(new OpenFile);
    info->direct_io = 1; // the size is not known before it is read, and each write is told
    return 0;
}

int read_file(const char* path, char* out, std::size_t size, off_t offset, fuse_file_info* info) {
    auto& text = open_file(info)->text;
    if (offset == 0) {
        auto now = view().read(path);
        if (!now) return -now.error();
        text = std::move(*now);
    }
    const auto begin = static_cast<std::size_t>(offset);
    if (begin >= text.size()) return 0;
    const auto length = std::min(size, text.size() - begin);
    std::memcpy(out, text.data() + begin, length);
    return static_cast<int>(length);
}

/// Each write is a value, wherever in the file it is said to go; as in configfs.
int write_file(const char* path, const char* bytes, std::size_t size, off_t, fuse_file_info*) {
    const auto written = view().write(path, {bytes, size});
    return written ? static_cast<int>(size) : -written.error();
}

int release_file(const char*, fuse_file_info* info) {
    delete open_file(info);
    return 0;
}

/// O_TRUNC of a shell's redirection; the value is what is written then.
int cut_file(const char* path, off_t size, fuse_file_info*) {
    if (size != 0) return -EINVAL;
    return answer(view().check_open(path, true));
}

int describe_mount(const char*, struct statvfs* out) {
    *out = {};
    out->f_namemax = kFileName;
    out->f_bsize = kFileBytes;
    return 0;
}

/// As configfs, which has none of these.
int refuse_node(const char*, mode_t, dev_t) { return -EPERM; }
int refuse_file(const char*, mode_t, fuse_file_info*) { return -EACCES; }
int refuse_rename(const char*, const char*, unsigned) { return -EPERM; }
int refuse_hard_link(const char*, const char*) { return -EPERM; }
int refuse_mode(const char*, mode_t, fuse_file_info*) { return -EPERM; }
int refuse_owner(const char*, uid_t, gid_t, fuse_file_info*) { return -EPERM; }

} // namespace

const fuse_operations& operations() {
    static const fuse_operations kTable = [] {
        fuse_operations table{};
        table.init = start;
        table.getattr = get_attributes;
        table.readlink = read_link;
        table.readdir = read_directory;
        table.mkdir = make_directory;
        table.rmdir = remove_directory;
        table.symlink = make_link;
        table.unlink = unlink_file;
        table.open = open_path;
        table.read = read_file;
        table.write = write_file;
        table.release = release_file;
        table.truncate = cut_file;
        table.statfs = describe_mount;
        table.mknod = refuse_node;
        table.create = refuse_file;
        table.rename = refuse_rename;
        table.link = refuse_hard_link;
        table.chmod = refuse_mode;
        table.chown = refuse_owner;
        return table;
    }();
    return kTable;
}

} // namespace schedd::cli::fs
