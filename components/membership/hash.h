// Hash: 128 bits of anything, without a key; libsodium's BLAKE2b is in service/net.
#pragma once

#include "components/membership/cipher.h"
#include "components/membership/ids.h"

namespace schedd::membership {

class Hash {
public:
    virtual ~Hash() = default;
    [[nodiscard]] virtual Digest of(Bytes bytes) const = 0;
};

} // namespace schedd::membership
