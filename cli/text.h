// Text for terminals: escaping of hostile names, widths in columns, colours, aligned tables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace schedd::cli {

/// How output may look. Decided once from the terminal and the options; layout functions only obey.
struct Look {
    bool color = false;
    bool utf8 = true;
    int width = 0; // columns to fit into, 0 = no limit
};

/// One colour per kind of thing, the same in tree, graph and top.
enum class Hue { plain, strong, dim, source, filter, port, policy, scheduler, member, good, warn, bad };

/// The hue of a part by the "kind" of its JSON.
Hue hue_of_kind(std::string_view kind);
/// The hue of a member's or target's state: applied good, pending and conflict warn, overridden and invalid
/// bad.
Hue hue_of_state(std::string_view state);

/// `text` within the escape sequences of `hue`, or as it is without colour.
std::string paint(const Look& look, Hue hue, std::string_view text);

/// A name fit to be printed: control characters, bytes that are not UTF-8 and characters that turn the
/// direction of text become \xNN or \u{NNNN}; without UTF-8 everything beyond ASCII does.
std::string shown(std::string_view raw, const Look& look = {});
/// Where the first byte is that is not UTF-8; npos if there is none.
std::size_t first_that_is_not_utf8(std::string_view raw);

/// Terminal columns that `text` takes; colour sequences take none, East Asian wide characters two.
std::size_t columns(std::string_view text);

/// Blanks added behind (or before) up to `width` columns.
std::string pad(std::string text, std::size_t width);
std::string pad_left(std::string text, std::size_t width);
/// At most `width` columns of uncoloured text, the cut marked with "…" or "~".
std::string cut(std::string_view text, std::size_t width, const Look& look);

enum class Align { left, right };

/// Rows of cells as aligned lines, two blanks between columns, none at the end of a line. The first row is
/// the heading, painted strong. Cells may be coloured; missing cells are empty.
std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<Align>& aligns,
                  const Look& look);

/// Words broken into lines of at most `width` columns (0 = one line).
std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width);

/// "850 ms", "12 s", "3 min 4 s", "2 h 5 min", "4 d 3 h".
std::string duration_text(long long milliseconds);
/// "1 part", "3 parts".
std::string counted(long long count, std::string_view one, std::string_view many = {});

} // namespace schedd::cli
