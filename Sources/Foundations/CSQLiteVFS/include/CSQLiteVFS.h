#ifndef VIGIL_CSQLITEVFS_H
#define VIGIL_CSQLITEVFS_H

#include <stdint.h>

// The file layer below SQLite that Vigil opens every database with: a checksum in the last 8 bytes of each page, checked
// on every read; a check of every frame that is read from a write-ahead log; a mark beside the log that says how far it
// was made durable; and the seam where tests make the disk fail. The format is described in
// Docs/Internals/data-folder.md.

// Makes this layer the one that SQLite opens files with. May be called often; returns an SQLite result code.
int vigil_vfs_register(void);

// Damage that was found.
typedef struct {
    char path[1024];
    int64_t offset;  // where the page or frame begins
    uint64_t expected;
    uint64_t found;
} vigil_damage;

// The damage that this thread met last since the last call, if any; returns whether there was any and forgets it.
int vigil_vfs_take_damage(vigil_damage *damage);

// Asks for the reserved bytes of a database that is new; `connection` is an `sqlite3 *`. Returns a result code.
int vigil_vfs_reserve(void *connection);

// Reads every page of the database file, past the page cache. Returns SQLITE_OK, SQLITE_IOERR_DATA with `damage` filled,
// or another result code. `pages` is how many were read.
int vigil_vfs_scan(void *connection, int64_t *pages, vigil_damage *damage);

// Holds the write-ahead log of the database at `path` against its mark. To be called before the first connection of
// the machine is opened. Returns SQLITE_OK or SQLITE_IOERR_DATA with `damage` filled.
int vigil_vfs_check_log(const char *path, vigil_damage *damage);

// What the seam is asked before it happens.
enum {
    VIGIL_OPEN = 1,  // amount: 1 when it may write
    VIGIL_READ = 2,
    VIGIL_WRITE = 3,
    VIGIL_SYNC = 4,
    VIGIL_TRUNCATE = 5,  // offset: the new size
    VIGIL_DELETE = 6,
};

// What the seam may answer besides an SQLite result code, with which the call then fails without having done anything.
enum {
    VIGIL_PROCEED = 0,
    VIGIL_PRETEND = 1 << 20,  // do nothing and report success
    VIGIL_TEAR = 1 << 21,     // plus a count: write only so many bytes, then fail
};

typedef int (*vigil_fault_function)(void *context, int operation, const char *path, int64_t offset, int64_t amount);

// Sets, or with NULL ends, the seam. Only for tests: it is asked for every operation of every file.
void vigil_vfs_set_fault(vigil_fault_function function, void *context);

#endif
