// Mounts, which give a namespace its name.
#include "addon.h"

#include <limits.h>
#include <sys/mount.h>

// mount(source, target, flags): bind mounts and their propagation only, never a file system.
napi_value mount_at(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char source[PATH_MAX], target[PATH_MAX];
  int flags;
  if (!take(env, info, 3, arguments) || !to_text(env, arguments[0], source, sizeof source) ||
      !to_text(env, arguments[1], target, sizeof target) || !to_integer(env, arguments[2], &flags))
    return NULL;
  return result(env, mount(source, target, "none", (unsigned long)flags, NULL), "mount");
}

// unmount(target): detaches the mount at once. Processes that use it keep it.
napi_value unmount_at(napi_env env, napi_callback_info info) {
  napi_value argument;
  char target[PATH_MAX];
  if (!take(env, info, 1, &argument) || !to_text(env, argument, target, sizeof target)) return NULL;
  return result(env, umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW), "umount2");
}
