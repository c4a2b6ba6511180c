#ifndef VIGIL_CSTORAGE_H
#define VIGIL_CSTORAGE_H

#include <stddef.h>
#include <stdint.h>

// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 B.4). `seed` is the checksum of what went before, or
// 0. Finds every flipped bit and every burst of up to 32 bits. Uses the processor's instruction where there is one.
uint32_t vigil_crc32c(uint32_t seed, const void *bytes, size_t count);

// XXH64 (Collet, https://github.com/Cyan4973/xxHash, specification 0.1.1): 64 bits, faster than memory.
uint64_t vigil_xxh64(uint64_t seed, const void *bytes, size_t count);

#endif
