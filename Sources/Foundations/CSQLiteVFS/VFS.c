// The layer itself: SQLite's calls, passed on to the system's layer with checksums and faults in between.

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Internal.h"

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vigil_vfs;
static sqlite3_io_methods methods;

static vigil_file *ours(sqlite3_file *file) { return (vigil_file *)file; }
static sqlite3_file *real(sqlite3_file *file) { return ours(file)->real; }

// MARK: Reading

static int64_t size_of(vigil_file *file) {
    sqlite3_int64 size = 0;
    return file->real->pMethods->xFileSize(file->real, &size) == SQLITE_OK ? size : -1;
}

// Reads the page at `offset` and checks it. Past the end of the file it is zeros and SQLITE_IOERR_SHORT_READ.
static int read_page(vigil_file *file, void *page, int64_t offset) {
    int rc = file->real->pMethods->xRead(file->real, page, file->page_size, offset);
    if (rc == SQLITE_IOERR_SHORT_READ && size_of(file) <= offset) return rc;
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) return rc;
    return vigil_page_check(file, page, offset);
}

static int read_database(vigil_file *file, void *buffer, int amount, int64_t offset) {
    if (file->page_size == 0) {
        if (size_of(file) == 0) {
            memset(buffer, 0, (size_t)amount);
            return SQLITE_IOERR_SHORT_READ;
        }
        int rc = vigil_page_learn_size(file);
        if (rc != SQLITE_OK) return rc;
    }
    if (amount == file->page_size && offset % file->page_size == 0) return read_page(file, buffer, offset);
    // Only the header is ever read apart from its page, before SQLite has looked whether the log has a newer first page:
    // a checkpoint that was torn there is no damage. The first page is read whole, and checked, right after.
    return file->real->pMethods->xRead(file->real, buffer, amount, offset);
}

static int file_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 offset) {
    vigil_file *file = ours(base);
    int fault = vigil_fault(VIGIL_READ, file->path, offset, amount);
    if (fault != VIGIL_PROCEED) return fault;
    switch (file->kind) {
    case kind_database: return read_database(file, buffer, amount, offset);
    case kind_log: return vigil_log_read(file, buffer, amount, offset);
    default: return file->real->pMethods->xRead(file->real, buffer, amount, offset);
    }
}

// MARK: Writing

static int pass_write(vigil_file *file, const void *bytes, int amount, int64_t offset) {
    int fault = vigil_fault(VIGIL_WRITE, file->path, offset, amount);
    if (fault == VIGIL_PRETEND) return SQLITE_OK;
    if (fault & VIGIL_TEAR) {
        int count = fault & (VIGIL_PRETEND - 1);
        if (count > amount) count = amount;
        if (count > 0) file->real->pMethods->xWrite(file->real, bytes, count, offset);
        return SQLITE_IOERR_WRITE;
    }
    if (fault != VIGIL_PROCEED) return fault;
    return file->real->pMethods->xWrite(file->real, bytes, amount, offset);
}

static int write_database(vigil_file *file, const void *bytes, int amount, int64_t offset) {
    if (offset == 0 && amount >= 512) file->page_size = vigil_page_size_of(bytes);
    // A page of a database that was made without room for a checksum must never reach a disk: a bug of ours.
    if (file->page_size == 0 || amount != file->page_size || offset % amount != 0) return SQLITE_IOERR_WRITE;
    uint8_t *page = vigil_scratch(file, amount);
    if (page == NULL) return SQLITE_NOMEM;
    memcpy(page, bytes, (size_t)amount);
    vigil_page_seal(page, amount, offset / amount + 1);
    return pass_write(file, page, amount, offset);
}

static int file_write(sqlite3_file *base, const void *bytes, int amount, sqlite3_int64 offset) {
    vigil_file *file = ours(base);
    if (file->kind == kind_database) return write_database(file, bytes, amount, offset);
    if (file->kind == kind_log && offset == 0) {
        int rc = vigil_log_reset_mark(file);
        if (rc != SQLITE_OK) return rc;
    }
    int rc = pass_write(file, bytes, amount, offset);
    if (rc == SQLITE_OK && file->kind == kind_log) vigil_log_note_write(file, bytes, amount, offset);
    return rc;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    vigil_file *file = ours(base);
    int fault = vigil_fault(VIGIL_TRUNCATE, file->path, size, 0);
    if (fault == VIGIL_PRETEND) return SQLITE_OK;
    if (fault != VIGIL_PROCEED) return fault;
    if (file->kind == kind_log) {
        int rc = vigil_log_reset_mark(file);
        if (rc != SQLITE_OK) return rc;
    }
    return file->real->pMethods->xTruncate(file->real, size);
}

static int file_sync(sqlite3_file *base, int flags) {
    vigil_file *file = ours(base);
    int fault = vigil_fault(VIGIL_SYNC, file->path, 0, 0);
    if (fault != VIGIL_PROCEED && fault != VIGIL_PRETEND) return fault;
    int rc = fault == VIGIL_PRETEND ? SQLITE_OK : file->real->pMethods->xSync(file->real, flags);
    if (rc == SQLITE_OK && file->kind == kind_log) vigil_log_set_mark(file);
    return rc;
}

static int file_close(sqlite3_file *base) {
    vigil_file *file = ours(base);
    if (file->mark >= 0) close(file->mark);
    free(file->scratch);
    return file->real->pMethods->xClose(file->real);
}

// MARK: Passed on

static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int file_lock(sqlite3_file *f, int lock) { return real(f)->pMethods->xLock(real(f), lock); }
static int file_unlock(sqlite3_file *f, int lock) { return real(f)->pMethods->xUnlock(real(f), lock); }
static int file_check_lock(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int file_control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int file_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int file_traits(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int shm_lock(sqlite3_file *f, int at, int n, int fl) { return real(f)->pMethods->xShmLock(real(f), at, n, fl); }
static void shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int shm_unmap(sqlite3_file *f, int erase) { return real(f)->pMethods->xShmUnmap(real(f), erase); }

static int shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **memory) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, memory);
}

// Version 2 has no xFetch: a page in mapped memory would be read past its checksum.
static sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

// MARK: Files by name

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags) {
    (void)vfs;
    // Files without a name live as long as a statement and are gone after a crash.
    int kinds = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    if (name == NULL || (flags & kinds) == 0) return real_vfs->xOpen(real_vfs, name, base, flags, out_flags);
    vigil_file *file = ours(base);
    memset(file, 0, sizeof *file);
    int fault = vigil_fault(VIGIL_OPEN, name, 0, (flags & SQLITE_OPEN_READWRITE) != 0);
    if (fault != VIGIL_PROCEED) return fault;
    file->real = (sqlite3_file *)(file + 1);
    file->path = name;
    file->kind = flags & SQLITE_OPEN_MAIN_DB ? kind_database : flags & SQLITE_OPEN_WAL ? kind_log : kind_journal;
    file->big_endian = -1;
    file->mark = -1;
    file->mark_is_set = 1;
    int rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
    // SQLite closes a file whose methods are set even when opening it failed.
    if (rc == SQLITE_OK) base->pMethods = &methods;
    return rc;
}

static int ends_with_wal(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, "-wal") == 0;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
    (void)vfs;
    int fault = vigil_fault(VIGIL_DELETE, name, 0, 0);
    if (fault == VIGIL_PRETEND) return SQLITE_OK;
    if (fault != VIGIL_PROCEED) return fault;
    int is_log = ends_with_wal(name);
    if (is_log) {
        int rc = vigil_log_clear_mark_of(name);
        if (rc != SQLITE_OK) return rc;
    }
    int rc = real_vfs->xDelete(real_vfs, name, sync_folder);
    if (rc == SQLITE_OK && is_log) vigil_log_remove_mark_of(name);
    return rc;
}

static pthread_once_t registered = PTHREAD_ONCE_INIT;
static int registration;

static void register_once(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL) {
        registration = SQLITE_ERROR;
        return;
    }
    // The rest of the calls (names, random numbers, time, libraries) are the system's own: they take the system's layer
    // only for its private data, which is copied with the structure.
    vigil_vfs = *real_vfs;
    vigil_vfs.pNext = NULL;
    vigil_vfs.zName = "vigil";
    vigil_vfs.szOsFile = real_vfs->szOsFile + (int)sizeof(vigil_file);
    vigil_vfs.xOpen = vfs_open;
    vigil_vfs.xDelete = vfs_delete;
    registration = sqlite3_vfs_register(&vigil_vfs, 1);
}

int vigil_vfs_register(void) {
    pthread_once(&registered, register_once);
    return registration;
}

// MARK: For SQLiteKit

int vigil_vfs_reserve(void *connection) {
    int bytes = page_checksum_size;
    return sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

int vigil_vfs_scan(void *connection, int64_t *pages, vigil_damage *damage) {
    sqlite3_file *base = NULL;
    *pages = 0;
    int rc = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &base);
    if (rc != SQLITE_OK || base == NULL || base->pMethods != &methods) return rc == SQLITE_OK ? SQLITE_MISUSE : rc;
    vigil_file *file = ours(base);
    int64_t size = size_of(file);
    if (size == 0) return SQLITE_OK;
    vigil_vfs_take_damage(NULL);
    if (file->page_size == 0) rc = vigil_page_learn_size(file);
    uint8_t *page = rc == SQLITE_OK ? malloc((size_t)file->page_size) : NULL;
    if (rc == SQLITE_OK && page == NULL) return SQLITE_NOMEM;
    for (int64_t at = 0; rc == SQLITE_OK && at < size; at += file->page_size) {
        // A checkpoint may be writing this very page: what is damaged stays so.
        for (int attempt = 0; attempt < 3; attempt++) {
            rc = read_page(file, page, at);
            if (rc != SQLITE_IOERR_DATA || attempt == 2) break;
            vigil_vfs_take_damage(NULL);
        }
        if (rc == SQLITE_OK) ++*pages;
    }
    free(page);
    if (rc == SQLITE_IOERR_DATA) vigil_vfs_take_damage(damage);
    return rc;
}
