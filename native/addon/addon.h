// Declarations that the addon's files share. Each exported function is one system call, or an indivisible
// group of them. The addon has no state of its own (everything that outlives a call belongs to a JS value),
// so several environments can use it at once.
#pragma once

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Changes whenever the signature of an exported function changes. src/sys/binding.ts expects the same number.
#define XCLUSTER_ABI 2

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
napi_value from_integers(napi_env env, const int *values, size_t count);
napi_value nothing(napi_env env);
napi_value fail(napi_env env, struct outcome outcome);
napi_value result(napi_env env, int64_t returned, const char *call);
void set(napi_env env, napi_value object, const char *name, napi_value value);

// namespace.c: runs `work` in the network namespace `fd`, or in this process's own when `fd` is negative.
typedef struct outcome (*namespace_work)(void *argument);
struct outcome in_namespace(int fd, namespace_work work, void *argument);

napi_value create_namespace(napi_env env, napi_callback_info info);
napi_value open_in(napi_env env, napi_callback_info info);
napi_value socket_in(napi_env env, napi_callback_info info);
napi_value open_taps(napi_env env, napi_callback_info info);
napi_value receive_message(napi_env env, napi_callback_info info);
napi_value send_message(napi_env env, napi_callback_info info);
napi_value bind_netlink(napi_env env, napi_callback_info info);
napi_value set_option(napi_env env, napi_callback_info info);
napi_value socket_pair(napi_env env, napi_callback_info info);
napi_value connect_unix(napi_env env, napi_callback_info info);
napi_value peer_credentials(napi_env env, napi_callback_info info);
napi_value create_memfd(napi_env env, napi_callback_info info);
napi_value add_seals(napi_env env, napi_callback_info info);
napi_value lock_file(napi_env env, napi_callback_info info);
napi_value duplicate(napi_env env, napi_callback_info info);
napi_value mount_at(napi_env env, napi_callback_info info);
napi_value unmount_at(napi_env env, napi_callback_info info);
napi_value bind_address(napi_env env, napi_callback_info info);
napi_value receive_batch(napi_env env, napi_callback_info info);
napi_value send_batch(napi_env env, napi_callback_info info);
napi_value poll_open(napi_env env, napi_callback_info info);
napi_value poll_watch(napi_env env, napi_callback_info info);
napi_value poll_close(napi_env env, napi_callback_info info);
