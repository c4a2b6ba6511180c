// The write-ahead log.
//
// SQLite checks the checksums of frames only when it recovers a log, not when it reads a page from one, and it takes the
// first frame whose checksum is wrong for the end of the log. So this layer checks each frame that is read, and keeps a
// mark beside the log, `<database>-mark`: the salts of the log and the last commit frame that a sync made durable. A log
// that holds less than its mark says has lost what was promised.
//
// The mark (28 bytes): "VIGILMRK", salt 1, salt 2 as in the log's header, the frame's number (big-endian), 4 zero bytes,
// CRC-32C of the 24 bytes before (big-endian). It is written after the log's sync and not synced itself, so it may say
// less than is true but never more. Before a log starts anew the mark is set to zero durably.

#include <CStorage.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Internal.h"

enum { mark_size = 28 };

static uint32_t big32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_big32(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

// SQLite's checksum of logs (fileformat2.html, "Checksum Algorithm"): over pairs of 32-bit words.
static void sum_words(int big_endian, const uint8_t *bytes, int count, uint32_t sum[2]) {
    uint32_t first = sum[0], second = sum[1];
    for (int index = 0; index < count; index += 8) {
        uint32_t left, right;
        if (big_endian) {
            left = big32(bytes + index);
            right = big32(bytes + index + 4);
        } else {
            left = bytes[index] | (uint32_t)bytes[index + 1] << 8 | (uint32_t)bytes[index + 2] << 16
                | (uint32_t)bytes[index + 3] << 24;
            right = bytes[index + 4] | (uint32_t)bytes[index + 5] << 8 | (uint32_t)bytes[index + 6] << 16
                | (uint32_t)bytes[index + 7] << 24;
        }
        first += left + second;
        second += right + first;
    }
    sum[0] = first;
    sum[1] = second;
}

static int64_t frame_offset(uint32_t frame, int page_size) {
    return log_header_size + (int64_t)(frame - 1) * (frame_header_size + page_size);
}

// The page size of a log is its database's; a log that is read before its database has a first page tells its own.
static int log_page_size(vigil_file *file) {
    if (file->page_size == 0) {
        uint8_t header[log_header_size];
        if (file->real->pMethods->xRead(file->real, header, sizeof header, 0) != SQLITE_OK) return 0;
        uint32_t size = big32(header + 8);
        if (size < 512 || size > 65536 || (size & (size - 1)) != 0) return 0;
        file->page_size = (int)size;
        file->big_endian = (int)(big32(header) & 1);
    }
    return file->page_size;
}

static int check_frame(vigil_file *file, uint32_t frame, const uint8_t *bytes) {
    uint8_t before[8];
    int64_t at = frame_offset(frame, file->page_size);
    int64_t before_at = frame == 1 ? 24 : at - file->page_size - 8;
    int rc = file->real->pMethods->xRead(file->real, before, sizeof before, before_at);
    if (rc != SQLITE_OK) return rc;
    uint32_t sum[2] = {big32(before), big32(before + 4)};
    sum_words(file->big_endian, bytes, 8, sum);
    sum_words(file->big_endian, bytes + frame_header_size, file->page_size, sum);
    uint64_t expected = (uint64_t)big32(bytes + 16) << 32 | big32(bytes + 20);
    uint64_t found = (uint64_t)sum[0] << 32 | sum[1];
    if (expected == found) return SQLITE_OK;
    vigil_report_damage(file->path, at, expected, found);
    return SQLITE_IOERR_DATA;
}

int vigil_log_read(vigil_file *file, void *buffer, int amount, int64_t offset) {
    int size = log_page_size(file);
    int64_t position = offset - log_header_size - frame_header_size;
    int is_page = size != 0 && amount == size && position >= 0 && position % (size + frame_header_size) == 0;
    uint32_t frame = is_page ? (uint32_t)(position / (size + frame_header_size)) + 1 : 0;
    if (!is_page || (file->rewritten != 0 && frame >= file->rewritten))
        return file->real->pMethods->xRead(file->real, buffer, amount, offset);
    uint8_t *bytes = vigil_scratch(file, size + frame_header_size);
    if (bytes == NULL) return SQLITE_NOMEM;
    int rc = file->real->pMethods->xRead(file->real, bytes, size + frame_header_size, offset - frame_header_size);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        vigil_report_damage(file->path, offset - frame_header_size, 0, 0);
        return SQLITE_IOERR_DATA;
    }
    if (rc == SQLITE_OK) rc = check_frame(file, frame, bytes);
    if (rc == SQLITE_OK) memcpy(buffer, bytes + frame_header_size, (size_t)size);
    return rc;
}

// SQLite writes a frame as its header, then its page. A page without its header is a frame of the running transaction
// that is written again; its checksum, and those behind it, are made at the commit (iReCksum in wal.c).
void vigil_log_note_write(vigil_file *file, const uint8_t *bytes, int amount, int64_t offset) {
    if (offset == 0 && amount == log_header_size) {
        file->page_size = (int)big32(bytes + 8);
        file->big_endian = (int)(big32(bytes) & 1);
        file->rewritten = file->announced = file->committed = 0;
        return;
    }
    int size = log_page_size(file);
    if (size == 0 || offset < log_header_size) return;
    int64_t position = (offset - log_header_size) % (size + frame_header_size);
    uint32_t frame = (uint32_t)((offset - log_header_size) / (size + frame_header_size)) + 1;
    if (position == 0 && amount >= frame_header_size) {
        file->announced = frame;
        if (file->rewritten != 0 && frame <= file->rewritten) file->rewritten = 0;
        if (big32(bytes + 4) != 0) {
            file->committed = frame;
            memcpy(file->salts, bytes + 8, sizeof file->salts);
        }
    } else if (position == frame_header_size && file->announced != frame) {
        if (file->rewritten == 0 || frame < file->rewritten) file->rewritten = frame;
    }
}

static void mark_path_of(const char *log_path, char *path, size_t size) {
    // "<database>-wal" becomes "<database>-mark".
    size_t length = strlen(log_path);
    if (length > 3) snprintf(path, size, "%.*smark", (int)(length - 3), log_path);
}

static int write_mark(int descriptor, const uint8_t salts[8], uint32_t frame) {
    uint8_t mark[mark_size] = "VIGILMRK";
    memcpy(mark + 8, salts, 8);
    put_big32(mark + 16, frame);
    put_big32(mark + 24, vigil_crc32c(0, mark, 24));
    return pwrite(descriptor, mark, mark_size, 0) == mark_size ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static int open_mark(vigil_file *file) {
    if (file->mark < 0) {
        char path[1024] = "";
        mark_path_of(file->path, path, sizeof path);
        file->mark = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        file->mark_is_set = 1;
    }
    return file->mark;
}

void vigil_log_set_mark(vigil_file *file) {
    // A mark that cannot be written leaves the old one, which says less: nothing is lost but some of the check.
    if (file->committed == 0 || open_mark(file) < 0) return;
    if (write_mark(file->mark, file->salts, file->committed) == SQLITE_OK) file->mark_is_set = 1;
    file->committed = 0;
}

int vigil_log_reset_mark(vigil_file *file) {
    if (open_mark(file) < 0) return SQLITE_CANTOPEN;
    if (!file->mark_is_set) return SQLITE_OK;
    uint8_t none[8] = {0};
    if (write_mark(file->mark, none, 0) != SQLITE_OK || fsync(file->mark) != 0) return SQLITE_IOERR_FSYNC;
    file->mark_is_set = 0;
    return SQLITE_OK;
}

int vigil_log_clear_mark_of(const char *log_path) {
    char path[1024] = "";
    mark_path_of(log_path, path, sizeof path);
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return SQLITE_OK;
    uint8_t none[8] = {0};
    int rc = write_mark(descriptor, none, 0);
    if (rc == SQLITE_OK && fsync(descriptor) != 0) rc = SQLITE_IOERR_FSYNC;
    close(descriptor);
    return rc;
}

void vigil_log_remove_mark_of(const char *log_path) {
    char path[1024] = "";
    mark_path_of(log_path, path, sizeof path);
    unlink(path);
}

// What the mark of a log says: the frame, or 0 when it says nothing.
static uint32_t read_mark(const char *log_path, uint8_t salts[8]) {
    char path[1024] = "";
    mark_path_of(log_path, path, sizeof path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    uint8_t mark[mark_size];
    ssize_t count = pread(descriptor, mark, sizeof mark, 0);
    close(descriptor);
    if (count != mark_size || memcmp(mark, "VIGILMRK", 8) != 0) return 0;
    if (big32(mark + 24) != vigil_crc32c(0, mark, 24)) return 0;
    memcpy(salts, mark + 8, 8);
    return big32(mark + 16);
}

// The offset of the first frame up to `frames` that does not hold, or -1 when all do.
static int64_t first_bad_frame(int descriptor, uint32_t frames, const uint8_t salts[8]) {
    uint8_t header[log_header_size];
    if (pread(descriptor, header, sizeof header, 0) != sizeof header) return 0;
    int big_endian = (int)(big32(header) & 1);
    uint32_t size = big32(header + 8), sum[2] = {0, 0};
    if ((big32(header) & ~1u) != 0x377f0682u || size < 512 || size > 65536 || (size & (size - 1)) != 0) return 0;
    sum_words(big_endian, header, 24, sum);
    if (sum[0] != big32(header + 24) || sum[1] != big32(header + 28) || memcmp(header + 16, salts, 8) != 0) return 0;
    uint8_t *frame = malloc(size + frame_header_size);
    if (frame == NULL) return -1;
    int64_t bad = -1;
    for (uint32_t number = 1; number <= frames && bad < 0; number++) {
        int64_t at = frame_offset(number, (int)size);
        ssize_t count = pread(descriptor, frame, size + frame_header_size, at);
        if (count == (ssize_t)(size + frame_header_size)) {
            sum_words(big_endian, frame, 8, sum);
            sum_words(big_endian, frame + frame_header_size, (int)size, sum);
        }
        if (count != (ssize_t)(size + frame_header_size) || memcmp(frame + 8, salts, 8) != 0
            || sum[0] != big32(frame + 16) || sum[1] != big32(frame + 20))
            bad = at;
    }
    free(frame);
    return bad;
}

int vigil_vfs_check_log(const char *path, vigil_damage *damage) {
    char log_path[1024];
    uint8_t salts[8];
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    uint32_t frames = read_mark(log_path, salts);
    if (frames == 0) return SQLITE_OK;
    int descriptor = open(log_path, O_RDONLY | O_CLOEXEC);
    int64_t bad = descriptor < 0 ? 0 : first_bad_frame(descriptor, frames, salts);
    if (descriptor >= 0) close(descriptor);
    if (bad < 0) return SQLITE_OK;
    snprintf(damage->path, sizeof damage->path, "%s", log_path);
    damage->offset = bad;
    damage->expected = frames;
    damage->found = 0;
    return SQLITE_IOERR_DATA;
}
