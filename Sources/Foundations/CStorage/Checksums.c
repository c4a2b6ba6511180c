#include "CStorage.h"

#include <string.h>

static const uint32_t crc_polynomial = 0x82F63B78u;
static uint32_t crc_table[8][256];

__attribute__((constructor)) static void fill_crc_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? crc_polynomial : 0);
        crc_table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int slice = 1; slice < 8; slice++)
            crc_table[slice][byte] = (crc_table[slice - 1][byte] >> 8) ^ crc_table[0][crc_table[slice - 1][byte] & 0xFF];
}

static uint32_t crc32c_table(uint32_t crc, const uint8_t *bytes, size_t count) {
    while (count >= 8) {
        uint32_t low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
        crc = crc_table[7][low & 0xFF] ^ crc_table[6][(low >> 8) & 0xFF] ^ crc_table[5][(low >> 16) & 0xFF]
            ^ crc_table[4][low >> 24] ^ crc_table[3][bytes[4]] ^ crc_table[2][bytes[5]] ^ crc_table[1][bytes[6]]
            ^ crc_table[0][bytes[7]];
        bytes += 8;
        count -= 8;
    }
    while (count--) crc = (crc >> 8) ^ crc_table[0][(crc ^ *bytes++) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t wide = crc;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
        bytes += 8;
        count -= 8;
    }
    crc = (uint32_t)wide;
    while (count--) crc = __builtin_ia32_crc32qi(crc, *bytes++);
    return crc;
}
#endif

uint32_t vigil_crc32c(uint32_t seed, const void *bytes, size_t count) {
    uint32_t crc = ~seed;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse42(crc, bytes, count);
#endif
    return ~crc32c_table(crc, bytes, count);
}

static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu, prime3 = 0x165667B19E3779F9u,
                      prime4 = 0x85EBCA77C2B2AE63u, prime5 = 0x27D4EB2F165667C5u;

static inline uint64_t rotate(uint64_t value, int count) { return (value << count) | (value >> (64 - count)); }

static inline uint64_t read64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static inline uint32_t read32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static inline uint64_t turn(uint64_t lane, uint64_t input) { return rotate(lane + input * prime2, 31) * prime1; }
static inline uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ turn(0, lane)) * prime1 + prime4; }

uint64_t vigil_xxh64(uint64_t seed, const void *input, size_t count) {
    const uint8_t *bytes = input, *end = bytes + count;
    uint64_t hash;
    if (count >= 32) {
        uint64_t a = seed + prime1 + prime2, b = seed + prime2, c = seed, d = seed - prime1;
        for (; end - bytes >= 32; bytes += 32) {
            a = turn(a, read64(bytes));
            b = turn(b, read64(bytes + 8));
            c = turn(c, read64(bytes + 16));
            d = turn(d, read64(bytes + 24));
        }
        hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
        hash = merge(merge(merge(merge(hash, a), b), c), d);
    } else {
        hash = seed + prime5;
    }
    hash += count;
    for (; end - bytes >= 8; bytes += 8) hash = rotate(hash ^ turn(0, read64(bytes)), 27) * prime1 + prime4;
    if (end - bytes >= 4) {
        hash = rotate(hash ^ (read32(bytes) * prime1), 23) * prime2 + prime3;
        bytes += 4;
    }
    for (; bytes < end; bytes++) hash = rotate(hash ^ (*bytes * prime5), 11) * prime1;
    hash = (hash ^ (hash >> 33)) * prime2;
    hash = (hash ^ (hash >> 29)) * prime3;
    return hash ^ (hash >> 32);
}
