/*
 * Records what a process does to the files below one folder, in order, with data: LD_PRELOADed, so that it sees every library in the
 * process. test/crash/replay.ts rebuilds from the trace what a power loss would have left. It also makes calls fail on demand.
 *
 *   RECORDER_FOLDER  absolute path without symbolic links; what lies below it is recorded
 *   RECORDER_TRACE   the trace is appended here
 *   RECORDER_FAULT   while this file exists its one line "<calls> <errno> <from> <count>" makes calls fail: of those named in <calls>
 *                    (w write, s sync, o create, t truncate, r rename), the <from>-th (from 0) since it appeared, and <count> of them
 *
 * Bytes that leave the process by a socket or a pipe are recorded too, before they leave: they are what it acknowledged.
 * Not seen: memory maps (a shared writable one is recorded as unsupported; SQLite's -shm is rebuilt by SQLite, so it is left out).
 * Build: gcc -shared -fPIC -O1 -o recorder.so recorder.c -ldl -lpthread
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, MKDIR, RMDIR, LINK, OUTPUT, UNSUPPORTED };

#define MAX_FD 65536
#define MAX_OUTPUT 65536

struct event {
  uint32_t kind, path_bytes;
  uint64_t inode, number;
  uint64_t data_bytes;
};

struct tracked {
  uint64_t inode; /* 0: not below the folder */
  char *path;
};

static struct tracked files[MAX_FD];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *fault_path;
static size_t folder_bytes;
static int trace = -1;
static uint64_t last_sync;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_close)(int);
static int (*real_ftruncate)(int, off_t), (*real_truncate)(const char *, off_t);
static int (*real_rename)(const char *, const char *), (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_mkdir)(const char *, mode_t), (*real_rmdir)(const char *), (*real_link)(const char *, const char *);
static int (*real_dup)(int), (*real_dup2)(int, int), (*real_dup3)(int, int, int);

__attribute__((constructor)) static void start(void) {
  real_open = dlsym(RTLD_NEXT, "open64");
  real_openat = dlsym(RTLD_NEXT, "openat64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_pwritev = dlsym(RTLD_NEXT, "pwritev64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_close = dlsym(RTLD_NEXT, "close");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_truncate = dlsym(RTLD_NEXT, "truncate64");
  real_rename = dlsym(RTLD_NEXT, "rename");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_unlinkat = dlsym(RTLD_NEXT, "unlinkat");
  real_mkdir = dlsym(RTLD_NEXT, "mkdir");
  real_rmdir = dlsym(RTLD_NEXT, "rmdir");
  real_link = dlsym(RTLD_NEXT, "link");
  real_dup = dlsym(RTLD_NEXT, "dup");
  real_dup2 = dlsym(RTLD_NEXT, "dup2");
  real_dup3 = dlsym(RTLD_NEXT, "dup3");
  const char *trace_path = getenv("RECORDER_TRACE");
  if (!getenv("RECORDER_FOLDER") || !trace_path) return;
  trace = real_open(trace_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace < 0) {
    perror("recorder: cannot open the trace");
    abort();
  }
  fault_path = getenv("RECORDER_FAULT");
  folder = getenv("RECORDER_FOLDER");
  folder_bytes = strlen(folder);
}

/* ---- the trace; all of it under the mutex, so that its order is that of the calls ---- */

static void put(const void *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = real_write(trace, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      perror("recorder: cannot write the trace");
      abort();
    }
    bytes = (const char *)bytes + written;
    count -= written;
  }
}

static void record_vector(uint32_t kind, uint64_t inode, uint64_t number, const char *path, const struct iovec *data, int pieces,
                          size_t data_bytes) {
  struct event event = {kind, path ? strlen(path) : 0, inode, number, data_bytes};
  put(&event, sizeof event);
  if (path) put(path, event.path_bytes);
  for (int at = 0; at < pieces && data_bytes > 0; at++) {
    size_t part = data[at].iov_len < data_bytes ? data[at].iov_len : data_bytes;
    put(data[at].iov_base, part);
    data_bytes -= part;
  }
}

static void record(uint32_t kind, uint64_t inode, uint64_t number, const char *path, const void *data, size_t data_bytes) {
  struct iovec piece = {(void *)data, data_bytes};
  record_vector(kind, inode, number, path, &piece, 1, data_bytes);
}

/* ---- which files are below the folder ---- */

/* The absolute path in `full`, or NULL where it is not below the folder. */
static const char *below(int directory, const char *path, char *full) {
  if (!folder || !path) return NULL;
  if (path[0] == '/') {
    if (strlen(path) >= PATH_MAX) return NULL;
    strcpy(full, path);
  } else {
    char base[PATH_MAX];
    if (directory == AT_FDCWD) {
      if (!getcwd(base, sizeof base)) return NULL;
    } else if (directory >= 0 && directory < MAX_FD && files[directory].path) {
      strcpy(base, files[directory].path);
    } else {
      return NULL;
    }
    if (snprintf(full, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
  }
  size_t length = strlen(full);
  while (length > 1 && full[length - 1] == '/') full[--length] = 0;
  if (strncmp(full, folder, folder_bytes) != 0 || (full[folder_bytes] != '/' && full[folder_bytes] != 0)) return NULL;
  if (length > 4 && strcmp(full + length - 4, "-shm") == 0) return NULL;
  return full;
}

static void track(int fd, uint64_t inode, const char *path) {
  if (fd < 0 || fd >= MAX_FD) return;
  free(files[fd].path);
  files[fd].inode = inode;
  files[fd].path = path ? strdup(path) : NULL;
}

/* A descriptor closed where we could not see it must not make another file's bytes ours. */
static uint64_t inode_of(int fd) {
  if (!folder || fd < 0 || fd >= MAX_FD || files[fd].inode == 0) return 0;
  struct stat now;
  if (fstat(fd, &now) == 0 && now.st_ino == files[fd].inode) return files[fd].inode;
  track(fd, 0, NULL);
  return 0;
}

static int leaves_process(int fd) {
  struct stat now;
  return folder && fstat(fd, &now) == 0 && (S_ISSOCK(now.st_mode) || S_ISFIFO(now.st_mode));
}

/* ---- faults ---- */

/* The errno that the call must fail with now, or 0. Under the mutex. */
static int fault(char call) {
  static long seen;
  if (!fault_path) return 0;
  int fd = real_open(fault_path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    seen = 0;
    return 0;
  }
  char line[128] = {0}, calls[16];
  long from = 0, count = LONG_MAX;
  int code = 0;
  ssize_t got = read(fd, line, sizeof line - 1);
  real_close(fd);
  if (got <= 0 || sscanf(line, "%15s %d %ld %ld", calls, &code, &from, &count) < 2 || !strchr(calls, call)) return 0;
  long nth = seen++;
  return nth >= from && nth - from < count ? code : 0;
}

/* ---- the calls ---- */

static int open_recorded(int directory, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  pthread_mutex_lock(&mutex);
  const char *name = below(directory, path, full);
  if (!name) {
    pthread_mutex_unlock(&mutex);
    return real_openat(directory, path, flags, mode);
  }
  struct stat before, after;
  int existed = lstat(name, &before) == 0;
  int creates = (flags & O_CREAT) && !existed;
  int code = creates ? fault('o') : 0;
  int fd = code ? -1 : real_openat(directory, path, flags, mode);
  if (fd < 0 && !code) code = errno;
  if (fd >= 0 && fstat(fd, &after) == 0) {
    track(fd, after.st_ino, name);
    if (creates) record(CREATE, after.st_ino, 0, name, NULL, 0);
    else if ((flags & O_TRUNC) && S_ISREG(after.st_mode)) record(TRUNCATE, after.st_ino, 0, NULL, NULL, 0);
  }
  pthread_mutex_unlock(&mutex);
  errno = code;
  return fd;
}

#define MODE_OF(flags, mode)                                        \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {                          \
    va_list arguments;                                              \
    va_start(arguments, flags);                                     \
    mode = va_arg(arguments, mode_t);                               \
    va_end(arguments);                                              \
  }

int open(const char *path, int flags, ...) {
  mode_t mode = 0;
  MODE_OF(flags, mode)
  return open_recorded(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  mode_t mode = 0;
  MODE_OF(flags, mode)
  return open_recorded(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
  mode_t mode = 0;
  MODE_OF(flags, mode)
  return open_recorded(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
  mode_t mode = 0;
  MODE_OF(flags, mode)
  return open_recorded(directory, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return open_recorded(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_recorded(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* offset < 0: at the file's position. */
static ssize_t write_recorded(int fd, const struct iovec *pieces, int count, off_t offset) {
  size_t total = 0;
  for (int at = 0; at < count; at++) total += pieces[at].iov_len;
  pthread_mutex_lock(&mutex);
  uint64_t inode = inode_of(fd);
  if (!inode) {
    if (leaves_process(fd)) record_vector(OUTPUT, 0, 0, NULL, pieces, count, total < MAX_OUTPUT ? total : MAX_OUTPUT);
    pthread_mutex_unlock(&mutex);
    return offset < 0 ? real_writev(fd, pieces, count) : real_pwritev(fd, pieces, count, offset);
  }
  int code = fault('w');
  if (code) {
    /* A filling disk takes a part first: what it takes is recorded, and the rest fails at the next call. */
    size_t part = code == ENOSPC ? pieces[0].iov_len / 2 : 0;
    ssize_t taken = -1;
    if (part > 0) taken = offset < 0 ? real_write(fd, pieces[0].iov_base, part) : real_pwrite(fd, pieces[0].iov_base, part, offset);
    if (taken > 0) {
      record(WRITE, inode, offset < 0 ? (uint64_t)(lseek(fd, 0, SEEK_CUR) - taken) : (uint64_t)offset, NULL, pieces[0].iov_base, taken);
    }
    pthread_mutex_unlock(&mutex);
    errno = code;
    return count > 1 && taken > 0 ? taken : -1;
  }
  ssize_t written = offset < 0 ? real_writev(fd, pieces, count) : real_pwritev(fd, pieces, count, offset);
  int kept = errno;
  if (written > 0) {
    uint64_t at = offset < 0 ? (uint64_t)(lseek(fd, 0, SEEK_CUR) - written) : (uint64_t)offset;
    record_vector(WRITE, inode, at, NULL, pieces, count, written);
  }
  pthread_mutex_unlock(&mutex);
  errno = kept;
  return written;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  struct iovec piece = {(void *)bytes, count};
  return folder ? write_recorded(fd, &piece, 1, -1) : real_write(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  struct iovec piece = {(void *)bytes, count};
  return folder ? write_recorded(fd, &piece, 1, offset) : real_pwrite(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return pwrite(fd, bytes, count, offset); }

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  return folder ? write_recorded(fd, pieces, count, -1) : real_writev(fd, pieces, count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
  return folder ? write_recorded(fd, pieces, count, offset) : real_pwritev(fd, pieces, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset) { return pwritev(fd, pieces, count, offset); }

/* Only what was written before a sync began is certain to be in it, so both ends of the call are recorded, and others go on between. */
static int sync_recorded(int fd, int (*real)(int)) {
  pthread_mutex_lock(&mutex);
  uint64_t inode = inode_of(fd), number = ++last_sync;
  int code = 0;
  if (inode) {
    struct stat now;
    int is_folder = fstat(fd, &now) == 0 && S_ISDIR(now.st_mode);
    record(SYNC_BEGIN, inode, number, is_folder ? files[fd].path : NULL, NULL, 0);
    code = fault('s');
  }
  pthread_mutex_unlock(&mutex);
  int result = code ? -1 : real(fd);
  if (result < 0 && !code) code = errno;
  if (inode) {
    pthread_mutex_lock(&mutex);
    record(SYNC_END, code, number, NULL, NULL, 0);
    pthread_mutex_unlock(&mutex);
  }
  errno = code;
  return result;
}

int fsync(int fd) { return sync_recorded(fd, real_fsync); }
int fdatasync(int fd) { return sync_recorded(fd, real_fdatasync); }

int ftruncate(int fd, off_t size) {
  pthread_mutex_lock(&mutex);
  uint64_t inode = inode_of(fd);
  int code = inode ? fault('t') : 0;
  int result = code ? -1 : real_ftruncate(fd, size);
  if (result < 0 && !code) code = errno;
  if (inode && result == 0) record(TRUNCATE, inode, size, NULL, NULL, 0);
  pthread_mutex_unlock(&mutex);
  errno = code;
  return result;
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

static int name_recorded(uint32_t kind, char call, const char *path, const char *to, int result_of(const char *, const char *)) {
  char full[PATH_MAX], full_to[PATH_MAX];
  pthread_mutex_lock(&mutex);
  const char *name = below(AT_FDCWD, path, full), *target = to ? below(AT_FDCWD, to, full_to) : NULL;
  int code = name && call ? fault(call) : 0;
  int result = code ? -1 : result_of(path, to);
  if (result < 0 && !code) code = errno;
  if (result == 0 && to && !name != !target) record(UNSUPPORTED, 0, 0, "rename or link across the folder's edge", NULL, 0);
  else if (result == 0 && name) record(kind, 0, 0, name, target, target ? strlen(target) : 0);
  pthread_mutex_unlock(&mutex);
  errno = code;
  return result;
}

static int do_rename(const char *from, const char *to) { return real_rename(from, to); }
static int do_link(const char *from, const char *to) { return real_link(from, to); }
static int do_unlink(const char *path, const char *none) { return (void)none, real_unlink(path); }
static int do_rmdir(const char *path, const char *none) { return (void)none, real_rmdir(path); }
static __thread mode_t mkdir_mode;
static int do_mkdir(const char *path, const char *none) { return (void)none, real_mkdir(path, mkdir_mode); }

int rename(const char *from, const char *to) { return name_recorded(RENAME, 'r', from, to, do_rename); }
int link(const char *from, const char *to) { return name_recorded(LINK, 'r', from, to, do_link); }
int unlink(const char *path) { return name_recorded(UNLINK, 0, path, NULL, do_unlink); }
int rmdir(const char *path) { return name_recorded(RMDIR, 0, path, NULL, do_rmdir); }

int mkdir(const char *path, mode_t mode) {
  mkdir_mode = mode;
  return name_recorded(MKDIR, 'o', path, NULL, do_mkdir);
}

static void unsupported(int applies, const char *call) {
  if (!applies) return;
  pthread_mutex_lock(&mutex);
  record(UNSUPPORTED, 0, 0, call, NULL, 0);
  pthread_mutex_unlock(&mutex);
}

int unlinkat(int directory, const char *path, int flags) {
  char full[PATH_MAX];
  unsupported(below(directory, path, full) != NULL, "unlinkat");
  return real_unlinkat(directory, path, flags);
}

int truncate(const char *path, off_t size) {
  char full[PATH_MAX];
  unsupported(below(AT_FDCWD, path, full) != NULL, "truncate");
  return real_truncate(path, size);
}

int truncate64(const char *path, off64_t size) { return truncate(path, size); }

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
  if (folder && fd >= 0) {
    pthread_mutex_lock(&mutex);
    int ours = inode_of(fd) != 0;
    pthread_mutex_unlock(&mutex);
    unsupported(ours && (protection & PROT_WRITE) && (flags & MAP_SHARED), "mmap");
  }
  return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

int close(int fd) {
  pthread_mutex_lock(&mutex);
  track(fd, 0, NULL);
  pthread_mutex_unlock(&mutex);
  return real_close(fd);
}

/* The copy is the same file. */
static int copied(int from, int to) {
  if (to < 0 || from < 0 || from >= MAX_FD) return to;
  pthread_mutex_lock(&mutex);
  track(to, files[from].inode, files[from].path);
  pthread_mutex_unlock(&mutex);
  return to;
}

int dup(int fd) { return copied(fd, real_dup(fd)); }
int dup2(int fd, int to) { return fd == to ? real_dup2(fd, to) : copied(fd, real_dup2(fd, to)); }
int dup3(int fd, int to, int flags) { return copied(fd, real_dup3(fd, to, flags)); }
