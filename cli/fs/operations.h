// The table of FUSE operations over a View.
#pragma once

struct fuse_operations;

namespace schedd::cli::fs {

/// Expects the View as private data of the mount. One thread.
const fuse_operations& operations();

} // namespace schedd::cli::fs
