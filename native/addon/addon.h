// Declarations that the addon's files share. Each exported function is one system call, or an indivisible
// group of them. The addon has no state of its own (everything that outlives a call belongs to a JS value or to
// an environment), so several environments can use it at once.
#pragma once

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Changes whenever the signature of an exported function changes. src/sys/binding.ts expects the same number.
#define XCLUSTER_ABI 7

// An errno and the call that returned it. `error` 0 is success.
struct outcome {
  int error;
  const char *call;
};

// values.c: converts arguments and results. Functions that return bool leave an exception pending with false.
bool take(napi_env env, napi_callback_info info, size_t count, napi_value *values);
bool take_integers(napi_env env, napi_callback_info info, size_t count, int *out);
bool to_integer(napi_env env, napi_value value, int *out);
bool to_text(napi_env env, napi_value value, char *out, size_t size);
bool to_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length);
bool to_integers(napi_env env, napi_value value, int *out, size_t capacity, size_t *count);
napi_value from_integer(napi_env env, int64_t value);
napi_value nothing(napi_env env);
napi_value failure(napi_env env, struct outcome outcome, int64_t index);
napi_value fail(napi_env env, struct outcome outcome);
napi_value result(napi_env env, int64_t returned, const char *call);
void set(napi_env env, napi_value object, const char *name, napi_value value);

// owned.c: descriptors that JavaScript has to close. `give` makes it their owner; `disown` when C closes one instead.
bool prepare_owned(napi_env env);
napi_value give(napi_env env, int fd);
napi_value give_all(napi_env env, const int *fds, size_t count);
void disown(napi_env env, int fd);

// namespace.c: runs `work` in the network namespace `fd`, or in this process's own when `fd` is negative.
typedef struct outcome (*namespace_work)(void *argument);
struct outcome in_namespace(int fd, namespace_work work, void *argument);

// The exported functions, by file.
typedef napi_value exported(napi_env env, napi_callback_info info);
exported create_namespace, open_in, write_in, socket_in;
exported open_taps;
exported receive_message, send_message;
exported bind_netlink, set_option, socket_pair, connect_unix, get_option;
exported create_memfd, add_seals, lock_file, duplicate;
exported mount_at, unmount_at;
exported bind_address, receive_batch, send_batch, create_epoll, ask_udp, release_udp, receive_ready;
exported disown_fd, close_fd, close_in_pool;
exported poll_open, poll_watch, poll_close;
