// What stands in attribute files: one value and a newline, at most a page, truth as 0 and 1.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "cli/fs/place.h"

namespace schedd::cli::fs {

/// A page, as in the original; also the size that files are shown with.
inline constexpr std::size_t kFileBytes = 4096;

/// A value as the file has it. Of several lines that make more than a page, those at the end are left out.
std::string file_text(std::string value);
/// The same for an attribute: "true" and "false" are 1 and 0.
std::string file_text(const Attribute& attribute, std::string value);

/// What a write(2) of `bytes` says about the attribute: without the newline at the end. Fails with EFBIG for
/// more than a page and EINVAL for what is no line of text. handle_all takes a short integer, as in the
/// original: more than 0 is true; EINVAL if it is none, ERANGE if it is too long for one.
std::expected<std::string, int> written_value(const Attribute& attribute, std::string_view bytes);

/// Whether `value`, which was refused, is a number all the same, and so was out of range. One that is
/// negative where no sign is allowed is no number, as in the original.
bool is_out_of_range(const Attribute& attribute, std::string_view value);

} // namespace schedd::cli::fs
