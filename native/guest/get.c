// Sends files: `xcluster-guest --get PATH…`, records on standard output. It ends at the first file that cannot be read,
// without the last record.
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t output[PIECE];
static size_t end;

static _Noreturn void give_up(const char *path, int error) {
  fprintf(stderr, "%s: %s\n", path, strerror(error));
  exit(1);
}

static void flush(void) {
  for (size_t at = 0; at < end;) {
    ssize_t put = write(1, output + at, end - at);
    if (put < 0 && errno != EINTR) exit(1);
    if (put > 0) at += (size_t)put;
  }
  end = 0;
}

static void put(const void *bytes, size_t length) {
  if (sizeof output - end < length) flush();
  memcpy(output + end, bytes, length);
  end += length;
}

// The path in the guest, and the name in the records: both grow as a walk goes down.
struct walk {
  char path[LONGEST_NAME], name[LONGEST_NAME];
};

static void put_record(const struct walk *walk, uint32_t kind, const struct stat *status, const char *target) {
  struct record record = {
      .kind = kind,
      .mode = status->st_mode & 07777,
      .mtime = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec,
      .name = (uint32_t)strlen(walk->name),
      .target = (uint32_t)strlen(target),
  };
  put(&record, sizeof record);
  put(walk->name, record.name);
  put(target, record.target);
}

static void put_file(const struct walk *walk, const struct stat *status) {
  int file = open(walk->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) give_up(walk->path, errno);
  put_record(walk, REGULAR, status, "");
  uint32_t length;
  do {
    if (sizeof output - end < sizeof output / 2) flush();
    ssize_t got = read(file, output + end + sizeof length, sizeof output - end - sizeof length);
    if (got < 0) give_up(walk->path, errno);
    length = (uint32_t)got;
    memcpy(output + end, &length, sizeof length);
    end += sizeof length + length;
  } while (length > 0);
  close(file);
}

static void put_any(struct walk *walk, const struct stat *status);

static int append(char *path, const char *name) {
  size_t length = strlen(path);
  const char *slash = length > 0 && path[length - 1] == '/' ? "" : "/";
  return (size_t)snprintf(path + length, LONGEST_NAME - length, "%s%s", slash, name) < LONGEST_NAME - length;
}

static void put_directory(struct walk *walk, const struct stat *status) {
  DIR *directory = opendir(walk->path);
  if (!directory) give_up(walk->path, errno);
  put_record(walk, DIRECTORY, status, "");
  size_t path = strlen(walk->path), name = strlen(walk->name);
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat inner;
    if (!append(walk->path, entry->d_name) || !append(walk->name, entry->d_name)) give_up(walk->path, ENAMETOOLONG);
    if (lstat(walk->path, &inner) == 0)
      put_any(walk, &inner);
    else if (errno != ENOENT)  // it may have been removed meanwhile
      give_up(walk->path, errno);
    walk->path[path] = walk->name[name] = 0;
  }
  closedir(directory);
}

static void put_any(struct walk *walk, const struct stat *status) {
  char target[LONGEST_NAME];
  if (S_ISREG(status->st_mode)) return put_file(walk, status);
  if (S_ISDIR(status->st_mode)) return put_directory(walk, status);
  if (!S_ISLNK(status->st_mode)) return put_record(walk, OTHER, status, "");
  ssize_t length = readlink(walk->path, target, sizeof target - 1);
  if (length < 0) give_up(walk->path, errno);
  target[length] = 0;
  put_record(walk, LINK, status, target);
}

// A link is followed here, and stays a link further below.
static void put_named(const char *path) {
  static struct walk walk;
  struct stat status;
  char *real = realpath(path, NULL);
  if (!real) give_up(path, errno);
  if (stat(real, &status) < 0) give_up(path, errno);
  char *copy = strdup(path);
  size_t length = strlen(copy);
  while (length > 1 && copy[length - 1] == '/') copy[--length] = 0;
  const char *name = basename(copy);
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) name = basename(strdup(real));
  if (strcmp(name, "/") == 0) name = "root";
  if (strlen(real) >= sizeof walk.path || strlen(name) >= sizeof walk.name) give_up(path, ENAMETOOLONG);
  strcpy(walk.path, real);
  strcpy(walk.name, name);
  put_any(&walk, &status);
  free(copy);
  free(real);
}

int get_files(int count, char **arguments) {
  fcntl(1, F_SETPIPE_SZ, 2 * PIECE);
  for (int i = 2; i < count; i++) put_named(arguments[i]);
  struct record last = {.kind = LAST};
  put(&last, sizeof last);
  flush();
  return 0;
}
