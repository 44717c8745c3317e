// KeptFile: a file that is opened when first read and kept open as long as reading works.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "components/kit/host.h"

namespace schedd::probes {

using namespace schedd::kit;

class KeptFile {
public:
    KeptFile(Host& host, std::string path) : host_(host), path_(std::move(path)) {}

    /// The whole file, cut at the buffer's size. After a failure the file is opened anew by the next read. A
    /// read of the open file allocates nothing.
    Result<std::string_view> read(std::span<char> buffer) {
        if (!file_) {
            auto opened = host_.open(path_);
            if (!opened) return std::unexpected(std::move(opened.error()));
            file_ = std::move(*opened);
        }
        auto text = file_->read(buffer);
        if (!text) file_.reset();
        return text;
    }

    /// As above, and reads again into twice the buffer while the text is cut, holds no `enough`, and the
    /// buffer is below `limit` bytes. An empty `enough` never holds.
    Result<std::string_view> read(std::vector<char>& buffer, std::string_view enough, std::size_t limit) {
        while (true) {
            auto text = read(std::span<char>(buffer));
            if (!text || text->size() < buffer.size() || buffer.size() >= limit) return text;
            if (!enough.empty() && text->find(enough) != std::string_view::npos) return text;
            buffer.resize(buffer.size() * 2);
        }
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    Host& host_;
    std::string path_;
    std::unique_ptr<HostFile> file_;
};

} // namespace schedd::probes
