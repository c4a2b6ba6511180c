#ifndef VIGIL_VFS_INTERNAL_H
#define VIGIL_VFS_INTERNAL_H

#include <sqlite3.h>
#include <stdint.h>

#include "CSQLiteVFS.h"

enum { page_checksum_size = 8, log_header_size = 32, frame_header_size = 24 };

enum file_kind { kind_database, kind_journal, kind_log };

typedef struct vigil_file {
    sqlite3_file base;
    sqlite3_file *real;       // the system's file, in the same allocation
    const char *path;         // owned by SQLite, lives as long as the file
    enum file_kind kind;
    int page_size;            // of the database; 0 until known
    uint8_t *scratch;         // one page, or one frame
    int scratch_size;
    struct vigil_file *database;  // of a log: the database it belongs to
    // Of a log:
    int big_endian;           // of its checksums; -1 until known
    uint32_t rewritten;       // frames from here on were overwritten within a transaction and have no checksum yet
    uint32_t announced;       // the frame whose header was written last
    uint32_t committed;       // the last commit frame that was written, not yet in the mark
    uint8_t salts[8];         // of that frame
    int mark;                 // descriptor of the mark, -1 until open
    int mark_is_set;          // whether the mark may say something
} vigil_file;

// Faults.c
int vigil_fault(int operation, const char *path, int64_t offset, int64_t amount);
void vigil_report_damage(const char *path, int64_t offset, uint64_t expected, uint64_t found);

// Log.c
int vigil_log_read(vigil_file *file, void *buffer, int amount, int64_t offset);
void vigil_log_note_write(vigil_file *file, const uint8_t *bytes, int amount, int64_t offset);
int vigil_log_reset_mark(vigil_file *file);
void vigil_log_set_mark(vigil_file *file);
int vigil_log_clear_mark_of(const char *log_path);
void vigil_log_remove_mark_of(const char *log_path);

// Page.c
uint64_t vigil_page_checksum(const uint8_t *page, int page_size, int64_t number);
void vigil_page_seal(uint8_t *page, int page_size, int64_t number);
int vigil_page_check(vigil_file *file, const uint8_t *page, int64_t offset);
int vigil_page_learn_size(vigil_file *file);
int vigil_page_size_of(const uint8_t *header);
uint8_t *vigil_scratch(vigil_file *file, int size);

#endif
