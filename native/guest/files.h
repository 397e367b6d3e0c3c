#ifndef XCLUSTER_GUEST_FILES_H
#define XCLUSTER_GUEST_FILES_H

#include <stdint.h>

// The records of files and directories (docs/guest-channel.md, src/files/record.ts). After the head come the name and
// the target of a link; after that the content of a file, in pieces: the length (u32) and the bytes of each, then a
// length of 0. A stream of records ends with LAST: one that ends otherwise is not whole.
enum { LAST = 0, REGULAR = 1, DIRECTORY = 2, LINK = 3, OTHER = 4 };

struct record {
  uint32_t kind, mode;
  int64_t mtime;  // nanoseconds since 1970
  uint32_t name, target;
};

enum { LONGEST_NAME = 4096, PIECE = 128 << 10 };

#endif
