// The checksum of a page: XXH64 of all its bytes but the last eight, seeded with the page's number so that a page that
// was written to the wrong place is found too; little-endian in the last eight bytes.

#include <CStorage.h>
#include <stdlib.h>
#include <string.h>

#include "Internal.h"

uint64_t vigil_page_checksum(const uint8_t *page, int page_size, int64_t number) {
    return vigil_xxh64((uint64_t)number, page, (size_t)page_size - page_checksum_size);
}

static uint64_t stored_checksum(const uint8_t *page, int page_size) {
    uint64_t value = 0;
    for (int byte = 7; byte >= 0; byte--) value = value << 8 | page[page_size - page_checksum_size + byte];
    return value;
}

void vigil_page_seal(uint8_t *page, int page_size, int64_t number) {
    uint64_t value = vigil_page_checksum(page, page_size, number);
    for (int byte = 0; byte < 8; byte++) page[page_size - page_checksum_size + byte] = (uint8_t)(value >> (8 * byte));
}

int vigil_page_check(vigil_file *file, const uint8_t *page, int64_t offset) {
    uint64_t expected = stored_checksum(page, file->page_size);
    uint64_t found = vigil_page_checksum(page, file->page_size, offset / file->page_size + 1);
    if (expected == found) return SQLITE_OK;
    vigil_report_damage(file->path, offset, expected, found);
    return SQLITE_IOERR_DATA;
}

int vigil_page_size_of(const uint8_t *header) {
    int size = header[16] << 8 | header[17];
    if (size == 1) size = 65536;
    if (size < 512 || (size & (size - 1)) != 0) return 0;
    if (memcmp(header, "SQLite format 3", 16) != 0 || header[20] != page_checksum_size) return 0;
    return size;
}

// A header that says anything but what ours say is damage: whether a file has checksums is never asked of the file.
int vigil_page_learn_size(vigil_file *file) {
    uint8_t header[100];
    int rc = file->real->pMethods->xRead(file->real, header, sizeof header, 0);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) return rc;
    int size = rc == SQLITE_OK ? vigil_page_size_of(header) : 0;
    if (size == 0) {
        vigil_report_damage(file->path, 0, page_checksum_size, header[20]);
        return SQLITE_IOERR_DATA;
    }
    file->page_size = size;
    return SQLITE_OK;
}

uint8_t *vigil_scratch(vigil_file *file, int size) {
    if (file->scratch_size < size) {
        uint8_t *grown = realloc(file->scratch, (size_t)size);
        if (grown == NULL) return NULL;
        file->scratch = grown;
        file->scratch_size = size;
    }
    return file->scratch;
}
