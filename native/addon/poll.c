// uv_poll: reports to JavaScript when a file descriptor is ready. An open poll owns its fd.
//
// A handle still open when its environment ends aborts Node, so each poll has an async cleanup hook that closes it
// first. The fd is closed only after uv_close: libuv may still have it in its epoll set until then.
#include "addon.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct poll {
  uv_poll_t handle;
  napi_env env;
  napi_async_cleanup_hook_handle hook;
  napi_async_context context;
  napi_ref ready;
  napi_ref closed;
  int fd;
  int owners; // the uv handle and the JS value; the last one to go frees the memory
  bool closing;
  bool ending; // the environment is ending: JavaScript can no longer be called
};

static void let_go(struct poll *poll) {
  if (--poll->owners == 0) free(poll);
}

static void finalize(napi_env env, void *pointer, void *hint) {
  (void)env;
  (void)hint;
  let_go(pointer);
}

static void forget_javascript(struct poll *poll) {
  if (poll->ready) napi_delete_reference(poll->env, poll->ready);
  if (poll->closed) napi_delete_reference(poll->env, poll->closed);
  if (poll->context) napi_async_destroy(poll->env, poll->context);
  poll->ready = poll->closed = NULL;
  poll->context = NULL;
}

// Calls JavaScript from the event loop. An exception that it throws becomes an uncaught one, as from any event.
static void call(struct poll *poll, napi_ref reference, int status, int events) {
  napi_env env = poll->env;
  napi_handle_scope scope;
  napi_value function, receiver, error;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value arguments[] = {from_integer(env, status), from_integer(env, events)};
  if (napi_get_reference_value(env, reference, &function) == napi_ok && function &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, poll->context, receiver, function, 2, arguments, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
  napi_close_handle_scope(env, scope);
}

static void on_ready(uv_poll_t *handle, int status, int events) {
  struct poll *poll = handle->data;
  if (!poll->closing) call(poll, poll->ready, status, events);
}

static void on_closed(uv_handle_t *handle) {
  struct poll *poll = handle->data;
  close(poll->fd);
  if (!poll->ending) {
    if (poll->closed) call(poll, poll->closed, 0, 0);
    forget_javascript(poll);
  }
  if (poll->hook) napi_remove_async_cleanup_hook(poll->hook);
  let_go(poll);
}

static void begin_close(struct poll *poll) {
  if (poll->closing) return;
  poll->closing = true;
  uv_close((uv_handle_t *)&poll->handle, on_closed);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *pointer) {
  (void)hook;
  struct poll *poll = pointer;
  poll->ending = true;
  forget_javascript(poll);
  begin_close(poll);
}

static bool prepare(napi_env env, struct poll *poll, napi_value ready) {
  napi_value name;
  return napi_create_string_utf8(env, "xcluster.poll", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_async_init(env, NULL, name, &poll->context) == napi_ok &&
         napi_create_reference(env, ready, 1, &poll->ready) == napi_ok &&
         napi_add_async_cleanup_hook(env, on_environment_end, poll, &poll->hook) == napi_ok;
}

// pollOpen(fd, ready): a poll that watches nothing yet. It owns the fd from now on, and makes it
// non-blocking. It calls ready(status, events), with status 0 or a negative errno.
napi_value poll_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2], external;
  int fd;
  uv_loop_t *loop;
  if (!take(env, info, 2, arguments) || !to_integer(env, arguments[0], &fd)) return NULL;
  struct poll *poll = calloc(1, sizeof *poll);
  if (!poll || napi_get_uv_event_loop(env, &loop) != napi_ok) {
    free(poll);
    return fail(env, (struct outcome){ENOMEM, "calloc"});
  }
  *poll = (struct poll){.env = env, .fd = fd, .owners = 1};
  int status = uv_poll_init(loop, &poll->handle, fd);
  if (status < 0) {
    free(poll);
    return fail(env, (struct outcome){-status, "uv_poll_init"});
  }
  poll->handle.data = poll;
  if (prepare(env, poll, arguments[1]) && napi_create_external(env, poll, finalize, NULL, &external) == napi_ok) {
    poll->owners++;
    disown(env, fd);
    return external;
  }
  poll->fd = -1; // not owned: the caller closes it
  begin_close(poll);
  return fail(env, (struct outcome){ENOMEM, "napi_create_external"});
}

static struct poll *take_poll(napi_env env, napi_value value) {
  void *pointer = NULL;
  if (napi_get_value_external(env, value, &pointer) != napi_ok) napi_throw_type_error(env, NULL, "a poll expected");
  return pointer;
}

// pollWatch(poll, events): 1 readable, 2 writable, 3 both, 0 none (an idle poll does not keep the process alive).
napi_value poll_watch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct poll *poll;
  int events;
  if (!take(env, info, 2, arguments) || !to_integer(env, arguments[1], &events)) return NULL;
  if (!(poll = take_poll(env, arguments[0])) || poll->closing) return NULL;
  int status = events ? uv_poll_start(&poll->handle, events, on_ready) : uv_poll_stop(&poll->handle);
  return status < 0 ? fail(env, (struct outcome){-status, "uv_poll_start"}) : NULL;
}

// pollClose(poll, closed): stops watching, closes the fd, then calls closed().
napi_value poll_close(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct poll *poll;
  if (!take(env, info, 2, arguments) || !(poll = take_poll(env, arguments[0])) || poll->closing) return NULL;
  if (napi_create_reference(env, arguments[1], 1, &poll->closed) != napi_ok) return NULL;
  begin_close(poll);
  return NULL;
}
