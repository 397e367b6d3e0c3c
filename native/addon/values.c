// Converts JS values to C and back.
#include "addon.h"

#include <errno.h>
#include <string.h>

#define MOST_INTEGERS 5

static bool refuse(napi_env env, const char *why) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, NULL, why);
  return false;
}

// Missing arguments arrive as undefined, as in JavaScript.
bool take(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  return napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok || refuse(env, "arguments expected");
}

bool take_integers(napi_env env, napi_callback_info info, size_t count, int *out) {
  napi_value values[MOST_INTEGERS];
  if (count > MOST_INTEGERS || !take(env, info, count, values)) return refuse(env, "too many arguments");
  for (size_t i = 0; i < count; i++)
    if (!to_integer(env, values[i], &out[i])) return false;
  return true;
}

bool to_integer(napi_env env, napi_value value, int *out) {
  return napi_get_value_int32(env, value, out) == napi_ok || refuse(env, "a number expected");
}

// Refuses text that does not fit with its NUL, instead of truncating it.
bool to_text(napi_env env, napi_value value, char *out, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return refuse(env, "text expected");
  if (length >= size) {
    fail(env, (struct outcome){ENAMETOOLONG, "copy text"});
    return false;
  }
  return napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok || refuse(env, "text expected");
}

// The bytes belong to the JS value: they are valid until control returns to JavaScript.
bool to_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != napi_uint8_array)
    return refuse(env, "a Uint8Array expected");
  *bytes = data;
  return true;
}

// Undefined counts as an empty list.
bool to_integers(napi_env env, napi_value value, int *out, size_t capacity, size_t *count) {
  napi_valuetype type;
  uint32_t length = 0;
  *count = 0;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_undefined) return true;
  if (napi_get_array_length(env, value, &length) != napi_ok || length > capacity)
    return refuse(env, "a shorter array of numbers expected");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !to_integer(env, element, &out[i]))
      return refuse(env, "an array of numbers expected");
  }
  *count = length;
  return true;
}

napi_value from_integer(napi_env env, int64_t value) {
  napi_value number = NULL;
  napi_create_int64(env, value, &number);
  return number;
}

napi_value nothing(napi_env env) {
  napi_value value = NULL;
  napi_get_undefined(env, &value);
  return value;
}

void set(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

// An Error with `errno`, `syscall` and, unless negative, `index`. Its message is the system's own.
napi_value failure(napi_env env, struct outcome outcome, int64_t index) {
  napi_value message, call, error;
  // Of a known errno it is safe in threads. strerror_r returns words in glibc and a number in musl.
  const char *words = strerror(outcome.error);
  napi_create_string_utf8(env, words, NAPI_AUTO_LENGTH, &message);
  napi_create_string_utf8(env, outcome.call, NAPI_AUTO_LENGTH, &call);
  napi_create_error(env, NULL, message, &error);
  set(env, error, "errno", from_integer(env, outcome.error));
  set(env, error, "syscall", call);
  if (index >= 0) set(env, error, "index", from_integer(env, index));
  return error;
}

// Throws it.
napi_value fail(napi_env env, struct outcome outcome) {
  napi_throw(env, failure(env, outcome, -1));
  return NULL;
}

// Returns the result of a system call as a number, or throws its errno.
napi_value result(napi_env env, int64_t returned, const char *call) {
  if (returned < 0) return fail(env, (struct outcome){errno, call});
  return from_integer(env, returned);
}
