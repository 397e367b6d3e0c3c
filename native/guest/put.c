// Receives files: `xcluster-guest --put HOW PATH`, records on standard input. HOW is `as` (PATH is the name of what
// comes), `into` (PATH is a directory for it) or `auto` (as cp(1): `into` when PATH is a directory).
// Everything is written into a new directory beside its place first, and renamed when all of it has come. So a full
// disk, or a host that gives up, changes nothing.
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The directory of the place, and the new name of what comes; NULL when it keeps its name.
static char *parent, *new_name;
// The directory beside the place, below `parent`. Empty until it is made.
static char work[] = ".xcluster-put-XXXXXX";
static int is_working;

static uint8_t input[PIECE];
static size_t at, end;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)kind, (void)place;
  return remove(path), 0;
}

static _Noreturn void give_up(const char *path, const char *why) {
  fprintf(stderr, "%s: %s\n", path, why);
  if (is_working && chdir(parent) == 0) nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  exit(1);
}

// `name` is relative to the parent.
static _Noreturn void fail_at(const char *name, int error) {
  static char path[2 * LONGEST_NAME];
  snprintf(path, sizeof path, "%s%s%s", parent, parent[strlen(parent) - 1] == '/' ? "" : "/", name);
  give_up(path, strerror(error));
}

static void fill(void) {
  ssize_t got = read(0, input, sizeof input);
  if (got < 0 && errno == EINTR) return fill();
  if (got <= 0) give_up(parent, "the host stopped in the middle, so nothing was written");
  at = 0;
  end = (size_t)got;
}

static void take(void *into, size_t length) {
  for (uint8_t *to = into; length > 0;) {
    if (at == end) fill();
    size_t now = length < end - at ? length : end - at;
    memcpy(to, input + at, now);
    to += now, at += now, length -= now;
  }
}

static void write_all(int file, const char *name, size_t length) {
  while (length > 0) {
    ssize_t put = write(file, input + at, length);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_at(name, errno);
    at += (size_t)put, length -= (size_t)put;
  }
}

static struct timespec time_of(const struct record *record) {
  int64_t seconds = record->mtime / 1000000000, rest = record->mtime % 1000000000;
  return rest < 0 ? (struct timespec){seconds - 1, rest + 1000000000} : (struct timespec){seconds, rest};
}

static void set_time(const char *name, const struct record *record) {
  struct timespec times[2] = {time_of(record), time_of(record)};
  utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW);
}

static void make_file(const char *name, const struct record *record) {
  int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) fail_at(name, errno);
  for (uint32_t length;;) {
    take(&length, sizeof length);
    if (length == 0) break;
    while (length > 0) {
      if (at == end) fill();
      size_t now = length < end - at ? length : end - at;
      write_all(file, name, now);
      length -= (uint32_t)now;
    }
  }
  if (fchmod(file, record->mode & 07777) < 0 || close(file) < 0) fail_at(name, errno);
  set_time(name, record);
}

// Directories get their modes and times last: files are made in them meanwhile.
struct directory {
  struct directory *before;
  struct record record;
  char name[];
};
static struct directory *directories;

static void make_directory(const char *name, const struct record *record) {
  if (mkdir(name, 0700) < 0) fail_at(name, errno);
  struct directory *made = malloc(sizeof *made + strlen(name) + 1);
  if (!made) fail_at(name, ENOMEM);
  made->before = directories;
  made->record = *record;
  strcpy(made->name, name);
  directories = made;
}

static void finish_directories(void) {
  for (; directories; directories = directories->before) {
    if (chmod(directories->name, directories->record.mode & 07777) < 0) fail_at(directories->name, errno);
    set_time(directories->name, &directories->record);
  }
}

static void take_text(char *into, uint32_t length) {
  if (length >= LONGEST_NAME) give_up(parent, strerror(ENAMETOOLONG));
  take(into, length);
  into[length] = 0;
}

// The name in the work directory: what comes first may get another name.
static const char *renamed(char *name) {
  static char buffer[2 * LONGEST_NAME];
  if (!new_name) return name;
  char *rest = strchr(name, '/');
  snprintf(buffer, sizeof buffer, "%s%s", new_name, rest ? rest : "");
  return buffer;
}

static void take_records(void) {
  static char name[LONGEST_NAME], target[LONGEST_NAME];
  for (struct record record;;) {
    take(&record, sizeof record);
    take_text(name, record.name);
    take_text(target, record.target);
    const char *made = renamed(name);
    if (record.kind == LAST) return;
    if (record.kind == REGULAR) make_file(made, &record);
    if (record.kind == DIRECTORY) make_directory(made, &record);
    if (record.kind != LINK) continue;
    if (symlink(target, made) < 0) fail_at(made, errno);
    set_time(made, &record);
  }
}

struct place {
  const char *name;
  int is_directory, is_there, is_directory_there;
};

static struct place place_of(const char *name) {
  static char there[2 * LONGEST_NAME];
  struct stat ours, theirs;
  struct place place = {.name = name};
  snprintf(there, sizeof there, "../%s", name);
  if (lstat(name, &ours) < 0) fail_at(name, errno);
  place.is_directory = S_ISDIR(ours.st_mode);
  // A link to a directory takes files as that directory does.
  place.is_there = (place.is_directory ? stat(there, &theirs) : lstat(there, &theirs)) == 0;
  place.is_directory_there = place.is_there && S_ISDIR(theirs.st_mode);
  int is_special = place.is_there && !S_ISDIR(theirs.st_mode) && !S_ISREG(theirs.st_mode) && !S_ISLNK(theirs.st_mode);
  if (place.is_directory && place.is_there && !place.is_directory_there) fail_at(name, ENOTDIR);
  if (!place.is_directory && place.is_directory_there) fail_at(name, EISDIR);
  if (is_special) fail_at(name, EEXIST);
  return place;
}

// In every place: refuses what cannot be renamed there, or (with `moves`) renames it there.
static int moves;

static int visit(const char *name, const struct stat *status, int kind, struct FTW *depth) {
  (void)status, (void)kind;
  name += name[0] == '.' && name[1] == '/' ? 2 : 0;
  if (depth->level == 0) return FTW_CONTINUE;
  struct place place = place_of(name);
  if (place.is_directory && place.is_there) return FTW_CONTINUE;
  static char there[2 * LONGEST_NAME];
  snprintf(there, sizeof there, "../%s", name);
  if (moves && rename(name, there) < 0) fail_at(name, errno);
  return place.is_directory ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}

static void place_all(int moving) {
  moves = moving;
  if (nftw(".", visit, 16, FTW_PHYS | FTW_ACTIONRETVAL) < 0) give_up(parent, strerror(errno));
}

static void find_place(const char *how, char *path) {
  struct stat status;
  int is_there = stat(path, &status) == 0;
  int is_directory = is_there && S_ISDIR(status.st_mode);
  if (strcmp(how, "into") == 0 && !is_directory) give_up(path, strerror(is_there ? ENOTDIR : ENOENT));
  if (strcmp(how, "as") != 0 && is_directory) {
    parent = path;
    return;
  }
  char *real = is_there ? realpath(path, NULL) : NULL;
  parent = dirname(strdup(real ? real : path));
  new_name = basename(strdup(real ? real : path));
}

int put_files(int count, char **arguments) {
  if (count != 4 || arguments[3][0] == 0) return 2;
  fcntl(0, F_SETPIPE_SZ, 2 * PIECE);
  find_place(arguments[2], arguments[3]);
  // A relative path is one of the directory in which this program runs.
  char *absolute = realpath(parent, NULL);
  if (!absolute) give_up(parent, strerror(errno));
  parent = absolute;
  if (chdir(parent) < 0 || !mkdtemp(work)) give_up(parent, strerror(errno));
  is_working = 1;
  if (chdir(work) < 0) give_up(parent, strerror(errno));
  take_records();
  finish_directories();
  place_all(0);
  place_all(1);
  if (chdir(parent) == 0) nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return 0;
}
